"""A QR text and a badge checked by the verifier, beside a raw Ed25519 verify, in turn; and the whole command.

`python -m bench.verify [--rounds 21] [--times 300] [--json]`. The command runs from compiled modules, as whoever
installed it has them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from verifier import cbor
from verifier.keys import read_did
from verifier.status import Statuses, tokens
from verifier.verification import verify, verify_badge

TESTS = Path(__file__).parents[1] / "tests"
VECTORS = TESTS / "vectors"
AT = "2026-11-22T12:00:00Z"


def seconds_each(do, times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        do()
    return (time.perf_counter() - start) / times


def badges():
    """A badge as JSON and as JWT, the keys and the lists for it, and its static files: the ones of the tests."""
    sys.path.insert(0, str(TESTS / "verifier"))
    import papers  # noqa: PLC0415

    files = {
        "keys.json": papers.spelled(papers.keys_json()),
        "s/1": papers.listed(),
        "status/revocation/1": papers.bits(),
        "credential.json": papers.badge(),
    }
    statuses = Statuses(tokens([files["s/1"], files["status/revocation/1"]]))
    return files["credential.json"], papers.badge_jwt(), papers.ring(), statuses, files, papers.text()


def command_ms(files, text: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of the whole process of `verify` on a file and on a text, and of a Python that does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        compiled["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "compiled")
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        verify = [sys.executable, "-m", "verifier", "--static", folder, "--at", AT, "--json"]
        sides = {
            "file": [*verify, str(Path(folder) / "credential.json")],
            "text": [*verify, "--text", text],
            "bare": [sys.executable, "-c", "pass"],
        }
        for name in ("file", "text"):  # which also compiles
            said = subprocess.run(sides[name], capture_output=True, check=True, env=compiled).stdout
            assert json.loads(said)["verdict"] == "valid"
        found: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, command in sides.items():
                start = time.perf_counter()
                subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=compiled)
                found[name].append(1e3 * (time.perf_counter() - start))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--times", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    vector = json.loads((VECTORS / "qr_v1.json").read_text())["vectors"][0]
    keys = read_did((VECTORS / "did.json").read_bytes()) | read_did((VECTORS / "did_status.json").read_bytes())
    statuses = Statuses(tokens([(VECTORS / "status_tsl.cwt").read_bytes()]))
    at = datetime.fromisoformat(AT).astimezone(UTC)
    signature = bytes.fromhex(vector["signature_hex"])
    message = cbor.encode(
        ["Signature1", bytes.fromhex(vector["protected_hex"]), b"", bytes.fromhex(vector["payload_hex"])]
    )
    raw = Ed25519PublicKey.from_public_bytes(bytes.fromhex(vector["pub_hex"]))
    badge, jwt, ring, lists, files, text = badges()
    assert verify(vector["url"], keys, statuses, at=at).verdict == "valid"
    assert verify_badge(badge, ring, lists, at=at).verdict == verify_badge(jwt, ring, lists, at=at).verdict == "valid"
    sides = {
        "verify": lambda: verify(vector["url"], keys, statuses, at=at),
        "raw Ed25519": lambda: raw.verify(signature, message),
        "badge": lambda: verify_badge(badge, ring, lists, at=at),
        "jwt": lambda: verify_badge(jwt, ring, lists, at=at),
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(options.rounds):
        for name, do in sides.items():
            found[name].append(seconds_each(do, options.times))
    micro = {name: round(statistics.median(times) * 1e6, 1) for name, times in found.items()}

    def ratio(side: str) -> float:
        pairs = zip(found[side], found["raw Ed25519"], strict=True)
        return round(statistics.median(own / raw for own, raw in pairs), 2)

    commands = command_ms(files, text, options.rounds)
    result = {
        "verify_us": micro["verify"],
        "raw_us": micro["raw Ed25519"],
        "ratio": ratio("verify"),
        "badge_us": micro["badge"],
        "badge_ratio": ratio("badge"),
        "jwt_us": micro["jwt"],
        "spread_us": {name: [round(1e6 * one(times), 1) for one in (min, max)] for name, times in found.items()},
        "command_ms": round(statistics.median(commands["file"]), 1),
        "command_text_ms": round(statistics.median(commands["text"]), 1),
        "python_ms": round(statistics.median(commands["bare"]), 1),
        "command_spread_ms": {name: [round(one(times), 1) for one in (min, max)] for name, times in commands.items()},
    }
    print(json.dumps(result) if options.json else result)


if __name__ == "__main__":
    main()
