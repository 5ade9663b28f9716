"""Letters to people: written from events into an outbox, sent by SMTP or handed over by the operator, then deleted.

A letter is a function of one event and the keys, so it can be written again: its name and its Message-ID are the
event's position. It lies under `REGISTRY_HOME/outbox` (0600) only until it is sent, and nothing of it is logged. To
add one, add its topics to `LETTERS` with a function that composes it, or gives None where nobody is to be written to
any more.
"""

import fcntl
import logging
import os
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from domain.audit import Audit
from domain.employer import Employer
from domain.endorsement import Endorsement
from domain.event import Event
from domain.person import Person
from domain.reference import Reference
from registry import database
from registry.commands import Clock, Registry
from registry.opening import open_registry
from registry.settings import Settings
from registry.webhooks.message import sentence

_LOG: Final = logging.getLogger("registry.worker")
_ROUND: Final = 5.0
_AT_ONCE: Final = 500
_SMTP_SECONDS: Final = 20
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_PERMANENT: Final = 500
POLICY: Final = policy.SMTP.clone(max_line_length=78)

Compose = Callable[[Registry, str, Event], EmailMessage | None]


class Sent(NamedTuple):
    """How many letters went out, how many a server refused for good, and how many wait."""

    sent: int
    refused: int
    waiting: int


