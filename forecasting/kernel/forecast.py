"""The front door: histories in, forecasts with quantiles out, and a note for everything that was not plain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from . import fallback
from .adaptive import WINDOW
from .answer import Ask, Forecast
from .calendars import Calendar
from .cleaning import Cleaned, clean
from .combining import Outlook, outlook_of
from .daylight import ceiling
from .panel import Days, Panel, days_of, panel_of
from .profiles import Profile
from .regressors import Columns, kind_of, lined_up, unused_guesses
from .seasons import Plan, cycles, plan_for
from .series import LONGEST, Array, Limits, Note, Refusal, Refused, Rule, Ruler, Time, on_grid

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
NO_LIMITS = Limits()
LARGEST_BATCH = 50_000
"""Series × steps computed together: what does not fit the processor's cache costs more, not less."""
STEPS_OF_A_CALL, FEWEST_DAYS = 15_000_000, 120
"""So many steps are learnt from in one call: thousands of series each look back four months, a hundred of them years
(4 months cost 5 % of accuracy against 14, on the Victorian load of 2013 without weather)."""
STALE_SHARE = 0.5
"""A history whose end lies further back than this share of its length says too little about now."""

__all__ = [
    "QUANTILES",
    "Calendar",
    "Forecast",
    "Limits",
    "Note",
    "Refusal",
    "Refused",
    "backtest",
    "forecast",
    "forecast_many",
]


def forecast(
    history: pd.Series,
    steps: int,
    *,
    step: pd.Timedelta | None,
    quantiles: Sequence[float] = QUANTILES,
    regressors: pd.DataFrame | None = None,
    guessed: Mapping[str, Time] | None = None,
    calendar: Calendar | None = None,
    profile: Profile | None = None,
    limits: Limits = NO_LIMITS,
    start: Time | None = None,
) -> Forecast:
    """The next `steps` steps of one series; raises Refused with the reason. See forecast_many."""
    answer = forecast_many(
        {"": history},
        steps,
        step=step,
        quantiles=quantiles,
        regressors={} if regressors is None else {"": regressors},
        guessed={"": guessed or {}},
        calendar=calendar,
        profiles={} if profile is None else {"": profile},
        limits={"": limits},
        start=start,
    )[""]
    if isinstance(answer, Refusal):
        raise Refused(answer.reason)
    return answer


def forecast_many(
    histories: Mapping[str, pd.Series],
    steps: int,
    *,
    step: pd.Timedelta | None,
    quantiles: Sequence[float] = QUANTILES,
    regressors: Mapping[str, pd.DataFrame] | None = None,
    guessed: Mapping[str, Mapping[str, Time]] | None = None,
    calendar: Calendar | None = None,
    profiles: Mapping[str, Profile] | None = None,
    limits: Mapping[str, Limits] | None = None,
    start: Time | None = None,
) -> dict[str, Forecast | Refusal]:
    """The next `steps` steps of every series, all with the same step; each is forecast or refused by itself.

    histories   values by timezone-aware start of their step, or by whole number when `step` is None
    regressors  known influences by the same times. As far as they reach over the steps asked for they count as known
                ahead; beyond that, at past origins too, the last day known stands in
    guessed     from when on columns of them are guesses, by series and column: used beside weeks of history, with
                bands that do not rely on them, and not beside years
    profiles    what stands in where the history is too short or too old
    start       the first step asked for; without it, the one after the last value of each series
    """
    if steps < 1 or not all(0 < level < 1 for level in quantiles):
        raise ValueError("steps must be at least 1 and quantiles lie between 0 and 1")
    ask = Ask(steps, step, tuple(sorted(quantiles)), calendar or Calendar(), start)
    longest = _longest(len(histories), ask)
    answers: dict[str, Forecast | Refusal] = {}
    groups: dict[object, list[_Ready]] = defaultdict(list)
    for name, history in histories.items():
        profile, bounds = (profiles or {}).get(name), (limits or {}).get(name, NO_LIMITS)
        try:
            guesses = (guessed or {}).get(name, {})
            ready = _prepared(name, history, (regressors or {}).get(name), guesses, bounds, ask, longest)
            groups[ready.group].append(ready)
        except Refused as refusal:
            answers[name] = fallback.by_profile(history, refusal, profile, bounds, ask)
    for group in groups.values():
        for batch in _batches(group):
            answers.update({name: found[0] for name, found in _computed(batch, ask).items()})
    return {name: answers[name] for name in histories}


