"""References: asked by a link, vetted, void with too many answers unknown, good for a year, each in one place."""

from datetime import date, timedelta

import pytest
from given import DAY, fact, given, then

from domain.editions import REFERENCES, reference_rule
from domain.errors import Invalid, OutOfTurn
from domain.event import personal_fields
from domain.events import TOPICS
from domain.reference import ASKED, Reference, an_address, counted, shown_answers

HOLDER, RATER, VA = "holder:p1:s1", "rater:r1", "coordinator:VA:k1"
CODES = tuple(ASKED)


def nominated(relationship="supervisor", on=DAY, match="m1", **facts):
    return fact(
        Reference.Nominated, person="p1", association="VA", relationship=relationship, waiver=facts.pop("waiver", True),
        name="Ada Rater", email="ada@example.org", match=match, on=on, by=HOLDER, **facts,
    )  # fmt: skip


def requested(on=DAY, link="hash"):
    return fact(Reference.Requested, link=link, until=on + timedelta(days=90), on=on, by=HOLDER)


def rated(on=DAY, unknown=0, held=""):
    return fact(
        Reference.Rated, answers="{}", unknown=unknown, recommendation="recommend", completed_on=on,
        known_a_year=True, held=held, on=on, by=RATER,
    )  # fmt: skip


def vetted(qualified=True, on=DAY):
    return fact(Reference.Vetted, qualified=qualified, note="Phoned.", on=on, by=VA)


def a_reference(*facts, name="r1"):
    return given(Reference(name), *facts)


def given_by(name, relationship, on=DAY, unknown=0, held="", vetting=None, **facts):
    """A rating that was given, by a rater of its own."""
    known = [nominated(relationship, on=on, match=facts.pop("match", f"m-{name}"), **facts), requested(on)]
    return a_reference(*known, rated(on, unknown, held), *([vetted(vetting, on)] if vetting is not None else []),
                       name=name)  # fmt: skip


def answers(**unlike):
    return dict.fromkeys(CODES, 3) | unlike


def nominate(reference, *, others=(), on=DAY, **unlike):
    facts = {"name": "Ada Rater", "email": "ada@example.org", "match": "m1", "waiver": True} | unlike
    reference.nominate("p1", "VA", "supervisor", others=others, on=on, by=HOLDER, **facts)


# --- stories


def test_a_rater_is_nominated_with_relationship_and_waiver():
    reference = Reference("r1")

    nominate(reference, email=" ada@example.org ")

    assert then(reference) == [nominated()]


def test_nobody_rates_themselves():
    with pytest.raises(Invalid, match="Nobody rates themselves"):
        nominate(Reference("r1"), rater="p1")
    with pytest.raises(Invalid, match="Nobody rates themselves"):
        nominate(Reference("r1"), own_match="m1")


def test_a_rater_is_asked_once_while_their_reference_is_open_or_good():
    waiting = a_reference(nominated(), requested())
    good = given_by("r1", "supervisor", match="m1")
    same_person = a_reference(nominated(match="m2", rater="p9"))
    for other, again in ((waiting, {}), (good, {}), (same_person, {"match": "m3", "rater": "p9"})):
        with pytest.raises(Invalid, match="was asked already") as refused:
            nominate(Reference("r2"), others=[other], **again)
        assert refused.value.field == "email"
    for gone in (
        a_reference(nominated(), requested(), fact(Reference.Declined, reason="no_time", by=RATER)),
        a_reference(nominated(), fact(Reference.Withdrawn, by=HOLDER)),
        given_by("r1", "supervisor", on=DAY - timedelta(days=366), match="m1"),
        a_reference(nominated(match="")),
    ):
        nominate(Reference("r2"), others=[gone])


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "ada@example", "a b@example.org", "a@b.org\nBcc: x@y.org", "a@b.org,c@d.org"]
)
def test_an_address_is_one_address(address):
    with pytest.raises(Invalid, match="one e-mail address"):
        an_address(address)


