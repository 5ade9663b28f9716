"""`registry bundle`: a file of events with their proof, to hand to somebody who checks it without us."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

import psycopg
import typer

from domain.access import OPERATOR, Actor
from domain.endorsement import Endorsement, read_number
from domain.errors import Invalid, NotFound
from registry import database
from registry.api.actors import Desk, actor_of
from registry.bundle import DEED, Asked, take
from registry.cli.roster import bar
from registry.commands import Registry
from registry.log.published import NotYetPublished, Published
from registry.log.tiles import Damaged
from registry.opening import open_keys, open_registry
from registry.settings import Settings

_BAD_USAGE = 2
_NOT_SOUND = 1


def bundle(
    out: Annotated[Path, typer.Option(metavar="FILE", dir_okay=False, help="Where it goes, whole or not at all.")],
    number: Annotated[str, typer.Option(metavar="N", help="Of this endorsement: its whole case.")] = "",
    person: Annotated[str, typer.Option(metavar="P", help="Of this person: id, or the number of an endorsement.")] = "",
    association: Annotated[
        str, typer.Option(metavar="A", help="Of this association, --from a day --to a day.", parser=str.upper)
    ] = "",
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day.")] = None,
    as_: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="ROLE[:WHOSE]",
            help="Open what they may see: alliance, coordinator:VA, holder:PERSON. Default: nothing is opened.",
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Write events with the proof that they are in the published log, and what follows from them.

    Who gets it checks it with `verify bundle FILE --static DIR`, without us. Sealed fields stay sealed, unless --as
    says for whom they are opened; that is noted.
    """
    days = [day.date() if day else None for day in (first, last)]
    number = read_number(number) if number else ""
    asked = Asked(number=number, person=person, association=association, first=days[0], last=days[1])
    _refuse_unclear(asked)
    settings = Settings.from_environment()
    database.ready(settings)
    with _registry(settings) as registry, _refusals():
        actor = _actor(as_)
        if person:
            asked = Asked(person=_person(registry, person))
        reader = database.url(settings, "reader")
        with (
            # Not the connection of a request: this one may take its time.
            psycopg.connect(reader, autocommit=True, connect_timeout=database.CONNECT_SECONDS) as connection,
            bar("Taking") as progress,
        ):
            made = take(
                registry,
                open_keys(settings),
                Published.of(settings.static),
                connection,
                actor,
                asked,
                progress=progress,
            )
        if made.opened:
            with closing(Desk(settings)) as desk:
                desk.note_access(OPERATOR, asked.record, f"{DEED} as {actor.by}")
        _write(out, made.content)
    told = {"file": str(out), "events": made.events, "opened": made.opened, "bytes": len(made.content),
            "position": made.size}  # fmt: skip
    if as_json:
        print(json.dumps(told))
    else:
        print(f"Wrote {out}: {made.events} events under the checkpoint of {made.size}, {made.opened} fields opened.")
        print("Check it with: verify bundle FILE --static DIR")


def _refuse_unclear(asked: Asked) -> None:
    given = [one for one in (asked.number, asked.person, asked.association) if one]
    if len(given) != 1:
        raise Invalid("Say one of --number, --person and --association.", field="number")
    if asked.association and not (asked.first and asked.last):
        raise Invalid("--association takes --from DAY and --to DAY.", field="from")
    if not asked.association and (asked.first or asked.last):
        raise Invalid("--from and --to go with --association; a case is taken whole.", field="from")


def _actor(given: str) -> Actor:
    if not given:
        return OPERATOR
    role, _, whose = given.partition(":")
    if role not in ("alliance", "coordinator", "holder"):
        raise Invalid("--as is alliance, coordinator:CODE or holder:PERSON.", field="as")
    return actor_of(role, "" if role == "holder" else whose.upper(), whose if role == "holder" else "")


def _person(registry: Registry, named: str) -> str:
    """A person by their id, or by the number of an endorsement."""
    with suppress(Invalid, NotFound):
        return registry.store.get(Endorsement, read_number(named)).person
    return named


@contextmanager
def _registry(settings: Settings) -> Iterator[Registry]:
    registry = open_registry(settings)
    with closing(registry.store.vault), closing(registry.store):
        yield registry


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except NotYetPublished as refused:
        _stop(f"Nothing to take yet: {refused}. `registry work` publishes.", _BAD_USAGE)
    except Damaged as refused:
        _stop(f"{refused}. Run `registry fsck`.", _NOT_SOUND)
    except psycopg.OperationalError:
        _stop("The database does not answer.", _BAD_USAGE)
    except OSError as error:
        _stop(f"{error.filename} can't be written: {error.strerror}.", _BAD_USAGE)


def _stop(why: str, code: int) -> None:
    print(f"registry: {why}", file=sys.stderr)
    raise typer.Exit(code)


def _write(out: Path, content: bytes) -> None:
    """Whole or not at all, for its owner's eyes alone."""
    with NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as aside:
        try:
            aside.write(content)
            aside.flush()
            os.fsync(aside.fileno())
            Path(aside.name).replace(out)
        except BaseException:
            Path(aside.name).unlink(missing_ok=True)
            raise


def join(app: typer.Typer) -> None:
    app.command()(bundle)
