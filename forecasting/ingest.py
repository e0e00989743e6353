"""The only way measurements come in: checked one by one, appended, never overwritten.

A value that differs from what was known becomes a further recording, so that every past plan can be explained with
what was known then. docs/history.md says which rows are refused and why.
"""

from __future__ import annotations

import csv
import math
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import NamedTuple, TextIO
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cities.models import City

from .alerts import impossible_values
from .models import Observation, Series

COLUMNS = ("series", "time", "value")
FUTURE_TOLERANCE = timedelta(minutes=15)
"""Clocks of measuring devices run a little ahead."""
A_DAY = timedelta(days=1)
BATCH = 500
"""Rows per statement; SQLite takes 32,766 parameters."""
EXAMPLES = 5
"""Problems kept per reason; the counts are of all."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


class Reason(StrEnum):
    FIELDS = "wrong number of fields"
    SERIES = "unknown series"
    EMPTY = "no value"
    NUMBER = "not a number"
    FINITE = "not a finite number"
    LIMITS = "outside the limits of the series"
    TIME = "not a time"
    OFFSET = "time without an offset"
    STEP = "not on a step of the series"
    FUTURE = "in the future"
    REPLACED = "replaced by a later line"
    CONTRADICTION = "another value was recorded at that time"


class Row(NamedTuple):
    """A measurement as it arrived. Texts are parsed; `line` defaults to the place in the sequence; a line that was no
    row at all stands in `fault`.
    """

    series_key: str
    valid_at: datetime | str
    value: float | str
    recorded_at: datetime | str | None = None
    line: int = 0
    fault: str = ""


@dataclass(frozen=True)
class Problem:
    place: str
    value: object
    expected: str
    reason: Reason
    line: int = 0

    def __str__(self) -> str:
        figures = {"place": self.place, "value": self.value, "expected": self.expected}
        return _("%(place)s: %(value)r, expected %(expected)s") % figures


@dataclass
class Counts:
    """What became of the rows. `problems` holds the first `examples` of every reason."""

    new: int = 0
    revised: int = 0
    unchanged: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    examples: int = EXAMPLES

    @property
    def refusals(self) -> int:
        return sum(self.refused.values())

    def refuse(self, problem: Problem) -> None:
        before = self.refused.get(problem.reason, 0)
        self.refused[problem.reason] = before + 1
        if before < self.examples:
            self.problems.append(problem)


class InvalidFile(ValueError):
    """Not a file of measurements at all; says where and what was expected."""


class Refusal(Exception):
    """One row's refusal on its way to the counts."""

    def __init__(self, reason: Reason, value: object, expected: str) -> None:
        self.reason, self.value, self.expected = reason, value, expected


class Measured(NamedTuple):
    """A row that was found good, times in UTC."""

    series_id: int
    valid_at: datetime
    recorded_at: datetime
    value: float


def ingest(
    city: City,
    rows: Iterable[Row],
    *,
    synthetic: bool = False,
    strict: bool = False,
    now: datetime | None = None,
    examples: int = EXAMPLES,
) -> Counts:
    """Appends the good rows in one transaction and counts the rest by reason; with `strict` one bad row stops all.

    `now` (default: the clock) is the recording time of rows that state none, and the bound of what can have happened.
    """
    counts, now = Counts(examples=examples), now or timezone.now()
    check = _Check(city, now)
    good = _last_of_each(_checked(check, rows, counts), counts)
    if strict and counts.refused:
        return counts
    with transaction.atomic():
        # Two loads of one series at once would both find a value missing and both call it new.
        list(Series.objects.select_for_update().filter(pk__in={row.series_id for row in good}).order_by("pk"))
        appended, contradictions = _to_append(good, synthetic, counts, city.zone)
        if strict and contradictions:
            return Counts(refused=counts.refused, problems=counts.problems)
        append(appended, synthetic)
        impossible_values(check.impossible, now)
    return counts


def append(rows: Iterable[Measured], synthetic: bool) -> None:
    """Writes recordings that were checked; one that is there already stays as it is.

    Plain SQL, because a model instance per value makes 100,000 values three times as slow on SQLite.
    """
    sql = f"INSERT INTO {Observation._meta.db_table} (series_id, valid_at, recorded_at, value, synthetic) VALUES "
    adapt = connection.ops.adapt_datetimefield_value
    waiting = iter(rows)
    with transaction.atomic(), connection.cursor() as cursor:
        while batch := list(islice(waiting, BATCH)):
            values = ", ".join(["(%s, %s, %s, %s, %s)"] * len(batch))
            parameters = [item for row in batch for item in (row[0], adapt(row[1]), adapt(row[2]), row[3], synthetic)]
            cursor.execute(f"{sql}{values} ON CONFLICT DO NOTHING", parameters)