def test_a_new_link_kills_the_old_one():
    reference = a_reference(nominated(), requested(link="first"))

    reference.request("second", on=DAY + timedelta(days=3), by=VA)

    assert reference.link == "second"
    assert reference.link_until == DAY + timedelta(days=93)
    assert [event.claims().take for event in reference.pending] == [("rating_link/second",)]


def test_a_rater_is_reminded_once_a_day_and_only_while_the_link_is_good():
    reference = a_reference(nominated(), requested())
    reference.remind(on=DAY + timedelta(days=14), by="operator")
    with pytest.raises(OutOfTurn, match="reminded today"):
        reference.remind(on=DAY + timedelta(days=14), by=VA)
    with pytest.raises(OutOfTurn, match="link expired"):
        reference.remind(on=DAY + timedelta(days=91), by=VA)


def test_a_rating_counts_what_the_rater_could_not_say():
    reference = a_reference(nominated(), requested())

    reference.rate(answers(RF="unknown"), asked=CODES, recommendation="recommend", known_a_year=True, on=DAY, by=RATER)

    (event,) = reference.pending
    assert event.unknown == 1
    assert shown_answers(event.answers)["RF"] == "unknown"
    assert reference.state == "rated"
    assert reference.good_through == DAY + timedelta(days=365)


def test_every_line_is_answered_and_nothing_else():
    reference = a_reference(nominated(), requested())
    given_ = {"asked": CODES, "recommendation": "recommend", "known_a_year": True, "on": DAY, "by": RATER}
    with pytest.raises(Invalid, match="Answer every line") as refused:
        reference.rate({"TF": 3}, **given_)
    assert refused.value.field == "LR"
    with pytest.raises(Invalid, match="was not asked"):
        reference.rate(answers(XX=1), **given_)
    assert not reference.pending


def test_a_declined_or_withdrawn_one_is_not_rated():
    for gone in (fact(Reference.Declined, reason="no_time", by=RATER), fact(Reference.Withdrawn, by=HOLDER)):
        reference = a_reference(nominated(), requested(), gone)
        with pytest.raises(OutOfTurn):
            reference.rate(answers(), asked=CODES, recommendation="recommend", known_a_year=True, on=DAY, by=RATER)


def test_what_was_given_is_not_the_applicants_to_take_back():
    with pytest.raises(OutOfTurn):
        given_by("r1", "supervisor").withdraw(on=DAY, by=HOLDER)


def test_vetting_needs_its_note():
    reference = a_reference(nominated(), requested())
    with pytest.raises(Invalid) as refused:
        reference.vet(qualified=True, note="  ", on=DAY, by=VA)
    assert refused.value.field == "note"
    reference.vet(qualified=True, note="Phoned.", on=DAY, by=VA)
    assert then(reference) == [vetted()]


def test_erasing_again_changes_nothing():
    reference = given_by("r1", "supervisor")
    reference.erase(on=DAY, by="operator")
    assert reference.state == "erased"
    reference.erase(on=DAY, by="operator")
    assert len(reference.pending) == 1


def test_everything_a_rater_or_a_coordinator_writes_is_sealed_under_the_references_own_key():
    sealed = {t: set(personal_fields(kind)) for t, kind in TOPICS.items() if t.startswith("reference.")}
    assert {topic: fields for topic, fields in sealed.items() if fields} == {
        "reference.nominated": {"name", "email", "match"},
        "reference.vetted": {"note"},
        "reference.rated": {"answers", "comment"},
        "reference.reasons_relayed": {"reasons"},
    }
    assert {kind for t in sealed for kind in personal_fields(TOPICS[t]).values()} == {"reference"}


# --- what counts

SUPERVISOR = given_by("s1", "supervisor")
PROVIDER = given_by("s2", "rsc_provider")
TEACHER = given_by("s3", "teacher")


def why(found):
    return {judged.reference: judged.reason for judged in found.judged}


