"""Do the published status lists say what the events say? Part of fsck: own fold, own reading, nothing shared.

Where in its list a certificate stands is a secret of the publisher; how many of a list are revoked, suspended or
superseded is not, and that is compared.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry.log.fsck_keys import Keys

PLACES: Final = 131_072

SPENT: Final = 4

Counts = Counter[int]
"""Of one list: how many certificates have which status; of those with 0 nothing is known.

Those whose badge is revoked are counted once more, under SPENT + status.
"""

_WORDS: Final = {1: "revoked", 2: "suspended", 3: "superseded"}
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
_TOKEN_LIST: Final = 65533

_ISSUED: Final = "certificate.issued"
_RENEWED: Final = "endorsement.renewed"
_LAPSED: Final = "endorsement.lapsed"
_LEFT_TO_ITS_END: Final = ("renewed", "reinstated")
_ENDS: Final = ("endorsement.removed", "endorsement.archived", "endorsement.ended_by_death")
_STANDS: Final = {
    "endorsement.awarded": "active",
    _RENEWED: "active",
    "endorsement.reactivated": "active",
    "endorsement.reinstated": "active",
    _LAPSED: "lapsed",
    "endorsement.made_inactive": "inactive",
    "endorsement.inactivity_ended": "lapsed",
    "endorsement.emeritus_granted": "emeritus",
    "endorsement.suspended": "suspended",
}
_BEGINS: Final = ("endorsement.awarded", "endorsement.imported")
_OTHERS: Final = (
    "endorsement.imported",
    "endorsement.reported",
    "endorsement.suspension_lifted",
    "endorsement.add_on_granted",
    "endorsement.add_on_ended",
    "endorsement.converted",
    "endorsement.corrected",
    "endorsement.custody_transferred",
    _ISSUED,
)
_ERASED: Final = "person.erased"
_LETTER: Final = "application.letter_issued"
_CLOSED: Final = ("application.approved", "application.declined", "application.withdrawn", "application.expired")
_TOPICS: Final = frozenset((*_ENDS, *_STANDS, *_OTHERS, _ERASED, _LETTER, *_CLOSED))


class _Fact(msgspec.Struct):
    on: date
    topic: str = ""
    position: int = 0
    version: int = 0
    person: str = ""
    association: str = ""
    category: str = ""
    to: str = ""
    standing: str = "active"
    means: str = ""
    awarded_on: date | None = None
    through: date | None = None
    cti: str = ""
    why: str = ""
    corrects: int = 0
    void: bool = False
    day: date | None = None


_read_fact: Final = msgspec.json.Decoder(_Fact).decode


@dataclass
class _Case:
    facts: list[_Fact] = field(default_factory=list)
    version: int = 0
    erased: bool = False
    said: dict[int, Counts] = field(default_factory=dict)  # by list, as it was last counted
    issued: int = 0
    longest: date = date.min  # the last good day of any certificate
    spent: set[int] = field(default_factory=set)  # positions of those whose badge was ever not good

    def spend(self, fact: _Fact) -> None:
        """After every event: there is no way back."""
        if fact.topic == _ISSUED:
            self.issued += 1
            self.longest = max(self.longest, fact.through or date.max)
        # The most frequent ones spend nothing: renewed for longer, or lapsed when all certificates had ended.
        elif (fact.through or date.min) >= self.longest and (
            fact.topic == _RENEWED or (fact.topic == _LAPSED and fact.on > self.longest)
        ):
            return
        if len(self.spent) < self.issued:
            self.spent.update(position for position, _, spent in _judge(self) if spent)


@dataclass
class Listed:
    """What the events up to a position make of every certificate; grows with them."""

    cases: dict[str, _Case] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    holders: dict[str, set[str]] = field(default_factory=dict)
    counts: dict[int, Counts] = field(default_factory=dict)
    """By list. A list without certificates is not in it."""
    waiting: set[str] = field(default_factory=set)

    def take(self, position: int, stream: str, topic: str, state: bytes) -> bool:
        """Whether this event may change a list. All events of a stream are shown, for corrections name a version."""
        if stream.startswith("endorsement/"):
            self.cases.setdefault(stream, _Case()).version += 1
        if topic not in _TOPICS:
            return False
        fact = _read_fact(state)
        fact.topic, fact.position = topic, position
        if topic == _ERASED:
            person = stream.removeprefix("person/")
            self.erased.add(person)
            touched = self.holders.get(person, set())
            for one in touched:
                self.cases[one].erased = True
                self.cases[one].spend(fact)
            self.waiting |= touched
            return True
        case = self.cases.setdefault(stream, _Case())
        fact.version = case.version
        case.facts.append(fact)
        if topic in _BEGINS or topic == _LETTER:
            person = fact.person.removeprefix("person/")
            self.holders.setdefault(person, set()).add(stream)
            case.erased = case.erased or person in self.erased
        case.spend(fact)
        self.waiting.add(stream)
        return True

    def count(self) -> dict[int, Counts]:
        for stream in self.waiting:
            case = self.cases[stream]
            for number, before in case.said.items():
                self.counts[number].subtract(before)
            case.said = {}
            for position, status, _ in _judge(case):
                said = case.said.setdefault((position - 1) // PLACES + 1, Counter())
                said[status] += 1
                said[SPENT + status] += position in case.spent
            for number, now in case.said.items():
                self.counts.setdefault(number, Counter()).update(now)
        self.waiting.clear()
        return self.counts


def _judge(case: _Case) -> Iterator[tuple[int, int, bool]]:
    """Position and status of each certificate of an endorsement, badges issued again under one id included.

    And whether this status revokes the badge; letters have none.
    """
    closed = max((fact.position for fact in case.facts if fact.topic in _CLOSED), default=0)
    for fact in case.facts:
        if fact.topic == _LETTER:
            yield fact.position, int(case.erased or fact.position < closed), False
    issued = [fact for fact in case.facts if fact.topic == _ISSUED]
    if not issued:
        return
    if case.erased or any(fact.topic in _ENDS for fact in case.facts):
        yield from ((fact.position, 1, True) for fact in issued)
        return
    since, _, standing, through = max(_turns(_righted(case.facts)), default=(date.min, 0, "active", date.max))
    holder = [
        fact.to or fact.association
        for fact in case.facts
        if fact.topic == "endorsement.custody_transferred" or fact.topic in _BEGINS
    ][-1:]
    category = [
        fact.to if fact.topic == "endorsement.converted" else fact.category
        for fact in case.facts
        if fact.topic == "endorsement.converted" or (fact.category and fact.topic != _ISSUED)
    ][-1:]
    first: dict[str, _Fact] = {}
    for fact in issued:
        first.setdefault(fact.cti, fact)
    next_of = dict(zip(first, [*first.values()][1:], strict=False))
    for fact in issued:
        paper = first[fact.cti]
        last = paper.through or date.max
        current = (
            paper.cti not in next_of
            and holder in ([], [paper.association])
            and category in ([], [paper.category.split("+")[0]])
        )
        if standing in ("suspended", "inactive", "emeritus"):
            status = 2
        elif not current:
            status = 3
        else:
            status = 2 if last > through or (standing == "lapsed" and since <= last) else 0
        renewed = paper.cti in next_of and next_of[paper.cti].why in _LEFT_TO_ITS_END
        yield fact.position, status, status != 0 and not (status == 3 and renewed)  # noqa: PLR2004 - superseded


def _righted(facts: list[_Fact]) -> list[_Fact]:
    """The facts as the last correction of each has them."""
    corrections = {fact.corrects: fact for fact in facts if fact.topic == "endorsement.corrected"}
    if not corrections:
        return facts
    found = []
    for fact in facts:
        right = corrections.get(fact.version)
        if right is None:
            found.append(fact)
        elif not right.void:
            through = right.through if fact.through and right.through else fact.through
            found.append(msgspec.structs.replace(fact, on=right.day or fact.on, through=through))
    return [fact for fact in found if fact.topic != "endorsement.corrected"]


def _turns(facts: list[_Fact]) -> Iterator[tuple[date, int, str, date]]:
    """Day, order, standing and last good day of everything that changed how an endorsement stands."""
    standing, through = "active", date.max
    for order, fact in enumerate(facts):
        before, on = through, fact.on
        through = fact.through or through if fact.topic != _ISSUED else through
        late = before + timedelta(1) if before < on else on
        match fact.topic:
            case "endorsement.imported":
                yield fact.awarded_on or on, 2 * order, "active", through
                standing = fact.standing
                if standing != "active":
                    yield through + timedelta(1) if through < on else on, 2 * order + 1, standing, through
            case "endorsement.reported":
                standing = fact.standing
                yield late if fact.means == "renewal" else on, 2 * order, standing, through
            case "endorsement.suspension_lifted":
                standing = fact.standing
                yield on, 2 * order, standing, through
            case "endorsement.add_on_granted" | "endorsement.add_on_ended" | "endorsement.converted":
                yield on, 2 * order, standing, through
            case topic if topic in _STANDS:
                standing = _STANDS[topic]
                yield on, 2 * order, standing, through


# --- the published files ---


class Unreadable(ValueError):
    """The file is no list of ours; says why."""


def files(folder: Path, end: str = "") -> dict[int, bytes]:
    """All lists as they are published there now, by number: `end` is what follows it in their names."""
    found = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        number = path.name.removesuffix(end)
        if _NUMBER.fullmatch(number) and path.name == number + end and path.is_file():
            found[int(number)] = path.read_bytes()
    return found


def packed(data: bytes) -> bytes:
    """The entries of a list, whoever signed it; nothing if there are none."""
    try:
        token, _ = _item(data, 1)
        claims, _ = _item(token[2], 0)
        return _packed(claims)
    except (ValueError, LookupError, TypeError, AttributeError, zlib.error, RecursionError):
        return b""


def read(data: bytes, number: int, host: str, keys: Keys) -> None:
    """Whether this is the registry's own list of this number. Raises Unreadable."""
    issuer = f"did:web:{host}:status"
    try:
        token, end = _item(data, 1)
        if data[:1] != b"\xd2" or end != len(data):  # tag 18, COSE_Sign1
            raise Unreadable("it is no signed list")
        protected, _, payload, signature = token
        header, _ = _item(protected, 0)
        claims, _ = _item(payload, 0)
        made = datetime.fromtimestamp(claims[6], UTC)
        key = keys.find("status", f"{issuer}#{header[4].hex()}", issuer, made)
        if key is None:
            raise Unreadable("no list key of this registry signed it")
        signed = b"\x84\x6aSignature1" + _text(protected) + b"\x40" + _text(payload)
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
        if header[16] != "application/statuslist+cwt" or not str(claims[2]).endswith(f"/s/{number}"):
            raise Unreadable("it is another list")
        if not _packed(claims):
            raise Unreadable("it has not the size of our lists")
    except InvalidSignature:
        raise Unreadable("its signature fails") from None
    except (LookupError, TypeError, AttributeError, OverflowError, OSError, zlib.error, RecursionError):
        raise Unreadable("it is no list") from None
    except ValueError as error:
        raise error if isinstance(error, Unreadable) else Unreadable("it is no list") from None


