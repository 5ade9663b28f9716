"""What the slow parts of a certificate come to."""

from typing import NamedTuple


class Drawn(NamedTuple):
    """`rdf`: the hash of the badge's RDF form; the pictures of the code."""

    rdf: bytes
    svg: bytes
    png: bytes
