"""What is kept of devices and farmers: keys, links, what controllers said, and which series they may feed."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from forecasting.models import Series


class DeviceKey(models.Model):
    """A controller's bearer key: only a prefix and a hash are kept. Two may live at once, for rotation."""

    controller = models.ForeignKey(
        "water.Controller", models.CASCADE, related_name="keys", verbose_name=_("controller")
    )
    prefix = models.CharField(_("prefix"), max_length=16, unique=True)
    secret_sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("device key")
        verbose_name_plural = _("device keys")


class DeviceMessage(models.Model):
    """What a controller said: an acknowledgement, a measurement or a greeting. `seq` makes replays harmless."""

    class Kind(models.TextChoices):
        ACK = "ack", _("acknowledgement")
        TELEMETRY = "telemetry", _("telemetry")
        HELLO = "hello", _("hello")

    controller = models.ForeignKey(
        "water.Controller", models.CASCADE, related_name="messages", verbose_name=_("controller")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    seq = models.BigIntegerField(_("sequence number"))
    run_uid = models.UUIDField(_("run"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=20, blank=True)
    at = models.DateTimeField(_("at"))
    data = models.JSONField(_("data"), default=dict)
    received_at = models.DateTimeField(_("received at"), auto_now_add=True)

    class Meta:
        verbose_name = _("device message")
        verbose_name_plural = _("device messages")
        constraints = [models.UniqueConstraint(fields=["controller", "kind", "seq"], name="a_message_counts_once")]
        indexes = [models.Index(fields=["run_uid"], name="messages_of_a_run")]

    def __str__(self) -> str:
        return f"{self.controller} · {self.get_kind_display()} {self.seq}"


class DeviceFeed(models.Model):
    """A series that a controller may feed: measurements it sends for that series are taken in like any other feed's."""

    controller = models.ForeignKey(
        "water.Controller", models.CASCADE, related_name="feeds", verbose_name=_("controller")
    )
    series = models.ForeignKey(Series, models.CASCADE, related_name="+", verbose_name=_("series"))

    class Meta:
        verbose_name = _("series fed by a controller")
        verbose_name_plural = _("series fed by controllers")
        constraints = [models.UniqueConstraint(fields=["controller", "series"], name="a_series_is_fed_once")]

    def __str__(self) -> str:
        return str(self.series)

    def clean(self) -> None:
        # Without a controller or a series yet, the form says what is missing.
        if self.controller_id and self.series_id and self.controller.city_id != self.series.city_id:
            raise ValidationError({"series": _("a series of the controller's own city")})


class FarmerLink(models.Model):
    """A secret link to the turns of a turnout. Only the token's hash is kept; a lost link is revoked and made anew."""

    turnout = models.ForeignKey("water.Turnout", models.CASCADE, related_name="links", verbose_name=_("turnout"))
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("farmer's link")
        verbose_name_plural = _("farmers' links")
