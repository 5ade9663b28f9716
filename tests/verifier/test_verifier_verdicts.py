"""What each verdict needs, and which of several comes first."""

from itertools import compress, product

import pytest
from papers import (
    CERTIFICATE,
    HOST,
    ISSUER,
    ISSUING,
    LISTED,
    LISTING,
    NOW,
    STRANGER,
    TRANSFERRED,
    at_hand,
    keys_json,
    listed,
    log_proof,
    noted,
    of_payload,
    public,
    ring,
    seconds,
    spelled,
    text,
    when,
)

from verifier import cbor, cose, keys, proof, status
from verifier import certificate as qr
from verifier.keys import Key, KeyRing
from verifier.verdict import LANGUAGES, VERDICTS, Notice, Unverified, decide, sentence, worst
from verifier.verification import CHECKS, verify

GOOD = at_hand(listed())
HERE = CERTIFICATE.status_index


def verdict(words, keys=None, statuses=GOOD, at=NOW, **more):
    try:
        return verify(words, keys or ring(), statuses, at=at, **more).verdict
    except Unverified as refused:
        return refused.verdict


def zeroed(words):
    """As if the last group of digits had been misread: the last bytes of the signature are gone."""
    return words[:-17] + "0" * 17


class TestEachVerdict:
    def test_valid(self):
        found = verify(text(), ring(), GOOD, at=NOW)

        assert (found.verdict, found.exit, found.certificate) == ("valid", 0, CERTIFICATE)
        assert found.as_of == when("2026-11-22T06:00:00Z")
        assert [check.number for check in found.checks] == list(range(1, 11))
        assert all(check.passed for check in found.checks if check.check != CHECKS[5])

    @pytest.mark.parametrize(
        "words",
        ["", "#", "123", "https://registry.example/v1#", "https://registry.example/v1#123", "hello", "x" * 5000],
    )
    def test_malformed(self, words):
        assert verdict(words) == "malformed"

    @pytest.mark.parametrize("host", ["reg1stry.example", "registry.example.evil", "registry.example:8443"])
    def test_wrong_domain(self, host):
        assert verdict(text(host=host)) == "wrong_domain"

    def test_wrong_domain_says_so_before_the_key_is_looked_for(self):
        with pytest.raises(Unverified) as refused:
            verify(text(host="verify.a1mh.example", by=STRANGER), ring(), at=NOW)

        assert [(check.number, check.passed) for check in refused.value.checks] == [(1, True), (2, False)]

    def test_any_address_is_good_where_none_is_pinned(self):
        assert verdict(text(host="elsewhere.example"), ring(prefixes=())) == "valid"
        assert verdict(text(host="elsewhere.example"), prefixes=()) == "valid"
        assert verdict(text(host="elsewhere.example"), prefixes=[qr.prefix("elsewhere.example")]) == "valid"

    def test_unknown_key(self):
        assert verdict(text(by=STRANGER)) == "unknown_key"
        assert verdict(text(), KeyRing()) == "unknown_key"

    def test_a_list_key_signs_no_certificate(self):
        assert verdict(text(by=LISTING)) == "unknown_key"

    def test_tampered(self):
        assert verdict(zeroed(text())) == "tampered"

    def test_issuer_mismatch(self):
        assert verdict(text(issuer="did:web:other.example")) == "issuer_mismatch"

    def test_key_revoked(self):
        assert verdict(text(), ring(withdrawn="2026-11-01T00:00:00Z")) == "key_revoked"

    def test_it_begins_on_its_first_second(self):
        first = seconds("2026-11-22T12:00:00Z")

        assert verdict(text(valid_from=first)) == "valid"
        assert verdict(text(valid_from=first + 1)) == "not_yet_valid"

    def test_it_is_good_to_the_end_of_its_last_second(self):
        assert (
            verdict(text(expires_at=seconds("2026-11-22T12:00:00Z")), at=when("2026-11-22T12:00:00.999999Z")) == "valid"
        )
        assert verdict(text(expires_at=seconds("2026-11-22T11:59:59Z"))) == "expired"

    @pytest.mark.parametrize(("bit", "name"), [(1, "revoked"), (2, "suspended"), (3, "superseded")])
    def test_what_the_list_says(self, bit, name):
        found = verify(text(), ring(), at_hand(listed({HERE: bit})), at=NOW)

        assert (found.verdict, found.exit, found.notice) == (name, 1, None)
        assert found.as_of == when("2026-11-22T06:00:00Z")

    def test_a_time_needs_its_zone(self):
        with pytest.raises(ValueError, match="zone"):
            verify(text(), ring(), at=NOW.replace(tzinfo=None))