def backtest(
    history: pd.Series,
    steps: int,
    origins: int,
    *,
    step: pd.Timedelta | None,
    quantiles: Sequence[float] = QUANTILES,
    regressors: pd.DataFrame | None = None,
    calendar: Calendar | None = None,
    limits: Limits = NO_LIMITS,
    start: Time | None = None,
) -> list[Forecast]:
    """What would have been forecast from the last `origins` days (steps, for steps of a day and longer), oldest first.

    Every forecast is fitted, weighted and given its bands from what came before it; the cleaning, the plan, the limits
    that values set and the scale of regressors see the whole history. The last one starts at `start` or, without it,
    behind the last value. Raises Refused.
    """
    ask = Ask(steps, step, tuple(sorted(quantiles)), calendar or Calendar(), start, origins)
    ready = _prepared("", history, regressors, {}, limits, ask, LONGEST)
    return _computed([ready], ask)[""][::-1]


@dataclass(frozen=True)
class _Ready:
    """A cleaned series and how to forecast it.

    start  of the first step asked for, which is at position `first`
    last   position of the last usable value
    ahead  steps from there to the last one asked for
    """

    name: str
    cleaned: Cleaned
    ruler: Ruler
    start: Time
    first: int
    last: int
    plan: Plan
    ahead: int
    regressors: Columns
    limits: Limits

    @property
    def group(self) -> object:
        return self.plan, self.ruler, self.first, self.last, self.ahead


