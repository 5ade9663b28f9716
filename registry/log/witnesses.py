"""Asks the witnesses of the log to cosign a checkpoint (C2SP tlog-witness), and never waits long for one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from registry.settings import WitnessAddress
from verifier.proof import cosignatures, submission
from verifier.verdict import Unverified

DEADLINE: Final = 3.0
"""Seconds for all witnesses together; a checkpoint goes out without those that did not answer (ours)."""
REST: Final = 30.0
"""Seconds before one that did not answer is asked again: nobody else waits for it meanwhile (ours)."""

_LONGEST_ANSWER: Final = 64 << 10
_ATTEMPTS: Final = 3
_SIZE_MEDIA: Final = "text/x.tlog.size"

Prove = Callable[[int], Sequence[bytes]]
"""The consistency proof from a size to that of the checkpoint."""


class Contradicted(Exception):
    """A witness has seen another history than this one, or more of it; `seen` is the size that it has seen."""

    def __init__(self, witness: str, why: str, seen: int) -> None:
        super().__init__(f"the witness {witness} {why}")
        self.seen = seen


class _Silent(Exception):
    """No cosignature, for a reason that says nothing about the history."""


@dataclass
class _State:
    address: WitnessAddress
    seen: int | None = None
    rests_until: float = 0.0


@dataclass(frozen=True)
class Answers:
    """The lines that cosign, and why each other witness gave none."""

    lines: tuple[str, ...] = ()
    silent: dict[str, str] = field(default_factory=dict)


class Witnesses:
    """Remembers how far each has seen the log, and who rests."""

    def __init__(
        self, addresses: Iterable[WitnessAddress] = (), *, deadline: float = DEADLINE, rest: float = REST
    ) -> None:
        self._states = [_State(address) for address in addresses]
        self._deadline = deadline
        self._rest = rest

    @property
    def vkeys(self) -> tuple[str, ...]:
        return tuple(state.address.vkey for state in self._states)

    def kept(self, text: str) -> list[str]:
        """The cosignature lines of a published checkpoint that are of these witnesses and good."""
        return [line for line in _lines_of(text) if self._is_good(text, line)]

    def are_due(self, text: str, size: int) -> bool:
        """Whether one is to be asked for this published checkpoint: it has not cosigned it, or not told us so.

        So each is asked at the first publication, though nothing is new: what was rolled back may be whole and signed.
        """
        return any(
            (state.seen != size or not self._has(state, text)) and time.monotonic() >= state.rests_until
            for state in self._states
        )

    def cosign(self, text: str, size: int, prove: Prove, *, previous: int = 0, published: str = "") -> Answers:
        """Ask each, at once, for a cosignature of this signed checkpoint. Raises Contradicted.

        `previous` and `published`: size and text of the checkpoint before, which a witness has probably seen, and
        certainly where it cosigned it.
        """
        outcomes: dict[str, str | Exception] = {}
        asked = []
        for state in self._states:
            if time.monotonic() < state.rests_until:
                outcomes[state.address.name] = _Silent("did not answer a moment ago")
                continue
            certain = max(state.seen or 0, previous if published and self._has(state, published) else 0)
            ask = _Asking(state, text, size, previous, certain, prove)
            # A daemon: one that drips for ever must hold up neither us nor our end.
            thread = threading.Thread(target=ask.run, name="witness", daemon=True)
            thread.start()
            asked.append((ask, thread))
        end = time.monotonic() + self._deadline
        for ask, thread in asked:
            thread.join(max(0.0, end - time.monotonic()))
            outcome = ask.outcome or _Silent(f"did not answer within {self._deadline:g} seconds")
            outcomes[ask.state.address.name] = outcome
            if isinstance(outcome, _Silent):
                ask.state.rests_until = time.monotonic() + self._rest
        for outcome in outcomes.values():
            if isinstance(outcome, Exception) and not isinstance(outcome, _Silent):
                raise outcome
        lines = tuple(outcome for outcome in outcomes.values() if isinstance(outcome, str))
        return Answers(lines, {name: str(one) for name, one in outcomes.items() if isinstance(one, _Silent)})

    def _has(self, state: _State, text: str) -> bool:
        try:
            return bool(cosignatures(text, [state.address.vkey]))
        except Unverified:
            return False

    def _is_good(self, text: str, line: str) -> bool:
        try:
            return bool(cosignatures(f"{text.rpartition(_GAP)[0]}{_GAP}{line}", self.vkeys))
        except Unverified:
            return False


_GAP: Final = "\n\n"


def _lines_of(text: str) -> list[str]:
    return text.rpartition(_GAP)[2].splitlines(keepends=True)


class _Asking:
    """One witness asked for one checkpoint, in a thread of its own; `outcome` is its line or what went wrong."""

    def __init__(self, state: _State, text: str, size: int, previous: int, certain: int, prove: Prove) -> None:
        self.state = state
        self.outcome: str | Exception | None = None
        self._text = text
        self._size = size
        self._previous = previous
        self._certain = certain
        self._prove = prove

    def run(self) -> None:
        try:
            self.outcome = self._ask()
            self.state.seen = self._size
        except (OSError, HTTPException) as error:
            self.outcome = _Silent(f"can't be reached ({type(error).__name__})")
        except Exception as error:  # noqa: BLE001 # a defect, or Damaged tiles: the publisher raises it
            self.outcome = error

    def _ask(self) -> str:
        name = self.state.address.name
        old = min(self._previous if self.state.seen is None else self.state.seen, self._size)
        for _ in range(_ATTEMPTS):
            status, media, answer = self._post(submission(old, self._prove(old), self._text))
            if status == HTTPStatus.OK:
                return self._line_in(answer)
            if status == HTTPStatus.UNPROCESSABLE_ENTITY:
                raise Contradicted(name, f"has seen other {old} events than the first {old} here", old)
            if status != HTTPStatus.CONFLICT:
                raise _Silent(f"answers {status}")
            seen = _size_in(media, answer)
            if seen > self._size:
                raise Contradicted(name, f"has seen {seen} events, here are {self._size}", seen)
            if seen < self._certain:
                # Its ledger was lost or put back: nothing speaks against the history, but its word is worth nothing.
                raise _Silent(f"has forgotten what it cosigned: {self._certain} events, now {seen}")
            if seen == old == self._size:
                raise Contradicted(name, f"has seen other {seen} events than these", seen)
            old = seen
        raise _Silent("names another size each time it is asked")

    def _line_in(self, answer: str) -> str:
        for line in answer.splitlines(keepends=True):
            try:
                if cosignatures(self._text + line, [self.state.address.vkey]):
                    return line
            except Unverified:
                continue
        raise _Silent("answers without a cosignature of its key")

    def _post(self, body: bytes) -> tuple[int, str, str]:
        parts = urlsplit(self.state.address.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        # No proxies, no redirects: the address in the settings is the one that is asked.
        with closing(kind(parts.hostname or "", parts.port, timeout=DEADLINE)) as connection:
            connection.request(
                "POST", f"{parts.path.rstrip('/')}/add-checkpoint", body, {"Content-Type": "text/plain; charset=utf-8"}
            )
            answer = connection.getresponse()
            text = answer.read(_LONGEST_ANSWER).decode(errors="replace")
            return answer.status, answer.headers.get("Content-Type", ""), text


def _size_in(media: str, answer: str) -> int:
    digits = answer.removesuffix("\n")
    if media.partition(";")[0].strip() != _SIZE_MEDIA or not (digits.isascii() and digits.isdigit()):
        raise _Silent("answers 409 without a size")
    return int(digits[:20])
