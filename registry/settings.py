"""What the service reads from its environment, checked once at the start."""

import base64
import binascii
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self, get_args
from urllib.parse import urlsplit

from verifier.keys import read_witness_vkey
from verifier.verdict import Unverified

Role = Literal["owner", "writer", "projector", "reader", "keeper"]
ROLES: tuple[Role, ...] = get_args(Role)

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_ADDRESS = re.compile(r"(.*\.)?[0-9]+")
LONGEST_HOST = 55
"""The code on a certificate states the host twice and has room for 512 bytes in all."""
MASTER_KEY_BYTES = 32


class BadSetting(Exception):
    """One setting is wrong; the text is one line that names it and the fix, never its value if secret."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name
        self.why = why


@dataclass(frozen=True)
class WitnessAddress:
    """A witness whose cosignature we ask for: its verifier key, and the address that `/add-checkpoint` is under."""

    vkey: str
    url: str

    @property
    def name(self) -> str:
        return self.vkey.partition("+")[0]


@dataclass(frozen=True)
class Settings:
    home: Path
    database_url: str | None = field(default=None, repr=False)
    """None: the embedded server."""
    passwords: Mapping[Role, str] = field(default_factory=dict, repr=False)
    public_host: str = "registry.example"
    qr_host: str = "registry.example"
    master_key: bytes | None = field(default=None, repr=False)
    """None: read from `master_key_file`."""
    smtp_url: str | None = field(default=None, repr=False)
    """None: letters wait for the operator."""
    mail_from: str = "registry@registry.example"
    witnesses: tuple[WitnessAddress, ...] = ()
    webhooks_local: bool = False
    """Employers' alerts may go to this machine, without TLS: for trials."""
    signer: Path | None = None
    """The socket of the agent that makes and holds new keys; None: they are files in `keys`."""
    temporary: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Self:
        _refuse_unsafe_functions(env)
        public_host = _public_host(env.get("REGISTRY_PUBLIC_HOST") or "registry.example")
        passwords = {role: env.get(f"REGISTRY_{role.upper()}_PASSWORD") or "" for role in ROLES}
        return cls(
            home=_home(env.get("REGISTRY_HOME") or "var"),
            database_url=_database_url(env.get("REGISTRY_DATABASE_URL") or ""),
            passwords={role: password for role, password in passwords.items() if password},
            public_host=public_host,
            qr_host=_qr_host(env.get("REGISTRY_QR_HOST") or public_host),
            master_key=_master_key(env.get("REGISTRY_MASTER_KEY") or ""),
            smtp_url=_smtp_url(env.get("REGISTRY_SMTP_URL") or ""),
            mail_from=_mail_from(env.get("REGISTRY_MAIL_FROM") or f"registry@{public_host}"),
            witnesses=_witnesses(env.get("REGISTRY_WITNESSES") or ""),
            webhooks_local=(env.get("REGISTRY_WEBHOOKS_LOCAL") or "") == "1",
            signer=_signer(env.get("REGISTRY_SIGNER") or "file"),
        )

    def without_smtp(self) -> Self:
        """As these, but letters are written and not sent."""
        return replace(self, smtp_url=None)

    @property
    def static(self) -> Path:
        return self.home / "static"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def master_key_file(self) -> Path:
        return self.home / "master.key"

    @property
    def alarm(self) -> Path:
        """While it is there, nothing is published; it says since when and why."""
        return self.home / "not-published.json"

    @property
    def embedded(self) -> bool:
        return self.database_url is None


def _smtp_url(text: str) -> str | None:
    if not text:
        return None
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("smtp", "smtps") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise BadSetting("REGISTRY_SMTP_URL", "give it as smtps://user:password@host:465, or smtp:// for STARTTLS.")
    return text


def _mail_from(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,255}", text):
        raise BadSetting("REGISTRY_MAIL_FROM", "give one plain address, such as registry@example.org.")
    return text


def _witnesses(text: str) -> tuple[WitnessAddress, ...]:
    """`VKEY URL` for each witness, with commas between."""
    witnesses = []
    for pair in filter(None, map(str.strip, text.split(","))):
        vkey, _, url = pair.partition(" ")
        try:
            parts = urlsplit(url.strip())
            good = parts.scheme in {"https", "http"} and parts.hostname and (parts.port is None or parts.port > 0)
            good = good and not (parts.query or parts.fragment or parts.username)
            read_witness_vkey(vkey)
        except (ValueError, Unverified):
            good = False
        if not good:
            raise BadSetting(
                "REGISTRY_WITNESSES",
                "give `VKEY https://witness.example` for each, commas between; `registry witness show` prints VKEY.",
            )
        witnesses.append(WitnessAddress(vkey, url.strip()))
    if len({witness.name for witness in witnesses}) < len(witnesses):
        raise BadSetting("REGISTRY_WITNESSES", "two witnesses have one name. Name each once.")
    return tuple(witnesses)


def _signer(text: str) -> Path | None:
    """`file`, or `agent:/run/registry/signer.sock`."""
    driver, _, path = text.partition(":")
    if text == "file":
        return None
    if driver != "agent" or not path.startswith("/"):
        raise BadSetting("REGISTRY_SIGNER", "give `file`, or `agent:/path/of/its/socket`.")
    return Path(path)


def _refuse_unsafe_functions(env: Mapping[str, str]) -> None:
    # The library's own database function takes no lock, so that readers miss events.
    for name, value in env.items():
        if name.endswith("POSTGRES_ENABLE_DB_FUNCTIONS") and value.lower() in {"y", "yes", "t", "true", "on", "1"}:
            raise BadSetting(name, "readers would miss events with it. Unset it.")


def _home(text: str) -> Path:
    home = Path(text).expanduser().absolute()
    if home.exists() and not home.is_dir():
        raise BadSetting("REGISTRY_HOME", f"{home} is not a folder. Name a folder.")
    return home


def _public_host(text: str) -> str:
    host = text.lower()
    if not _HOST.fullmatch(host) or _ADDRESS.fullmatch(host):
        raise BadSetting(
            "REGISTRY_PUBLIC_HOST", "not a host name. Give a name like registry.example, without port or path."
        )
    _refuse_long("REGISTRY_PUBLIC_HOST", host)
    return host


def _qr_host(text: str) -> str:
    host, colon, port = text.lower().partition(":")
    if not _HOST.fullmatch(host) or (colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16)):
        raise BadSetting("REGISTRY_QR_HOST", "not a host. Give host or host:port, like registry.example:8000.")
    _refuse_long("REGISTRY_QR_HOST", host)
    return host + colon + port


def _refuse_long(name: str, host: str) -> None:
    if len(host) > LONGEST_HOST:
        raise BadSetting(
            name, f"longer than the {LONGEST_HOST} characters a certificate's code has room for. Give a shorter one."
        )


def _database_url(text: str) -> str | None:
    if not text:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise BadSetting("REGISTRY_DATABASE_URL", "not a database address. Give postgresql://USER@HOST/DATABASE.")
    return text


def _master_key(text: str) -> bytes | None:
    return decode_master_key("REGISTRY_MASTER_KEY", text) if text else None


def decode_master_key(name: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")) + "==", validate=False)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise BadSetting(name, "not 32 bytes in base64. Make one with `registry keys init`.")
    return key
