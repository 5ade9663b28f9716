"""One QR text checked by the verifier, beside a raw Ed25519 verify of the same signature, in turn in one process."""

import argparse
import json
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from verifier import cbor
from verifier.keys import read_did
from verifier.status import Statuses, tokens
from verifier.verification import verify

VECTORS = Path(__file__).parents[1] / "tests" / "vectors"


def seconds_each(do, times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        do()
    return (time.perf_counter() - start) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--times", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    vector = json.loads((VECTORS / "qr_v1.json").read_text())["vectors"][0]
    keys = read_did((VECTORS / "did.json").read_bytes()) | read_did((VECTORS / "did_status.json").read_bytes())
    statuses = Statuses(tokens([(VECTORS / "status_tsl.cwt").read_bytes()]))
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    signature = bytes.fromhex(vector["signature_hex"])
    message = cbor.encode(
        ["Signature1", bytes.fromhex(vector["protected_hex"]), b"", bytes.fromhex(vector["payload_hex"])]
    )
    raw = Ed25519PublicKey.from_public_bytes(bytes.fromhex(vector["pub_hex"]))
    assert verify(vector["url"], keys, statuses, at=at).verdict == "valid"
    sides = {
        "verify": lambda: verify(vector["url"], keys, statuses, at=at),
        "raw Ed25519": lambda: raw.verify(signature, message),
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(options.rounds):
        for name, do in sides.items():
            found[name].append(seconds_each(do, options.times))
    micro = {name: round(statistics.median(times) * 1e6, 1) for name, times in found.items()}
    ratio = statistics.median(a / b for a, b in zip(found["verify"], found["raw Ed25519"], strict=True))
    result = {"verify_us": micro["verify"], "raw_us": micro["raw Ed25519"], "ratio": round(ratio, 2)}
    print(json.dumps(result) if options.json else result)


if __name__ == "__main__":
    main()
