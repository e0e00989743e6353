"""The only place where water units are converted.

Inside the kernel a volume is in 10³ m³ (`km3` in names: thousand m³, never cubic kilometres) and a flow in
10³ m³/h. Feeds and people speak of m³/s (cms), 10⁴ t/day (萬噸/日, one tonne of water being one m³) and mm.
"""

from __future__ import annotations

SECONDS_PER_HOUR = 3600.0
HOURS_PER_DAY = 24.0
SECONDS_PER_MINUTE = 60.0
M3_PER_KM3 = 1000.0
KM3_PER_WAN_M3 = 10.0
"""One 萬 (10⁴) m³ is ten thousand m³, hence ten of 10³ m³."""
M3_PER_MM_HA = 10.0
"""One millimetre over one hectare: 0.001 m × 10 000 m²."""


def km3_per_hour_from_cms(flow_m3s: float) -> float:
    """m³/s → 10³ m³/h: 1 cms is 3.6."""
    return flow_m3s * SECONDS_PER_HOUR / M3_PER_KM3


def cms_from_km3_per_hour(flow_km3_per_hour: float) -> float:
    """10³ m³/h → m³/s."""
    return flow_km3_per_hour * M3_PER_KM3 / SECONDS_PER_HOUR


def km3_per_hour_from_wan_t_per_day(flow_wan_t_per_day: float) -> float:
    """10⁴ t/day (萬噸/日) → 10³ m³/h: 1 is 10/24."""
    return flow_wan_t_per_day * KM3_PER_WAN_M3 / HOURS_PER_DAY


def wan_t_per_day_from_km3_per_hour(flow_km3_per_hour: float) -> float:
    """10³ m³/h → 10⁴ t/day (萬噸/日)."""
    return flow_km3_per_hour * HOURS_PER_DAY / KM3_PER_WAN_M3


def km3_from_wan_m3(volume_wan_m3: float) -> float:
    """10⁴ m³ (the unit of published reservoir storage) → 10³ m³."""
    return volume_wan_m3 * KM3_PER_WAN_M3


def wan_m3_from_km3(volume_km3: float) -> float:
    """10³ m³ → 10⁴ m³."""
    return volume_km3 / KM3_PER_WAN_M3


def km3_from_mm_ha(depth_mm: float, area_ha: float) -> float:
    """A depth in mm over an area in ha → 10³ m³: 1 mm on 1 ha is 10 m³."""
    return depth_mm * area_ha * M3_PER_MM_HA / M3_PER_KM3


def m3_from_cms_minutes(flow_m3s: float, minutes: float) -> float:
    """A flow in m³/s held for some minutes → m³."""
    return flow_m3s * minutes * SECONDS_PER_MINUTE


def cms_from_m3_minutes(volume_m3: float, minutes: float) -> float:
    """The flow in m³/s that brings a volume in m³ within some minutes."""
    return volume_m3 / (minutes * SECONDS_PER_MINUTE)
