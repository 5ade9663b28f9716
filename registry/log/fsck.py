"""Is this database still the history that was signed? Everything is derived again here, by code of its own.

Nothing of the code that writes or publishes is used: plain SQL, own hashing, own fold of the statuses, own reading of
the published files.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, UndefinedTable
from psycopg.rows import tuple_row

from registry.log import fsck_badges, fsck_lists
from registry.log.fsck_keys import Keys, from_base58
from registry.log.fsck_lists import Listed, Unreadable

NAMED: Final = 20
"""Findings told one by one; the others are counted."""

_TOPIC: Final = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z0-9_]*)+(\.v[1-9][0-9]*)?")
_STREAM: Final = re.compile(r"[a-z][a-z_]*/\S+")
_CHECKPOINT: Final = re.compile(
    r"(?P<note>(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]*)\n(?P<root>[A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*)"
    r"\n(?P<signatures>(?:— \S+ \S+\n)+)"
)
_ED25519_MULTICODEC: Final = b"\xed\x01"

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Request(msgspec.Struct):
    key: _Text
    body: _Text


class _State(msgspec.Struct):
    """The fields every stored event has."""

    on: date
    by: _Text
    recorded_at: Annotated[datetime, msgspec.Meta(tz=True)]
    salt: _Text
    late: _Text | None = None
    request: _Request | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. Stream and version are named wherever they can be known."""

    what: str
    position: int | None = None
    stream: str | None = None
    version: int | None = None
    file: str | None = None


@dataclass
class Report:
    events: int = 0
    checkpoint: dict[str, Any] | None = None
    findings: list[Finding] = field(default_factory=list)
    more_findings: int = 0
    not_checked: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.findings


Progress = Callable[[int, int], None]
"""Told now and then how many events of how many are checked."""


def _silent(_done: int, _of: int) -> None:
    pass


def examine(
    connection: Connection[Any],
    static: Path,
    *,
    vkeys: Iterable[str] = (),
    witnesses: Iterable[str] = (),
    kept: Iterable[str] = (),
    progress: Progress = _silent,
) -> Report:
    """Derive everything again and compare.

    `vkeys` and `witnesses` pin the keys of the log and of its witnesses (else `keys.json` says them); `kept` are
    checkpoints that were kept elsewhere.
    """
    # The plane is read before the database, which may grow meanwhile but never be behind it.
    plane = _Plane(static, tuple(vkeys), tuple(witnesses))
    heads = [head for text in kept if (head := plane.read_checkpoint(text, "the checkpoint kept elsewhere"))]
    walk = _Walk(plane, {head.size for head in heads})
    for row in _rows(connection, progress):
        walk.take(*row)
    walk.finish(lambda first, last: _traces(connection, first, last))

    plane.compare_tiles()
    findings = walk.findings
    head = plane.head
    if head and walk.roots.get(head.size) != head.root:
        # What differs comes first: of two events at one position it names the intruder.
        findings = walk.differing + findings or [
            Finding(f"the first {head.size} events do not lead to the root that was signed")
        ]
    if head and plane.root not in (None, head.root):
        plane.findings.append(
            Finding("the published entries do not lead to the root that was signed", file="tile/entries")
        )
    findings += _misread(connection, walk.digests)
    findings += [
        Finding(f"the first {one.size} events are not those of the checkpoint kept elsewhere")
        for one in heads
        if walk.roots.get(one.size) != one.root
    ]
    findings = plane.distrust + sorted(findings, key=_place) + plane.findings
    if not findings:  # of another history than the signed one the lists can't be judged
        findings = [*walk.lists.findings()]
    return Report(
        events=walk.events,
        checkpoint=None if head is None else head.as_json(),
        findings=findings[:NAMED],
        more_findings=max(0, len(findings) - NAMED) + walk.uncounted,
        not_checked=[*plane.not_checked, *walk.not_checked()],
    )


