"""What verifiers that others wrote make of what we issue, and of what became of it or was made up.

Digital Bazaar's libraries (with both proofs, and with each alone), DCC's verifier-core and `jose` on Node.js;
openbadgeslib (badge as JSON, as JWT, in both pictures), python-cwt and scitt-cose in Python. Offline: contexts are
those of set-up, every address is a file of a static plane. "Accepts" is said by a caller who reads the whole answer.

`REFUSED` has words out of the reason, so that nothing is refused for another one. `UNCHECKED` says which check a
library does not make: such a test fails once the library begins to. Not asked: 1EdTech's own validator, which is Java
and in no package registry we use.
"""

from itertools import chain
from pathlib import Path

import pytest
from strangers import FILES, ask

DOCS = Path(__file__).parents[2] / "docs" / "format.md"
_JSON, _JWT, _CODE = "credential.json", "credential.jwt", "qr.txt"

# A sibling is a folder of `issued`, by the plane of today; `now@stale`: the present certificate by another plane.
_ENDED = ["renewed", "superseded", "suspended", "removed", "expired"]
_FORGED = ["name", "signature", "stolen", "unknown_key"]
_LISTS = ["now@stale", "now@gone", "removed@forged", "now@withdrawn"]
_RESPELLED = ["rdfc_broken", "jcs_broken", "expiry_respelled", "status_respelled", "remark"]
SIBLINGS = {
    _JSON: [*_ENDED, *_FORGED, "list_key", *_RESPELLED, *_LISTS],
    _JWT: [*_ENDED, *_FORGED, *_LISTS],
    _CODE: [*_ENDED, *_FORGED, "list_key", "letter", *_LISTS],
    "proof.tlog-proof": ["removed", "signature", "now@forged"],
}
SIBLINGS |= dict.fromkeys(("badge.png", "badge.svg"), SIBLINGS[_JSON])

_BAZAAR = {
    **dict.fromkeys(("superseded", "suspended", "removed"), "revoked"),
    "expired": 'is after "validUntil"',
    **dict.fromkeys(("name", "signature", "stolen"), "Invalid signature"),
    **dict.fromkeys(("unknown_key", "list_key", "now@withdrawn"), "unknown key did:web:registry.example"),
    "now@stale": 'is after "validUntil"',
    "now@gone": 'Could not load "BitstringStatusListCredential"',
    "removed@forged": '"BitstringStatusListCredential" not verified',
}
_SAFE = {"remark": "Safe mode validation error"}
_PROOF = "Invalid Data Integrity proof"
_LIBRARY = {
    **dict.fromkeys(("superseded", "suspended", "removed"), "Credential status 'revocation' is set"),
    "expired": "Credential has expired",
    "now@stale": "expired (validUntil",
    "now@gone": "could not fetch status list",
    "removed@forged": "proof is invalid: Invalid signature",
}
_LIBRARY_JSON = {
    **_LIBRARY,
    **dict.fromkeys(("name", "signature", "stolen", "rdfc_broken"), _PROOF),
    **dict.fromkeys(("unknown_key", "now@withdrawn"), "no verificationMethod with id"),
    "list_key": "does not belong to the",
    **dict.fromkeys(("expiry_respelled", "status_respelled", "remark"), "not in compacted form"),
}
REFUSED = {
    "digitalbazaar": {**_BAZAAR, **_SAFE},
    "digitalbazaar-rdfc": {**_BAZAAR, **_SAFE, "rdfc_broken": "Invalid signature"},
    "digitalbazaar-jcs": {
        **_BAZAAR,
        **dict.fromkeys(("jcs_broken", "expiry_respelled", "status_respelled", "remark"), "Invalid signature"),
    },
    "verifier-core": {
        **dict.fromkeys(("superseded", "suspended", "removed"), "revocation_status"),
        "expired": "expiration",
        **dict.fromkeys((*_FORGED, "list_key", "rdfc_broken", "now@withdrawn"), "invalid_signature"),
        "remark": "jsonld.ValidationError",
        "now@stale": "status_list_expired",
        "now@gone": "status_list_not_found",
        "removed@forged": "status_list_signature_error",
    },
    "jose": {
        "expired": '"exp" claim timestamp check failed',
        **dict.fromkeys(("name", "signature", "stolen"), "signature verification failed"),
        **dict.fromkeys(("unknown_key", "now@withdrawn"), "no applicable key found"),
    },
    "openbadgeslib-json": _LIBRARY_JSON,
    "openbadgeslib-picture": _LIBRARY_JSON,
    "openbadgeslib-jwt": {
        **_LIBRARY,
        **dict.fromkeys(_FORGED, "Invalid signature"),
        "now@withdrawn": "Invalid signature",  # by the key that is there now
    },
    "python-cwt": {
        "expired": "The token has expired",
        **dict.fromkeys(("name", "signature", "stolen"), "Failed to verify"),
        **dict.fromkeys(("unknown_key", "list_key", "now@withdrawn"), "key is not found"),
    },
    "scitt-cose": dict.fromkeys((*_FORGED, "list_key", "now@withdrawn"), "signature verification FAILED"),
    "scitt-cose-log": {"signature": "not in the tree"},
}

