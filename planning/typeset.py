"""`python -m planning.typeset`: JSON on standard input becomes a PDF on standard output.

A process of its own, because typst keeps what it has learned of its last ten documents (half a gigabyte after as many
reports) and gives it back only when its process ends. Imports nothing of Django, so that it starts at once.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import typst

TEMPLATE = Path(__file__).parent / "report.typ"


def main() -> None:
    """Input: {"data": what report.typ reads, "fonts": folders, "made_at": ISO time}. Fails where typst refuses."""
    asked = json.load(sys.stdin)
    made: bytes = typst.compile(
        TEMPLATE,
        font_paths=asked["fonts"],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(asked["data"], ensure_ascii=False)},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=datetime.fromisoformat(asked["made_at"]),
    )
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
