"""A city is a folder of text: what is wrong with it is told whole, what is right is written once."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from cities.models import City, policy_in_force
from config.citypack.checks import refs_of
from config.citypack.links import LINKS
from config.citypack.pack import read_pack
from config.citypack.problems import InvalidPack
from config.citypack.sections import SECTIONS
from config.words import compile_all
from energy.kernel.taipower import (
    EXTRA_HIGH_VOLTAGE_THREE_SECTION,
    HIGH_VOLTAGE_EV_CHARGING,
    HIGH_VOLTAGE_THREE_SECTION,
)
from energy.kernel.tariff import Tariff
from energy.kernel.tariff_data import tariff_from
from energy.models import Battery, PowerLoad
from energy.models import Tariff as TariffRow
from forecasting.kernel.profiles import Profile
from forecasting.models import Observation, Series
from water.kernel.crops import CROPS
from water.models import Controller, DeviceKey, Lateral

SHIPPED = settings.BASE_DIR / "config" / "cities"
Edit = Callable[..., Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """A copy of Tinytown with texts replaced: `edited(("old", "new"), …)`. Every old text must be there."""

    def edit(*changes: tuple[str, str]) -> Path:
        folder = tmp_path / "pack"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(SHIPPED / "tinytown", folder)
        for old, new in changes:
            found = [path for path in folder.iterdir() if old in path.read_text()]
            assert found, f"Tinytown has no {old!r}"
            for path in found:
                path.write_text(path.read_text().replace(old, new))
        return folder

    return edit


def problems(folder: Path) -> list[str]:
    with pytest.raises(InvalidPack) as caught:
        read_pack(folder)
    return [str(problem) for problem in caught.value.problems]


def load(pack: Path | str) -> None:
    call_command("loadcity", str(pack), skip_checks=True)


# --- loading and exporting -----------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("name", ["tinytown", "kaohsiung"])
def test_a_shipped_city_loads_and_loading_it_again_writes_nothing(name: str, capsys: pytest.CaptureFixture[str]):
    load(name)
    assert "new" in capsys.readouterr().out
    with CaptureQueriesContext(connection) as queries:
        load(name)
    assert "nothing changed" in capsys.readouterr().out
    written = [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "DELETE"))]
    # The one update frees the place of the policy in force; it finds no row.
    updates = [q["sql"] for q in queries if q["sql"].startswith("UPDATE") and "priority" not in q["sql"]]
    assert written == [] and updates == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["tinytown", "kaohsiung"])
def test_an_exported_city_loads_back_without_a_change(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    load(name)
    call_command("exportcity", name, str(tmp_path / "first"), skip_checks=True)
    load(tmp_path / "first")
    assert "nothing changed" in capsys.readouterr().out
    for section in reversed(SECTIONS):
        apps.get_model(section.model)._default_manager.all().delete()
    load(tmp_path / "first")
    call_command("exportcity", name, str(tmp_path / "second"), skip_checks=True)
    for path in (tmp_path / "first").iterdir():
        assert path.read_text() == (tmp_path / "second" / path.name).read_text()


@pytest.mark.django_db
def test_an_export_never_writes_into_a_folder_with_files(edited: Edit):
    load("tinytown")
    with pytest.raises(CommandError, match="empty folder") as caught:
        call_command("exportcity", "tinytown", str(edited()), skip_checks=True)
    assert caught.value.returncode == 2


@pytest.mark.django_db
def test_an_export_to_where_nothing_can_be_written_is_refused():
    load("tinytown")
    with pytest.raises(CommandError, match="/proc/none: No such file") as caught:
        call_command("exportcity", "tinytown", "/proc/none", skip_checks=True)
    assert caught.value.returncode == 2


@pytest.mark.django_db
def test_a_city_may_want_four_eyes_on_every_plan(edited: Edit, tmp_path: Path):
    folder = edited(("city: {", "city: {settings: {four_eyes: true}, "))
    load(folder)
    assert City.objects.get().settings == {"four_eyes": True}
    call_command("exportcity", "tinytown", str(tmp_path / "out"), skip_checks=True)
    assert "four_eyes: true" in (tmp_path / "out" / "city.yaml").read_text()
    for wrong in ("four_eyes: 2", "five_eyes: true"):
        (line,) = problems(edited(("city: {", f"city: {{settings: {{{wrong}}}, ")))
        assert "eyes" in line


@pytest.mark.django_db
def test_a_changed_figure_changes_one_row(edited: Edit, capsys: pytest.CaptureFixture[str]):
    load("tinytown")
    load(edited(("capacity_mwh: 8", "capacity_mwh: 9")))
    assert "batteries            1 changed" in capsys.readouterr().out
    assert Battery.objects.get(key="store").capacity_mwh == 9


@pytest.mark.django_db
def test_another_policy_can_come_into_force(edited: Edit):
    load("tinytown")
    load(edited(("key: law", "key: other")))
    assert policy_in_force(City.objects.get()).key == "other"


@pytest.mark.django_db
def test_a_mark_of_synthetic_history_outlives_a_reload_and_stays_out_of_an_export(tmp_path: Path):
    load("tinytown")
    City.objects.update(settings={"demo_history": True})
    load("tinytown")
    assert City.objects.get().settings == {"demo_history": True}
    call_command("exportcity", "tinytown", str(tmp_path / "out"), skip_checks=True)
    assert "demo_history" not in (tmp_path / "out" / "city.yaml").read_text()


@pytest.mark.django_db
def test_an_invented_history_says_that_it_is_invented(capsys: pytest.CaptureFixture[str]):
    call_command("loadcity", "tinytown", "--demo-history", skip_checks=True)
    assert "SYNTHETIC" in capsys.readouterr().out
    assert City.objects.get().settings["demo_history"] is True
    assert Observation.objects.exists() and not Observation.objects.filter(synthetic=False).exists()


# --- what is no longer in the pack ---------------------------------------------------------------------------
@pytest.mark.django_db
def test_an_asset_that_left_the_pack_is_removed(edited: Edit):
    load("tinytown")
    folder = edited()
    text = (folder / "energy.yaml").read_text()
    (folder / "energy.yaml").write_text(text[: text.index("- {key: fab,")])
    load(folder)
    assert list(PowerLoad.objects.values_list("key", flat=True)) == ["homes"]


@pytest.mark.django_db
def test_an_asset_with_a_device_key_is_not_removed_and_nothing_is_written(edited: Edit):
    load("tinytown")
    DeviceKey.objects.create(controller=Controller.objects.get(), prefix="p", secret_sha256="s")
    folder = edited(
        ("{key: box,", "{key: case,"), ("controller: box", "controller: case"), ("max_open: 1", "max_open: 2")
    )
    with pytest.raises(CommandError, match=r"controllers\.box.*1 × device key") as caught:
        load(folder)
    assert caught.value.returncode == 2
    assert Controller.objects.get().key == "box" and Lateral.objects.get().max_open == 1


@pytest.mark.django_db
@pytest.mark.parametrize("synthetic", [True, False])
def test_a_measured_series_stays_and_an_invented_one_may_go(edited: Edit, synthetic: bool):
    load("tinytown")
    at = datetime(2026, 7, 6, tzinfo=UTC)
    series = Series.objects.get(key="charge")
    Observation.objects.create(series=series, valid_at=at, recorded_at=at, value=1, synthetic=synthetic)
    folder = edited((" state_of_charge: charge,", ""), ("- {key: charge,", "- {key: other_charge,"))
    if synthetic:
        load(folder)
    else:
        with pytest.raises(CommandError, match=r"series\.charge.*1 × observation"):
            load(folder)
    assert Series.objects.filter(key="charge").exists() is not synthetic


# --- errors --------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_every_error_is_told_at_once_with_its_place_and_nothing_is_written(edited: Edit):
    folder = edited(
        ("capacity_mwh: 8", "capacity_mwh: -8"),
        ("bus: clean, demand: homes_water", "bus: cleen, demand: homes_power"),
        ("max_open: 1", "max_opn: 1"),
        ("guava", "durian"),
    )
    with pytest.raises(CommandError) as caught:
        load(folder)
    assert caught.value.returncode == 2
    assert str(caught.value).splitlines() == [
        "energy.yaml:21: batteries.store capacity_mwh is -8; expected greater than 0",
        "water.yaml:19: water_users.homes bus is 'cleen'; expected the key of one of water_buses",
        "water.yaml:19: water_users.homes demand is 'homes_power'; expected a series in km3/h, not MW",
        "water.yaml:27: laterals.lateral max_open; expected a value",
        "water.yaml:27: laterals.lateral max_opn is 1; expected no field of that name",
        "water.yaml:34: crop_blocks.trees crop is 'durian'; expected one of " + ", ".join(CROPS),
        "6 errors in the city pack; nothing was written",
    ]
    assert not City.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("time_zone: Asia/Taipei", "time_zone: Asia/Taipeh", "city time_zone is 'Asia/Taipeh'; expected an IANA"),
        ("longitude: 120.5", "longitude: 200", "city longitude is 200; expected less than or equal to 180"),
        ("limit_mw: 20", "limit_mw: 11", "contract_mw ≤ limit_mw"),
        ("limit_mw: 20", 'limit_mw: "20"', "limit_mw is '20'; expected a number"),
        ("limit_mw: 20", "limit_mw: .inf", "limit_mw is '.inf'; expected a number"),
        ("in_force: true", "in_force: false", "policies in_force is 0; expected exactly one in force"),
        ("agriculture: 2, ", "", "tiers; expected a tier for agriculture, the class of irrigation_systems.fields"),
        ("environment: 0, ", "", "expected a tier for environment, the class of rivers.river"),
        ("first: 01-01", "first: 01-02", "data.seasons; expected every day in one season; 01-01 is in 0"),
        ("last: 12-31", "last: 12-32", "data.seasons.0.last is '12-32'; expected a day of the year, MM-DD"),
        ("peak: 5.0, ", "", "data.seasons.0; expected energy_per_kwh for peak"),
        ("bus: town, tariff: day_night", "bus: town, tariff: nightly", "tariff is 'nightly'; expected the key of one"),
        ("unit: MWh", "unit: kWh", "series.charge unit is 'kWh'; expected one of 'MW', 'MWh'"),
        ("{kind: flat, level: 4.0}", "{kind: flat}", "series.charge profile.level; expected a value, for a profile"),
        ("{kind: flat, level: 4.0}", "{kind: odd}", "series.charge profile.kind is 'odd'; expected one of cycle"),
        ("{kind: flat, level: 4.0}", "{kind: schedule, level: 1, phases: [[2026-02-30, 1]]}",
         "series.charge profile.phases is [['2026-02-30', 1]]; expected [[YYYY-MM-DD, number], …] in order"),
        ("unit: MWh", "drivers: [heat], unit: MWh", "drivers[0] is 'heat'; expected the key of one of series"),
        ("unit: MWh", "drivers: [charge], unit: MWh",
         "series.charge drivers is 'charge ← charge'; expected no series that drives itself"),
        ("flow_m3s: 0.2, travel", "flow_m3s: 0.4, travel", "turnouts.lower flow_m3s is 0.4; expected at most"),
        ("power_bus: town, ", "", "treatment_plants.works; expected a power_bus beside kwh_per_m3"),
        ("from_bus: raw, to_bus: field", "from_bus: raw, to_bus: raw", "to_bus is 'raw'; expected another bus"),
        ("{key: raw,", "{key: town,", "a key used once in power_buses and water_buses"),
        ("{key: lower,", "{key: upper,", "turnouts.upper key is 'upper'; expected a key used once in turnouts"),
        ("key: lake,", "key: lake, latitude: 12.0, longitude: 120.5,", "latitude is 12.0; expected within 1.5°"),
        ("key: lake,", "key: lake, latitude: 23.0,", "latitude and longitude together, or neither"),
        ("minimum_km3: 100", "minimum_km3: 2000", "minimum_km3 ≤ capacity_km3"),
        ("planted: 01-01, application_efficiency: 1.0,\n   assumption: true, note: made up}\n-", "planted: 01-01}\n-",
         "crop_blocks.trees; expected `source` with where the figures come from"),
        ("max_open: 1, efficiency: 1.0, assumption: true, note: made up", "max_open: 1, assumption: true",
         "laterals.lateral; expected a `note` with the reason"),
        ("rivers:", "rivvers:", "rivvers; expected a section: city, series"),
        ("city: {", "town: {", "city; expected one section `city`"),
        ("key: tinytown, name: Tinytown", "key: tinytown, key: tinytown, name: Tinytown", "key; expected a key that"),
        ("key: tinytown, name: Tinytown", "key: &k tinytown, name: *k", "readable YAML (an alias; write"),
        ("tiers: {", "tiers: [", "readable YAML"),
        ("limit_mw: 20", "limit_mw: !!python/name:os.system 20", "readable YAML (a tag; write plain values"),
        ("limit_mw: 20", "limit_mw: " + 30 * "[" + 30 * "]", "readable YAML (deeper than 20 levels"),
        ("limit_mw: 20", "limit_mw: " + 5000 * "9", "grid_connections; expected plain data"),
        ("limit_mw: 20", "[limit_mw]: 20", "grid_connections; expected plain data"),
    ],
)  # fmt: skip
def test_an_error_says_what_was_expected(edited: Edit, old: str, new: str, told: str):
    assert any(told in line for line in problems(edited((old, new)))), problems(edited((old, new)))


def test_one_error_brings_no_others(edited: Edit):
    """A faulty object is still there for those that refer to it."""
    assert len(problems(edited(("unit: MWh", "unit: kWh")))) == 1
    assert len(problems(edited(("kind: raw}", "kind: rawer}")))) == 1


def test_a_link_out_of_the_folder_is_not_followed(edited: Edit, tmp_path: Path):
    outside = tmp_path / "outside.yaml"
    outside.write_text("rivers: []")
    folder = edited()
    (folder / "more.yaml").symlink_to(outside)
    assert problems(folder) == ["more.yaml: expected a file of the pack's own folder, not a link out of it"]


@pytest.mark.django_db
def test_a_name_that_is_no_pack_is_refused_with_those_that_are():
    with pytest.raises(CommandError, match="^atlantis: expected the folder of a city pack, or one of: kaohsiung, tiny"):
        load("atlantis")
    with pytest.raises(CommandError):
        load("../../etc")


def test_a_folder_without_a_pack_misses_that_and_nothing_else(tmp_path: Path):
    assert problems(tmp_path) == [f"{tmp_path}: expected a folder with *.yaml files"]


def test_times_of_day_stay_text(edited: Edit):
    pack = read_pack(edited(("max_open: 1,", "max_open: 1, quiet_windows: [[22:00, 05:00]],")))
    assert pack.things["laterals"][0].quiet_windows == [["22:00", "05:00"]]


# --- the four places of a kind of asset ----------------------------------------------------------------------
@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_schema_model_and_page_agree(section):
    page = (settings.BASE_DIR / "docs" / "city-pack.md").read_text()
    names = set(section.schema.model_fields)
    assert {name for name in {section.name, *names} if f"`{name}`" not in page} == set()

    model = apps.get_model(section.model)
    columns = {f.name: f for f in model._meta.get_fields() if isinstance(f, models.Field) and f.editable}
    assert names - set(LINKS) == set(columns) - {"id", "city"}

    sections = {apps.get_model(other.model): other.name for other in SECTIONS}
    keys = {name: sections[f.related_model] for name, f in columns.items() if f.is_relation and name != "city"}
    assert {name: ref.section for name, ref in refs_of(section.schema).items() if name != "power_bus"} == keys


# --- Kaohsiung -----------------------------------------------------------------------------------------------
PUBLISHED_TARIFFS: dict[str, Tariff] = {
    "hv_three_section": HIGH_VOLTAGE_THREE_SECTION,
    "ehv_three_section": EXTRA_HIGH_VOLTAGE_THREE_SECTION,
    "hv_ev_charging": HIGH_VOLTAGE_EV_CHARGING,
}


@pytest.mark.django_db
def test_kaohsiungs_tariffs_are_the_published_tables():
    load("kaohsiung")
    for key, table in PUBLISHED_TARIFFS.items():
        row = TariffRow.objects.get(key=key)
        tariff = tariff_from(row.key, row.data, row.city.time_zone)
        assert tariff.seasons == table.seasons, key
        assert (tariff.over_contract, tariff.valid_from) == (table.over_contract, table.valid_from), key
        assert tariff.customer_fee_per_month == table.customer_fee_per_month, key


def test_kaohsiungs_loads_and_households_follow_the_weather_and_its_fab_a_schedule():
    drivers = {series.key: series.drivers for series in read_pack(SHIPPED / "kaohsiung").things["series"]}
    warm = {key for key, named in drivers.items() if named == ["temperature"]}
    assert warm >= {"load_residential", "load_service", "load_industry", "zone_centre_use", "zone_far_north_use"}
    assert drivers["load_tsmc_f22"] == drivers["tsmc_f22_use"] == ["tsmc_f22_ramp"]


def test_every_zone_park_and_sector_of_kaohsiung_has_a_series_of_its_own_with_a_shape_for_the_week():
    things = read_pack(SHIPPED / "kaohsiung").things
    series = {one.key: one for one in things["series"]}
    used = [user.demand for user in things["water_users"]] + [load.load for load in things["power_loads"]]
    assert len(used) == len(set(used)) == 5 + 9 + 6  # zones, factories and parks, loads
    steady = {key for key in used if series[key].profile["kind"] == "cycle" and "hour" not in series[key].profile}
    # What runs round the clock has no weekend.
    assert steady == {"csc_use", "tsmc_f22_use", "load_tsmc_f22"}
    assert all("weekend_hour" in series[key].profile for key in set(used) - steady)
    assert all(Profile.from_dict(series[key].profile) for key in used)


def test_the_shapes_of_kaohsiungs_loads_keep_their_level():
    """Factors by month and by hour of the week have a mean of 1, so that the level is the mean."""
    every = read_pack(SHIPPED / "kaohsiung").things["series"]
    loads = [series for series in every if series.key.startswith("load_") or series.key.endswith("_use")]
    assert len(loads) == 20
    for series in loads:
        month, hour = series.profile.get("month", [1.0] * 12), series.profile.get("hour", [1.0] * 24)
        week = 5 * sum(hour) + 2 * sum(series.profile.get("weekend_hour", hour))
        assert sum(month) / 12 == pytest.approx(1, abs=0.005)
        assert week / (7 * 24) == pytest.approx(1, abs=0.01)


def test_errors_are_told_in_the_readers_language(edited: Edit):
    compile_all(settings.BASE_DIR)
    bad = edited(
        ("limit_mw: 20", "limit_mw: much"), ("minimum_km3: 100", "minimum_km3: 2000"), ("unit: MWh", "unit: kWh")
    )
    with override("zh-hant"), pytest.raises(CommandError) as refused:
        load(bad)
    *lines, last = str(refused.value).splitlines()
    assert last == "城市資料包有 3 項錯誤；未寫入任何資料"
    places = [re.sub(r"yaml:\d+", "yaml", line) for line in lines]
    assert places[0].startswith("city.yaml：series.charge unit 為 'kWh'；應為：下列之一：'MW', 'MWh', ")
    assert places[1:] == [
        "energy.yaml：grid_connections.main limit_mw 為 'much'；應為：數字",
        "water.yaml：reservoirs.lake；應為：minimum_km3 ≤ capacity_km3",
    ]
