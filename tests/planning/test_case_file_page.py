"""The page about case files tells the truth: its example solves, and it names every key there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planning.kernel import casefile
from planning.kernel.casefile_fields import PARTS
from planning.kernel.outcome import Answer, Status
from planning.kernel.solve import solve

PAGE = (Path(__file__).parents[2] / "docs" / "case-file.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_solves():
    # 12 an hour for 4 hours: main 10, pump 2 / 0.98. The lake ends at 100 + 4·5 − 4·12.04 = 71.8, above its target.
    # main 0.1·40 = 4; power 0.35·2.0408 = 0.714: 0.714·(1·2 + 3·4) = 10; no peak above 3.
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    answer = solve(*casefile.read(example))
    assert answer.is_accepted and not answer.shortages
    assert answer.objective == pytest.approx(14.0)
    assert answer.levels["reservoir"][-1] == pytest.approx(100 + 4 * (5 - 10 - 2 / 0.98))


@pytest.mark.parametrize("kind", PARTS)
def test_every_key_of_a_part_is_on_the_page(kind):
    section = PAGE.split(f"\n## {kind}\n")[1].split("\n## ")[0]
    for key in PARTS[kind][1]:
        assert re.search(rf"`{{?{key.key}}}?`", section), key.key


def test_every_key_of_the_answer_is_on_the_page():
    section = PAGE.split("\n## The answer\n")[1]
    network, horizon = casefile.read(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])
    for key in Answer(Status.NONE).as_dict(network, horizon):
        assert f'"{key}"' in section, key