class TestStatusUnknown:
    @pytest.mark.parametrize(
        ("statuses", "why"),
        [
            (None, "no status list was given"),
            (at_hand(), "no list"),
            (at_hand(listed(uri=f"https://{HOST}/s/2")), "no list"),
            (at_hand(listed(by=STRANGER)), "no key"),
            (at_hand(listed({HERE: 1}, iat=LISTED - 7 * 86400)), "too old"),
            (at_hand(listed(iat=LISTED + 7 * 86400)), "this device's clock is behind the list"),
            (at_hand(listed(iat=1 << 60)), "this device's clock is behind the list"),
            (at_hand(listed(size=4096)), "no such entry"),
            (at_hand(listed({HERE: 5}, bits=4)), "a status 5"),
        ],
    )
    def test_is_never_shown_as_valid_nor_as_revoked(self, statuses, why):
        found = verify(text(), ring(), statuses, at=NOW)

        assert (found.verdict, found.exit, found.as_of) == ("status_unknown", 3, None)
        assert why in found.checks[8].found
        assert found.checks[8].passed is None

    def test_a_list_of_a_withdrawn_key_says_nothing(self):
        assert verdict(text(), ring(list_key_withdrawn="2026-11-01")) == "status_unknown"

    def test_a_list_is_good_to_its_last_second(self):
        end = LISTED + status.LIFE

        assert verdict(text(), statuses=at_hand(listed()), at=when("2026-11-24T06:00:00Z")) == "valid"
        assert seconds("2026-11-24T06:00:00Z") == end
        assert verdict(text(), statuses=at_hand(listed()), at=when("2026-11-24T06:00:01Z")) == "status_unknown"

    def test_a_list_may_be_a_little_ahead_of_the_readers_clock(self):
        now = int(NOW.timestamp())

        assert verdict(text(), statuses=at_hand(listed(iat=now + 600))) == "valid"
        assert verdict(text(), statuses=at_hand(listed(iat=now + 601))) == "status_unknown"

    def test_a_clock_set_back_to_when_an_old_list_was_good_shows(self):
        """Whoever holds an old list and a newer one can't make the old one count by setting the clock back."""
        lists = at_hand(listed(), listed({HERE: 1}, iat=LISTED + 3 * 86400))

        assert verdict(text(), statuses=lists) == "status_unknown"

    def test_another_issuer_does_not_speak_of_ours(self):
        other = Key("status", "did:web:other.example:status", "did:web:other.example:status#1", public(STRANGER))

        assert verdict(text(), ring() | KeyRing([other]), at_hand(listed(by=STRANGER))) == "status_unknown"

    def test_a_list_found_at_the_wrong_address_says_nothing(self):
        other = listed(uri=f"https://{HOST}/s/2")

        assert verdict(text(), statuses=status.Statuses(lambda uri: [other])) == "status_unknown"


class TestNotes:
    def test_say_where_the_endorsement_is_now(self):
        statuses = at_hand(listed({HERE: 3}), noted({HERE: TRANSFERRED}))

        found = verify(text(), ring(), statuses, at=NOW)

        assert found.notice == TRANSFERRED
        assert "This paper was replaced on 2026-11-20: transferred to CT." in found.sentence("en")
        assert "reemplazado el 2026-11-20: transferido a CT." in found.sentence("es")
        assert "The endorsement itself is active, held by CT." in found.sentence("en")

    def test_of_a_good_certificate_are_not_read(self):
        assert verify(text(), ring(), at_hand(listed(), noted({HERE: TRANSFERRED})), at=NOW).notice is None

    @pytest.mark.parametrize(
        "notes",
        [
            noted({HERE: TRANSFERRED}, by=STRANGER),
            noted({HERE: TRANSFERRED}, iat=LISTED - 7 * 86400),
            noted({HERE: TRANSFERRED}, iat=LISTED + 7 * 86400),
            noted({HERE + 1: TRANSFERRED}),
            noted({HERE: TRANSFERRED}, uri=f"https://{HOST}/s/2.notes"),
            noted({HERE: TRANSFERRED})[:-1],
        ],
    )
    def test_that_cannot_be_believed_explain_nothing_and_change_nothing(self, notes):
        found = verify(text(), ring(), at_hand(listed({HERE: 3}), notes), at=NOW)

        assert (found.verdict, found.notice) == ("superseded", None)

    def test_words_that_we_do_not_know_are_shown_as_they_are(self):
        said = sentence("superseded", "en", Notice("merged", "2026-11-20", "honorary", "CT"))

        assert "replaced on 2026-11-20: merged. The endorsement itself is honorary, held by CT." in said

    def test_an_old_paper_never_hides_a_removal(self):
        said = sentence("superseded", "en", Notice("renewed", "2026-11-20", "removed", "CT"))

        assert "The endorsement itself is removed, held by CT." in said

    def test_of_a_letter_speak_of_no_endorsement(self):
        said = sentence("revoked", "en", TRANSFERRED, "letter")

        assert said == VERDICTS["revoked"].words("en", "letter").sentence