def _packed(claims: dict[Any, Any]) -> bytes:
    """Nothing unless it has the size of our lists: two bits for each place."""
    entries = claims[_TOKEN_LIST]
    found = zlib.decompressobj().decompress(entries["lst"], PLACES // 4 + 1)
    return found if entries["bits"] == 2 and len(found) == PLACES // 4 else b""  # noqa: PLR2004 - two bits


def count(packed: bytes) -> Counts:
    """How often each status stands in a list."""
    counts: Counts = Counter()
    for byte, times in Counter(packed).items():
        for shift in (0, 2, 4, 6):
            counts[byte >> shift & 3] += times
    return counts


def same(one: Mapping[int, int], other: Mapping[int, int]) -> bool:
    return all(one.get(status, 0) == other.get(status, 0) for status in _WORDS)


def said(counts: Mapping[int, int]) -> str:
    return ", ".join(f"{counts.get(status, 0)} {word}" for status, word in _WORDS.items())


def _item(data: bytes, at: int) -> tuple[Any, int]:
    """The CBOR item there and where it ends: numbers, byte strings, text, arrays and maps."""
    major, count = data[at] >> 5, data[at] & 31
    at += 1
    if count >= 24:  # noqa: PLR2004 - RFC 8949
        size = 1 << count - 24
        count, at = int.from_bytes(data[at : at + size]), at + size
    if major in (0, 1):
        return (-1 - count if major else count), at
    if major in (2, 3):
        text = data[at : at + count]
        return (text if major == 2 else text.decode()), at + len(text)  # noqa: PLR2004 - RFC 8949
    items = []
    for _ in range(count if major == 4 else 2 * count):  # noqa: PLR2004 - RFC 8949
        item, at = _item(data, at)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2], strict=True))), at  # noqa: PLR2004 - RFC 8949


def _text(data: bytes) -> bytes:
    """A byte string in CBOR."""
    for limit, first, size in ((24, 0x40, 0), (1 << 8, 0x58, 1), (1 << 16, 0x59, 2), (1 << 32, 0x5A, 4)):
        if len(data) < limit:
            head = bytes([first + len(data)]) if not size else bytes([first]) + len(data).to_bytes(size)
            return head + data
    raise Unreadable("it is too long")
