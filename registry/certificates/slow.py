"""The slow parts of a certificate, pure functions that another process can do: they see no key and no database."""

from typing import Any

from registry.certificates import qr, rdf
from registry.certificates.drawn import Drawn


def draw(unsigned: dict[str, Any], text: str) -> Drawn:
    code = qr.symbol(text)
    return Drawn(rdf.digest(unsigned), qr.svg(code), qr.png(code))
