"""The real feeds' files next to the repository, as the measurements they hold: rows to ingest or CSV for loadhistory.

Every row says when it would have been recorded live, so that a plan of that time knows it and no later one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from forecasting.ingest import Row

TAIPEI = ZoneInfo("Asia/Taipei")
GAOPING_WEIR = "30901"
GLITCH = datetime(2024, 8, 26, 11, 10, tzinfo=TAIPEI)
"""The regional feed says 7,142 MW for the south where the other file of the same archive says 12,400."""


def south_load_rows(data: Path, key: str, file: str = "loadareas") -> Iterator[Row]:
    """The south's load every ten minutes, MW, 2024-07-03 to 09-04; the file "region" holds a glitch."""
    name = f"{file}_10min_2024-07_09.csv"
    with (data / "kaohsiung" / "taipower_region" / name).open(encoding="utf-8-sig", newline="") as stream:
        for line in csv.DictReader(stream):
            # Some days write the full hour as "2024-07-03 00".
            text = line["datetime_taipei"]
            at = datetime.fromisoformat(text if ":" in text else f"{text}:00").replace(tzinfo=TAIPEI)
            yield Row(key, at, line["load_south_mw"], at + timedelta(minutes=10))


def weir_rows(data: Path, key: str, column: str = "InflowDischarge") -> Iterator[Row]:
    """Hourly flow at the Gaoping weir, m³/s, 2026-04-21 to 08-20: "InflowDischarge" (the river) or "WaterDraw".

    The header claims 10⁴ m³, but inflow minus outflow equals the draw only in m³/s.
    """
    file = data / "kaohsiung" / "wra" / "south_intraday_2026-04_08.csv"
    with file.open(encoding="utf-8-sig", newline="") as stream:
        for line in csv.DictReader(stream):
            value = line[f"{column} (10^4 m^3)"]
            if line["reservoir_id"] == GAOPING_WEIR and value:
                at = datetime.fromisoformat(line["ObservationTime"]).replace(tzinfo=TAIPEI)
                yield Row(key, at, value, at + timedelta(hours=1))


def reservoir_rows(data: Path, key: str, name: str = "南化水庫") -> Iterator[Row]:
    """A reservoir's storage about four times a month, 10³ m³, 2004 to 2026; -1 in the source is a missing value."""
    file = data / "kaohsiung" / "cqd_reservoir" / "south_reservoirs_2004_2026.tsv"
    with file.open(encoding="utf-8", newline="") as stream:
        for reservoir, _capacity, storage, day in csv.reader(stream, delimiter="\t"):
            if reservoir == name and float(storage) >= 0:
                at = datetime.fromisoformat(day).replace(tzinfo=TAIPEI)
                yield Row(key, at, float(storage) * 10, at + timedelta(hours=12))


def csv_text(rows: Iterable[Row]) -> str:
    """The same rows as a file for `loadhistory`."""
    lines = ["series,time,value,recorded_at"]
    lines += [f"{row.series_key},{_iso(row.valid_at)},{row.value},{_iso(row.recorded_at)}" for row in rows]
    return "\n".join(lines) + "\n"


def _iso(time: datetime | str | None) -> str:
    return time.isoformat() if isinstance(time, datetime) else time or ""
