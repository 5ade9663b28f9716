"""Certificates, keys and lists of a registry that exists only in these tests."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verifier import badge as badges
from verifier import bitstring, cose, credential, integrity, keys, multibase, named, proof, status
from verifier import certificate as qr
from verifier.keys import Key, KeyRing
from verifier.status import Statuses
from verifier.verdict import Notice

VECTORS = Path(__file__).parent.parent / "vectors"
HOST = "registry.example"
ISSUER = f"did:web:{HOST}"
LIST = f"https://{HOST}/s/1"
PREFIX = qr.prefix(HOST)


def key(name):
    return Ed25519PrivateKey.from_private_bytes(sha256(f"tests:{name}".encode()).digest())


def public(private):
    return private.public_key().public_bytes_raw()


def p256(name):
    return ec.derive_private_key(int.from_bytes(sha256(f"tests:{name}".encode()).digest()[:31]), ec.SECP256R1())


def compressed(private):
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def es256(private, message):
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
    return r.to_bytes(32) + s.to_bytes(32)


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(private):
    x, y = keys.point(compressed(private))
    return {"publicKeyJwk": {"kty": "EC", "crv": "P-256", "x": b64(x), "y": b64(y)}}


SIGNING = p256("signing")
ISSUING, LISTING, LOGGING, STRANGER = key("issuing"), key("listing"), key("logging"), key("stranger")
VKEY = proof.vkey(f"{HOST}/log", public(LOGGING))


def when(text):
    return datetime.fromisoformat(text).astimezone(UTC)


def seconds(text):
    return int(when(text).timestamp())


NOW = when("2026-11-22T12:00:00Z")
LISTED = seconds("2026-11-22T06:00:00Z")

CERTIFICATE = qr.Certificate(
    issuer=ISSUER,
    number="IFS-2026-000512",
    name="Siobhán Nguyễn-O’Brien",
    category="IFS+ERS",
    association="VA",
    valid_from=seconds("2026-11-02T03:14:15Z"),
    expires_at=seconds("2027-12-31T23:59:59Z"),
    cti=bytes(range(16)),
    status_uri=LIST,
    status_index=4711,
    log_index=2,
)


def text(certificate=CERTIFICATE, *, by=ISSUING, host=HOST, typ=qr.TYP, **changes):
    certificate = certificate._replace(**changes)
    return qr.text(host, qr.seal(certificate, cose.thumbprint(public(by)), by.sign, typ))


def of_payload(payload, *, by=ISSUING, typ=qr.TYP, host=HOST):
    return qr.text(host, cose.seal(payload, typ, cose.thumbprint(public(by)), by.sign))


def ring(*, withdrawn=None, list_key_withdrawn=None, specimen=False, prefixes=(PREFIX,), logs=(VKEY,)):
    return KeyRing(
        [
            Key("certificate", ISSUER, f"{ISSUER}#1", public(ISSUING), withdrawn, specimen=specimen),
            Key("jwt", ISSUER, JWT_KEY, compressed(SIGNING), withdrawn, specimen=specimen),
            Key(
                "status",
                f"{ISSUER}:status",
                f"{ISSUER}:status#1",
                public(LISTING),
                list_key_withdrawn,
                specimen=specimen,
            ),
        ],
        prefixes=prefixes,
        logs=logs,
    )


# --- the same certificate as a badge ---

BADGE_KEY = f"{ISSUER}#1"
JWT_KEY = f"{ISSUER}#{cose.point_thumbprint(*keys.point(compressed(SIGNING))).hex()}"
BITS = f"https://{HOST}/status/revocation/1"


def written(seconds):
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def urn(identifier):
    return f"urn:uuid:{UUID(bytes=identifier)}"


def document(certificate=CERTIFICATE, **changes):
    """The badge of a certificate before it is signed; `...` leaves a member out."""
    whole = {
        "@context": [credential.VC_CONTEXT, badges.OB_CONTEXT, badges.OB_EXTENSIONS],
        "id": urn(certificate.cti),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Infant Family Specialist",
        "issuer": {"id": certificate.issuer, "type": ["Profile"], "name": "A registry of these tests"},
        "validFrom": written(certificate.valid_from),
        "validUntil": written(certificate.expires_at),
        "credentialSubject": {
            "id": badges.subject_of(certificate.cti),
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": False,
                    "identityHash": certificate.name,
                    "identityType": "name",
                }
            ],
            "licenseNumber": certificate.number,
            "source": {
                "id": f"https://{HOST}/associations/{certificate.association}",
                "type": ["Profile"],
                "name": "An association",
            },
            "achievement": {
                "id": f"https://{HOST}/achievements/{certificate.category.partition('+')[0]}",
                "type": ["Achievement"],
                "achievementType": "Certification",
                "name": "Infant Family Specialist",
                "humanCode": certificate.category,
                "description": "It is described.",
                "criteria": {"narrative": "It is told."},
            },
        },
        "credentialStatus": {
            "id": f"{BITS}#{certificate.status_index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(certificate.status_index),
            "statusListCredential": BITS,
        },
        "credentialSchema": [{"id": "https://schema.example/", "type": "1EdTechJsonSchemaValidator2019"}],
    } | changes
    return {name: value for name, value in whole.items() if value is not ...}


def proved(whole, *, by=ISSUING, key=BADGE_KEY, created=None, **options):
    """With a proof of eddsa-jcs-2022, which says `options` as well."""
    when_made = seconds(whole["validFrom"]) if created is None else created
    proof_options = integrity.prove(whole, key, when_made, by.sign) | options
    del proof_options["proofValue"]
    value = multibase.encode(by.sign(integrity.to_be_signed(whole, proof_options)))
    rdfc = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofValue": "z1"}
    return {**whole, "proof": [rdfc, {**proof_options, "proofValue": value}]}


def badge(whole=None, **options):
    return spelled(proved(document() if whole is None else whole, **options))


def claims_of(whole):
    issuer = whole["issuer"]
    return {
        **whole,
        "iss": issuer["id"] if isinstance(issuer, dict) else issuer,
        "jti": whole["id"],
        "sub": whole["credentialSubject"]["id"],
        "nbf": seconds(whole["validFrom"]),
        "exp": seconds(whole["validUntil"]),
    }


def compact(header, claims, sign):
    parts = [b64(spelled(part)) for part in (header, claims)]
    return ".".join([*parts, b64(sign(".".join(parts).encode()))]).encode()


def badge_jwt(whole=None, *, by=SIGNING, key=JWT_KEY, header=None, **changes):
    claims = claims_of(document() if whole is None else whole) | changes
    claims = {name: value for name, value in claims.items() if value is not ...}
    return compact({"alg": "ES256", "kid": key} | (header or {}), claims, lambda message: es256(by, message))


def bit_list(revoked=(), *, uri=BITS, iat=LISTED, exp=None, issuer=ISSUER, size=status.SIZE // 8, **changes):
    packed = bytearray(size)
    for index in revoked:
        packed[index // 8] |= 128 >> index % 8
    return {
        "@context": [credential.VC_CONTEXT],
        "id": uri,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": written(iat),
        "validUntil": written(iat + status.LIFE if exp is None else exp),
        "credentialSubject": {
            "id": f"{uri}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": bitstring.encoded(bytes(packed)),
        }
        | changes,
    }


def bits(revoked=(), *, by=ISSUING, key=BADGE_KEY, **changes):
    return spelled(proved(bit_list(revoked, **changes), by=by, key=key))


def bits_jwt(revoked=(), *, by=SIGNING, key=JWT_KEY, **changes):
    return badge_jwt(bit_list(revoked, **changes), by=by, key=key)


def token(payload, typ=status.LIST_TYP, *, by=LISTING):
    return cose.seal(payload, typ, cose.thumbprint(public(by)), by.sign)


def listed(statuses=None, *, uri=LIST, iat=LISTED, by=LISTING, **more):
    return token(status.token_list(statuses or {}, uri, iat, **more), by=by)


def noted(entries, *, uri=f"{LIST}.notes", iat=LISTED, by=LISTING, **more):
    return token(status.notes(entries, uri, iat, **more), status.NOTES_TYP, by=by)


def at_hand(*tokens):
    return Statuses(status.tokens(tokens))


TRANSFERRED = Notice("transferred", "2026-11-20", "active", "CT")


def p256_row(private):
    kid = cose.point_thumbprint(*keys.point(compressed(private))).hex()
    name = {"kid": kid, "use": "jwt", "controller": ISSUER, "id": f"{ISSUER}#{kid}"}
    return name | {"publicKeyMultibase": keys.multikey(compressed(private)), "withdrawn": None}


def keys_json(*, specimen=False, **changes):
    def row(use, private, controller):
        return {
            "kid": cose.thumbprint(public(private)).hex(),
            "use": use,
            "controller": controller,
            "id": f"{controller}#1",
            "publicKeyMultibase": keys.multikey(public(private)),
            "from": "2026-01-01T00:00:00Z",
            "until": None,
            "withdrawn": None,
        }

    return {
        "issuer": ISSUER,
        "specimen": specimen,
        "prefixes": [qr.prefix(HOST)],
        "log": {"origin": f"{HOST}/log", "vkey": VKEY},
        "keys": [
            row("certificate", ISSUING, ISSUER),
            row("status", LISTING, f"{ISSUER}:status"),
            row("log", LOGGING, ISSUER),
            p256_row(SIGNING),
        ],
    } | changes


def did(private=ISSUING, controller=ISSUER):
    identifier = f"{controller}#1"
    return {
        "id": controller,
        "verificationMethod": [
            {
                "id": identifier,
                "type": "Multikey",
                "controller": controller,
                "publicKeyMultibase": keys.multikey(public(private)),
            }
        ],
        "assertionMethod": [identifier],
    }


def spelled(value):
    return json.dumps(value).encode()


def signed_vectors():
    return [
        vector
        for name in ("qr_v1.json", "qr_v1_more.json")
        for vector in json.loads((VECTORS / name).read_text("utf-8"))["vectors"]
    ]


def event(**changes):
    """The state of `certificate.issued` for CERTIFICATE."""
    return {
        "on": "2026-11-02",
        "by": "va-coordinator",
        "cti": CERTIFICATE.cti.hex(),
        "number": CERTIFICATE.number,
        "category": CERTIFICATE.category,
        "association": CERTIFICATE.association,
        "valid_from": "2026-11-02T03:14:15Z",
        "through": "2027-12-31",
        "expires_at": "2027-12-31T23:59:59Z",
        "person": "person/1",
        "person_version": 1,
    } | changes


def preimage(state=None, *, position=CERTIFICATE.log_index + 1, stream=None, topic="certificate.issued"):
    encoded = b64(spelled(event() if state is None else state))
    return spelled([position, stream or f"endorsement/{CERTIFICATE.number}", 4, topic, encoded])


BLIND = bytes(range(16))


def naming(name=CERTIFICATE.name, *, version=1, stream="person/1", position=1, topic="person.registered"):
    """The preimage of the event that recorded a name, the first of the log."""
    h = named.commitment(BLIND, stream, version, "name", name)
    state = b64(spelled({"on": "2026-01-01", "residence": "VA", "name": {"c": "AAAA", "h": b64(h)}}))
    return spelled([position, stream, version, topic, state])


def log_proof(extra=None, *, index=CERTIFICATE.log_index, by=LOGGING, of_name=None, value=CERTIFICATE.name, **opened):
    """A proof file from a log of four entries, of which number `index` is `extra`, and the first the name's.

    `of_name`: the preimage of the name's event; empty for a proof that does not bind it.
    """
    from base64 import b64encode

    extra = preimage() if extra is None else extra
    of_name = naming() if of_name is None else of_name
    entries = [sha256(b"another event %d" % number).digest() for number in range(4)]
    entries[0] = sha256(of_name).digest()
    entries[index] = sha256(extra).digest()
    leaves = [proof.leaf_hash(entry) for entry in entries]
    pairs = [proof.node_hash(*leaves[:2]), proof.node_hash(*leaves[2:])]
    path = [leaves[index ^ 1], pairs[1 - index // 2]]
    if of_name:
        opening = {"blind": b64(BLIND), "hashes": [leaves[1], pairs[1]]} | opened
        extra += b"\n" + named.lines(of_name, opening["hashes"], opening["blind"], value)
    note = f"{HOST}/log\n4\n{b64encode(proof.node_hash(*pairs)).decode()}\n"
    signature = b64encode(proof.key_id(f"{HOST}/log", public(by)) + by.sign(note.encode())).decode()
    lines = ["c2sp.org/tlog-proof@v1", f"extra {b64encode(extra).decode()}", f"index {index}"]
    lines += [b64encode(node).decode() for node in path]
    return "\n".join(lines) + f"\n\n{note}\n— {HOST}/log {signature}\n"


def laid_out(folder: Path, files: Mapping[str, bytes]) -> Path:
    """The folder, with these files in it by their paths."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
