"""A signer in a process of its own: it holds the private halves, and signs only what has the shape of ours.

One request and one answer, each a line of JSON, over a Unix socket that only its owner may open. The registry's key
folder keeps what is public of such a key, and who holds it. A driver for hardware or a cloud takes `Agent`'s place.
"""

import json
import os
import re
import socket
import socketserver
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from domain.key import KeyUse
from verifier import bundle, cose
from verifier.status import LIST_TYP, NOTES_TYP
from verifier.verdict import Unverified

if TYPE_CHECKING:
    from registry.certificates.keys import KeyFolder, PublicFacts

_SECONDS: Final = 5.0
_LONGEST: Final = 1 << 20
_HASHES: Final = 64  # Data Integrity: SHA-256 of the proof's options and of the document
_NOTE: Final = re.compile(r"[^\n ]+/log\n(0|[1-9][0-9]{0,18})\n[A-Za-z0-9+/]{43}=\n")
_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Unreachable(Exception):
    """The agent does not answer, or refuses; says why, and nothing of what was to be signed."""


def is_ours(use: KeyUse, message: bytes) -> bool:
    """Whether this is one of the structures that a key of this use signs: each use has shapes of its own."""
    match use:
        case "log":
            return bool(_NOTE.fullmatch(message.decode(errors="replace")))
        case "jwt":
            return bool(_JWT.fullmatch(message.decode(errors="replace")))
        case "status":
            return (
                len(message) == _HASHES or message.startswith(bundle.SIGNED) or _typ(message) in (LIST_TYP, NOTES_TYP)
            )
        case "certificate":
            typ = _typ(message)
            return len(message) == _HASHES or (typ.startswith("iecmh") and typ != NOTES_TYP)


def _typ(message: bytes) -> str:
    """Of what COSE signs (RFC 9052, 4.4), the type that its header states; empty if it is nothing of the kind."""
    try:
        match cose.decoded(message):
            case ["Signature1", bytes(protected), b"", bytes()]:
                match cose.decoded(protected):
                    case {16: str(typ)}:
                        return typ
    except Unverified:
        pass
    return ""


class Agent:
    """The registry's side."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def make(self, use: KeyUse, host: str, start: datetime, *, specimen: bool) -> dict[str, Any]:
        """A new key; its public facts."""
        made = self._ask(do="make", use=use, host=host, start=start.isoformat(), specimen=specimen)
        return dict(made["facts"])

    def sign(self, kid: str, message: bytes) -> bytes:
        return b64decode(self._ask(do="sign", kid=kid, message=b64encode(message).decode())["signature"])

    def destroy(self, kid: str) -> None:
        self._ask(do="destroy", kid=kid)

    def _ask(self, **request: Any) -> Mapping[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as there:
                there.settimeout(_SECONDS)
                there.connect(str(self._path))
                there.sendall(json.dumps(request).encode() + b"\n")
                with there.makefile("rb") as lines:
                    answer = json.loads(lines.readline(_LONGEST))
        except (OSError, ValueError) as error:
            raise Unreachable(f"the agent at {self._path} does not answer ({type(error).__name__})") from None
        if not isinstance(answer, dict) or "refused" in answer:
            raise Unreachable(f"the agent at {self._path} refuses: {answer.get('refused', 'no answer')}")
        return answer


class AgentSigner:
    """A key that an agent holds."""

    def __init__(self, agent: Agent, facts: "PublicFacts", public: bytes) -> None:
        self._agent = agent
        self.kid = facts.kid
        self.use: KeyUse = facts.use
        self.controller = facts.controller
        self.specimen = facts.specimen
        self.public = public

    def sign(self, message: bytes, /) -> bytes:
        return self._agent.sign(self.kid, message)

    def __repr__(self) -> str:
        return f"<{self.use} key {self.kid} of an agent>"


class AgentServer(socketserver.UnixStreamServer):
    """The agent's side, over a key folder of its own; one request at a time."""

    def __init__(self, path: Path, folder: "KeyFolder") -> None:
        self.folder = folder
        before = os.umask(0o177)  # the socket is its owner's from its first moment
        try:
            super().__init__(str(path), _Request)
        finally:
            os.umask(before)


class _Request(socketserver.StreamRequestHandler):
    server: AgentServer
    timeout = _SECONDS

    def handle(self) -> None:
        try:
            answer = _answer(self.server.folder, json.loads(self.rfile.readline(_LONGEST)))
        except Exception as error:  # noqa: BLE001 - one bad request must not end the agent; nothing of it is told
            answer = {"refused": f"not understood ({type(error).__name__})"}
        self.wfile.write(json.dumps(answer).encode() + b"\n")


def _answer(folder: "KeyFolder", request: Mapping[str, Any]) -> dict[str, Any]:
    match request:
        case {"do": "make", "use": use, "host": str(host), "start": str(start), "specimen": bool(specimen)}:
            signer = folder.add(use, host, datetime.fromisoformat(start), specimen=specimen)
            (facts,) = (facts for facts in folder.facts() if facts.kid == signer.kid)
            return {"facts": msgspec.to_builtins(facts)}
        case {"do": "sign", "kid": str(kid), "message": str(encoded)}:
            signer, message = folder.by_kid(kid), b64decode(encoded, validate=True)
            if not is_ours(signer.use, message):
                return {"refused": f"this is nothing that a {signer.use} key signs"}
            return {"signature": b64encode(signer.sign(message)).decode()}
        case {"do": "destroy", "kid": str(kid)}:
            return {"destroyed": folder.destroy(kid)}
    return {"refused": "not understood"}