def _place(finding: Finding) -> int:
    return 1 << 63 if finding.position is None else finding.position


def _rows(connection: Connection[Any], progress: Progress) -> Iterator[tuple[Any, ...]]:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with connection.cursor(row_factory=tuple_row) as cursor:
            of = int((cursor.execute("SELECT count(*) FROM registry.events").fetchone() or (0,))[0])
        with connection.cursor("fsck", binary=True, row_factory=tuple_row) as cursor:
            cursor.itersize = 5_000
            cursor.execute(
                "SELECT notification_id, originator_id, originator_version, topic, state FROM registry.events"
                " ORDER BY notification_id, originator_id, originator_version"
            )
            for done, row in enumerate(cursor, 1):
                if done % 5_000 == 0:
                    progress(done, of)
                yield row


def _traces(connection: Connection[Any], first: int, last: int) -> dict[int, str]:
    """Which streams claims of missing positions were made by: rows of another table, which who deletes may forget."""
    try:
        with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(
                "SELECT position, min(stream) FROM registry.claims WHERE position BETWEEN %s AND %s GROUP BY 1"
                " ORDER BY 1 LIMIT %s",
                (first, last, NAMED),
            )
            return dict(cursor.fetchall())
    except (InsufficientPrivilege, UndefinedTable):
        return {}


class _Walk:
    """All events, once, in order of position."""

    def __init__(self, plane: _Plane, sizes: set[int]) -> None:
        self.plane = plane
        self.signed = plane.head.size if plane.head else 0
        self.sizes = sizes | {self.signed}
        self.findings: list[Finding] = []
        self.differing: list[Finding] = []  # from what is published; the database's fault unless its root is right
        self.uncounted = 0
        self.roots: dict[int, bytes] = {}
        self.events = 0
        self.position = 0
        self.last: tuple[str, int] | None = None
        self.versions: dict[str, tuple[int, int]] = {}  # stream -> its last version and where that stands
        self.gaps: list[tuple[int, int]] = []  # missing positions, first and last
        self.lost: list[tuple[str, int, int, int]] = []  # stream, missing version, after and before which position
        self.digests: list[tuple[int, str, int, str]] = []  # of who read what: where it stands, and what it says
        self.tree = _Tree()
        self.lists = _Lists(plane, self.signed)
        self._keep_root()

    def take(self, position: Any, stream: Any, version: Any, topic: Any, state: Any) -> None:
        self.events += 1
        here = (position, stream, version)
        if None in (position, stream, version, topic, state) or position < 1 or version < 1:
            self._find("an event has an empty column or a number below 1", *here)
            return
        if position == self.position:
            self._find("two events stand at one position", *here)
        elif position > self.position + 1:
            self.gaps.append((self.position + 1, position - 1))
        self._check_version(position, stream, version)
        if problem := _problem_of(stream, topic, state):
            self._find(problem, *here)
        else:
            self.lists.take(position, stream, topic, state)
            if topic == "readings.digested":
                self.digests.append((position, stream, version, msgspec.json.decode(state)["digest"]))

        entry = _entry(position, stream, version, topic, state)
        published = self.plane.entry(position) if position <= self.signed else None
        if published is not None and published != entry:
            self._add(self.differing, Finding("the event is not the one that was published here", *here))
        if position == self.position + 1 == self.tree.size + 1:
            self.tree.append(_leaf(entry))
            self._keep_root()
        self.position, self.last = position, (stream, version)

    def finish(self, traces: Callable[[int, int], dict[int, str]]) -> None:
        for first, last in self.gaps:
            self._explain_gap(first, last, traces)
        for stream, version, _, before in self.lost:
            self._find("a version of the stream is missing", before, stream, version)
        if self.position < self.signed:
            after = f", after {self.last[0]} version {self.last[1]}" if self.last else ""
            missing = f"positions {self.position + 1} to {self.signed} are missing at the end{after}"
            self._find(f"{missing}: {self.signed} events were signed", self.position + 1)
            self._trace(self.position + 1, self.signed, traces)

    def not_checked(self) -> Iterator[str]:
        if self.plane.head and self.position > self.signed:
            yield (
                f"{self.position - self.signed} events are not yet under a checkpoint: only their structure was checked"
            )

    def _check_version(self, position: int, stream: str, version: int) -> None:
        before, at = self.versions.get(stream, (0, 0))
        if version <= before:
            self._find(f"version {before + 1} was expected", position, stream, version)
            return
        for missing in range(before + 1, min(version, before + 1 + NAMED)):
            self.lost.append((stream, missing, at, position))
        self.versions[stream] = version, position

    def _trace(self, first: int, last: int, traces: Callable[[int, int], dict[int, str]]) -> int:
        """Name the missing newest events of streams that left a claim behind; how many."""
        found = traces(first, last)
        named = 0
        for position, stream in found.items():
            version, at = self.versions.get(stream, (0, 0))
            if at < first:
                self._find("the event is missing: its claim is still there", position, stream, version + 1)
                self.versions[stream] = version + 1, at
                named += 1
        return named

    def _explain_gap(self, first: int, last: int, traces: Callable[[int, int], dict[int, str]]) -> None:
        """Name the events a gap in the positions stood for, as far as their streams still tell."""
        named = [one for one in self.lost if one[2] < first and last < one[3]]
        where = f"position {first}" if first == last else f"one of the positions {first} to {last}"
        if len(named) <= last - first + 1:
            for one in named:
                self.lost.remove(one)
                self._find(f"the event is missing: {where}", first, one[0], one[1])
        if len(named) != last - first + 1:
            traced = self._trace(first, last, traces)
            if len(named) + traced == last - first + 1:
                return
            what = "the newest event of a stream is" if first == last else "newest events of streams are"
            self._find(f"{what} missing, which no later one names: {where}", first)

    def _keep_root(self) -> None:
        if self.tree.size in self.sizes:
            self.roots[self.tree.size] = self.tree.root()

    def _find(self, what: str, position: int | None, stream: str | None = None, version: int | None = None) -> None:
        self._add(self.findings, Finding(what, position, stream, version))

    def _add(self, findings: list[Finding], finding: Finding) -> None:
        # Of very many only the first are kept. Those of gaps come last and are sorted in front of others.
        if len(findings) < 1_000:  # noqa: PLR2004 - far above what is named
            findings.append(finding)
        else:
            self.uncounted += 1


