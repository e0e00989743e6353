"""How long stored water lasts, in words."""

from __future__ import annotations

import math

from django.utils.translation import gettext as _

from planning.figures import figure


def lasting(time: float, digits: int = 0) -> str:
    """Hours or days as a figure; words where nobody takes any and the stock lasts for ever."""
    return figure(time, digits) if math.isfinite(time) else _("no demand")