class TestLogProof:
    @pytest.mark.parametrize("uri", [f"https://{HOST}/s/2", f"https://{HOST}/s/1.notes", f"https://{HOST}/s/11", ""])
    def test_binds_the_number_of_the_status_list(self, uri):
        assert verdict(text(status_uri=uri)) != "tampered"
        assert verdict(text(status_uri=uri), log_proof=log_proof()) == "tampered"

    def test_of_a_retired_log_key_counts_and_of_a_withdrawn_one_is_as_good_as_none(self):
        page = keys_json(log={"origin": f"{HOST}/log", "vkey": proof.vkey(f"{HOST}/log", public(STRANGER))})
        retired = keys.read_keys_json(spelled(page))
        page["keys"][2]["withdrawn"] = "2026-11-01T00:00:00Z"
        withdrawn = keys.read_keys_json(spelled(page))

        assert verify(text(), retired, GOOD, at=NOW, log_proof=log_proof()).log_position
        for own in (withdrawn, retired | withdrawn):
            found = verify(text(), own, GOOD, at=NOW, log_proof=log_proof())
            assert (found.verdict, found.log_position) == ("valid", None)

    def test_of_this_certificate_gives_its_position(self):
        found = verify(text(), ring(), GOOD, at=NOW, log_proof=log_proof())

        assert (found.verdict, found.log_position) == ("valid", CERTIFICATE.log_index + 1)
        assert found.checks[5].passed

    def test_without_one_there_is_no_position(self):
        found = verify(text(), ring(), GOOD, at=NOW)

        assert (found.log_position, found.checks[5].passed) == (None, None)


class TestPrecedence:
    """Every combination of conditions: the first of the table is the verdict."""

    STANDINGS = (0, 1, 2, 3, "none", "stale")

    @pytest.fixture(scope="class")
    @staticmethod
    def lists():
        made = {bit: at_hand(listed({HERE: bit})) for bit in range(4)}
        return made | {"none": None, "stale": at_hand(listed({HERE: 1}, iat=LISTED - 7 * 86400))}

    @pytest.mark.parametrize(("malformed", "wrong_domain", "unknown_key"), list(product((False, True), repeat=3)))
    def test_holds_for(self, lists, malformed, wrong_domain, unknown_key):
        for tampered, mismatch, withdrawn, early, late in product((False, True), repeat=5):
            certificate = CERTIFICATE._replace(
                issuer="did:web:other.example" if mismatch else ISSUER,
                valid_from=seconds("2027-01-01T00:00:00Z") if early else CERTIFICATE.valid_from,
                expires_at=seconds("2026-01-01T00:00:00Z") if late else CERTIFICATE.expires_at,
            )
            payload = qr.claims(certificate)
            if malformed:
                payload = cbor.encode(cbor.decode(payload) | {3: "a claim of nobody's"})
            words = of_payload(
                payload, by=STRANGER if unknown_key else ISSUING, host="e.example" if wrong_domain else HOST
            )
            words = zeroed(words) if tampered else words
            keys = ring(withdrawn="2026-11-01" if withdrawn else None)
            for standing in self.STANDINGS:
                expected = next(
                    name
                    for name, applies in [
                        ("malformed", malformed),
                        ("wrong_domain", wrong_domain),
                        ("unknown_key", unknown_key),
                        ("tampered", tampered),
                        ("issuer_mismatch", mismatch),
                        ("key_revoked", withdrawn),
                        ("not_yet_valid", early),
                        ("revoked", standing == 1),
                        ("suspended", standing == 2),
                        ("superseded", standing == 3),
                        ("expired", late),
                        ("status_unknown", standing in {"none", "stale"}),
                        ("valid", True),
                    ]
                    if applies
                )
                assert verdict(words, keys, lists[standing]) == expected


class TestALetterOfRegistration:
    def test_that_holds_is_no_endorsement(self):
        found = verify(text(typ=qr.LETTER_TYP), ring(), GOOD, at=NOW)

        assert (found.kind, found.verdict, found.exit) == ("letter", "not_an_endorsement", 1)
        assert "This is not an endorsement." in found.sentence("en")
        assert "Esto no es un aval." in found.sentence("es")

    @pytest.mark.parametrize(
        ("changes", "statuses", "name"),
        [
            ({"expires_at": seconds("2026-01-01T00:00:00Z")}, GOOD, "expired"),
            ({}, at_hand(listed({HERE: 1})), "revoked"),
            ({}, None, "status_unknown"),
        ],
    )
    def test_has_the_verdicts_of_a_certificate_in_its_own_words(self, changes, statuses, name):
        found = verify(text(typ=qr.LETTER_TYP, **changes), ring(), statuses, at=NOW)

        assert (found.verdict, found.words()) == (name, VERDICTS[name].letter_en)
        assert "This is not an endorsement." in found.sentence("en")


