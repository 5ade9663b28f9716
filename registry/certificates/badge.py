"""The certificate as an Open Badge (Open Badges 3.0, W3C credentials 2.0): JSON with two proofs, and a JWT.

A pure function of events and keys: made again it is the same, byte for byte.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zlib import crc32

import jsonschema_rs
import msgspec

from registry.certificates.keys import KeysUnusable, Signer, trusted
from verifier import integrity, multibase

ASSETS: Final = Path(__file__).with_name("assets")
"""What others wrote: contexts and schema, put there at set-up."""

CREDENTIALS: Final = "https://www.w3.org/ns/credentials/v2"
CONTEXTS: Final = (
    CREDENTIALS,
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    # Without it software for JSON-LD has no word for the type of the schema: it refuses, or signs less than it shows.
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
)
SCHEMA: Final = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
BAKED: Final = "https://purl.imsglobal.org/ob/v3p0"

_PNG_HEAD: Final = 8 + 25  # the signature and the IHDR chunk
_SVG_OPENS: Final = b"<svg "


class Badge(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a badge says. `badge` and `cti`: 16 bytes each; the first is new after a reinstatement."""

    badge: bytes
    cti: bytes
    number: str
    name: str
    category: str
    title: str
    achievement: str
    description: str
    association: str
    association_name: str
    valid_from: datetime
    expires_at: datetime
    status_list: int
    status_index: int


def document(badge: Badge, host: str) -> dict[str, Any]:
    """The credential without proofs: these members and no others."""
    code = badge.category.partition("+")[0]
    home, listed = f"https://{host}", f"https://{host}/status/revocation/{badge.status_list}"
    return {
        "@context": list(CONTEXTS),
        "id": UUID(bytes=badge.badge).urn,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": badge.title,
        "issuer": {"id": f"did:web:{host}", "type": ["Profile"], "name": f"Endorsement Registry, {host}"},
        "validFrom": instant(badge.valid_from),
        "validUntil": instant(badge.expires_at),
        "credentialSubject": {
            "id": UUID(bytes=sha256(b"subject" + badge.cti).digest()[:16]).urn,
            "type": ["AchievementSubject"],
            "identifier": [
                {"type": "IdentityObject", "hashed": False, "identityHash": badge.name, "identityType": "name"}
            ],
            "licenseNumber": badge.number,
            "source": {
                "id": f"{home}/associations/{badge.association}",
                "type": ["Profile"],
                "name": badge.association_name,
            },
            "achievement": {
                "id": f"{home}/achievements/{code}",
                "type": ["Achievement"],
                "achievementType": "Certification",
                "name": badge.achievement,
                "humanCode": badge.category,
                "description": badge.description,
                "criteria": {"id": f"{home}/achievements/{code}.html"},
            },
        },
        "credentialStatus": {
            "id": f"{listed}#{badge.status_index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(badge.status_index),
            "statusListCredential": listed,
        },
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }


def check(credential: Mapping[str, Any]) -> None:
    """Raises AssertionError for what the official JSON Schema refuses: it is our fault, and nothing goes out."""
    error = next(_schema().iter_errors(credential), None)
    if error is not None:
        # The message quotes what is wrong, which may be a name; the place does not.
        raise AssertionError(f"a badge that its JSON Schema refuses at /{'/'.join(map(str, error.instance_path))}")