def test_r4_three_references_fill_the_three_places():
    found = counted([TEACHER, PROVIDER, SUPERVISOR], "IFS", "VA", DAY)
    assert (found.count, found.slots, found.open) == (3, ("supervisor", "rsc_provider", "knows_the_work"), ())
    assert {judged.reference: judged.slot for judged in found.judged} == {
        "s1": "supervisor", "s2": "rsc_provider", "s3": "knows_the_work",
    }  # fmt: skip


def test_r4_an_add_on_needs_two_a_supervisor_of_reflection_and_a_supervisee():
    supervisee = given_by("s4", "rsc_receiver")
    for category in ("ERS", "IFS+ERS"):
        assert counted([PROVIDER, supervisor := SUPERVISOR, supervisee], category, "VA", DAY).open == ()
        assert counted([PROVIDER, supervisor], category, "VA", DAY).open == ("rsc_receiver",)


def test_r5_six_unknown_answers_void_it_and_five_do_not():
    reference = a_reference(nominated(), requested())
    five = answers(**dict.fromkeys(CODES[:5], "unknown"))
    six = answers(**dict.fromkeys(CODES[:6], "unknown"))
    reference.rate(six, asked=CODES, recommendation="recommend", known_a_year=True, on=DAY, by=RATER)
    assert reference.state == "rejected"
    assert reference.reason == "too_many_unknown"
    assert why(counted([reference], "IFS", "VA", DAY)) == {"r1": "too_many_unknown"}

    other = a_reference(nominated(), requested())
    other.rate(five, asked=CODES, recommendation="recommend", known_a_year=True, on=DAY, by=RATER)
    assert other.state == "rated"
    assert counted([other], "IFS", "VA", DAY).count == 1
    # One that was taken over with too many is judged the same.
    assert why(counted([given_by("r9", "supervisor", unknown=6)], "IFS", "VA", DAY)) == {"r9": "too_many_unknown"}


def test_r5_a_rating_counts_for_a_year_measured_to_submission():
    last = DAY + timedelta(days=365)
    assert counted([SUPERVISOR], "IFS", "VA", last).count == 1
    assert why(counted([SUPERVISOR], "IFS", "VA", last + timedelta(days=1))) == {"s1": "expired"}
    assert why(counted([SUPERVISOR], "IFS", "VA", DAY - timedelta(days=1))) == {"s1": "not_yet"}
    assert counted([SUPERVISOR], "IFS", "VA", DAY).judged[0].through == last


def test_r5_one_of_the_three_is_the_current_supervisor():
    colleagues = [given_by(f"c{n}", "colleague") for n in range(3)]
    for category in ("IFA", "ECFS", "IMHS", "IMHM-C", "IMHM-P", "IMHM-RF"):
        assert "supervisor" in counted(colleagues, category, "VA", DAY).open
        assert "supervisor" in counted([*colleagues, SUPERVISOR], category, "VA", DAY).slots


def test_r6_a_rater_who_is_not_endorsed_qualifies_only_after_vetting():
    others = [SUPERVISOR, given_by("c1", "colleague")]
    stranger = given_by("q1", "other")
    found = counted([*others, stranger], "IFA", "VA", DAY)
    assert found.open == ("qualified",)
    assert why(found)["q1"] == "not_vetted"
    assert counted([*others, given_by("q1", "other", vetting=True)], "IFA", "VA", DAY).open == ()
    refused = counted([*others, given_by("q1", "other", vetting=False)], "IFA", "VA", DAY)
    assert refused.open == ("qualified",)
    assert why(refused)["q1"] == "no_slot"


def test_r6_an_endorsed_rater_qualifies_where_the_row_says_so():
    others = [SUPERVISOR, given_by("c1", "colleague")]
    assert counted([*others, given_by("q1", "other", held="IFA")], "IFA", "VA", DAY).open == ()
    old = date(2015, 5, 1)
    aged = [given_by("s1", "supervisor", old), given_by("c1", "colleague", old)]
    assert counted([*aged, given_by("q1", "other", old, held="IFA")], "IFA", "VA", old).open == ("qualified",)
    assert counted([*aged, given_by("q1", "other", old, held="IMHS")], "IFA", "VA", old).open == ()


