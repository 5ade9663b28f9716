"""The RDF form of a credential, as `eddsa-rdfc-2022` signs it: for the software of others; ours decides on the JSON.

The library has no safe mode: what it has no word for it leaves out. So every badge is checked against the schema
first, and signed in its JSON form as well.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, cast

from pyld import jsonld

from registry.certificates.badge import CONTEXTS, asset

_FILES: Final = dict(
    zip(CONTEXTS, ("credentials-v2.json", "ob-v3p0-context-3.0.3.json", "ob-v3p0-extensions.json"), strict=True)
)
_loaded: dict[str, Any] = {}


def statements(document: Mapping[str, Any]) -> bytes:
    """Canonical N-Quads (RDFC-1.0). About 7 ms; reads no context but those of set-up."""
    quads = jsonld.normalize(
        dict(document),
        {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": _load},
    )
    return cast("str", quads).encode()


def digest(document: Mapping[str, Any]) -> bytes:
    return sha256(statements(document)).digest()


def _load(address: str, _options: object = None) -> dict[str, Any]:
    if address not in _loaded:
        _loaded[address] = {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": address,
            "document": asset(_FILES[address]),
        }
    return cast("dict[str, Any]", _loaded[address])
