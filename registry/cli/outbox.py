"""`registry outbox`: the letters that wait, for an operator who sends them or hands them over."""

import json
from contextlib import closing
from typing import Annotated

import typer

from registry import database, notify
from registry.opening import open_registry
from registry.settings import Settings

_SOME_WAIT = 1


def outbox(
    send: Annotated[bool, typer.Option("--send", help="Send them by REGISTRY_SMTP_URL.")] = False,
    show: Annotated[str, typer.Option("--show", help="Print one letter, by its number.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Write the letters that are due, and list those that wait: number and day only; `--show` prints one.

    `registry work` writes and sends them by itself. With --send exit 1 if some still wait.
    """
    settings = Settings.from_environment()
    database.ready(settings)
    if send and settings.smtp_url is None:
        raise typer.BadParameter("set REGISTRY_SMTP_URL first, such as smtps://user:password@mail.example:465")
    box = notify.Outbox(settings)
    registry = open_registry(settings)
    with closing(registry.store.vault), closing(registry.store):
        done = notify.go_round(settings if send else settings.without_smtp(), registry)
    if show:
        letter = next((one for one in box.letters() if one.stem.lstrip("0") == show.lstrip("0")), None)
        if letter is None:
            raise typer.BadParameter("no letter of this number waits", param_hint="--show")
        print(box.read(letter).as_string())
        return
    if as_json:
        waiting = [letter.stem for letter in box.letters()]
        refused = [letter.stem for letter in box.letters("refused")]
        print(json.dumps({"sent": done.sent, "waiting": waiting, "refused": refused}))
    else:
        for kind in ("eml", "refused"):
            for letter in box.letters(kind):
                print(f"{letter.stem.lstrip('0')}  {box.read(letter)['Date']}  {'waits' if kind == 'eml' else kind}")
        print(f"{done.sent} sent, {done.waiting} waiting")
    raise typer.Exit(_SOME_WAIT if send and done.waiting else 0)


def join(registry: typer.Typer) -> None:
    registry.command()(outbox)