def test_r6_a_number_whose_holders_address_we_do_not_know_qualifies_nobody():
    """Anybody can type a public number next to a friend's address."""
    reference = a_reference(nominated(endorsement="IMHS-7K3MQ9T5", rater="p9", confirmed=False), requested())
    reference.rate(answers(), asked=CODES, recommendation="recommend", known_a_year=True, held="IMHS", on=DAY, by=RATER)
    assert reference.held == ""
    reference = a_reference(nominated(endorsement="IMHS-7K3MQ9T5", rater="p9", confirmed=True), requested())
    reference.rate(answers(), asked=CODES, recommendation="recommend", known_a_year=True, held="IMHS", on=DAY, by=RATER)
    assert reference.held == "IMHS"


def test_one_rater_fills_one_place():
    twice = [given_by("a1", "supervisor", match="same"), given_by("a2", "rsc_provider", match="same")]
    found = counted([*twice, TEACHER], "IFS", "VA", DAY)
    assert found.count == 2
    assert sorted(why(found).values()) == ["counts", "counts", "same_rater"]


def test_places_are_filled_so_that_as_many_as_can_be_are():
    """The endorsed colleague could take either place, the plain one only the other: both are placed."""
    endorsed = given_by("c1", "colleague", held="IMHS")
    plain = given_by("c2", "colleague")
    for order in ([SUPERVISOR, endorsed, plain], [plain, endorsed, SUPERVISOR]):
        assert counted(order, "IFA", "VA", DAY).open == ()


def test_a_second_supervisor_fits_the_third_place_of_a_specialist_and_not_of_a_family_specialist():
    second = given_by("s9", "supervisor")
    assert counted([SUPERVISOR, PROVIDER, second], "IMHS", "VA", DAY).open == ()
    found = counted([SUPERVISOR, PROVIDER, second], "IFS", "VA", DAY)
    assert found.open == ("knows_the_work",)
    assert found.count == 3


def test_what_was_not_given_does_not_count():
    gone = [
        a_reference(nominated(), requested(), name="w"),
        a_reference(nominated(), requested(), fact(Reference.Declined, reason="no_time", by=RATER), name="d"),
        a_reference(nominated(), fact(Reference.Withdrawn, by=HOLDER), name="t"),
        a_reference(nominated(), requested(), rated(), fact(Reference.Erased, by="operator"), name="e"),
    ]
    found = counted(gone, "IFS", "VA", DAY)
    assert found.count == 0
    assert why(found) == {"w": "waiting", "d": "declined", "t": "withdrawn", "e": "erased"}
    assert all(judged.why for judged in found.judged)


def test_r27_nothing_of_a_waived_rating_is_relayed():
    waived = given_by("r1", "supervisor", waiver=True)
    with pytest.raises(Invalid, match="waived"):
        waived.relay_reasons("More about reflection.", on=DAY, by=VA)
    kept = given_by("r1", "supervisor", waiver=False)
    kept.relay_reasons("More about reflection.", on=DAY, by=VA)
    assert then(kept) == [fact(Reference.ReasonsRelayed, reasons="More about reflection.")]


# --- laws over every row


@pytest.mark.parametrize("rule", REFERENCES, ids=lambda rule: rule.name)
def test_every_row_of_references_has_places_of_its_own_with_a_source(rule):
    names = [slot.name for slot in rule.slots]
    assert len(set(names)) == len(names) == (2 if rule.slot == "ERS" else 3)
    assert rule.source
    assert all(slot.source and slot.words for slot in rule.slots)
    assert reference_rule(rule.slot, rule.effective) in REFERENCES


def test_more_references_never_hurt():
    some = [SUPERVISOR, PROVIDER]
    for more in (TEACHER, given_by("x", "other"), a_reference(nominated(), requested(), name="w")):
        before, after = counted(some, "IFS", "VA", DAY), counted([*some, more], "IFS", "VA", DAY)
        assert set(before.slots) <= set(after.slots)
        assert before.count <= after.count
