"""Solves a case file without any database: the kernel from the command line."""

from __future__ import annotations

import json
import math
import sys
import threading
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rich.console import Console
from rich.progress import Progress

from cities.output import check_target, write_whole
from planning.interrupts import flagged
from planning.kernel import casefile
from planning.kernel.explain import explain
from planning.kernel.horizon import Horizon
from planning.kernel.network import Network
from planning.kernel.outcome import Answer, Shortage
from planning.kernel.outcome import Progress as News
from planning.kernel.problems import InvalidInput
from planning.kernel.solve import solve
from planning.words import problem_line, sentence, stage_words

INVALID, NO_PLAN, INTERRUPTED = 2, 3, 130
"""Exit codes of a file that cannot be read, of a case without an acceptable plan, and of one ended before its first."""
FORMATS = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}
POLL_SECONDS = 0.2


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # they would ask for what this command does without

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.description = _("Solves a case file (docs/case-file.md) without any database and prints the plan.")
        parser.add_argument("file", metavar="FILE", help=_("case file, YAML or JSON"))
        parser.add_argument("--format", choices=("yaml", "json"), help=_("default: by the name, else by the content"))
        parser.add_argument(
            "--json", metavar="FILE", help=_('write the answer as JSON ("-": to standard output, only that)')
        )
        parser.add_argument("--time-limit", type=_positive, default=120.0, metavar="S", help=_("seconds; default 120"))
        parser.add_argument("--gap", type=_share, default=1e-3, metavar="G", help=_("relative gap of on/off searches"))

    def handle(self, *args: Any, **options: Any) -> None:
        target = options["json"]
        if target not in (None, "-"):
            check_target(Path(target))
        network, horizon = _read(Path(options["file"]), options["format"])
        cancelled = threading.Event()
        answer = _solve(network, horizon, options["time_limit"], options["gap"], cancelled)
        text = json.dumps(answer.as_dict(network, horizon), allow_nan=False)
        if target == "-":
            self.stdout.write(text)
        elif target is not None:
            write_whole(Path(target), [text, "\n"])
        if target != "-":
            self.stdout.write("\n".join(summary(network, horizon, answer)))
        if not answer.is_accepted:
            raise CommandError(_why_not(horizon, answer), returncode=INTERRUPTED if cancelled.is_set() else NO_PLAN)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise ArgumentTypeError(_("%(text)s is not more than 0") % {"text": text})
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise ArgumentTypeError(_("%(text)s is not a share from 0 to below 1") % {"text": text})
    return value


def _read(path: Path, format: str | None) -> tuple[Network, Horizon]:
    """Raises CommandError with every problem of the file."""
    try:
        if path.stat().st_size > 4 * casefile.MAX_CHARACTERS:  # a character has at most 4 bytes
            raise CommandError(_("%(file)s: too large for a case file") % {"file": path}, returncode=INVALID)
        return casefile.read(path.read_text(encoding="utf-8-sig"), format or FORMATS.get(path.suffix.lower()))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", returncode=INVALID) from None
    except UnicodeDecodeError as error:
        why = _("byte %(at)d: expected text in UTF-8") % {"at": error.start}
        raise CommandError(f"{path}: {why}", returncode=INVALID) from None
    except InvalidInput as error:
        count = len(error.problems)
        head = ngettext("%(file)s: %(count)d problem", "%(file)s: %(count)d problems", count)
        lines = [head % {"file": path, "count": count}, *(f"  {problem_line(problem)}" for problem in error.problems)]
        raise CommandError("\n".join(lines), returncode=INVALID) from None


def _solve(network: Network, horizon: Horizon, time_limit: float, gap: float, cancelled: threading.Event) -> Answer:
    """Solves in a thread, because HiGHS would hold back Ctrl-C; that ends the search with the best plan so far."""
    answers, errors = [], []
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task(_("solving"), total=1.0)

        def hear(news: News) -> None:
            bars.update(task, completed=news.fraction, description=stage_words(news.stage))

        def work() -> None:
            try:
                answers.append(
                    solve(network, horizon, time_limit=time_limit, gap=gap, progress=hear, cancelled=cancelled)
                )
            except BaseException as error:  # raised again below, in the thread that can say so
                errors.append(error)

        thread = threading.Thread(target=work, daemon=True)
        with flagged(cancelled):
            thread.start()
            while thread.is_alive():
                thread.join(POLL_SECONDS)
    if errors:
        raise errors[0]
    return answers[0]


def _why_not(horizon: Horizon, answer: Answer) -> str:
    if answer.broken_limits:
        return _("the answer did not pass verification") + "\n  " + "\n  ".join(answer.broken_limits)
    reasons = (sentence(asdict(reason), {}, horizon.start.tzinfo) for reason in answer.reasons)
    return "\n  ".join(reasons) or _("no plan was found")


def summary(network: Network, horizon: Horizon, answer: Answer) -> Iterator[str]:
    """The plan in lines for a person: how good it is, who is short, what would change it."""
    yield _("Status: %(status)s") % {"status": answer.status.value}
    yield _("Steps: %(steps)d, %(start)s to %(end)s") % {
        "steps": len(horizon),
        "start": horizon.start.isoformat(timespec="minutes"),
        "end": horizon.end.isoformat(timespec="minutes"),
    }
    if answer.supplies:
        yield from _quality(answer)
        yield _("Shortages:") if answer.shortages else _("Nobody is short.")
        yield from (f"  {_shortage(horizon, shortage)}" for shortage in answer.shortages)
        facts = [asdict(fact) for fact in explain(network, horizon, answer)]
        yield from [_("Why, and what would change it:")] if facts else []
        yield from (f"  {sentence(fact, {}, horizon.start.tzinfo)}" for fact in facts)
    spent = _(", ").join(f"{_(stage)} {seconds:.2f}" for stage, seconds in answer.seconds.items())
    yield _("Seconds: %(spent)s") % {"spent": spent}
    yield _("Broken limits: %(count)d") % {"count": len(answer.broken_limits)}


def _quality(answer: Answer) -> Iterator[str]:
    words = {"objective": answer.objective, "bound": answer.bound, "gap": answer.gap}
    if math.isfinite(answer.gap):
        yield _("Objective: %(objective).6g (bound %(bound).6g, gap %(gap).2g)") % words
    else:
        yield _("Objective: %(objective).6g (bound and gap not known)") % words
    yield _("Cost: %(cost).6g") % {"cost": answer.cost}
    for tier, shortage in sorted(answer.tiers.items()):
        yield _("Tier %(tier)d: short of %(shortage).6g") % {"tier": tier, "shortage": shortage}


def _shortage(horizon: Horizon, shortage: Shortage) -> str:
    return _("%(wish)s: %(amount).6g (%(share)s), from %(first)s to %(last)s") % {
        "wish": shortage.wish,
        "amount": shortage.amount,
        "share": f"{shortage.share:.1%}",
        "first": horizon.steps[shortage.first_step].start.isoformat(timespec="minutes"),
        "last": horizon.steps[shortage.last_step].end.isoformat(timespec="minutes"),
    }
