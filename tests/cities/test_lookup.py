"""Every command that wants a city says the same of one that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cities.models import City

COMMANDS = (
    ["plan", "atlantis"],
    ["exportcity", "atlantis", "nowhere"],
    ["loadhistory", "atlantis", "nowhere.csv"],
    ["backtest", "atlantis", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z"],
    ["treecase", "atlantis", "--out", "tree.json"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("known", ["tainan, taipei", "none is loaded"])
def test_a_city_that_is_not_loaded(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], known: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for key in reversed(known.split(", ") if "," in known else []):
        City.objects.create(key=key, name=key, latitude=23, longitude=120)
    with pytest.raises(CommandError) as refusal:
        call_command(*command)
    assert str(refusal.value) == f"No city 'atlantis'; there are: {known}"
    assert refusal.value.returncode == 2
