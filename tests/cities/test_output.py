"""Files that commands write."""

from __future__ import annotations

from pathlib import Path

from cities.output import write_whole


def test_a_file_that_is_written_again_keeps_who_may_read_it(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    target.touch()
    for mode in (0o600, 0o640):
        target.chmod(mode)
        write_whole(target, ["{}"])
        assert (target.stat().st_mode & 0o777, target.read_text()) == (mode, "{}")
