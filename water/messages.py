"""What controllers report, item by item: a bad item never costs the good ones, and a replay changes nothing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from cities.expectations import expected

from .models import Controller, DeviceMessage, Turnout, ValveRun

BATCH = 200
SKEW = timedelta(minutes=10)
"""How far a controller's clock may be from ours before what it says of a run cannot be."""
AckStatus = Literal[
    "received", "rejected_invalid", "rejected_expired", "rejected_limit", "started", "completed", "partial",
    "aborted_fault", "aborted_operator", "opted_out", "cancelled", "superseded",
]  # fmt: skip
ORDER = ("received", "started", "partial", "completed")
"""How far a run has come. Acknowledgements may arrive out of order; the farthest counts."""


def _as_written(at: object) -> object:
    """A bare number could be seconds or milliseconds, from 1970 or from 2000, and would be taken for one of them."""
    if isinstance(at, str) and re.match(r"\d{4}-", at):
        return at
    raise PydanticCustomError("datetime_type", "a time in ISO 8601")


def _of_this_age(at: datetime) -> datetime:
    """A clock may be wrong, but a year that no database can hold in UTC is none."""
    if not 1970 <= at.year <= 2100:
        raise ValueError(_("a time between 1970 and 2100"))
    return at


Figure = Annotated[float | None, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
# PostgreSQL keeps no NUL in a text.
Line = Annotated[str, Field(strict=True, max_length=300, pattern=r"^[^\x00]*$")]


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    seq: Count
    at: Annotated[AwareDatetime, BeforeValidator(_as_written), AfterValidator(_of_this_age)]


class Ack(Item):
    entry: UUID
    entry_rev: Count | None = None
    revision: Count | None = None
    status: AckStatus
    duration_s: Figure = Field(default=None, ge=0)
    volume_m3: Figure = Field(default=None, ge=0)
    reason: Line = ""


class Telemetry(Item):
    actuator: Line = ""
    flow_m3s: Figure = None
    pressure_kpa: Figure = None
    level_m: Figure = None
    series: Line | None = None
    value: Figure = None


class Hello(Item):
    firmware: Line = ""
    capabilities: list[Line] = Field(default_factory=list, max_length=50)
    clock_offset_s: Figure = None
    applied_revision: Count | None = None
    boot_reason: Line = ""


Problems = list[dict[str, Any]]
TakeIn = Callable[[Controller, Iterable[Telemetry]], Mapping[int, Problems]]
ITEMS: dict[str, type[Item]] = {
    DeviceMessage.Kind.ACK: Ack,
    DeviceMessage.Kind.TELEMETRY: Telemetry,
    DeviceMessage.Kind.HELLO: Hello,
}


def keep(controller: Controller, kind: str, items: Sequence[object], take_in: TakeIn) -> list[dict[str, Any]]:
    """Stores what is new. One result per item: accepted, duplicate, or refused with every reason.

    `take_in` gets the new measurements first and answers with the problems of those it refuses, by seq.
    """
    read = [_read(kind, item) for item in items]
    known = _known(controller, kind, [item for item in read if isinstance(item, Item)])
    judged = _judged(controller, read, known)
    good = [item for item in judged if isinstance(item, Item)]
    unfit = take_in(controller, _new_measurements(good, known))
    results, fresh = [], []
    for raw, item in zip(items, judged, strict=True):
        if not isinstance(item, Item):
            seq = raw.get("seq") if isinstance(raw, dict) else None
            results.append({"seq": _shown(seq), "result": "refused", "problems": item})
        elif item.seq in known:
            results.append({"seq": item.seq, "result": "duplicate"})
        elif item.seq in unfit:
            results.append({"seq": item.seq, "result": "refused", "problems": unfit[item.seq]})
        else:
            results.append({"seq": item.seq, "result": "accepted"})
            fresh.append(_message(controller, kind, item))
            known.add(item.seq)
    # Ignoring conflicts: the same batch may arrive twice at once, and the second may not cost a device its answer.
    DeviceMessage.objects.bulk_create(fresh, ignore_conflicts=True)
    return results


def _new_measurements(items: Sequence[Item], known: set[int]) -> list[Telemetry]:
    """Each seq once: the first of two is the one that counts."""
    found = {item.seq: item for item in reversed(items) if isinstance(item, Telemetry) and item.seq not in known}
    return [found[seq] for seq in sorted(found)]


def acks_of(uids: Iterable[UUID], known_at: datetime | None = None) -> QuerySet[DeviceMessage]:
    """What controllers said of runs, as received by `known_at` (default: by now)."""
    acks = DeviceMessage.objects.filter(kind=DeviceMessage.Kind.ACK, run_uid__in=list(uids))
    return acks if known_at is None else acks.filter(received_at__lte=known_at)


def run_statuses(uids: Iterable[UUID], known_at: datetime | None = None) -> dict[UUID, str]:
    """How far runs have come by what their controllers said. A run without a word has no entry."""
    said: dict[UUID, set[str]] = {}
    acks = acks_of(uids, known_at)
    for uid, status in acks.values_list("run_uid", "status"):
        if uid is not None:
            said.setdefault(uid, set()).add(status)
    return {uid: _farthest(statuses) for uid, statuses in said.items()}


def _farthest(said: set[str]) -> str:
    """Water that has flowed outweighs a refusal, and a refusal outweighs that the run was received."""
    refused = sorted(said - set(ORDER))
    reached = next((status for status in reversed(ORDER) if status in said), "")
    return reached if reached in ("completed", "partial") or not refused else refused[0]


def _read(kind: str, raw: object) -> Item | Problems:
    try:
        return ITEMS[kind].model_validate(raw)
    except ValidationError as error:
        return _problems(error)


def _known(controller: Controller, kind: str, items: Sequence[Item]) -> set[int]:
    stored = DeviceMessage.objects.filter(controller=controller, kind=kind, seq__in=[item.seq for item in items])
    return set(stored.values_list("seq", flat=True))


def _judged(controller: Controller, read: Sequence[Item | Problems], known: set[int]) -> list[Item | Problems]:
    """Items that cannot be true give way to their problems; what is stored already is not judged again."""
    items = [item for item in read if isinstance(item, Item)]
    starts = _starts(controller, items)
    actuators = _actuators(controller, items)
    judged: list[Item | Problems] = []
    for item in read:
        found: Problems = []
        if isinstance(item, Ack) and item.seq not in known:
            found = _ack_problems(item, starts)
        elif isinstance(item, Telemetry) and item.seq not in known:
            found = _telemetry_problems(item, actuators)
        judged.append(found or item)
    return judged


def _ack_problems(ack: Ack, starts: Mapping[UUID, datetime]) -> Problems:
    if ack.entry not in starts:
        return [{"place": "entry", "value": str(ack.entry), "expected": _("the id of a run of this controller")}]
    if ack.status == "completed" and ack.at < starts[ack.entry] - SKEW:
        return [{"place": "at", "value": ack.at.isoformat(), "expected": _("a time after the run's start")}]
    return _future_problems(ack)


def _future_problems(item: Item) -> Problems:
    """Only a greeting may come from the future: it is how a device says that its clock is wrong."""
    if item.at <= timezone.now() + SKEW:
        return []
    words = _("at most 10 minutes after the server's time")
    return [{"place": "at", "value": item.at.isoformat(), "expected": words}]


def _telemetry_problems(item: Telemetry, actuators: set[str]) -> Problems:
    if item.actuator and item.actuator not in actuators:
        return [{"place": "actuator", "value": _shown(item.actuator), "expected": _("an actuator of this controller")}]
    if all(figure is None for figure in (item.flow_m3s, item.pressure_kpa, item.level_m, item.series, item.value)):
        return [{"place": "item", "value": None, "expected": _("at least one measurement")}]
    return _future_problems(item)


def _starts(controller: Controller, items: Sequence[Item]) -> dict[UUID, datetime]:
    """The earliest start of the runs of this controller that acknowledgements name: a new plan may have moved a run
    that the controller did by the old one."""
    named = {item.entry for item in items if isinstance(item, Ack)}
    if not named:
        return {}
    mine = ValveRun.objects.filter(uid__in=named, turnout__controller=controller).order_by()
    return dict(mine.values_list("uid").annotate(first=Min("start")))


def _actuators(controller: Controller, items: Sequence[Item]) -> set[str]:
    if not any(isinstance(item, Telemetry) and item.actuator for item in items):
        return set()
    return set(Turnout.objects.filter(controller=controller).values_list("key", flat=True))


def _message(controller: Controller, kind: str, item: Item) -> DeviceMessage:
    return DeviceMessage(
        controller=controller,
        kind=kind,
        seq=item.seq,
        run_uid=item.entry if isinstance(item, Ack) else None,
        status=item.status if isinstance(item, Ack) else "",
        at=item.at,
        data=item.model_dump(mode="json", exclude={"seq", "at", "entry", "status"}, exclude_none=True),
    )


def _problems(error: ValidationError) -> Problems:
    return [_problem(found) for found in error.errors(include_url=False)]


def _problem(found: ErrorDetails) -> dict[str, Any]:
    """Of a field that is missing there is no value: pydantic would show the whole item."""
    value = None if found["type"] == "missing" else _shown(found["input"])
    return {"place": ".".join(map(str, found["loc"])) or "item", "value": value, "expected": expected(found)}


def _shown(value: object) -> object:
    """What was refused, short and such that JSON can say it."""
    simple = isinstance(value, str | int | bool) or value is None or (isinstance(value, float) and math.isfinite(value))
    return value if simple and len(str(value)) <= 100 else json.dumps(value, ensure_ascii=False)[:100]