def read_csv(stream: TextIO) -> Iterator[Row]:
    """The rows of a CSV text with the columns series,time,value[,recorded_at] in any order.

    Open the file with encoding "utf-8-sig" and newline "". Raises InvalidFile where it cannot be such a file.
    """
    try:
        yield from _rows_of(csv.reader(stream, strict=True))
    except UnicodeDecodeError as error:
        raise InvalidFile(_("byte %(at)d: expected text in UTF-8") % {"at": error.start}) from None
    except csv.Error as error:
        raise InvalidFile(_("expected comma-separated values; %(error)s") % {"error": error}) from None


def _rows_of(lines: Iterator[list[str]]) -> Iterator[Row]:
    header = [name.strip() for name in next(lines, [])]
    unknown = set(header) - {*COLUMNS, "recorded_at"}
    if unknown or not set(COLUMNS) <= set(header) or len(set(header)) != len(header):
        raise InvalidFile(
            _("line 1: %(found)r, expected the columns series,time,value[,recorded_at]") % {"found": ",".join(header)}
        )
    series, time, value = (header.index(name) for name in COLUMNS)
    recorded = header.index("recorded_at") if "recorded_at" in header else None
    for cells in lines:
        line = lines.line_num  # type: ignore[attr-defined]
        if len(cells) == len(header):
            stated = None if recorded is None else cells[recorded].strip() or None
            yield Row(cells[series].strip(), cells[time].strip(), cells[value].strip(), stated, line)
        elif cells:
            yield Row("", "", "", None, line, ",".join(cells))


# --- checks --------------------------------------------------------------------------------------------------
def _checked(check: _Check, rows: Iterable[Row], counts: Counts) -> Iterator[tuple[Row, Measured]]:
    for number, given in enumerate(rows, 1):
        row = given if given.line else given._replace(line=number)
        try:
            yield row, check(row)
        except Refusal as refusal:
            counts.refuse(Problem(_place(row), refusal.value, refusal.expected, refusal.reason, row.line))


def _place(row: Row) -> str:
    place = _("line %(line)d") % {"line": row.line}
    return f"{place}, {row.series_key}" if row.series_key else place


class _Check:
    """Turns a row into a measurement or raises Refusal."""

    def __init__(self, city: City, now: datetime) -> None:
        self.now, self.zone, self.city = now.astimezone(UTC), city.zone, city
        self.series = {series.key: series for series in Series.objects.filter(city=city)}
        # Files repeat the same few thousand times for every series.
        self.times: dict[str, datetime] = {}
        self.impossible: list[tuple[Series, datetime, float]] = []

    def __call__(self, row: Row) -> Measured:
        if row.fault:
            raise Refusal(Reason.FIELDS, row.fault, _("as many fields as the first line has"))
        series = self.series.get(row.series_key)
        if series is None:
            raise Refusal(Reason.SERIES, row.series_key, _("the key of a series of %(city)s") % {"city": self.city.key})
        recorded_at = self.now if row.recorded_at is None else self.time(row.recorded_at)
        valid_at = self.time(row.valid_at)
        self.check_time(series, valid_at, recorded_at)
        return Measured(series.pk, valid_at, recorded_at, self.possible(series, valid_at, _value(row.value)))

    def possible(self, series: Series, valid_at: datetime, value: float) -> float:
        low = -math.inf if series.minimum is None else series.minimum
        high = math.inf if series.maximum is None else series.maximum
        if not low <= value <= high:
            self.impossible.append((series, valid_at, value))
            expected = _("%(low)g to %(high)g %(unit)s") % {"low": low, "high": high, "unit": series.unit_label}
            raise Refusal(Reason.LIMITS, value, expected)
        return value

    def time(self, given: datetime | str) -> datetime:
        if isinstance(given, datetime):
            return _utc(given, given)
        if given not in self.times:
            self.times[given] = _utc(_parsed_time(given), given)
        return self.times[given]

    def local(self, time: datetime) -> str:
        """As the clocks of the city show it, for people."""
        return time.astimezone(self.zone).isoformat(timespec="minutes" if time.second == 0 else "seconds")

    def check_time(self, series: Series, valid_at: datetime, recorded_at: datetime) -> None:
        local = valid_at.astimezone(self.zone)
        minutes = local.toordinal() * 1440 + local.hour * 60 + local.minute
        if local.second or local.microsecond or minutes % series.step_minutes:
            expected = _("a multiple of %(step)d minutes from local midnight") % {"step": series.step_minutes}
            raise Refusal(Reason.STEP, local.isoformat(), expected)
        if recorded_at > self.now + FUTURE_TOLERANCE:
            expected = _("a recording time up to %(now)s") % {"now": self.local(self.now)}
            raise Refusal(Reason.FUTURE, self.local(recorded_at), expected)
        if valid_at > recorded_at + FUTURE_TOLERANCE and not series.is_schedule:
            expected = _("a time up to its recording, %(time)s") % {"time": self.local(recorded_at)}
            raise Refusal(Reason.FUTURE, self.local(valid_at), expected)


