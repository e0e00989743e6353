"""What leads from one object of a pack to others by a list of keys: a series' drivers, a controller's feeds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command

from config.citypack.sections import SECTIONS
from forecasting.models import Series
from water.models import Controller, DeviceFeed

TINYTOWN = settings.BASE_DIR / "config" / "cities" / "tinytown"
BOX, RIVER = "- {key: box,", "- {key: river, name: River flow,"


@pytest.fixture
def pack(tmp_path: Path, db: None) -> Path:
    """Tinytown, whose controller measures the river and the rain, and whose river is explained by the rain."""
    folder = tmp_path / "pack"
    shutil.copytree(TINYTOWN, folder)
    write(folder, (BOX, f"{BOX} feeds: [river, rain],"), (RIVER, f"{RIVER} drivers: [rain],"))
    return folder


def write(folder: Path, *changes: tuple[str, str]) -> None:
    for old, new in changes:
        (path,) = [path for path in folder.iterdir() if old in path.read_text()]
        path.write_text(path.read_text().replace(old, new))


def load(pack: Path, capsys: Any) -> str:
    call_command("loadcity", str(pack), skip_checks=True)
    return str(capsys.readouterr().out)


def fed() -> list[str]:
    return sorted(DeviceFeed.objects.values_list("series__key", flat=True))


def test_drivers_and_feeds_survive_an_export_into_an_empty_database(pack: Path, tmp_path: Path, capsys: Any) -> None:
    load(pack, capsys)
    first, second = tmp_path / "first", tmp_path / "second"
    call_command("exportcity", "tinytown", str(first), skip_checks=True)
    capsys.readouterr()
    assert "nothing changed" in load(first, capsys)
    for section in reversed(SECTIONS):
        apps.get_model(section.model)._default_manager.all().delete()
    assert fed() == []
    load(first, capsys)
    assert (fed(), Series.objects.get(key="river").drivers) == (["rain", "river"], ["rain"])
    call_command("exportcity", "tinytown", str(second), skip_checks=True)
    for path in first.iterdir():
        assert path.read_text() == (second / path.name).read_text()


def test_a_series_that_a_controller_feeds_no_longer_is_one_change(pack: Path, capsys: Any) -> None:
    load(pack, capsys)
    write(pack, ("feeds: [river, rain]", "feeds: [rain]"))
    assert "controllers          1 changed" in load(pack, capsys)
    assert fed() == ["rain"]
    assert "nothing changed" in load(pack, capsys)


def test_a_series_that_is_named_twice_is_fed_once(pack: Path, capsys: Any) -> None:
    write(pack, ("feeds: [river, rain]", "feeds: [river, rain, river]"))
    load(pack, capsys)
    assert fed() == ["rain", "river"]
    assert "nothing changed" in load(pack, capsys)


def test_a_pack_that_names_no_feeds_leaves_those_of_the_admin(pack: Path, capsys: Any) -> None:
    load(pack, capsys)
    write(pack, (" feeds: [river, rain],", ""))
    assert "nothing changed" in load(pack, capsys)
    assert fed() == ["rain", "river"]


def test_a_controllers_feeds_do_not_keep_it_in_the_pack(pack: Path, capsys: Any) -> None:
    load(pack, capsys)
    write(pack, ("key: box,", "key: case,"), ("controller: box", "controller: case"))
    load(pack, capsys)
    assert [row.key for row in Controller.objects.all()] == ["case"]
    assert fed() == ["rain", "river"]


def test_a_feed_names_a_series_of_the_pack(pack: Path) -> None:
    write(pack, ("feeds: [river, rain]", "feeds: [river, tide]"))
    with pytest.raises(CommandError, match=r"controllers\.box feeds\[1\] is 'tide'; expected the key of one of series"):
        call_command("loadcity", str(pack), skip_checks=True)