def sign(unsigned: Mapping[str, Any], signer: Signer, rdf: Callable[[Mapping[str, Any]], bytes]) -> bytes:
    """The credential with both proofs, read back before it leaves here; `rdf` hashes its RDF form.

    The time of the proofs is the credential's own, so nothing in them depends on when they are made.
    """
    if signer.controller != unsigned["issuer"] and signer.controller != unsigned["issuer"]["id"]:
        raise KeysUnusable(f"the certificate key is of {signer.controller}, not of the issuer")
    name, created = f"{signer.controller}#{signer.kid}", unsigned["validFrom"]
    signature = signer.sign(sha256(_rdf_of_proof(name, created)).digest() + rdf(unsigned))
    others = {
        "type": "DataIntegrityProof",
        "cryptosuite": integrity.RDFC,
        "created": created,
        "verificationMethod": name,
        "proofPurpose": "assertionMethod",
        "proofValue": multibase.encode(signature),
    }
    ours = integrity.prove(unsigned, name, integrity.seconds(created), signer.sign)
    content = msgspec.json.encode({**unsigned, "proof": [others, ours]})
    received = integrity.unseal(content)
    received.check(trusted(signer, "certificate"))
    if received.document != unsigned or received.key != name:
        raise AssertionError("a credential reads back as something else than was written")
    return content


def jwt(unsigned: Mapping[str, Any], signer: Signer) -> bytes:
    """The same credential as a JWT (ES256), with the claims that Open Badges asks for.

    Without `typ`: what the W3C recommends there Open Badges forbids.
    """
    ends = {"exp": integrity.seconds(unsigned["validUntil"])} if "validUntil" in unsigned else {}
    subject = unsigned["credentialSubject"].get("id")
    payload = {
        **unsigned,
        "iss": signer.controller,
        "jti": unsigned["id"],
        "nbf": integrity.seconds(unsigned["validFrom"]),
        **ends,
        **({"sub": subject} if subject else {}),
    }
    header = {"alg": "ES256", "kid": f"{signer.controller}#{signer.kid}"}
    signed = b".".join(_base64url(msgspec.json.encode(part)) for part in (header, payload))
    signature = signer.sign(signed)
    trusted(signer, "jwt").holds(signature, signed)
    return signed + b"." + _base64url(signature)


def bake_png(png: bytes, credential: bytes) -> bytes:
    """The picture with the credential in it (iTXt, right after the header): one file is QR code and badge."""
    text = b"iTXt" + b"openbadgecredential\0\0\0\0\0" + credential
    chunk = (len(text) - 4).to_bytes(4) + text + crc32(text).to_bytes(4)
    return png[:_PNG_HEAD] + chunk + png[_PNG_HEAD:]


def bake_svg(svg: bytes, credential: bytes) -> bytes:
    head, opens, rest = svg.partition(_SVG_OPENS)
    attributes, _, content = rest.partition(b">")
    inside = credential.replace(b"]]>", b"]]\\u003e")  # only a string can have this; the end of CDATA it must not be
    return b"".join(
        [
            *(head, opens, f'xmlns:openbadges="{BAKED}" '.encode(), attributes, b">"),
            *(b"<openbadges:credential><![CDATA[", inside, b"]]></openbadges:credential>", content),
        ]
    )


def instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def asset(name: str) -> Any:
    try:
        return msgspec.json.decode((ASSETS / name).read_bytes())
    except FileNotFoundError:
        raise RuntimeError(f"{ASSETS / name} is missing: set-up puts it there (make setup)") from None


@lru_cache(maxsize=1)
def _schema() -> Any:
    return jsonschema_rs.Draft201909Validator(asset(SCHEMA.rpartition("/")[2]), validate_formats=True)


def _rdf_of_proof(name: str, created: str) -> bytes:
    """The canonical RDF of the proof's options: always these five statements in this order."""
    proof, security = "_:c14n0", "https://w3id.org/security#"
    return "".join(
        f"{proof} <{predicate}> {value} .\n"
        for predicate, value in (
            ("http://purl.org/dc/terms/created", f'"{created}"^^<http://www.w3.org/2001/XMLSchema#dateTime>'),
            ("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", f"<{security}DataIntegrityProof>"),
            (f"{security}cryptosuite", f'"{integrity.RDFC}"^^<{security}cryptosuiteString>'),
            (f"{security}proofPurpose", f"<{security}assertionMethod>"),
            (f"{security}verificationMethod", f"<{name}>"),
        )
    ).encode()


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