def _longest(series: int, ask: Ask) -> int:
    """Steps of history that each of so many series may learn from."""
    fewest = int(np.ceil(FEWEST_DAYS * 24 / min(ask.step_hours, 24)))
    return min(LONGEST, max(fewest, STEPS_OF_A_CALL // max(1, series)))


def _prepared(
    name: str,
    history: pd.Series,
    regressors: pd.DataFrame | None,
    guessed: Mapping[str, Time],
    limits: Limits,
    ask: Ask,
    longest: int,
) -> _Ready:
    grid = on_grid(history, ask.step, str(ask.calendar.zone), ask.start, longest)
    seen = cycles(grid.values, ask.step)
    cleaned = clean(grid, limits, seen[0], ask.step_hours)
    cleaned, last = _without_ends(cleaned, grid.last)
    ruler, start = grid.ruler, grid.ruler.time(grid.last + 1) if ask.start is None else ask.start
    first, end = ruler.position(start), ruler.last_of(start, ask.steps)
    late = int(ruler.exist(np.arange(last + 1, first)).sum())
    if late > 0:
        note = Note(Rule.LATE, late, ruler.time(last + 1), "steps without a value before the start")
        cleaned = replace(cleaned, notes=(*cleaned.notes, note))
    if late > STALE_SHARE * len(cleaned.values):
        raise Refused(f"the last usable value is of {ruler.time(last)}, {late} steps before the start")
    ahead = max(1, end - last)
    extra, notes = lined_up(regressors, guessed, ruler, last, len(cleaned.values), ahead)
    explained = extra.values is not None or ask.calendar.knows_holidays
    plan = plan_for(
        cleaned.values,
        int(cleaned.observed.sum()),
        ask.step,
        seen=seen,
        explained=explained,
        rain=any(kind_of(name) == "rain" for name in extra.names),
        asked=ask.asked,
    )
    notes += unused_guesses(extra, ruler, last, ahead) if plan.thorough else ()
    cleaned = replace(cleaned, notes=cleaned.notes + notes)
    return _Ready(name, cleaned, ruler, start, first, last, plan, ahead, extra, limits)


def _without_ends(cleaned: Cleaned, last: int) -> tuple[Cleaned, int]:
    """Cut to the first and the last usable value: a level must not be taken from filled-in ends."""
    known = np.flatnonzero(cleaned.observed)
    kept = slice(known[0], known[-1] + 1)
    shorter = replace(cleaned, values=cleaned.values[kept], observed=cleaned.observed[kept])
    return shorter, last - (len(cleaned.observed) - 1 - int(known[-1]))


def _batches(group: list[_Ready]) -> list[list[_Ready]]:
    longest = max(len(one.cleaned.values) for one in group) + group[0].ahead
    size = max(1, LARGEST_BATCH // longest)
    return [group[k : k + size] for k in range(0, len(group), size)]


def _computed(batch: Sequence[_Ready], ask: Ask) -> dict[str, list[Forecast]]:
    one = batch[0]
    panel = panel_of(
        [ready.cleaned for ready in batch],
        one.plan,
        one.ahead,
        _days(batch, ask),
        [ready.regressors for ready in batch],
    )
    outlook = outlook_of(panel, ask.levels)
    asked = [_asked(one, ask, origin) for origin in range(one.plan.asked)]
    return {ready.name: _answers(ready, s, panel, outlook, ask, asked) for s, ready in enumerate(batch)}


def _asked(one: _Ready, ask: Ask, origin: int) -> tuple[pd.Index, Array]:
    """The times asked for from an origin, and which of the panel's steps ahead they are: where the clock goes back an
    hour comes twice, where it goes forward one is passed over."""
    back = origin * one.plan.block
    index = one.ruler.onward(one.ruler.time(one.first - back) if origin else one.start, ask.steps)
    steps = np.round(one.ruler.exact(index)).astype(np.int64) - (one.last + 1 - back)
    return index, np.clip(steps, 0, one.ahead - 1)


def _answers(
    ready: _Ready, s: int, panel: Panel, outlook: Outlook, ask: Ask, asked: Sequence[tuple[pd.Index, Array]]
) -> list[Forecast]:
    """The forecasts of one series from every origin asked for, the latest first."""
    bounds = fallback.natural_limits(ready.limits, ready.cleaned.values[ready.cleaned.observed])
    # What was never seen bounds what is expected, but not what a river's first flood may be.
    room = replace(bounds, maximum=ready.limits.maximum) if panel.plan.is_river else bounds
    mean = panel.back_one(s, outlook.expected[s])
    lines = panel.back_one(s, outlook.expected[s] + outlook.offsets[:, s])
    unknown = -(-panel.steps // panel.plan.block) - 1
    found = []
    for origin, (index, steps) in enumerate(asked):
        means = {name: float(share[s, origin, steps].mean()) for name, share in outlook.shares.items()}
        weights = {name: share for name, share in means.items() if share > 0}
        most = _most(ready, panel, origin, steps)
        found.append(
            Forecast(
                index,
                np.minimum(bounds.clip(mean[origin, steps]), most),
                {
                    level: np.minimum(room.clip(line[origin, steps]), most)
                    for level, line in zip(ask.levels, lines, strict=True)
                },
                described(weights),
                ready.cleaned.notes,
                weights,
                outlook.errors[s, origin + unknown :][:WINDOW, steps],
            )
        )
    return found


def _most(ready: _Ready, panel: Panel, origin: int, steps: Array) -> Array | float:
    """What the sun allows at the steps ahead of an origin; infinite for all that does not follow it."""
    past = slice(0, len(ready.cleaned.values) - (panel.length - int(panel.origins[origin])))
    block = panel.plan.block
    most = ceiling(ready.cleaned.values[past], ready.cleaned.observed[past], block)
    return np.inf if most is None else np.asarray(most[steps % block])


def _days(batch: Sequence[_Ready], ask: Ask) -> Days:
    one, longest = batch[0], max(len(ready.cleaned.values) for ready in batch)
    return days_of(one.ruler, one.last, longest, one.ahead, one.plan, ask.calendar)


def described(weights: Mapping[str, float]) -> str:
    """Shares for people, greatest first; below half a per cent unsaid."""
    ordered = sorted(weights.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {100 * share:.0f} %" for name, share in ordered if share >= 0.005)
