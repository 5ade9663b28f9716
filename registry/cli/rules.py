"""`registry rules`: the rules in force on a day, each line with its source."""

import json
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from domain.errors import Invalid
from domain.rules import as_dict


def rules(
    association: Annotated[
        str, typer.Option(help="An association's code, such as VA; left out: what holds for all.")
    ] = "",
    category: Annotated[str, typer.Option(help="A category or add-on, such as IFS; left out: the current ones.")] = "",
    on: Annotated[str, typer.Option(help="A day, such as 2024-06-01; left out: today.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Print the rules in force on a day: requirements, references, renewal, providers, fees, practice."""
    try:
        day = date.fromisoformat(on) if on else datetime.now(UTC).date()
    except ValueError:
        raise Invalid("Give --on as a day such as 2024-06-01.", field="on") from None
    found = as_dict(category, day, association)
    if as_json:
        print(json.dumps(found))
        return
    where = f"at {association}" if association else "everywhere"
    print(f"Rules in force on {day} {where}" + (f" for {category}" if category else ""))
    for section in found["rules"]:
        since = f" since {section['effective']} (day: {section['day']})" if section["effective"] else ""
        print(f"\n{section['title']}: {section['row']}{since}".replace(":  since", ": since").rstrip(": "))
        if section["note"]:
            print(f"  {section['note']}")
        for line in section["lines"]:
            print(f"  - {line['words']} [{line['source']}]")


def join(app: typer.Typer) -> None:
    app.command()(rules)
