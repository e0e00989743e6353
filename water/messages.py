"""What controllers report, item by item: a bad item never costs the good ones, and a replay changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from .models import Controller, DeviceMessage, ValveRun

BATCH = 200
AckStatus = Literal[
    "received", "rejected_invalid", "rejected_expired", "rejected_limit", "started", "completed", "partial",
    "aborted_fault", "aborted_operator", "opted_out", "cancelled", "superseded",
]  # fmt: skip
ORDER = ("received", "started", "partial", "completed")
"""How far a run has come. Acknowledgements may arrive out of order; the farthest counts."""


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    seq: int = Field(ge=0, lt=2**63)
    at: AwareDatetime


class Ack(Item):
    entry: UUID
    entry_rev: int | None = Field(default=None, ge=1)
    revision: int | None = Field(default=None, ge=1)
    status: AckStatus
    duration_s: float | None = Field(default=None, ge=0)
    volume_m3: float | None = Field(default=None, ge=0)
    reason: str = Field(default="", max_length=300)


class Telemetry(Item):
    actuator: str = Field(default="", max_length=80)
    flow_m3s: float | None = None
    pressure_kpa: float | None = None
    level_m: float | None = None


class Hello(Item):
    firmware: str = Field(default="", max_length=80)
    capabilities: list[str] = Field(default_factory=list, max_length=50)
    clock_offset_s: float | None = None
    applied_revision: int | None = Field(default=None, ge=0)
    boot_reason: str = Field(default="", max_length=80)


ITEMS: dict[str, type[Item]] = {
    DeviceMessage.Kind.ACK: Ack,
    DeviceMessage.Kind.TELEMETRY: Telemetry,
    DeviceMessage.Kind.HELLO: Hello,
}


def keep(controller: Controller, kind: str, items: Sequence[object]) -> list[dict[str, Any]]:
    """Stores what is new. One result per item: accepted, duplicate, or refused with every reason."""
    known = set(DeviceMessage.objects.filter(controller=controller, kind=kind).filter(
        seq__in=[item["seq"] for item in items if isinstance(item, dict) and _is_seq(item.get("seq"))]
    ).values_list("seq", flat=True))  # fmt: skip
    results, fresh = [], []
    for item in items:
        result, message = _judge(controller, kind, item, known)
        results.append(result)
        if message:
            fresh.append(message)
            known.add(message.seq)
    # Ignoring conflicts: the same batch may arrive twice at once, and the second must answer like a replay.
    DeviceMessage.objects.bulk_create(fresh, ignore_conflicts=True)
    return results


def run_status(uid: UUID) -> str:
    """How far a run has come by what its controller said; "" before the first word."""
    said = set(DeviceMessage.objects.filter(run_uid=uid).values_list("status", flat=True))
    ended = said - set(ORDER)
    farthest = next((status for status in reversed(ORDER) if status in said), "")
    return farthest if farthest in ("completed", "partial") or not ended else sorted(ended)[0]


def _judge(
    controller: Controller, kind: str, raw: object, known: set[int]
) -> tuple[dict[str, Any], DeviceMessage | None]:
    seq = raw.get("seq") if isinstance(raw, dict) else None
    try:
        item = ITEMS[kind].model_validate(raw)
    except ValidationError as error:
        return {"seq": seq, "result": "refused", "problems": _problems(error)}, None
    if item.seq in known:
        return {"seq": item.seq, "result": "duplicate"}, None
    if isinstance(item, Ack) and not _is_ours(controller, item.entry):
        problem = {"place": "entry", "value": str(item.entry), "expected": "the id of a run of this controller"}
        return {"seq": item.seq, "result": "refused", "problems": [problem]}, None
    return {"seq": item.seq, "result": "accepted"}, _message(controller, kind, item)


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


def _is_ours(controller: Controller, entry: UUID) -> bool:
    return ValveRun.objects.filter(uid=entry, turnout__controller=controller).exists()


def _is_seq(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < 2**63


def _problems(error: ValidationError) -> list[dict[str, Any]]:
    return [
        {"place": ".".join(map(str, found["loc"])) or "item", "value": _shown(found["input"]), "expected": found["msg"]}
        for found in error.errors(include_url=False)
    ]


def _shown(value: object) -> object:
    simple = isinstance(value, str | int | float | bool | datetime) or value is None
    return value if simple and not (isinstance(value, float) and value != value) else repr(value)[:100]
