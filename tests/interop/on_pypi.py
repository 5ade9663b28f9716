"""What verifiers on PyPI make of our files: openbadgeslib, python-cwt, scitt-cose. Nothing of ours runs here.

Reads {"plane": folder, "questions": [[who, file]]}, and writes one list: {"accepts", "why"} for each.
There is no network: every address is a file of the plane, whose host is that of its did document.
"""

import json
import sys
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cwt import COSEKey, CWTError, decode
from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3 import OB3LdpVerifier, OB3Verifier
from openbadgeslib.ob3.did import resolve_verification_method
from openbadgeslib.verify import verify_badge
from scitt_cose import CoseError, verify_inclusion, verify_sign1

asked = json.load(sys.stdin)
plane = Path(asked["plane"])
did = json.loads((plane / ".well-known/did.json").read_bytes())
home = f"https://{did['id'].split(':')[2]}/"


class Refused(Exception):
    """By what a caller of the library has to do himself."""


def fetched(url):
    """An address that lists revocations gives the JWT, which is asked for by `Accept: application/vc+jwt`."""
    path = plane / url.removeprefix(home)
    return (path.with_name(path.name + ".jwt") if "/status/revocation/" in url else path).read_bytes()


def fetched_as_it_is(url):
    return (plane / url.removeprefix(home)).read_bytes()


def key_of_jwts():
    """The library takes one key, and the list must be signed by it too."""
    return resolve_verification_method(
        next(one["id"] for one in did["verificationMethod"] if "publicKeyJwk" in one), fetched
    )


def badge_json(file, download=fetched):
    verifier = OB3LdpVerifier.for_issuer_did(did["id"])
    verifier.verify(file.read_text("utf-8"), check_status=True, download=download)


def badge_json_list(file):
    badge_json(file, fetched_as_it_is)


def badge_jwt(file):
    verifier = OB3Verifier(key_of_jwts(), issuer_did=did["id"])
    verifier.verify(file.read_text("ascii").strip(), check_status=True, download=fetched)


def badge_jwt_did(file):
    verifier = OB3Verifier.for_issuer_did(did["id"], fetched)
    verifier.verify(file.read_text("ascii").strip(), check_status=True, download=fetched)


def badge_picture(file):
    found = verify_badge(file.read_bytes(), resolve_did=True, check_status=True, download=fetched)
    if not (found.valid and found.trusted):
        raise Refused(found.reason)


def message(file):
    """The COSE message: of a code by its digits (section 1 of docs/format.md), of a list as it is."""
    content = file.read_bytes()
    if file.suffix != ".txt":
        return content
    digits, out = content.decode().strip().partition("#")[2], b""
    for at in range(0, len(digits), 17):
        group = digits[at : at + 17]
        out += int(group).to_bytes((0, 3, 5, 8, 10, 13, 15, 17).index(len(group)), "little")
    return out


def keys(file):
    """The short name and the PEM of each key that is asserted: lists have a document of their own, with their keys."""
    path = ".well-known/did.json" if file.suffix == ".txt" else "status/did.json"
    document = json.loads((plane / path).read_bytes())
    for method in document["verificationMethod"]:
        if method["type"] == "Multikey" and method["id"] in document["assertionMethod"]:
            pem = resolve_verification_method(method["id"], lambda _: (plane / path).read_bytes())
            yield bytes.fromhex(method["id"].rpartition("#")[2]), pem


def cwt(file):
    trusted = []
    for kid, pem in keys(file):
        public = load_pem_public_key(pem)
        assert isinstance(public, Ed25519PublicKey)
        trusted.append(COSEKey.new({1: 1, -1: 6, 3: -8, 2: kid, -2: public.public_bytes_raw()}))
    decode(message(file), trusted)


def sign1(file):
    """The library takes one key: a caller tries those he trusts."""
    errors = []
    for _, pem in keys(file):
        try:
            verify_sign1(message(file), public_key_pem=pem)
        except CoseError as error:
            errors.append(str(error))
        else:
            return
    raise Refused("; ".join(sorted({*errors})))


def inclusion(file):
    """The proof beside a certificate: is its event in the tree of the plane's checkpoint?"""
    head, _, rest = file.read_text("utf-8").partition("\nindex ")
    index, *lines = rest.partition("\n\n")[0].split("\n")
    entry = sha256(b64decode(head.partition("\nextra ")[2]).partition(b"\n")[0]).hexdigest()
    _, size, root, *_ = (plane / "checkpoint").read_text("utf-8").split("\n")
    path = [b64decode(line).hex() for line in lines]
    if not verify_inclusion(entry, int(index), int(size), path, b64decode(root).hex()):
        raise Refused("not in the tree")


WHO = {
    "openbadgeslib-json": badge_json,
    "openbadgeslib-json-list": badge_json_list,
    "openbadgeslib-jwt": badge_jwt,
    "openbadgeslib-jwt-did": badge_jwt_did,
    "openbadgeslib-picture": badge_picture,
    "python-cwt": cwt,
    "scitt-cose": sign1,
    "scitt-cose-log": inclusion,
}


def answer(who, file):
    try:
        WHO[who](Path(file))
    except (LibOpenBadgesException, CWTError, CoseError, ValueError, Refused) as error:
        return {"accepts": False, "why": str(error)}
    return {"accepts": True, "why": ""}


json.dump([answer(who, file) for who, file in asked["questions"]], sys.stdout)