def _misread(connection: Connection[Any], digests: Iterable[tuple[int, str, int, str]]) -> list[Finding]:
    """Days whose rows of who read what are not those that were digested."""
    found = []
    for position, stream, version, digest in digests:
        with connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(
                "SELECT actor, record, reason FROM service.access WHERE day::text = %s", [stream.partition("/")[2]]
            )
            lines = sorted(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in cursor)
        if hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest() != digest:
            found.append(Finding("who read what that day is not what was digested", position, stream, version))
    return found


def _problem_of(stream: str, topic: str, state: bytes) -> str | None:
    if not _STREAM.fullmatch(stream):
        return "the stream has no name of ours"
    if not _TOPIC.fullmatch(topic):
        return "the topic has no name of ours"
    try:
        state.decode()  # msgspec does not look into text it skips
        msgspec.json.decode(state, type=_State)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        kind = "has not the fields of an event" if isinstance(error, msgspec.ValidationError) else "is not JSON"
        return f"the state {kind}"
    return None


_Sheet = tuple[int, str]
"""A list: its number and its file."""


class _Lists:
    """The status lists, as the events make them: as of the checkpoint or of any later event, for they go out first."""

    def __init__(self, plane: _Plane, signed: int) -> None:
        self._signed = signed
        self._listed = Listed()
        self._keys = Keys()
        self._wrong: dict[_Sheet, str] | None = None if plane.head else {}
        self._plane = plane
        self._published: dict[_Sheet, fsck_lists.Counts] = {}
        self._packed: dict[int, bytes] = {}
        self._badges: dict[_Sheet, bytes] = {}
        self._counted: dict[int, fsck_lists.Counts] = {}  # under the checkpoint

    def take(self, position: int, stream: str, topic: str, state: bytes) -> None:
        if position > self._signed:
            self._compare()
        try:
            self._keys.take(stream, topic, state, signed=position <= self._signed)
            changed = self._listed.take(position, stream, topic, state)
        except msgspec.DecodeError:
            return  # not of our making; what was signed is told by the root
        if changed and position > self._signed and self._wrong:
            self._compare_again()

    def findings(self) -> Iterator[Finding]:
        self._compare()
        if not self._plane.head:
            return
        wrong = (self._wrong or {}) | dict(self._unreadable())
        for (_, name), why in sorted((wrong | dict(self._apart(wrong))).items()):
            yield Finding(why, file=name)

    def _compare(self) -> None:
        """Once, when all events under the checkpoint are there."""
        if self._wrong is not None:
            return
        self._wrong = {}
        counted = self._listed.count()
        self._counted = {number: counts.copy() for number, counts in counted.items()}
        for number, data in self._plane.lists.items():
            if packed := fsck_lists.packed(data):
                self._packed[number] = packed
                self._published[_tokens(number)] = fsck_lists.count(packed)
        for (number, end), data in self._plane.badges.items():
            if octets := fsck_badges.bits(data, end):
                self._badges[_badges(number, end)] = octets
        self._wrong = dict(self._differing())

    def _compare_again(self) -> None:
        self._listed.count()
        differing = dict(self._differing())
        # One that agrees with any of these events is the list of that event.
        for sheet in [sheet for sheet in self._wrong or {} if sheet not in differing]:
            if self._wrong:
                del self._wrong[sheet]

    def _differing(self) -> Iterator[tuple[_Sheet, str]]:
        for sheet, published in self._published.items():
            counts = self._listed.counts.get(sheet[0], fsck_lists.Counts())
            if not fsck_lists.same(counts, published):
                said = f"of its certificates {fsck_lists.said(published)}; by the events {fsck_lists.said(counts)}"
                yield sheet, said
        for sheet, octets in self._badges.items():
            counts = self._listed.counts.get(sheet[0], fsck_lists.Counts())
            revoked, spent = fsck_badges.ones(octets), fsck_badges.spent(counts)
            if revoked != spent:
                yield sheet, f"{revoked} badges revoked; by the events {spent}"

    def _unreadable(self) -> Iterator[tuple[_Sheet, str]]:
        """Missing, or by a foreign key."""
        for number, counts in self._counted.items():
            if number not in self._plane.lists:
                yield _tokens(number), f"the list is missing; by the events {fsck_lists.said(counts)}"
            for use, end in (("certificate", ""), ("jwt", fsck_badges.JWT)):
                if self._keys.should_have_signed(use) and (number, end) not in self._plane.badges:
                    why = f"the list is missing; by the events {fsck_badges.spent(counts)} badges revoked"
                    yield _badges(number, end), why
        # With every key there is: a list signed by the newest goes out before the checkpoint over that key.
        for number, data in self._plane.lists.items():
            try:
                fsck_lists.read(data, number, self._plane.host, self._keys)
            except Unreadable as error:
                yield _tokens(number), str(error)
        for (number, end), data in self._plane.badges.items():
            try:
                fsck_badges.read(data, number, end, self._plane.host, self._keys)
            except Unreadable as error:
                yield _badges(number, end), str(error)

    def _apart(self, wrong: dict[_Sheet, str]) -> Iterator[tuple[_Sheet, str]]:
        """Lists of badges that revoke other places."""
        for number, end in self._plane.badges:
            sheet, json = _badges(number, end), _badges(number)
            if sheet in wrong:
                continue
            octets, other = self._badges[sheet], self._badges.get(json, b"")
            if end and json not in wrong and other and not fsck_badges.agree(octets, other):
                yield sheet, f"it revokes other badges than {json[1]}"
            elif _tokens(number) not in wrong and number in self._packed and (not end or octets != other):
                counts = self._listed.counts.get(number, fsck_lists.Counts())
                # Place by place only lists of one moment can be held against each other.
                same = counts == self._counted.get(number, fsck_lists.Counts())
                if same and (why := fsck_badges.apart(octets, self._packed[number], number, counts)):
                    yield sheet, why