_NEWER = "whether it was renewed: the list of badges leaves a renewed one to its own end"
_EITHER = "that both proofs hold: one that does is enough, though its results name the other"
_FORM = "that the JSON is in compacted form: an expiry or a status under its IRI is signed, and not read"
_JCS = "the proof eddsa-jcs-2022"
_STATUS = "the status: it reads no list"
_TYP = "what kind of token it is: a letter is as good as a certificate"
_RESPELT = dict.fromkeys(("expiry_respelled", "status_respelled"), _FORM)
_NO_LIST = dict.fromkeys(("renewed", "superseded", "suspended", "removed", *_LISTS[:3]), _STATUS)
UNCHECKED = {
    "digitalbazaar": {"renewed": _NEWER, "rdfc_broken": _EITHER, "jcs_broken": _EITHER, **_RESPELT},
    "digitalbazaar-rdfc": {"renewed": _NEWER, "jcs_broken": _JCS, **_RESPELT},
    "digitalbazaar-jcs": {"renewed": _NEWER, "rdfc_broken": "the proof eddsa-rdfc-2022"},
    "verifier-core": {"renewed": _NEWER, "jcs_broken": _JCS, **_RESPELT},
    "jose": _NO_LIST,
    "openbadgeslib-json": {"renewed": _NEWER, "jcs_broken": _JCS},
    "openbadgeslib-picture": {"renewed": _NEWER, "jcs_broken": _JCS},
    "openbadgeslib-jwt": {"renewed": _NEWER},
    "python-cwt": {**_NO_LIST, "letter": _TYP},
    "scitt-cose": {**_NO_LIST, "expired": "the claims, so neither beginning nor end", "letter": _TYP},
    "scitt-cose-log": {
        "removed": "anything but that the event is in the log",
        "now@forged": "who signed the checkpoint",
    },
}

# What is good, and refused: how it has to be asked instead is what the rows above do.
AWKWARD = {
    "openbadgeslib-json-list": (_JSON, "is not a signed JWT-VC"),  # the list has to be given as the JWT
    "openbadgeslib-jwt-did": (_JWT, "Algorithm 'ES256' in token header is not allowed"),  # the JWT's key must be named
}
LISTS = {
    "python-cwt": ["s/1", "s/1.notes"],
    "scitt-cose": ["s/1", "s/1.notes"],
    "jose": ["status/revocation/1.jwt"],
}


def each(table):
    return [
        pytest.param(who, file, sibling, words, id=f"{who}-{sibling}" + f"-{file}" * (len(FILES[who]) > 1))
        for who, rows in table.items()
        for sibling, words in rows.items()
        for file in FILES[who]
    ]


def of(issued, file, sibling):
    return issued / sibling.partition("@")[0] / file


@pytest.fixture(scope="module")
def said(issued):
    """Everything is asked at once, by plane: to start them takes longer than to answer."""
    wanted = {"plane": []}
    for who, file, sibling, _ in chain(*((param.values for param in each(table)) for table in (REFUSED, UNCHECKED))):
        wanted.setdefault(sibling.partition("@")[2] or "plane", []).append((who, of(issued, file, sibling)))
    wanted["plane"] += [(who, issued / "now" / file) for who, files in FILES.items() for file in files]
    wanted["plane"] += [(who, issued / "now" / file) for who, (file, _) in AWKWARD.items()]
    wanted["plane"] += [(who, issued / "plane" / file) for who, files in LISTS.items() for file in files]
    return {plane: ask(issued / plane, questions) for plane, questions in wanted.items()}


@pytest.fixture
def answer(said, issued):
    def find(who, file, sibling="now"):
        found = said[sibling.partition("@")[2] or "plane"][who, of(issued, file, sibling)]
        return found["accepts"], found["why"]

    return find


def test_each_is_asked_about_every_sibling_of_its_files():
    for who, files in FILES.items():
        asked = [*REFUSED[who], *UNCHECKED[who]]
        assert sorted(asked) == sorted(SIBLINGS[files[0]]), who


@pytest.mark.parametrize(("who", "file"), [(who, file) for who, files in FILES.items() for file in files])
def test_what_was_just_issued_is_accepted(answer, who, file):
    assert answer(who, file) == (True, "")


@pytest.mark.parametrize(("who", "file"), [(who, file) for who, files in LISTS.items() for file in files])
def test_a_list_that_was_just_signed_is_accepted(said, issued, who, file):
    assert said["plane"][who, issued / "plane" / file] == {"accepts": True, "why": ""}


@pytest.mark.parametrize(("who", "file", "sibling", "words"), each(REFUSED))
def test_a_sibling_is_refused_and_for_its_own_reason(answer, who, file, sibling, words):
    accepts, why = answer(who, file, sibling)

    assert not accepts
    assert words in why


@pytest.mark.parametrize(("who", "file", "sibling", "check"), each(UNCHECKED))
def test_a_check_that_this_library_does_not_make(answer, who, file, sibling, check):
    accepts, why = answer(who, file, sibling)

    assert accepts, f"{who} now checks {check} ({why}): move this row to REFUSED, and out of docs/format.md"


@pytest.mark.parametrize("who", AWKWARD)
def test_what_is_good_and_refused_unless_it_is_asked_in_another_way(answer, who):
    file, words = AWKWARD[who]
    accepts, why = answer(who, file)

    assert not accepts
    assert words in why


def test_both_proofs_are_reported_where_one_is_not_good(answer):
    assert answer("digitalbazaar", _JSON, "jcs_broken") == (True, "Invalid signature.")


def test_the_documentation_names_every_check_that_is_not_made():
    table = DOCS.read_text("utf-8")
    for who, rows in UNCHECKED.items():
        assert f"| {who} | {'; '.join(dict.fromkeys(rows.values()))} |" in table
