"""Controllers, turnouts and what happens at them: keys and links are handed out here, runs and reports are read here.

Secrets are made by POST, shown once on a page that no cache keeps, and never written to a message or a log.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cities.scoping import CityScopedAdmin, ReadOnlyAdmin

from .asset_admin import WHAT, WHENCE, AssetAdmin
from .device_words import STATUSES, data_in_words, status_in_words
from .devices import TooManyKeys, issue_key
from .farmer import make_link, said_in_words
from .field_admin import CropBlockInline
from .messages import ORDER, run_statuses
from .models import Controller, ControllerSchedule, DeviceFeed, DeviceMessage, Turnout, ValveRun
from .watch import alarm_of, watched, with_alarm

Step = Callable[[HttpRequest, Any], HttpResponse]
HEAVY_OF_A_PLAN = ("plan__snapshot", "plan__result", "plan__facts", "plan__broken_limits", "plan__seconds")
"""Megabytes for each row of a list that says no more of a plan than its name."""


class SecretsAdmin(AssetAdmin):
    """An asset for which an engineer makes and revokes secrets, each step a POST to an address of its own."""

    secrets: str
    """The related name of its secrets, which have `revoked_at`."""

    def get_urls(self) -> list[URLPattern]:
        name = f"water_{self.opts.model_name}"
        own = [
            path("<int:pk>/secret/", self.admin_site.admin_view(self.make_view), name=f"{name}_secret"),
            path("<int:pk>/secret/<int:secret>/", self.admin_site.admin_view(self.revoke_view), name=f"{name}_revoke"),
        ]
        return own + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        found = self.get_object(request, object_id)
        extra = {"secrets": getattr(found, self.secrets).order_by("-created_at")} if found else {}
        return super().change_view(request, object_id, *args, **{**kwargs, "extra_context": extra})

    def make_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        asset = self._mine(request, pk)
        context = {**self.admin_site.each_context(request), "title": str(asset), "original": asset, "opts": self.opts}
        try:
            shown = self.make(request, asset)
        except TooManyKeys:
            messages.error(request, _("This controller has two live keys. Revoke one first."))
            return self._back(pk)
        self.log_change(request, asset, _("Made a secret."))
        response = TemplateResponse(request, "admin/water/secret.html", {**context, **shown})
        response["Cache-Control"] = "no-store"
        return response

    def revoke_view(self, request: HttpRequest, pk: int, secret: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        asset = self._mine(request, pk)
        revoked = getattr(asset, self.secrets).filter(pk=secret, revoked_at=None).update(revoked_at=timezone.now())
        if not revoked:
            raise Http404("no such live secret")
        self.log_change(request, asset, _("Revoked a secret."))
        messages.success(request, _("Revoked. Whoever uses it gets no answer from now on."))
        return self._back(pk)

    def make(self, request: HttpRequest, asset: Any) -> dict[str, str]:
        """What the page that shows a new secret says."""
        raise NotImplementedError

    def _mine(self, request: HttpRequest, pk: int) -> Any:
        asset = self.get_object(request, str(pk))
        if asset is None:
            raise Http404("no such row")
        if not self.has_change_permission(request, asset):
            raise PermissionDenied
        return asset

    def _back(self, pk: int) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse(f"admin:water_{self.opts.model_name}_change", args=[pk]))


class AlarmFilter(admin.SimpleListFilter):
    title = gettext_lazy("alarm")
    parameter_name = "alarm"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("any", gettext_lazy("any alarm")), *Controller.Alarm.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Controller]) -> QuerySet[Controller]:
        value = self.value()
        if value is None:
            return queryset
        alarms = Controller.Alarm.values if value == "any" else [value]
        return queryset.filter(pk__in=[row.pk for row in with_alarm(queryset, timezone.now(), *alarms)])


class FeedInline(CityScopedAdmin, admin.TabularInline):
    """The series that a controller may feed with its telemetry."""

    model = DeviceFeed
    extra = 0
    city_path = "controller__city"


@admin.register(Controller)
class ControllerAdmin(SecretsAdmin):
    list_display = ("label", "alarm_now", "seen", "adoption", "live_keys", "lateral")
    list_filter = ("city", AlarmFilter, "lateral")
    inlines = (FeedInline,)
    list_select_related = ("lateral", "city")
    readonly_fields = ("alarm_now", "seen", "adoption", "see_also")
    change_form_template = "admin/water/secrets_form.html"
    secrets = "keys"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Controller]:
        return watched(super().get_queryset(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A controller that is only being made has said nothing and was told nothing."""
        return super().get_readonly_fields(request, obj) if obj else ()

    @admin.display(description=gettext_lazy("alarm"))
    def alarm_now(self, controller: Any) -> str:
        alarm = alarm_of(controller, timezone.now())
        return format_html('<strong class="error">{}</strong>', Controller.Alarm(alarm).label) if alarm else "–"

    @admin.display(description=gettext_lazy("last seen"), ordering="last_seen_at")
    def seen(self, controller: Controller) -> str:
        if controller.last_seen_at is None:
            return _("never")
        return _("%(age)s ago") % {"age": timesince(controller.last_seen_at)}

    @admin.display(description=gettext_lazy("applied / current revision"))
    def adoption(self, controller: Any) -> str:
        if controller.current_revision is None:
            return _("nothing published")
        text = f"{controller.applied_revision or '–'} / {controller.current_revision}"
        return (
            text
            if controller.applied_revision == controller.current_revision
            else format_html("<strong>{}</strong>", text)
        )

    @admin.display(description=gettext_lazy("see also"))
    def see_also(self, controller: Controller) -> str:
        """What it said and what it was told."""
        places = (
            (DeviceMessage, f"controller__id__exact={controller.pk}"),
            (ControllerSchedule, f"controller__id__exact={controller.pk}"),
            (ValveRun, f"turnout__lateral__id__exact={controller.lateral_id}"),
        )
        links = (
            (
                reverse(f"admin:water_{model._meta.model_name}_changelist"),
                query,
                capfirst(model._meta.verbose_name_plural),
            )
            for model, query in places
        )
        return format_html_join(" · ", '<a href="{}?{}">{}</a>', links)

    @admin.display(description=gettext_lazy("live keys"), ordering="live")
    def live_keys(self, controller: Any) -> int:
        return int(controller.live)

    def make(self, request: HttpRequest, asset: Controller) -> dict[str, str]:
        return {
            "what": _("Key of the controller"),
            "secret": issue_key(asset),
            "advice": _("Put it on the device as its bearer key (docs/device-protocol.md)."),
        }


