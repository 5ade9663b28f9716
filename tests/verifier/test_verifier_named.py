"""The name on a certificate is bound by its log proof: whoever steals the key can't put another one on it."""

import pytest
from papers import BLIND, CERTIFICATE, NOW, at_hand, b64, badge, bits, listed, log_proof, naming, ring, spelled, text

from verifier.verdict import Unverified
from verifier.verification import prove, verify, verify_badge

GOOD = at_hand(listed(), bits())
UNBOUND = "the name is not bound by this proof"
FULL = "Siobhán  Nguyễn-O’Brien "
"""As it was recorded: paper has single spaces."""


def refused(log_proof, **changes):
    with pytest.raises(Unverified) as refused:
        verify(text(**changes), ring(), GOOD, at=NOW, log_proof=log_proof)
    return refused.value.verdict


def test_a_proof_with_the_events_name_binds_it():
    for proof in (log_proof(), log_proof(of_name=naming(FULL), value=FULL)):
        found = verify(text(), ring(), GOOD, at=NOW, log_proof=proof)

        assert (found.verdict, found.checks[5].found) == ("valid", "at position 3")
        assert prove(CERTIFICATE, proof, ring()).named


def test_a_badge_has_the_same_name():
    assert verify_badge(badge(), ring(), GOOD, at=NOW, log_proof=log_proof()).checks[5].found == "at position 3"


def test_an_old_proof_is_as_good_as_before_and_says_that_it_does_not_bind_the_name():
    found = verify(text(), ring(), GOOD, at=NOW, log_proof=log_proof(of_name=b""))

    assert (found.verdict, found.log_position) == ("valid", 3)
    assert UNBOUND in found.checks[5].found


@pytest.mark.parametrize(
    ("proof", "verdict"),
    [
        (log_proof(of_name=naming("Somebody Else"), value="Somebody Else"), "tampered"),
        (log_proof(of_name=naming("Somebody Else")), "tampered"),
        (log_proof(value="Somebody Else"), "tampered"),
        (log_proof(blind=b64(bytes(16))), "tampered"),
        (log_proof(of_name=naming(version=2)), "tampered"),
        (log_proof(of_name=naming(stream="person/2")), "tampered"),
        (log_proof(of_name=naming(topic="person.likeness_found")), "tampered"),
        (log_proof(of_name=naming(position=2)), "tampered"),
        (log_proof(hashes=[bytes(32)] * 2), "tampered"),
        (log_proof(hashes=[bytes(32)] * 3), "malformed"),
        (log_proof(hashes=[b"short"]), "malformed"),
        (log_proof(hashes=[bytes(32)] * 64), "malformed"),
        (log_proof(blind=b64(BLIND[1:])), "malformed"),
        (log_proof(blind="%"), "malformed"),
        (log_proof(of_name=spelled([1, "person/1", 1, "person.registered", "e30"])), "malformed"),
        (log_proof(of_name=b"no event"), "malformed"),
    ],
)
def test_what_does_not_bind_this_name_is_refused(proof, verdict):
    assert refused(proof) == verdict


def test_another_name_on_what_the_log_holds_is_refused():
    assert refused(log_proof(), name="Somebody Else") == "tampered"
