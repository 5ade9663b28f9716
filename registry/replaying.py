"""The questions of the API asked of a replay: everything is read as of its position, and nothing can be written."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.access import Actor
from domain.errors import Invalid
from domain.event import Event, topics
from projections import stored
from projections.replays import Replay, gone
from registry import database
from registry.api import past
from registry.api.actors import Desk
from registry.api.house import House, Readers
from registry.api.question import Question
from registry.api.questions import QUESTIONS
from registry.commands import Registry
from registry.database import NotMigrated, Pool
from registry.settings import Settings
from registry.store import EventMapper, Rehearsal
from registry.vault import Vault

_PAGE = 20_000


class Asked(NamedTuple):
    """`position`: up to where in the history the answer was read; never beyond the replay's."""

    value: Any
    position: int


def add_claims(connection: Connection[Any], vault: Vault, schema: str, position: int) -> None:
    """The names that streams held at a position, as a table of the replay."""
    kinds = topics()
    unclaiming = [topic for topic, kind in kinds.items() if kind.claims is Event.claims]
    load = EventMapper().load
    held: dict[str, str] = {}
    for after in range(0, position, _PAGE):
        page = stored.read(connection, after, min(after + _PAGE, position), unclaiming)
        for event in vault.open_all([load(*row[1:]) for row in page]):
            claims = event.claims()
            for name in claims.release:
                if held.get(name) == event.originator_id:
                    del held[name]
            held.update(dict.fromkeys(claims.take, event.originator_id))
    table = Identifier(schema, "claims")
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(SQL('CREATE TABLE {} (name text COLLATE "C" PRIMARY KEY, stream text)').format(table))
        with cursor.copy(SQL("COPY {} FROM STDIN").format(table)) as copy:
            for row in held.items():
                copy.write_row(row)


class _Readers(Readers):
    def __init__(self, settings: Settings, replay: Replay) -> None:
        super().__init__(lambda: database.url(settings, "reader"))
        self._replay = replay

    async def _rows(self, sql: str, parameters: Sequence[object] | dict[str, Any]) -> list[DictRow]:
        return await super()._rows(self._replay.as_of(sql), parameters)


class _Store(Rehearsal):
    """Records nothing, and reads in the reader's role, in transactions that can only read."""

    def __init__(self, settings: Settings, vault: Vault, replay: Replay) -> None:
        super().__init__(settings, vault, clock=lambda: replay.known)
        self._replay = replay
        self._pool = Pool(lambda: database.url(settings, "reader"))

    def _ask_once(self, question: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION READ ONLY")
            return connection.execute(self._replay.as_of(question).encode(), parameters, binary=True).fetchall()


def question_named(name: str) -> Question:
    """Raises Invalid, with those there are."""
    there = {question.name: question for question in QUESTIONS if question.media == "application/json"}
    if name not in there:
        raise Invalid(f"There is no question {name}. There are: {', '.join(sorted(there))}.", field="question")
    return there[name]


def ask(settings: Settings, replay: Replay, question: Question, given: Mapping[str, str], actor: Actor) -> Asked:
    """What this actor is answered, as on the day of the replay. That confidential data were read is noted, today.

    Raises what the question raises, Invalid for what it does not take, BadReplay when the replay is gone.
    """
    with closing(Vault(settings)) as vault, closing(_Store(settings, vault, replay)) as store:
        registry = Registry(store, clock=lambda: replay.known, draw=os.urandom, kid=lambda: "")
        try:
            asked = _ask(settings, registry, replay, _request(question, given), actor)
            # In a thread of its own: whoever asks may have a loop already.
            with ThreadPoolExecutor(1) as apart:
                return apart.submit(asyncio.run, asked).result()
        except (NotMigrated, psycopg.errors.UndefinedTable):
            # Dropped in this moment.
            raise gone(replay.name, []) from None


async def _ask(
    settings: Settings, registry: Registry, replay: Replay, request: tuple[Question, HttpRequest], actor: Actor
) -> Asked:
    question, http = request
    house = House.of(settings, registry, lambda: replay.known)
    house.readers = _Readers(settings, replay)
    house.desk = Desk(settings)  # which notes who reads what, by the real day
    try:
        await house.know_associations()
        await past.ask(house, http, question.takes or past.PRESENT, question.name)
        answer = await question.ask(house, http, actor)
    finally:
        await house.close()
    if isinstance(answer, Response):
        raise Invalid("This question has no answer in words.", field="question")
    return Asked(answer.value, min(answer.position or replay.position, replay.position))


def _request(question: Question, given: Mapping[str, str]) -> tuple[Question, HttpRequest]:
    """The question as if it came over HTTP."""
    path, asked = question.path, dict(given)
    parts = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    takes = {*parts, *(parameter.name for parameter in question.asked.parameters)} - {"position"}
    if unknown := sorted(set(asked) - takes):
        names = ", ".join(sorted(takes)) or "nothing"
        raise Invalid(f"{question.name} does not take {unknown[0]}; it takes {names}.", field=unknown[0])
    if missing := [part for part in parts if not asked.get(part)]:
        raise Invalid(f"Give {missing[0]}=..., which {question.name} is about.", field=missing[0])
    path_params = {part: asked.pop(part) for part in parts}
    for part, value in path_params.items():
        path = path.replace(f"{{{part}}}", quote(value, safe=""))
    scope = {
        "type": "http", "method": "GET", "path": f"/api{path}", "headers": [], "path_params": path_params,
        "query_string": urlencode(asked).encode(),
    }  # fmt: skip
    return question, HttpRequest(scope)