@admin.register(Turnout)
class TurnoutAdmin(SecretsAdmin):
    list_display = (*WHAT, "lateral", "controller", "flow_m3s", "travel_minutes", *WHENCE)
    list_filter = ("city", "lateral", "assumption")
    list_select_related = ("lateral", "controller", "city")
    inlines = (CropBlockInline,)
    change_form_template = "admin/water/secrets_form.html"
    secrets = "links"

    def make(self, request: HttpRequest, asset: Turnout) -> dict[str, str]:
        return {
            "what": _("Farmer's link"),
            "secret": request.build_absolute_uri(reverse("turns", args=[make_link(asset)])),
            "advice": _("Give it to the farmer, for instance as a QR code on paper. Whoever has it sees the turns."),
        }


class ReachedFilter(admin.SimpleListFilter):
    title = gettext_lazy("report of the controller")
    parameter_name = "reached"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("silence", _("no word")),
            ("received", _("received")),
            ("started", _("opened")),
            ("completed", _("completed")),
            ("trouble", _("trouble")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ValveRun]) -> QuerySet[ValveRun]:
        said = DeviceMessage.objects.filter(kind=DeviceMessage.Kind.ACK, run_uid=OuterRef("uid"))
        value = self.value()
        if value == "silence":
            return queryset.filter(~Exists(said))
        if value == "trouble":
            return queryset.filter(Exists(said.exclude(status__in=ORDER)))
        return queryset.filter(Exists(said.filter(status=value))) if value else queryset


