"""A controller as docs/device-protocol.md asks for it, small enough to read: it trusts only what it has checked."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Send = Callable[[str, str, Mapping[str, str], bytes], tuple[int, Mapping[str, str], bytes]]
"""Method, path, headers and body to status, headers and body."""


class Refused(Exception):
    """A document that must not be applied, with the acknowledgement that says why."""


@dataclass
class Device:
    key: str
    token: str
    keys: Mapping[str, bytes]
    """Trusted public keys by their id, put on the device by hand."""
    send: Send
    document: dict[str, Any] | None = None
    etag: str = ""
    seq: int = 0
    log: list[str] = field(default_factory=list)

    @property
    def revision(self) -> int:
        return self.document["revision"] if self.document else 0

    def poll(self, now: datetime) -> str:
        """What came of one poll: applied, unchanged, or kept with the reason. Whatever fails, the old plan stays."""
        headers = {"Authorization": f"Bearer {self.token}", "Applied-Revision": str(self.revision)}
        if self.etag:
            headers["If-None-Match"] = self.etag
        status, answer, body = self.send("GET", "/api/device/v1/schedule", headers, b"")
        if status == 304:
            return "unchanged"
        if status != 200:
            return f"kept: {status}"
        try:
            self._check(answer, body, now)
        except Refused as refused:
            return f"kept: {refused}"
        self.document, self.etag = json.loads(body), answer["ETag"]
        return "applied"

    def open_at(self, now: datetime) -> list[str]:
        """Actuators that are to be open; none without a plan, and none after its end (fallback: close all)."""
        if self.document is None or not _time(self.document["valid_from"]) <= now < _time(self.document["valid_until"]):
            return []
        longest = timedelta(seconds=self.document["limits"]["max_run_s"])
        return [
            entry["actuator"]
            for entry in self.document["entries"]
            if entry["status"] == "scheduled"
            and _time(entry["start"])
            <= now
            < _time(entry["start"]) + min(longest, timedelta(seconds=entry["duration_s"]))
        ]

    def report(self, kind: str, items: Sequence[Mapping[str, Any]], now: datetime) -> tuple[int, Any]:
        """Sends items of "acks", "telemetry" or "hello", each with the next number."""
        numbered = []
        for item in items:
            self.seq += 1
            numbered.append({"seq": self.seq, "at": now.isoformat(), **item})
        return self.post(kind, json.dumps({kind: numbered}).encode())

    def post(self, kind: str, body: bytes) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        status, _, answer = self.send("POST", f"/api/device/v1/{kind}", headers, body)
        return status, json.loads(answer)

    def _check(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        parts = dict(part.split("=", 1) for part in headers["Schedule-Signature"].split(";"))
        if parts["kid"] not in self.keys or parts["alg"] != "ed25519":
            raise Refused("unknown key")
        try:
            Ed25519PublicKey.from_public_bytes(self.keys[parts["kid"]]).verify(base64.b64decode(parts["sig"]), body)
        except InvalidSignature:
            raise Refused("bad signature") from None
        document = json.loads(body)
        if document["schema"] != "headgate.schedule/1" or document["controller"] != self.key:
            raise Refused("not for this device")
        if document["revision"] <= self.revision:
            raise Refused("rollback")
        if now >= _time(document["valid_until"]):
            raise Refused("expired")
        running = [entry for entry in document["entries"] if entry["status"] == "scheduled"]
        if bool(running) == document["idle"]:
            raise Refused("empty without idle")
        if any(entry["duration_s"] > document["limits"]["max_run_s"] for entry in running):
            raise Refused("outside limits")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
