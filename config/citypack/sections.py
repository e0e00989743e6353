"""Which section of a pack is checked by which schema and lives in which table. A new kind of asset is one line here."""

from __future__ import annotations

from dataclasses import dataclass

from . import schema_common as common
from . import schema_energy as power
from . import schema_water as water
from .fields import Part, Thing


@dataclass(frozen=True)
class Section:
    name: str
    schema: type[Thing]
    model: str
    """`app_label.Model`."""
    file: str
    """Where `exportcity` writes it."""


CITY: type[Part] = common.City
SECTIONS = (
    Section("series", common.Series, "forecasting.Series", "series.yaml"),
    Section("policies", common.Policy, "cities.PriorityPolicy", "city.yaml"),
    Section("power_buses", power.PowerBus, "energy.PowerBus", "energy.yaml"),
    Section("tariffs", power.Tariff, "energy.Tariff", "tariffs.yaml"),
    Section("grid_connections", power.GridConnection, "energy.GridConnection", "energy.yaml"),
    Section("solar_parks", power.SolarPark, "energy.SolarPark", "energy.yaml"),
    Section("batteries", power.Battery, "energy.Battery", "energy.yaml"),
    Section("power_loads", power.PowerLoad, "energy.PowerLoad", "energy.yaml"),
    Section("bus_depots", power.BusDepot, "energy.BusDepot", "energy.yaml"),
    Section("power_lines", power.PowerLine, "energy.PowerLine", "energy.yaml"),
    Section("water_buses", water.WaterBus, "water.WaterBus", "water.yaml"),
    Section("rivers", water.River, "water.River", "water.yaml"),
    Section("weirs", water.Weir, "water.Weir", "water.yaml"),
    Section("water_sources", water.WaterSource, "water.WaterSource", "water.yaml"),
    Section("reservoirs", water.Reservoir, "water.Reservoir", "water.yaml"),
    Section("treatment_plants", water.TreatmentPlant, "water.TreatmentPlant", "water.yaml"),
    Section("conduits", water.Conduit, "water.Conduit", "water.yaml"),
    Section("water_users", water.WaterUser, "water.WaterUser", "water.yaml"),
    Section("weather_stations", water.WeatherStation, "water.WeatherStation", "irrigation.yaml"),
    Section("irrigation_systems", water.IrrigationSystem, "water.IrrigationSystem", "irrigation.yaml"),
    Section("laterals", water.Lateral, "water.Lateral", "irrigation.yaml"),
    Section("controllers", water.Controller, "water.Controller", "irrigation.yaml"),
    Section("turnouts", water.Turnout, "water.Turnout", "irrigation.yaml"),
    Section("crop_blocks", water.CropBlock, "water.CropBlock", "irrigation.yaml"),
)
"""In an order where every section stands after those it refers to."""
BY_NAME = {section.name: section for section in SECTIONS}
