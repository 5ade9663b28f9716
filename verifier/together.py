"""Several files at once: a proof is checked with the certificate it is of, and a folder is that of one certificate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from verifier import proof as proofs_of
from verifier.certificate import Badge, Certificate, unseal
from verifier.files import Found
from verifier.verdict import Unverified, iso
from verifier.verification import LOG_CHECK, Verified

if TYPE_CHECKING:
    from verifier.logged import Logged

Verify = Callable[[Found, bytes | None], Verified]
"""Checks what a file holds with a log proof, or without one; raises Unverified."""


class Paper(NamedTuple):
    """One file and what it holds, or why it can't be read. `folder`: the one it was found in."""

    name: str
    held: Found | Unverified
    folder: str = ""


Result = Verified | Unverified
Answers: TypeAlias = "list[tuple[Paper, Result | Logged]]"


def check(papers: Sequence[Paper], verify: Verify, alone: Callable[[bytes], Logged], *, logs: bool) -> Answers:
    """What each paper comes to, in this order; `alone` is asked about a proof that has no certificate here.

    `logs`: there are keys of the log, so that a certificate can be checked with its proof.
    """
    proofs = {id_of: proof for paper in papers if (proof := _proof(paper)) and (id_of := _proved(proof))}
    certificates = {
        at: (_of(paper.held, verify, proofs), paper.held)
        for at, paper in enumerate(papers)
        if isinstance(paper.held, Found) and not paper.held.is_proof
    }
    answers: Answers = []
    for at, paper in enumerate(papers):
        if isinstance(paper.held, Unverified):
            answers.append((paper, paper.held))
        elif at in certificates:
            answers.append((paper, certificates[at][0]))
        else:
            proof = paper.held.log_proof or b""
            beside = _beside(proof, list(certificates.values()), verify) if logs else None
            answers.append((paper, beside or _alone(proof, alone)))
    return answers


def _proof(paper: Paper) -> bytes | None:
    return paper.held.log_proof if isinstance(paper.held, Found) and paper.held.is_proof else None


def _of(found: Found, verify: Verify, proofs: dict[str, bytes]) -> Result:
    """With its own proof, else with the one that lies beside it."""
    try:
        return verify(found, found.log_proof or (proofs.get(_identity(found)) if proofs else None))
    except Unverified as refused:
        return refused


def _beside(proof: bytes, certificates: Sequence[tuple[Result, Found]], verify: Verify) -> Result | None:
    """What the certificate it is of comes to with this proof; a proof of none of them is refused as not theirs."""
    authentic = [found for result, found in certificates if isinstance(result, Verified) or _fails_by_log(result)]
    if not authentic:
        return None
    of = _proved(proof)
    found = next((found for found in authentic if of and _identity(found) == of), authentic[0])
    try:
        return verify(found, proof)
    except Unverified as refused:
        return refused


def _fails_by_log(result: Result) -> bool:
    return isinstance(result, Unverified) and len(result.checks) == LOG_CHECK


def _alone(proof: bytes, alone: Callable[[bytes], Logged]) -> Logged | Unverified:
    try:
        return alone(proof)
    except Unverified as refused:
        return refused


def _identity(found: Found) -> str:
    """The id (hex) that the event of its issue has, as far as it can be read; nothing here is believed yet."""
    from verifier import badge  # noqa: PLC0415 - a code alone needs none of it

    try:
        if found.text is not None:
            return unseal(found.text).certificate.cti.hex()
        return badge.unseal(found.badge or b"").badge.id.hex()
    except Unverified:
        return ""


def _proved(log_proof: bytes) -> str:
    """The id of what was issued in the event of a proof."""
    try:
        state = proofs_of.event_in(proofs_of.read_proof(log_proof).extra).state
    except Unverified:
        return ""
    of = state.get("badge") or state.get("cti")
    return of if type(of) is str else ""


def not_one(answers: Answers) -> dict[str, str]:
    """By folder, in words: which two files in it are of two certificates."""
    first: dict[str, tuple[Paper, Certificate | Badge]] = {}
    found: dict[str, str] = {}
    for paper, answer in answers:
        if not paper.folder or not isinstance(answer, Verified):
            continue
        before, certificate = first.setdefault(paper.folder, (paper, answer.certificate))
        if paper.folder not in found and _stated(certificate) != _stated(answer.certificate):
            found[paper.folder] = (
                f"{before.name} is of {_shown(certificate)}, {paper.name} of {_shown(answer.certificate)}"
            )
    return found


def _stated(one: Certificate | Badge) -> tuple[str, ...]:
    """All files of one certificate say the same here: badges that were issued again for it have the same subject."""
    from verifier.badge import subject_of  # noqa: PLC0415 - as above

    subject = subject_of(one.cti) if isinstance(one, Certificate) else one.subject
    return one.issuer, one.number, one.name, one.category, one.association, subject


def _shown(one: Certificate | Badge) -> str:
    return f"{one.number}, {one.name}, {one.category}, {one.association}, since {iso(one.valid_from)}"
