"""Checks a roster of 5,000 people of a made-up world: half by number and name, half by the text of their code.

`python -m bench.roster [--people 9000] [--json]`, on the embedded server in a folder of its own.
"""

import argparse
import time
from datetime import UTC, datetime

import psycopg

from bench.bundle import published
from bench.home import at_home, tell
from registry import database
from registry.certificates.receipt_paper import TEMPLATE, print_receipt
from registry.certificates.sheet import Sheets
from registry.opening import open_issuer, open_keys, open_printer, open_registry
from registry.roster_check import RosterChecker, rows_given
from registry.settings import Settings
from verifier.keys import read_keys_json
from verifier.receipt import check
from verifier.roster import MOST_ROWS

_PEOPLE = """
SELECT DISTINCT ON (e.number) e.number, p.name FROM views.endorsements AS e
JOIN views.people AS r ON r.person = e.person JOIN views.people AS p ON p.person = r.human
WHERE p.name IS NOT NULL ORDER BY e.number LIMIT %s"""
_ISSUED = "SELECT DISTINCT originator_id FROM registry.events WHERE topic = 'certificate.issued'"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=9_000)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    with at_home() as settings:
        published(settings, asked.people)
        tell(measured(settings), asked)


def measured(settings: Settings) -> dict[str, float]:
    registry, keys = open_registry(settings), open_keys(settings)
    url = database.url(settings, "reader")
    issuer = open_issuer(settings, registry.store, keys, open_printer(settings))
    with psycopg.connect(url, autocommit=True) as connection:
        people = connection.execute(_PEOPLE, [MOST_ROWS]).fetchall()
        issued = {stream.partition("/")[2] for (stream,) in connection.execute(_ISSUED)}
    rows = rows_given(
        [(issuer.text(number) if at % 2 and number in issued else number, name) for at, (number, name) in
         enumerate(people)]
    )  # fmt: skip
    checker = RosterChecker(settings, registry, keys, lambda: database.connection(url))
    begun = time.perf_counter()
    answered = checker.check(rows, datetime.now(UTC))
    checked = time.perf_counter() - begun
    begun = time.perf_counter()
    pages = print_receipt(Sheets(TEMPLATE), answered.content, answered.receipt)
    printed = time.perf_counter() - begun
    begun = time.perf_counter()
    check(answered.content, read_keys_json((settings.static / "keys.json").read_bytes()))
    verified = time.perf_counter() - begun
    registry.store.close()
    return {
        "rows": len(rows),
        "texts": sum(row.is_certificate for row in rows),
        "check_seconds": round(checked, 3),
        "receipt_bytes": len(answered.content),
        "pages_seconds": round(printed, 3),
        "pages_bytes": len(pages),
        "receipt_check_ms": round(verified * 1000, 1),
    }


if __name__ == "__main__":
    main()
