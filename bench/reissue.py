"""After a key was stolen: certificates signed anew a second, and their files with one process and two.

`python -m bench.reissue [--people 6000] [--files 40] [--rounds 3] [--json]`, in a made-up world on the embedded server
in a folder of its own. The files are all of a certificate: the badge with its RDF form, the pictures of the code and
the page in PDF among them.
"""

import argparse
import time
from datetime import UTC, datetime
from statistics import median
from unittest.mock import patch

import psycopg

from bench.bundle import published
from bench.home import at_home, tell
from registry import database
from registry.certificates.batch import write_files
from registry.certificates.reissue import Reissue, Signatures, gone
from registry.certificates.succession import Succession
from registry.opening import open_issuer, open_keys, open_plane, open_printer, open_registry
from registry.settings import Settings

BY = "operator"


def signatures(settings: Settings) -> Signatures:
    found = Signatures()
    with psycopg.connect(database.url(settings, "reader"), autocommit=True) as connection:
        found.advance(connection)
    return found


def again(settings: Settings, files: int, turn: int, found: dict[str, list[float]]) -> int:
    """One more compromise; how many certificates were signed anew. All that is kept was made of the key before."""
    registry, keys, now = open_registry(settings), open_keys(settings), datetime.now(UTC)
    succession = Succession(registry.store, keys, host=settings.public_host, by=BY)
    succession.withdraw(keys.signer("certificate", now).kid, "compromised", since=now, now=now)
    known = signatures(settings)
    kids = {key.kid for key in gone(known.keys, keys, now)}
    due = known.by(kids, now)
    registry.store.position()  # it is connected
    begun = time.perf_counter()
    signed = Reissue(registry.store, keys, known.keys, by=BY, now=now).sign(due, kids, lambda *_: None)
    found["signed"].append(signed / (time.perf_counter() - begun))
    with psycopg.connect(database.url(settings, "reader"), autocommit=True) as connection:
        open_plane(settings, keys).publish(connection, datetime.now(UTC))
    handed = signatures(settings).to_hand_out(kids, now)
    issuer = open_issuer(settings, registry.store, keys, open_printer(settings))
    for processes in (1, 2):
        first = (turn + processes) % 2 * files
        wanted, out = handed[first : first + files], settings.home / f"{turn}.{processes}"
        with patch("os.cpu_count", return_value=processes):
            begun = time.perf_counter()
            outcomes = dict(write_files(issuer, wanted, lambda number, file, out=out: out / number / file))
        found[f"files, {processes}"].append(len(wanted) / (time.perf_counter() - begun))
        assert set(outcomes.values()) == {"written"}
    registry.store.close()
    return signed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--people", type=int, default=6000)
    options.add_argument("--files", type=int, default=40, help="of so many certificates")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    with at_home() as settings:
        published(settings, asked.people)
        found: dict[str, list[float]] = {"signed": [], "files, 1": [], "files, 2": []}
        for turn in range(asked.rounds):
            signed = again(settings, asked.files, turn, found)
    rates = {name: round(median(each), 1) for name, each in found.items()}
    spread = {name: [round(one(each), 1) for one in (min, max)] for name, each in found.items()}
    tell({"certificates": signed, "files": asked.files, "per_second": rates, "spread": spread}, asked)


if __name__ == "__main__":
    main()