@admin.register(ValveRun)
class ValveRunAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """Runs are written by plans and changed by nobody: a controller may already have them."""

    city_path = "turnout__city"
    list_display = ("start", "end", "turnout", "volume", "status", "reached", "plan")
    list_filter = ("status", ReachedFilter, "turnout__lateral")
    search_fields = ("turnout__key", "turnout__name", "turnout__name_zh")
    date_hierarchy = "start"
    ordering = ("-start", "turnout__key")
    fields = ("turnout", "start", "end", "volume", "status", "uid", "rev", "plan", "reports")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ValveRun]:
        mine: QuerySet[ValveRun] = super().get_queryset(request)
        return mine.select_related("turnout__city", "plan__city").defer(*HEAVY_OF_A_PLAN)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Asks once for the words on all runs of the page."""
        found = super().get_changelist_instance(request)
        said = run_statuses(run.uid for run in found.result_list)
        for run in found.result_list:
            run.said = said.get(run.uid, "")
        return found

    @admin.display(description=gettext_lazy("volume, m³"), ordering="volume_m3")
    def volume(self, run: ValveRun) -> str:
        return f"{run.volume_m3:,.0f}"

    @admin.display(description=gettext_lazy("report of the controller"))
    def reached(self, run: Any) -> str:
        return said_in_words(run.said)

    @admin.display(description=gettext_lazy("reports of the controller"))
    def reports(self, run: ValveRun) -> str:
        said = DeviceMessage.objects.filter(kind=DeviceMessage.Kind.ACK, run_uid=run.uid).order_by("at", "seq")
        lines = (
            (f"{localtime(message.at):%Y-%m-%d %H:%M:%S}", status_in_words(message.status), data_in_words(message.data))
            for message in said
        )
        return format_html_join("", "<div>{} <strong>{}</strong> {}</div>", lines) or _("no word")


@admin.register(ControllerSchedule)
class ControllerScheduleAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    city_path = "controller__city"
    list_display = ("controller", "revision", "current", "plan", "issued_at", "valid_until")
    list_filter = ("current", "controller")
    date_hierarchy = "issued_at"
    ordering = ("-issued_at", "controller__key")
    fields = ("controller", "revision", "current", "plan", "issued_at", "valid_until", "tag", "signed", "document")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ControllerSchedule]:
        mine: QuerySet[ControllerSchedule] = super().get_queryset(request)
        return mine.select_related("controller", "plan__city").defer("body", *HEAVY_OF_A_PLAN)

    @admin.display(description=gettext_lazy("ETag"))
    def tag(self, schedule: ControllerSchedule) -> str:
        return schedule.etag

    @admin.display(description=gettext_lazy("signature"))
    def signed(self, schedule: ControllerSchedule) -> str:
        return schedule.signature

    @admin.display(description=gettext_lazy("document"))
    def document(self, schedule: ControllerSchedule) -> str:
        text = json.dumps(json.loads(bytes(schedule.body)), indent=2, ensure_ascii=False)
        return format_html("<pre style='white-space:pre-wrap'>{}</pre>", text)


class StatusFilter(admin.SimpleListFilter):
    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATUSES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeviceMessage]) -> QuerySet[DeviceMessage]:
        value = self.value()
        return queryset.filter(status=value) if value else queryset


@admin.register(DeviceMessage)
class DeviceMessageAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    city_path = "controller__city"
    list_display = ("received_at", "at", "controller", "kind", "status_said", "said", "seq")
    list_filter = ("kind", StatusFilter, "controller")
    fields = ("controller", "kind", "seq", "run_uid", "status_said", "at", "said", "received_at")
    list_select_related = ("controller",)
    date_hierarchy = "received_at"
    ordering = ("-received_at", "-pk")

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_said(self, message: DeviceMessage) -> str:
        return status_in_words(message.status)

    @admin.display(description=gettext_lazy("data"))
    def said(self, message: DeviceMessage) -> str:
        return data_in_words(message.data)
