"""What an employer is told of a change, in one shape for feed and webhook; signed as Standard Webhooks says."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from domain.alert import Alert, Known

_SECRET: Final = "whsec_"  # noqa: S105 # how a secret begins, not one
_encode = msgspec.json.Encoder().encode

NameOf = Callable[[str], str]
"""An association's name by its code."""


class Message(msgspec.Struct, frozen=True):
    """One message: the same id and body however often it is sent."""

    id: str
    position: int
    body: bytes

    def headers(self, secret: str, at: datetime) -> dict[str, str]:
        timestamp = str(int(at.timestamp()))
        return {
            "Content-Type": "application/json",
            "User-Agent": "endorsement-registry",
            "webhook-id": self.id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(secret, self.id, timestamp, self.body),
        }


def signature(secret: str, name: str, timestamp: str, body: bytes) -> str:
    """`v1`: HMAC-SHA256 over id, time and body, with dots between."""
    key = base64.b64decode(secret.removeprefix(_SECRET))
    mac = hmac.digest(key, b"%b.%b.%b" % (name.encode(), timestamp.encode(), body), hashlib.sha256)
    return f"v1,{base64.b64encode(mac).decode()}"


def of_alert(alert: Alert, name_of: NameOf) -> Message:
    told = alert_shown(alert, name_of)
    body = {"type": f"endorsement.{alert.change}", "timestamp": alert.recorded_at, "data": told}
    return Message(alert.id, alert.position, _encode(body))


def of_trial(position: int, at: datetime) -> Message:
    """That it arrives is all it says."""
    body = {"type": "webhook.test", "timestamp": at, "data": {"position": position}}
    return Message(f"test-{position}", position, _encode(body))


def alert_shown(alert: Alert, name_of: NameOf) -> dict[str, Any]:
    return {
        "id": alert.id,
        "position": alert.position,
        "change": alert.change,
        "on": alert.on,
        "recorded_at": alert.recorded_at,
        **known_shown(alert.known, name_of),
    }


def known_shown(known: Known, name_of: NameOf) -> dict[str, Any]:
    """No more than a certificate's verdict shows; nobody's name."""
    return {
        "number": known.number,
        "category": known.category,
        "association": {"code": known.association, "name": name_of(known.association)},
        "standing": known.standing,
        "since": known.since,
        "through": known.through,
        "reason": known.reason,
    }


def sentence(alert: Alert, name_of: NameOf) -> str:
    """For a letter."""
    known = alert.known
    words = _WORDS[alert.change].format(association=name_of(known.association), through=known.through.isoformat())
    return f"{known.number} {words} ({alert.on.isoformat()})"


_WORDS: Final = {
    "awarded": "was awarded, good through {through}",
    "recorded": "was recorded, good through {through}",
    "renewed": "was renewed, good through {through}",
    "lapsed": "has lapsed",
    "inactive": "is inactive",
    "reactivated": "is active again, good through {through}",
    "emeritus": "is emeritus: kept as an honour, not active",
    "reinstated": "was reinstated, good through {through}",
    "suspended": "is suspended",
    "suspension_lifted": "is suspended no more",
    "removed": "was removed",
    "withdrawn": "was withdrawn by the holder",
    "add_on_granted": "has a new add-on",
    "add_on_ended": "has an add-on no more",
    "converted": "was converted from a retired category",
    "corrected": "was corrected: see how it stands now",
    "transferred": "is now held by {association}",
}
