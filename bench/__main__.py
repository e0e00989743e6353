"""python -m bench [NAME …]: runs the measurements named (all without a name) and prints one table."""

from __future__ import annotations

import os
import sys

# Before numpy: several threads on a busy machine cost more CPU than they save, and CPU seconds are what is compared.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from . import irrigation, load, peak, rivals, season, series, speed, water  # noqa: E402
from .row import Absent, Measurement, Row  # noqa: E402

MEASUREMENTS: dict[str, Measurement] = {
    "series": series.measure,
    "rivals": rivals.measure,
    "load": load.measure,
    "peak": peak.measure,
    "water": water.measure,
    "speed": speed.measure,
    "irrigation": irrigation.measure,
    "season": season.measure,
}
HEADINGS = ("work", "measure", "goal", "best elsewhere", "ours", "met", "CPU s")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"no measurement {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in names or MEASUREMENTS:
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            rows += MEASUREMENTS[name]()
        except Absent as absent:
            print(f"{name} left out: {absent}", file=sys.stderr)
    _print(rows)
    return 0


def _print(rows: list[Row]) -> None:
    table = Table(*HEADINGS, title="Goals, the best known elsewhere, ours")
    for row in rows:
        table.add_row(*row.cells)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