class Outbox:
    """Letters that wait, one file each; `position` is how far the history was read for them."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.home / "outbox"
        self._host = settings.public_host
        self._from = settings.mail_from
        self._smtp = settings.smtp_url

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Whether nobody else writes or sends at this moment."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            yield True

    @property
    def position(self) -> int:
        try:
            return int((self.folder / "position").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return 0

    def letters(self, kind: str = "eml") -> list[Path]:
        """In the order of the history."""
        return sorted(self.folder.glob(f"*.{kind}"))

    def write(self, registry: Registry, connection: Connection[Any]) -> int:
        """Compose what the events since the last time ask for; `connection` reads the events. Repeating is safe."""
        written = 0
        with connection.cursor(row_factory=tuple_row) as cursor:
            (last,) = cursor.execute("SELECT coalesce(max(notification_id), 0) FROM registry.events").fetchone() or (0,)
            while (after := self.position) < last:
                found = cursor.execute(
                    "SELECT notification_id, originator_id, originator_version, topic, state FROM registry.events"
                    " WHERE notification_id > %s AND notification_id <= %s AND topic = ANY(%s)"
                    " ORDER BY notification_id LIMIT %s",
                    [after, last, [*LETTERS, *ENDS], _AT_ONCE],
                ).fetchall()
                for position, *stored in found:
                    event = registry.store.mapper.load(*stored)
                    if event.topic in ENDS:
                        self._drop(position for position, _ in registry.store.events(event.originator_id))
                        continue
                    letter = LETTERS[event.topic](registry, self._host, event)
                    if letter is not None:
                        self._keep(position, letter, event)
                        written += 1
                reached = found[-1][0] if len(found) == _AT_ONCE else last
                self._replace("position", str(reached).encode())
        return written

    def _keep(self, position: int, letter: EmailMessage, event: Event) -> None:
        letter["From"] = Address("Endorsement Registry", addr_spec=self._from)
        letter["Date"] = event.recorded_at
        letter["Message-ID"] = f"<{position}.letter@{self._host}>"
        letter["Auto-Submitted"] = "auto-generated"
        self._replace(f"{position:012}.eml", letter.as_bytes(policy=POLICY))

    def _drop(self, positions: Iterable[int]) -> None:
        """Letters that still wait, or that a server refused, and that nobody is to get any more."""
        for position in positions:
            for letter in self.folder.glob(f"{position:012}.*"):
                letter.unlink(missing_ok=True)

    def _replace(self, name: str, content: bytes) -> None:
        temporary = self.folder / f".{name}.new"
        with suppress(FileNotFoundError):
            temporary.unlink()
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(self.folder / name)

    def read(self, letter: Path) -> EmailMessage:
        return message_from_bytes(letter.read_bytes(), policy=POLICY)

    def send(self) -> Sent:
        """Send what waits, each deleted once the server took it. Raises OSError (SMTPException) when none can be."""
        waiting = self.letters()
        if self._smtp is None or not waiting:
            return Sent(0, 0, len(waiting))
        sent = refused = 0
        with _connected(self._smtp) as server:
            for letter in waiting:
                try:
                    server.send_message(self.read(letter))
                except smtplib.SMTPRecipientsRefused as error:
                    if all(code >= _PERMANENT for code, _ in error.recipients.values()):
                        letter.replace(letter.with_suffix(".refused"))
                        refused += 1
                    continue
                letter.unlink()
                sent += 1
        return Sent(sent, refused, len(waiting) - sent - refused)


@contextmanager
def _connected(url: str) -> Iterator[smtplib.SMTP]:
    """A server by `smtps://` or by `smtp://`, then with STARTTLS unless it is on this machine."""
    parts = urlsplit(url)
    host, context = parts.hostname or "", ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=_SMTP_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=_SMTP_SECONDS)
    with server:
        if parts.scheme == "smtp" and host not in _LOOPBACK:
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server


@contextmanager
def delivering(settings: Settings, clock: Clock) -> Iterator[None]:
    """Letters are written and sent in a thread of their own, so that a slow mail server delays nothing else."""
    end = threading.Event()
    thread = threading.Thread(target=_deliver, args=(settings, clock, end), name="letters", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(timeout=2 * _SMTP_SECONDS)


def _deliver(settings: Settings, clock: Clock, end: threading.Event) -> None:
    registry = open_registry(settings, clock=clock)
    wait = _ROUND
    try:
        while not end.wait(wait):
            try:
                go_round(settings, registry)
                wait = _ROUND
            except Exception as error:  # noqa: BLE001 # a letter that can't be written or sent stops nothing else
                # The kind only: the words may quote an address.
                _LOG.warning('{"what": "letters_wait", "why": "%s"}', type(error).__name__)
                wait = min(2 * wait, 300.0)
    finally:
        registry.store.close()
        registry.store.vault.close()


def go_round(settings: Settings, registry: Registry) -> Sent:
    """Write what is due and send what waits, unless another process does."""
    outbox = Outbox(settings)
    with outbox.locked() as mine:
        if not mine:
            return Sent(0, 0, len(outbox.letters()))
        with psycopg.connect(
            database.url(settings, "reader"), autocommit=True, connect_timeout=database.CONNECT_SECONDS
        ) as connection:
            outbox.write(registry, connection)
        return outbox.send()


# --- the letters


def _ask_for_a_rating(registry: Registry, host: str, event: Event) -> EmailMessage | None:
    """To a rater: who asks, the link, and the code to paste where the link does not work."""
    events = [found for _, found in registry.store.events(event.originator_id)]
    reference = Reference.fold(events)
    if reference is None or reference.state != "requested" or event.originator_version < reference.link_version:
        return None
    if registry.today(reference.association) > reference.link_until:
        return None
    nominated = registry.store.opened(events[0])
    applicant = _name_of(registry, reference.person)
    if not isinstance(nominated, Reference.Nominated) or not isinstance(nominated.email, str) or not applicant:
        return None
    code = registry.rating_code(reference.name, reference.link_version)
    association = registry.association(reference.association).row.name
    again = isinstance(event, Reference.Reminded)
    letter = EmailMessage(policy=POLICY)
    letter["To"] = Address("", addr_spec=nominated.email)
    letter["Subject"] = "Reminder: a reference for an endorsement" if again else "A reference for an endorsement"
    letter.set_content(
        _RATING.format(
            name=nominated.name or "",
            applicant=applicant,
            association=association,
            address=f"https://{host}/rate",
            code=code,
            typed=" ".join(code[i : i + 4] for i in range(0, len(code), 4)),
            until=reference.link_until.isoformat(),
            waiver=_WAIVED if reference.waiver else _KEPT,
        )
    )
    return letter


_RATING: Final = """\
Dear {name},

{applicant} has named you as somebody who can speak to their work with
infants, young children and families, and asks you for a reference.
{association} needs it to decide on their endorsement.

It takes about ten minutes and needs no account:

{address}#{code}