def _tokens(number: int) -> _Sheet:
    return number, f"s/{number}"


def _badges(number: int, end: str = "") -> _Sheet:
    return number, f"{fsck_badges.FOLDER}/{number}{end}"


# --- hashing, RFC 8785 (of numbers and text it is compact JSON) and RFC 9162 ---

_quoted: Final = json.JSONEncoder(ensure_ascii=False).encode


def _entry(position: int, stream: str, version: int, topic: str, state: bytes) -> bytes:
    text = urlsafe_b64encode(state).decode().rstrip("=")
    return hashlib.sha256(f'[{position},{_quoted(stream)},{version},{_quoted(topic)},"{text}"]'.encode()).digest()


def _leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _top(hashes: list[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [hashlib.sha256(b"\x01" + hashes[at] + hashes[at + 1]).digest() for at in range(0, len(hashes), 2)]
    return hashes[0]


class _Tree:
    """The root over a growing list of leaf hashes."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[tuple[int, bytes]] = []  # (leaves, hash) of the full subtrees, left to right
        self._few: list[bytes] = []  # leaf hashes after them, fewer than 256

    def append(self, leaf: bytes) -> None:
        self.size += 1
        self._few.append(leaf)
        if len(self._few) == 256:  # noqa: PLR2004 - as many as a tile has
            _push(self._full, 256, _top(self._few))
            self._few = []

    def root(self) -> bytes:
        peaks = self._full.copy()
        for leaf in self._few:
            _push(peaks, 1, leaf)
        if not peaks:
            return hashlib.sha256(b"").digest()
        node = peaks[-1][1]
        for _, left in reversed(peaks[:-1]):
            node = _node(left, node)
        return node


def _push(peaks: list[tuple[int, bytes]], width: int, node: bytes) -> None:
    while peaks and peaks[-1][0] == width:
        node = _node(peaks.pop()[1], node)
        width *= 2
    peaks.append((width, node))


# --- what is published ---


@dataclass(frozen=True)
class _Head:
    origin: str
    size: int
    root: bytes
    witnesses: tuple[str, ...] = ()
    """Those we know that cosigned it."""

    def as_json(self) -> dict[str, Any]:
        return {"origin": self.origin, "size": self.size, "root": self.root.hex(), "witnesses": self.witnesses}


class _Plane:
    """The published files: checkpoint, entry bundles, tiles and `keys.json`."""

    def __init__(self, static: Path, vkeys: tuple[str, ...], witnesses: tuple[str, ...] = ()) -> None:
        self.static = static
        self.distrust: list[Finding] = []  # why the checkpoint itself is not to be believed
        self.findings: list[Finding] = []
        self.not_checked: list[str] = []
        self._keys: list[tuple[str, bytes, bytes, bool]] | None = None
        self._pinned = vkeys
        self._pinned_witnesses = witnesses
        self._bundle: tuple[int, list[bytes | None]] = (-1, [])
        self._cosigned: dict[str, bool] = {}  # which witnesses cosigned the checkpoint that was read last
        self.root: bytes | None = None  # over the published entries, unless one is missing
        self.head: _Head | None = None
        data = self._read("checkpoint")
        self.lists = fsck_lists.files(static / "s")
        folder = static / fsck_badges.FOLDER
        self.badges = {
            (number, end): one for end in ("", fsck_badges.JWT) for number, one in fsck_lists.files(folder, end).items()
        }
        if data is None and (static / "tile").exists():
            self.distrust.append(
                Finding("it is missing, but tiles are published: it was taken away", file="checkpoint")
            )
        elif data is None:
            self.not_checked.append(
                "no checkpoint is published: entries and root were compared with nothing,"
                " and events missing at the end cannot be noticed"
            )
        else:
            self.head = self.read_checkpoint(data.decode(errors="replace"), "checkpoint")
            self.not_checked += [
                f"the witness {name} has not cosigned the checkpoint" for name, so in self._cosigned.items() if not so
            ]

    @property
    def host(self) -> str:
        """Whose lists these are: the log's origin has its name."""
        return self.head.origin.removesuffix("/log") if self.head else ""

    def read_checkpoint(self, text: str, file: str) -> _Head | None:
        """The head, even if its signature is wrong (that is found then), None if it is no checkpoint."""
        match = _CHECKPOINT.fullmatch(text)
        if not match:
            self.distrust.append(Finding("it is no checkpoint", file=file))
            return None
        signatures = match["signatures"]
        # What was kept elsewhere is believed for where it was kept: a key withdrawn since is no fault of it.
        problem = self._problem_of_signature(match["origin"], match["note"], signatures, kept=file != "checkpoint")
        if problem := problem or self._problem_of_cosignatures(match["note"], signatures):
            self.distrust.append(Finding(problem, file=file))
        witnesses = tuple(name for name, so in self._cosigned.items() if so)
        return _Head(match["origin"], int(match["size"]), b64decode(match["root"]), witnesses)

    def _problem_of_cosignatures(self, note: str, signatures: str) -> str | None:
        """C2SP tlog-cosignature, Ed25519: key id, 8 bytes of time, the signature over time and note."""
        keys = {(name, key_id): public for name, key_id, public in self._witness_keys()}
        self._cosigned = dict.fromkeys((name for name, _ in keys), False)
        for line in signatures.splitlines():
            _, name, encoded = line.split(" ")
            signature = b64decode(encoded)
            public = keys.get((name, signature[:4]))
            if public is None:
                continue
            message = f"cosignature/v1\ntime {int.from_bytes(signature[4:12])}\n{note}"
            if not _is_signed(public, signature[12:], message):
                return f"the cosignature of the witness {name} fails"
            self._cosigned[name] = True
        return None

    def _problem_of_signature(self, origin: str, note: str, signatures: str, *, kept: bool) -> str | None:
        if self._keys is None:
            self._keys = list(self._log_keys(origin))
        keys = {(name, key_id): public for name, key_id, public, withdrawn in self._keys if kept or not withdrawn}
        signed = False
        for line in signatures.splitlines():
            _, name, encoded = line.split(" ")
            try:
                signature = b64decode(encoded, validate=True)
            except ValueError:
                return "a signature is not base64"
            public = keys.get((name, signature[:4]))
            if public is None or name != origin:
                continue
            if not _is_signed(public, signature[4:], note):
                return "the signature of the checkpoint fails"
            signed = True
        return None if signed else "no key of this log signed the checkpoint"

    def _log_keys(self, origin: str) -> Iterator[tuple[str, bytes, bytes, bool]]:
        """(name, key id, key, withdrawn) of the log's keys: those pinned, else those that `keys.json` lists."""
        if self._pinned:
            yield from ((*_read_vkey(line), False) for line in self._pinned)
            return
        try:
            document = json.loads(self._read("keys.json") or b"")
            yield *_read_vkey(document["log"]["vkey"]), False
            for key in document["keys"]:
                if key["use"] == "log":
                    public = _from_multibase(key["publicKeyMultibase"])
                    yield origin, _key_id(origin, public), public, bool(key.get("withdrawn"))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            self.distrust.append(Finding("the keys of the log are missing or cannot be read", file="keys.json"))

    def _witness_keys(self) -> Iterator[tuple[str, bytes, bytes]]:
        """As `_log_keys`, of the witnesses."""
        try:
            named = self._pinned_witnesses or json.loads(self._read("keys.json") or b"{}").get("witnesses", [])
            yield from [_read_vkey(line, b"\x04") for line in named]
        except (ValueError, TypeError, AttributeError):
            self.distrust.append(Finding("the keys of the witnesses cannot be read", file="keys.json"))

    def entry(self, position: int) -> bytes | None:
        """The entry published at a position under the checkpoint, None if its bundle can't be read."""
        number, place = divmod(position - 1, 256)
        if self._bundle[0] != number:
            self._bundle = number, self._read_bundle(number)
        return self._bundle[1][place]

    def _read_bundle(self, number: int) -> list[bytes | None]:
        width = min(256, (self.head.size if self.head else 0) - number * 256)
        _, data = self._tile("entries", number, width)
        if data is None or any(data[at : at + 2] != b"\x00\x20" for at in range(0, 34 * width, 34)):
            return [None] * width
        return [data[at + 2 : at + 34] if len(data) >= at + 34 else None for at in range(0, 34 * width, 34)]

    def compare_tiles(self) -> None:
        """All bundles, and every tile that follows from them; a level at a time, of the lowest only one tile."""
        size = self.head.size if self.head else 0
        whole, above = _Tree(), list[bytes]()
        for number in range(-(-size // 256)):
            bundle = self._read_bundle(number)
            leaves = [_leaf(entry) for entry in bundle if entry is not None]
            if len(leaves) < len(bundle):
                name = _tile_name("entries", number, len(bundle))
                self.findings.append(Finding("the file is missing or torn", number * 256 + 1, file=name))
                return
            self._compare_tile(0, number, leaves)
            for leaf in leaves:
                whole.append(leaf)
            if len(leaves) == 256:  # noqa: PLR2004 - a full tile
                above.append(_top(leaves))
        self.root = whole.root()
        level, hashes = 1, above
        while hashes:
            for number in range(-(-len(hashes) // 256)):
                self._compare_tile(level, number, hashes[number * 256 : number * 256 + 256])
            hashes = [_top(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
            level += 1

    def _compare_tile(self, level: int, number: int, expected: list[bytes]) -> None:
        name, data = self._tile(str(level), number, len(expected))
        if data is None or data[: 32 * len(expected)] != b"".join(expected):
            self.findings.append(Finding("the tile is not the one over the entries", file=name))

    def _tile(self, kind: str, number: int, width: int) -> tuple[str, bytes | None]:
        name = _tile_name(kind, number, width)
        return name, self._read(name) or self._read(_tile_name(kind, number, 256))

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.static / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None


def _tile_name(kind: str, number: int, width: int) -> str:
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join(["tile", kind, *("x" + group for group in groups[:-1]), groups[-1]])
    return name if width == 256 else f"{name}.p/{width}"  # noqa: PLR2004 - C2SP tlog-tiles


def _key_id(name: str, public: bytes, kind: bytes = b"\x01") -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def _read_vkey(line: str, kind: bytes = b"\x01") -> tuple[str, bytes, bytes]:
    name, key_id, encoded = line.split("+", 2)
    key = b64decode(encoded, validate=True)
    if key[:1] != kind or _key_id(name, key[1:], kind).hex() != key_id:
        raise ValueError("this is no verifier key of an Ed25519 log or witness")
    return name, bytes.fromhex(key_id), key[1:]


def _is_signed(public: bytes, signature: bytes, message: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _from_multibase(text: str) -> bytes:
    key = from_base58(text, 34)
    if key[:2] != _ED25519_MULTICODEC:
        raise ValueError("this is no Ed25519 key")
    return key[2:]
