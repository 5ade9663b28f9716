"""Who comes in: API keys for machines, links that let a person in once, and the sessions they turn into."""

import hashlib
import os
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, get_args

from domain.access import PUBLIC, Actor, Role
from domain.association import ROWS
from domain.errors import Invalid
from registry import database
from registry.database import Pool
from registry.settings import Settings
from registry.vault import Clock, now

Random = Callable[[int], bytes]

KEY = re.compile(r"erk_[0-9a-f]{64}")
LONGEST_KEY = timedelta(days=365)
ENTRY = timedelta(minutes=10)
IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
FRESH = timedelta(minutes=15)
"""How long after coming in a session may do what can't be undone (*ours*)."""
# How stale `seen_at` may get, so that not every page writes.
_SEEN = timedelta(minutes=1)
_SECRET = 32


class Key(NamedTuple):
    """An API key as it may be shown; its secret is not kept."""

    id: str
    role: Role
    association: str
    person: str
    expires_at: datetime
    withdrawn_at: datetime | None
    last_used_on: date | None


class Desk:
    """Knows keys, entry links and sessions by the SHA-256 of their 256-bit secrets."""

    def __init__(self, settings: Settings, *, clock: Clock = now, random: Random = os.urandom) -> None:
        self._pool = Pool(lambda: database.url(settings, "writer"), size=4)
        self._clock = clock
        self._random = random

    def close(self) -> None:
        self._pool.close()

    # --- API keys

    def add(self, role: str, *, association: str = "", person: str = "", days: int = 365) -> tuple[str, str]:
        """A new key: its id and its secret, which is shown this once. Raises Invalid."""
        actor = actor_of(role, association, person, self._is_admitted, self._is_employer)
        if not 0 < days <= LONGEST_KEY.days:
            raise Invalid(f"A key lasts from 1 to {LONGEST_KEY.days} days.", field="days")
        name, secret = f"k{self._random(4).hex()}", f"erk_{self._random(_SECRET).hex()}"
        moment = self._clock()
        self._execute(
            "INSERT INTO service.api_keys (id, secret_sha256, role, association, person, created_at, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            name,
            _hash(secret),
            actor.role,
            actor.association,
            actor.person,
            moment,
            moment + timedelta(days=days),
        )
        return name, secret

    def known_keys(self) -> list[Key]:
        rows = self._execute(
            "SELECT id, role, association, person, expires_at, withdrawn_at, last_used_on"
            " FROM service.api_keys ORDER BY created_at, id"
        )
        return [Key(*row) for row in rows]

    def withdraw(self, name: str) -> bool:
        """Ends a key at once; False when there is no such key in use."""
        return bool(
            self._execute(
                "UPDATE service.api_keys SET withdrawn_at = %s WHERE id = %s AND withdrawn_at IS NULL RETURNING id",
                self._clock(),
                name,
            )
        )

    def by_key(self, secret: str) -> Actor | None:
        if not KEY.fullmatch(secret):
            return None
        moment = self._clock()
        rows = self._execute(
            "SELECT id, role, association, person, last_used_on FROM service.api_keys"
            " WHERE secret_sha256 = %s AND withdrawn_at IS NULL AND expires_at > %s",
            _hash(secret),
            moment,
        )
        for name, role, association, person, used_on in rows:
            if used_on != moment.date():
                self._execute("UPDATE service.api_keys SET last_used_on = %s WHERE id = %s", moment.date(), name)
            return Actor(role, association=association, person=person, id=name)
        return None

    # --- people: a link that works once, and the session it opens

    def make_entry(self, role: str, *, association: str = "", person: str = "") -> str:
        """The path of a link that lets somebody in once, within ten minutes. Raises Invalid."""
        actor = actor_of(role, association, person, self._is_admitted, self._is_employer)
        token = self._random(_SECRET).hex()
        self._execute(
            "INSERT INTO service.entries (token_sha256, role, association, person, expires_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            _hash(token),
            actor.role,
            actor.association,
            actor.person,
            self._clock() + ENTRY,
        )
        return f"/enter/{token}"

    def entry(self, token: str) -> Actor | None:
        """Whom a link would let in, unless it was used or is too old."""
        rows = self._execute(
            "SELECT role, association, person FROM service.entries"
            " WHERE token_sha256 = %s AND used_at IS NULL AND expires_at > %s",
            _hash(token),
            self._clock(),
        )
        return Actor(*rows[0]) if rows else None

    def enter(self, token: str) -> str | None:
        """Use a link: the secret of a new session, or None when it was used or is too old."""
        moment = self._clock()
        secret = self._random(_SECRET).hex()
        entered = self._execute(
            "WITH used AS (UPDATE service.entries SET used_at = %s"
            " WHERE token_sha256 = %s AND used_at IS NULL AND expires_at > %s RETURNING role, association, person)"
            " INSERT INTO service.sessions"
            " (token_sha256, role, association, person, created_at, seen_at, expires_at)"
            " SELECT %s, role, association, person, %s, %s, %s FROM used RETURNING role",
            moment,
            _hash(token),
            moment,
            _hash(secret),
            moment,
            moment,
            moment + ABSOLUTE,
        )
        return secret if entered else None

    def by_session(self, secret: str) -> Actor | None:
        moment = self._clock()
        rows = self._execute(
            "SELECT role, association, person, seen_at, created_at FROM service.sessions"
            " WHERE token_sha256 = %s AND expires_at > %s AND seen_at > %s",
            _hash(secret),
            moment,
            moment - IDLE,
        )
        for role, association, person, seen_at, created_at in rows:
            if moment - seen_at > _SEEN:
                self._execute("UPDATE service.sessions SET seen_at = %s WHERE token_sha256 = %s", moment, _hash(secret))
            # The session's name in events: of its hash, so that it opens nothing.
            return Actor(
                role,
                association=association,
                person=person,
                id=f"s{_hash(secret).hex()[:8]}",
                fresh=moment - created_at <= FRESH,
            )
        return None

    def leave(self, secret: str) -> None:
        """Ends the session, and clears away those that ended by themselves."""
        self._execute(
            "DELETE FROM service.sessions WHERE token_sha256 = %s OR expires_at < %s OR seen_at < %s",
            _hash(secret),
            self._clock(),
            self._clock() - IDLE,
        )

    # --- who looked at what

    def note_access(self, actor: Actor, record: str, reason: str) -> None:
        """Once for each actor, record and day; never without: what can't be noted is not shown."""
        self._execute(
            "INSERT INTO service.access (actor, record, day, reason) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            actor.by,
            record,
            self._clock().date(),
            reason,
        )

    def _is_admitted(self, association: str) -> bool:
        return bool(
            self._execute("SELECT 1 FROM registry.events WHERE originator_id = %s", f"association/{association}")
        )

    def _is_employer(self, name: str) -> bool:
        """Admitted, and not ended."""
        topics = self._execute("SELECT topic FROM registry.events WHERE originator_id = %s", f"employer/{name}")
        return bool(topics) and ("employer.ended",) not in topics

    def _execute(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self._pool.connection() as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []


def actor_of(
    role: str,
    association: str = "",
    person: str = "",
    is_admitted: Callable[[str], bool] = ROWS.__contains__,
    is_employer: Callable[[str], bool] = bool,
) -> Actor:
    """An actor as the access table needs one: with an association or a person, as the role says. Raises Invalid.

    `person`: of an employer its id.
    """
    if role not in get_args(Role) or role == PUBLIC.role:
        raise Invalid(
            "The roles are holder, reviewer, exam_scorer, advisor, employer, coordinator, alliance and operator.",
            field="role",
        )
    known: Role = role  # type: ignore[assignment]  # it is one of them
    if role == "alliance":
        association = "ALLIANCE"
    if association and association not in ROWS and not is_admitted(association):
        raise Invalid("No association has this code; use a code such as VA.", field="association")
    if role == "coordinator" and not association:
        raise Invalid("Name the association that the coordinator works for.", field="association")
    if role in ("holder", "reviewer", "exam_scorer", "advisor"):
        if not person:
            raise Invalid("Name the person: their id, or the number of an endorsement of theirs.", field="person")
        if association:
            # What they do names one of the two: the person.
            raise Invalid(f"As {role} one acts for oneself; leave the association out.", field="association")
    if role == "employer" and not is_employer(person):
        raise Invalid("Name the employer by its id; `registry employer list` has them.", field="person")
    if role == "employer" and association:
        raise Invalid("An employer acts for itself; leave the association out.", field="association")
    return Actor(known, association=association, person=person)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