If the link does not work, open {address} and paste this code:

{typed}

The link is for you alone, works once, and ends on {until}. Please
do not pass it on.

{waiver}

You may also decline there; the applicant then asks somebody else.

En espanol: la pagina se puede leer en espanol.
"""
_WAIVED: Final = (
    "The applicant has given up the right to see what you write. Only the\n"
    "association's coordinator and the reviewers of the application read it."
)
_KEPT: Final = (
    "The applicant has not given up the right to know what you write. The\n"
    "association's coordinator and the reviewers read it; the applicant may be\n"
    "told its reasons, or its content where the association does so."
)


def _told_of_audit(registry: Registry, host: str, event: Event) -> EmailMessage | None:
    """To a holder whose renewal is audited: why it is theirs, what to show and by when; or what is still missing."""
    if not isinstance(event, Audit.NoticeSent | Audit.Failed):
        return None
    endorsement = registry.store.find(Endorsement, event.number)
    if endorsement is None or registry.store.holder(f"open_audit/{event.number}") != event.originator_id:
        return None
    association = registry.association(endorsement.custodian).row.name
    if isinstance(event, Audit.NoticeSent):
        drawn = registry.store.get(Audit, event.originator_id.partition("/")[2])
        text = _AUDIT.format(
            association=association, number=event.number, why=_AUDITED[event.why], cycle=drawn.cycle,
            by=event.answer_by.isoformat(), address=f"https://{host}/endorsements/{event.number}", name="{name}",
        )  # fmt: skip
        return _to_holder(registry, endorsement.person, "Your renewal is audited", text)
    text = _REMEDY.format(
        association=association, number=event.number, remedy=_REMEDIES[event.remedy], by=event.remedy_by.isoformat(),
        address=f"https://{host}/endorsements/{event.number}", name="{name}",
    )  # fmt: skip
    return _to_holder(registry, endorsement.person, "Something is missing in the audit of your renewal", text)


def _remind_of_renewal(registry: Registry, host: str, event: Event) -> EmailMessage | None:
    """To a holder who has not renewed: how long the window is open."""
    endorsement = registry.store.find(Endorsement, event.originator_id.partition("/")[2])
    if not isinstance(event, Endorsement.RenewalReminded) or endorsement is None:
        return None
    on = registry.today(endorsement.custodian)
    if endorsement.through != event.through or endorsement.standing(on) != "active":
        return None
    text = _RENEWAL.format(
        association=registry.association(endorsement.custodian).row.name, number=endorsement.number,
        last=event.through.isoformat(), address=f"https://{host}/endorsements/{endorsement.number}", name="{name}",
    )  # fmt: skip
    return _to_holder(registry, endorsement.person, "Your endorsement is to be renewed", text)


def _to_holder(registry: Registry, person: str, subject: str, text: str) -> EmailMessage | None:
    """Nobody is written to who was forgotten, has died, or left no address. `{name}` stands for theirs."""
    record = registry.identity(person)[0]
    found = registry.store.find(Person, record)
    if found is None or found.state != "known":
        return None
    name, email = _name_of(registry, record), ""
    for _, fact in registry.store.events(found.stream):
        opened = registry.store.opened(fact)
        email = getattr(opened, "email", email) or email
    if not isinstance(email, str) or not email or not name:
        return None
    letter = EmailMessage(policy=POLICY)
    letter["To"] = Address("", addr_spec=email)
    letter["Subject"] = subject
    letter.set_content(text.replace("{name}", name))
    return letter


_AUDIT: Final = """\
Dear {name},

{association} audits some of the renewals for {cycle}, and
yours is among them: {number}.

Why yours: {why}

Please show what you attested, by {by}: come in by the personal link
from your association, open

{address}

and name the entries of your portfolio that show it.
"""
_AUDITED: Final = {
    "drawn": "a share of all renewals is drawn by lot. The lot was recorded\n"
    "before anybody was told, and anybody can draw it again; nothing about you\nled to it.",
    "reinstated": "it was reinstated after a lapse, and then the audit of the\nnext renewal is certain.",
}
_REMEDY: Final = """\
Dear {name},

in the audit of your renewal {number}, {association}
still needs {remedy}, by {by}.

