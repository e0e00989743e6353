"""Seasons of an upland crop by the public-domain model pyfao56; runs in an environment that has it (.venv-bench).

python season_peer.py IN.json OUT.json. In: `soil` and `seasons` of {first day, mm of rain, ETo and water by day}; out:
of every season and day the depth of the roots (m), ETc without stress, Ks at the day's start, what drained and the
depletion at the day's end (mm).
"""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

THINNEST_M = 1e-9
"""Ours has one crop coefficient: evaporation from bare soil is left out by a layer that holds less than evaporates at
the full rate (REW), so that its reduction (FAO-56 eq. 74) is 0 on every day."""
FOUND = ("Zr", "ETc", "Ks", "DP", "Dr")


def main(given: str, out: str) -> None:
    asked = json.loads(Path(given).read_text())
    Path(out).write_text(json.dumps([_season(asked["soil"], **season) for season in asked["seasons"]]))


def _season(soil: dict[str, float], first: str, rain: list[float], eto: list[float], water: list[float]) -> list[Any]:
    pyfao56: Any = import_module("pyfao56")
    days = [f"{date.fromisoformat(first) + timedelta(days=k):%Y-%j}" for k in range(len(rain))]
    crop = pyfao56.Parameters(
        **soil,
        Kcbini=0.3,
        Kcbmid=1.1,
        Kcbend=0.4,
        Lini=20,
        Ldev=30,
        Lmid=50,
        Lend=25,
        Zrini=0.2,
        Ze=THINNEST_M,
        REW=1.0,
    )
    weather, gifts = pyfao56.Weather(), pyfao56.Irrigation()
    weather.rfcrp, weather.wndht = "S", 2.0
    unused = {name: float("nan") for name in ("Srad", "Tmax", "Tmin", "Vapr", "Tdew", "RHmax")}
    columns = unused | {"RHmin": 45.0, "Wndsp": 2.0, "Rain": rain, "ETref": eto, "MorP": "M"}
    weather.wdata = pd.DataFrame(columns, index=days)
    gifts.idata = pd.DataFrame({"Depth": water, "fw": 1.0, "ieff": 100.0}, index=days)
    model = pyfao56.Model(days[0], days[-1], crop, weather, irr=gifts)
    model.run()
    return list(model.odata[list(FOUND)].astype(float).to_numpy().tolist())


if __name__ == "__main__":
    main(*sys.argv[1:])