AUTHENTIC = [row for row in VERDICTS.values() if row.exit in {1, 3} and row.name != "cannot_check"]


class TestTheTable:
    def test_is_in_the_order_and_with_the_exits_of_the_contract(self):
        assert [(row.name, row.exit, row.look) for row in VERDICTS.values()] == [
            ("malformed", 2, "unsure"),
            ("wrong_domain", 2, "stop"),
            ("cannot_check", 3, "unsure"),
            ("unknown_key", 2, "stop"),
            ("tampered", 2, "stop"),
            ("issuer_mismatch", 2, "stop"),
            ("key_revoked", 1, "stop"),
            ("not_yet_valid", 1, "warn"),
            ("revoked", 1, "stop"),
            ("suspended", 1, "stop"),
            ("superseded", 1, "warn"),
            ("expired", 1, "warn"),
            ("status_unknown", 3, "unsure"),
            ("not_an_endorsement", 1, "unsure"),
            ("valid", 0, "good"),
        ]

    @pytest.mark.parametrize("kind", ["certificate", "badge", "letter", "proof"])
    @pytest.mark.parametrize("name", VERDICTS)
    def test_says_what_it_is_what_it_is_not_and_what_to_do_in_both_languages(self, name, kind):
        english, spanish = (VERDICTS[name].words(lang, kind) for lang in LANGUAGES)

        assert all(one != other for one, other in zip(english[1:], spanish[1:], strict=True))
        for said in (english, spanish):
            assert all(part.endswith(".") for part in said[1:])
            assert all(len(part.split()) <= 20 for part in said)
            assert said.sentence == " ".join(said[1:])
        assert sentence(name, "es", kind=kind) == spanish.sentence

    @pytest.mark.parametrize("row", AUTHENTIC, ids=lambda row: row.name)
    def test_never_says_of_a_letter_that_it_shows_an_endorsement(self, row):
        for lang, denial in (("en", "This is not an endorsement."), ("es", "Esto no es un aval.")):
            words = row.words(lang, "letter")
            assert words.what_not.startswith(denial)
            assert "endorse" not in (words.what + words.now).lower()


class TestDeciding:
    """Every combination of conditions there is."""

    CONDITIONS = tuple(row.condition for row in VERDICTS.values())
    LISTED = frozenset({"listed_good", "listed_revoked", "listed_suspended", "listed_superseded"})

    @pytest.fixture(scope="class")
    @classmethod
    def decided(cls):
        combinations = [
            frozenset(compress(cls.CONDITIONS, chosen)) for chosen in product((False, True), repeat=len(cls.CONDITIONS))
        ]
        return [(conditions, decide(conditions)) for conditions in combinations]

    def test_takes_the_first_row_in_order_whose_condition_was_found(self, decided):
        for conditions, row in decided:
            found = conditions if conditions & self.LISTED else conditions | {"unlisted"}
            assert row.condition == min(found, key=self.CONDITIONS.index)

    def test_is_never_valid_without_a_fresh_status_nor_of_a_letter(self, decided):
        good = [conditions for conditions, row in decided if row.name == "valid" or row.exit == 0 or row.look == "good"]

        assert good == [{"listed_good"}]

    def test_what_our_side_could_not_fetch_or_read_makes_nothing_inauthentic(self, decided):
        """Taking away what we had at hand never turns an answer into exit 2."""
        for conditions, row in decided:
            for lacking in (conditions - self.LISTED | {"unlisted"}, conditions | {"unequipped"}):
                assert decide(lacking).exit != 2 or row.exit == 2
        assert all(decide(lacking).exit == 3 for lacking in ({"unequipped"}, {"unlisted"}, set()))

    def test_reaches_every_verdict(self, decided):
        assert {row.name for _, row in decided} == VERDICTS.keys()

    @pytest.mark.parametrize(
        ("exits", "expected"), [([], 0), ([0, 0], 0), ([0, 3], 3), ([3, 1, 0], 1), ([1, 2, 3], 2), ([2, 64], 64)]
    )
    def test_the_worst_of_several(self, exits, expected):
        assert worst(exits) == expected


def test_a_certificate_is_read_the_same_under_both_names_of_the_algorithm():
    """RFC 9864 calls it -19; we write -8 and take both."""

    payload = qr.claims(CERTIFICATE)
    protected = cbor.encode({1: -19, 4: cose.thumbprint(public(ISSUING)), 16: qr.TYP})
    message = cose.enclose(protected, payload, ISSUING.sign(cose.to_be_signed(protected, payload)))

    assert verdict(qr.text(HOST, message)) == "valid"