Come in by the personal link from your association, open

{address}

and name the entries of your portfolio that show it.
"""
_REMEDIES: Final = {
    "documents": "documents of what you attested",
    "training_hours": "more hours of training",
    "rsc_hours": "more hours of reflective supervision or consultation",
    "membership": "a current membership",
}
_RENEWAL: Final = """\
Dear {name},

your endorsement {number} is good through {last}. It is
renewed by attestation, until that day: come in by the personal link from
your association and open

{address}

It takes a current membership on record with {association}.
Without a renewal the endorsement lapses at the end of that day.
"""


def _name_of(registry: Registry, person: str) -> str:
    name: Any = ""
    for _, event in registry.store.events(f"{Person.kind}/{person}"):
        if isinstance(event, Person.Registered | Person.Renamed):
            name = registry.store.opened(event).name
    return name if isinstance(name, str) else ""


def _tell_employer(registry: Registry, host: str, event: Event) -> EmailMessage | None:
    """To an employer: what became of the endorsements it follows, by number."""
    employer = registry.store.find(Employer, event.originator_id.partition("/")[2])
    if not isinstance(event, Employer.Told) or employer is None or not employer.mails:
        return None
    told = registry.feed(employer.name, event.after, _MOST_TOLD, through=event.through).alerts
    names = {code: registry.association(code).row.name for code in {alert.known.association for alert in told}}
    lines = [f"- {sentence(alert, names.__getitem__)}" for alert in told[:_LINES]]
    if len(told) > _LINES:
        lines.append(f"- and {len(told) - _LINES} more")
    text = _CHANGED.format(changes="\n".join(lines), address=f"https://{host}/employers/{employer.name}", name="{name}")
    return _to_employer(registry, employer, "Endorsements you follow have changed", text)


def _webhook_disabled(registry: Registry, host: str, event: Event) -> EmailMessage | None:
    employer = registry.store.find(Employer, event.originator_id.partition("/")[2])
    if not isinstance(event, Employer.WebhookDisabled) or employer is None or not employer.disabled:
        return None
    text = _DISABLED.format(
        why=_NOT_TAKEN[event.reason], address=f"https://{host}/employers/{employer.name}", name="{name}"
    )
    return _to_employer(registry, employer, "Your alerts are no longer sent", text)


def _to_employer(registry: Registry, employer: Employer, subject: str, text: str) -> EmailMessage | None:
    """Nobody is written to who has ended. `{name}` stands for theirs."""
    name, email = registry.employer_contact(employer.name)
    if employer.state != "admitted" or not name or not email:
        return None
    letter = EmailMessage(policy=POLICY)
    letter["To"] = Address("", addr_spec=email)
    letter["Subject"] = subject
    letter.set_content(text.replace("{name}", name))
    return letter


_LINES: Final = 50
_MOST_TOLD: Final = 50_000
_CHANGED: Final = """\
To {name}

Of the endorsements you follow:

{changes}

How they stand now, and what you follow:

{address}

This says no more than the check of a certificate does. It is not a
licence and says nothing about the quality of anybody's work. You get at
most one such letter a day; you can end them at the same address.
"""
_DISABLED: Final = """\
To {name}

The address you gave for alerts {why}
Nothing more is sent there. Nothing is lost: set the address again, and
what waits is sent to it.

{address}
"""
_NOT_TAKEN: Final = {
    "unanswered": "has not taken a message\nfor three days.",
    "gone": "answered that it is gone\nfor good.",
}


LETTERS: Final[dict[str, Compose]] = {
    Reference.Requested.topic: _ask_for_a_rating,
    Reference.Reminded.topic: _ask_for_a_rating,
    Audit.NoticeSent.topic: _told_of_audit,
    Audit.Failed.topic: _told_of_audit,
    Endorsement.RenewalReminded.topic: _remind_of_renewal,
    Employer.Told.topic: _tell_employer,
    Employer.WebhookDisabled.topic: _webhook_disabled,
}

ENDS: Final = (Reference.Erased.topic, Reference.Withdrawn.topic, Employer.Ended.topic)
"""What ends a case: its letters that still wait go with it."""