def _parsed_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(Reason.TIME, text, _("an ISO 8601 time such as 2026-01-01T00:00+08:00")) from None


def _utc(time: datetime, given: object) -> datetime:
    if time.tzinfo is None:
        raise Refusal(Reason.OFFSET, given, _("an offset from UTC, such as +08:00 or Z"))
    try:
        moment = time.astimezone(UTC)
        _around = moment - A_DAY, moment + A_DAY  # no zone's clocks may leave the calendar either
        return moment
    except OverflowError:
        raise Refusal(Reason.TIME, given, _("a time between the years 1 and 9999")) from None


def _value(given: float | str) -> float:
    value = _number(given) if isinstance(given, str) else float(given)
    if not math.isfinite(value):
        raise Refusal(Reason.FINITE, given, _("a finite number"))
    return value


def _number(text: str) -> float:
    # float() alone would take "1_000", "nan" and digits of other scripts.
    if not text:
        raise Refusal(Reason.EMPTY, text, _("a number; leave the line out where nothing was measured"))
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        raise Refusal(Reason.FINITE, text, _("a finite number"))
    if not _NUMBER.fullmatch(text):
        raise Refusal(Reason.NUMBER, text, _("a number such as 1234.5, without separators or units"))
    return float(text)


def _last_of_each(checked: Iterable[tuple[Row, Measured]], counts: Counts) -> list[Measured]:
    """The last line wins where a file states one recording twice; the earlier one is counted and shown."""
    last: dict[tuple[int, datetime, datetime], tuple[Row, Measured]] = {}
    for row, measured in checked:
        earlier = last.get(measured[:3])
        if earlier is not None and earlier[1].value == measured.value:
            counts.unchanged += 1
        elif earlier is not None:
            expected = _("one value; %(place)s says %(value)g") % {"place": _place(row), "value": measured.value}
            counts.refuse(Problem(_place(earlier[0]), earlier[1].value, expected, Reason.REPLACED, earlier[0].line))
        last[measured[:3]] = (row, measured)
    return [measured for _row, measured in last.values()]


# --- what is new ---------------------------------------------------------------------------------------------
def _to_append(rows: list[Measured], synthetic: bool, counts: Counts, zone: ZoneInfo) -> tuple[list[Measured], int]:
    """The rows that say something that was not known at their recording time, and how many contradict a recording."""
    known = _recordings(rows, synthetic)
    appended, contradictions = [], 0
    for row in sorted(rows, key=lambda row: row.recorded_at):
        recordings = known[row.series_id, row.valid_at]
        at = bisect_right(recordings, (row.recorded_at, math.inf))
        before = recordings[at - 1] if at else None
        if before is not None and before[1] == row.value:
            counts.unchanged += 1
        elif before is not None and before[0] == row.recorded_at:
            place = row.valid_at.astimezone(zone).isoformat()
            expected = _("%(value)g, as recorded then") % {"value": before[1]}
            counts.refuse(Problem(place, row.value, expected, Reason.CONTRADICTION))
            contradictions += 1
        else:
            counts.revised += bool(recordings)
            counts.new += not recordings
            recordings.insert(at, (row.recorded_at, row.value))
            appended.append(row)
    return appended, contradictions


def _recordings(
    rows: list[Measured], synthetic: bool
) -> defaultdict[tuple[int, datetime], list[tuple[datetime, float]]]:
    """What is stored for the times of the rows: (recorded, value) in order of recording, by (series, valid time)."""
    times: defaultdict[int, set[datetime]] = defaultdict(set)
    for row in rows:
        times[row.series_id].add(row.valid_at)
    known: defaultdict[tuple[int, datetime], list[tuple[datetime, float]]] = defaultdict(list)
    for series_id, wanted in times.items():
        stored = Observation.objects.filter(series=series_id, synthetic=synthetic)
        # A few corrections years apart must not read the years between; a long file reads its span at once.
        few = len(wanted) <= BATCH
        stored = (
            stored.filter(valid_at__in=wanted) if few else stored.filter(valid_at__range=(min(wanted), max(wanted)))
        )
        columns = stored.order_by("valid_at", "recorded_at").values_list("valid_at", "recorded_at", "value")
        for valid_at, recorded_at, value in columns.iterator():
            known[series_id, valid_at].append((recorded_at, value))
    return known
