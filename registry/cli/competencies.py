"""`registry competencies`: the competencies in force, and a licensee's own catalogue loaded from a file."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.access import OPERATOR
from domain.competency import DOMAINS
from domain.errors import Invalid
from registry.commands import Act
from registry.opening import open_registry
from registry.settings import Settings

competencies = typer.Typer(help="The competencies by code; load a catalogue of your own.")

Code = Annotated[str, typer.Option(help="The association's code, such as VA.")]
_LARGEST = 4 << 20


def join(app: typer.Typer) -> None:
    app.add_typer(competencies, name="competencies")


@competencies.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    association: Code = "ALLIANCE",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Print the competencies in force at an association, each with the categories that ask for it and its source."""
    if context.invoked_subcommand:
        return
    registry = open_registry(Settings.from_environment())
    try:
        catalogue = registry.catalogue(association)
    finally:
        registry.store.close()
        registry.store.vault.close()
    if as_json:
        areas = [{"code": a.code, "label": a.label, "domain": a.domain, "slots": a.slots, "source": a.source,
                  "text": a.text} for a in catalogue.areas]  # fmt: skip
        print(json.dumps({"catalogue": catalogue.name, "competencies": areas}, ensure_ascii=False))
        return
    print(f"The catalogue {catalogue.name}.")
    for domain, title in DOMAINS.items():
        if of_domain := [area for area in catalogue.areas if area.domain == domain]:
            print(f"{title}")
            for area in of_domain:
                print(f"  {area.code:<6} {area.label}  [{area.source}]  {', '.join(area.slots)}")


@competencies.command()
def load(
    file: Annotated[Path, typer.Argument(help="JSON: code to label, or to {label, text, slots}.", dir_okay=False)],
    association: Code = "ALLIANCE",
) -> None:
    """Load a licensee's own catalogue; it is in force there from today on, as a new version."""
    given = _read(file)
    registry = open_registry(Settings.from_environment())
    try:
        recorded = registry.load_competencies(Act(OPERATOR), association, **given)
    finally:
        registry.store.close()
        registry.store.vault.close()
    (loaded,) = recorded.events
    print(f"Loaded {len(given['labels'])} competencies as {getattr(loaded, 'name', '')}.")


def _read(file: Path) -> dict[str, dict[str, Any]]:
    """Labels, texts and slots by code. Raises Invalid, which names the place."""
    if not file.is_file() or file.stat().st_size > _LARGEST:
        raise Invalid(f"{file} is no file of at most {_LARGEST >> 20} MiB.", field="file")
    try:
        rows = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise Invalid(f"{file} is not JSON: {error}.", field="file") from None
    if not isinstance(rows, dict):
        raise Invalid('Give one JSON object, such as {"TF-1": "Pregnancy and early parenthood"}.', field="file")
    found: dict[str, dict[str, Any]] = {"labels": {}, "texts": {}, "slots": {}}
    for code, row in rows.items():
        facts = {"label": row} if isinstance(row, str) else row
        if not isinstance(facts, dict) or set(facts) - {"label", "text", "slots"}:
            raise Invalid(f"{code}: give a label, or an object of label, text and slots.", field="file")
        label, text, slots = facts.get("label"), facts.get("text", ""), facts.get("slots", [])
        if not isinstance(label, str) or not isinstance(text, str) or not _words(slots):
            raise Invalid(f"{code}: label and text are texts, slots a list of texts.", field="file")
        found["labels"][code] = label
        found["texts"] |= {code: text} if text else {}
        found["slots"] |= {code: slots} if slots else {}
    return found


def _words(given: object) -> bool:
    return isinstance(given, list) and all(isinstance(word, str) for word in given)
