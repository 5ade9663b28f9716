"""Stories of looking back: who moved, on whose word, under which rules, and what was only reported."""

import msgspec
import pytest
from telling import day

from domain.access import OPERATOR, Actor
from domain.editions import edition_for
from domain.errors import Forbidden, Invalid
from registry import reciprocity
from registry.moves import import_moves, problems, read_moves

HEAD = "Number,Record ID,Moved From,Moved To,Moved On"
EVER = day("2002-01-01"), day("2030-12-31")


@pytest.fixture
def looks_back(story):
    def report(association, from_=EVER[0], through=EVER[1], **facts):
        return reciprocity.report(story.store, association, from_, through, on=story.today(association), **facts)

    return report


@pytest.fixture
def reports(story):
    def take(association, *rows, actor=OPERATOR, **options):
        read = read_moves("\n".join([HEAD, *rows, ""]).encode(), association)
        return read, import_moves(story.registry, actor, read, **options)

    return take


def moved(story, human, to, *, on, accepted):
    story.it_is(on)
    human.move_person(residence=to)
    case = human.request_transfer(to=to, endorsements=[human.number])
    story.coordinator(story.endorsement(human.number).custodian).confirm_standing(case)
    story.it_is(accepted)
    receiving = story.coordinator(to)
    receiving.verify_membership(case, through=day("2027-12-31"))
    receiving.accept_transfer(case)
    return case


def test_an_association_asks_who_moved_here_on_whose_word_under_which_rules(story, looks_back):
    story.it_is("2024-03-04")
    tara = story.endorsed("Tara Mover", "IMHS", "TX", since="2019-06-03", through="2024-12-31")
    nora = story.endorsed("Nora North", "IFS", "CT", since="2019-06-03", through="2027-12-31")
    case = moved(story, tara, "CT", on="2024-03-04", accepted="2024-03-20")
    before = story.store.position()
    other = moved(story, nora, "TX", on="2024-05-06", accepted="2024-05-07")
    story.it_is("2025-02-03")

    found = looks_back("CT")
    (came,), (left,) = found.came, found.left
    assert (came.number, came.from_, came.to, came.moved_on) == (tara.number, "TX", "CT", day("2024-03-20"))
    assert (came.days, came.transfer, came.word, came.why) == (16, case, "confirmed", "transfer")
    assert (came.word_by, came.accepted_by) == ("coordinator:TX:txk1", "coordinator:CT:ctk1")
    assert came.edition_there == edition_for("IMHS", day("2024-03-20"), "CT").name
    assert came.membership_source == "coordinator"
    assert came.lapsed_on == day("2025-01-01")  # within a year of the move
    assert (left.number, left.days, left.lapsed_on) == (nora.number, 1, None)
    assert (found.days["least"], found.days["most"], found.days["median"]) == (1, 16, 8.5)
    stored = story.store.at(came.position)[1]
    assert (stored.topic, stored.originator_id) == ("endorsement.custody_transferred", f"endorsement/{tara.number}")
    assert [move.number for move in looks_back("TX").left] == [tara.number]

    # A period, and what was known then.
    assert looks_back("CT", through=day("2024-03-19")).came == []
    assert [move.number for move in looks_back("CT", day("2024-03-20"), day("2024-03-20")).came] == [tara.number]
    then = looks_back("CT", known=before)
    assert (len(then.came), then.left, then.position) == (1, [], before)
    assert looks_back("KS").came == looks_back("KS").left == []

    matrix = reciprocity.matrix(story.store, *EVER)
    assert (matrix.moves, matrix.total()) == ({"CT": {"TX": 1}, "TX": {"CT": 1}}, 2)
    assert reciprocity.matrix(story.store, *EVER, known=before).moves == {"TX": {"CT": 1}}
    told = [event.topic for _, event in reciprocity.story(story.store, other)]
    assert told[0] == "transfer.requested"
    assert "endorsement.custody_transferred" in told
    assert msgspec.json.decode(msgspec.json.encode(found))["came"][0]["from"] == "TX"
    table = reciprocity.table(found)
    assert [row[:2] for row in table[1:]] == [["came", tara.number], ["left", nora.number]]


def test_disputes_open_cases_and_cases_that_ended_are_told_with_their_age_and_outcome(story, looks_back):
    story.it_is("2026-03-02")
    dora, lars, mona, otto = (
        story.endorsed(name, "IFS", "NE", since="2020-03-02", through="2027-12-31")
        for name in ("Dora D", "Lars L", "Mona M", "Otto O")
    )
    ne, ks, alliance = story.coordinator("NE"), story.coordinator("KS"), story.alliance()
    disputed, silent, waits, gone = (
        human.request_transfer(to="KS", endorsements=[human.number]) for human in (dora, lars, mona, otto)
    )
    ne.confirm_standing(waits)
    ne.confirm_standing(gone)
    otto.cancel_transfer(gone)
    story.it_is("2026-03-05")
    ne.dispute_standing(disputed, reason="dues_open")
    story.it_is("2026-03-20")
    story.night()
    alliance.decide_dispute(disputed, good_standing=False)
    found = looks_back("KS")
    assert [(d.transfer, d.reason, d.outcome) for d in sorted(found.disputes, key=lambda d: d.on)] == [
        (disputed, "dues_open", "refused"), (silent, "no_word_in_time", "open"),
    ]  # fmt: skip
    assert {(e.transfer, e.state) for e in found.ended} == {(disputed, "refused"), (gone, "cancelled")}
    assert {(o.transfer, o.state, o.days) for o in found.open} == {(silent, "unanswered", 18), (waits, "confirmed", 18)}
    assert found.open_by_age == {
        "up to 14 days": 0, "15 to 30 days": 2, "31 to 90 days": 0, "more than 90 days": 0,
    }  # fmt: skip
    ne.confirm_standing(silent)
    assert {d.outcome for d in looks_back("NE").disputes} == {"refused", "confirmed_after_all"}
    ks.decline_transfer(waits, reason="no_membership")
    assert {(e.transfer, e.reason) for e in looks_back("KS").ended} >= {(waits, "no_membership")}


def test_moves_from_before_the_registry_are_matched_and_every_difference_is_a_finding(story, looks_back, reports):
    story.it_is("2026-03-02")
    anna, bert, cleo = (
        story.endorsed(name, "IFS", "CT", since="2015-03-02", through="2027-12-31") for name in ("Anna", "Bert", "Cleo")
    )
    read, tally = reports(
        "CT",
        f"{anna.number},,TX,CT,2018-05-02",
        f"{bert.number.lower()},,TX,CT,2019-01-07",
        f"{bert.number},,TX,CT,2019-01-07",
        f"{cleo.number},,KS,CT,05/02/2020",
        "IFS-7K3MQ9TD,,TX,CT,2018-05-02",
        f"{anna.number},,TX,CT,2014-05-02",
        f"{anna.number},,TX,KS,2018-05-02",
        f"{anna.number},,CT,CT,2018-05-02",
        f"{anna.number},,TX,CT,May",
        "IFS-7K3MQ9TE,,TX,CT,2018-05-02",
        ",,TX,CT,2018-05-02",
        f"{anna.number},,XX,CT,2018-05-02",
    )
    assert {error.row: error.kind for error in read.errors} == {
        8: "not_its_own", 9: "same_association", 10: "bad_date", 11: "bad_number", 12: "nothing_to_match",
        13: "unknown_association",
    }  # fmt: skip
    assert (tally.new, tally.unchanged, tally.rows) == (3, 1, {"unknown": [6], "impossible": [7]})
    assert any("awarded on 2015-03-02" in line for line in problems(tally))
    reports("TX", f"{anna.number},,TX,CT,2018-05-02", f"{bert.number},,TX,CT,2019-02-07")

    found = {one.number: one for one in looks_back("CT").reported}
    assert found[anna.number].finding is None
    assert found[bert.number].finding == "days_differ"
    assert (found[bert.number].said_by_releasing, found[bert.number].said_by_receiving) == (
        day("2019-02-07"), day("2019-01-07"),
    )  # fmt: skip
    assert found[cleo.number].finding == "only_receiving_side"
    assert looks_back("CT").came == []  # reported, never proved: nobody's custody changed
    assert story.endorsement(anna.number).custodian == "CT"
    assert [one.number for one in looks_back("KS").reported] == [cleo.number]
    assert looks_back("CT", day("2021-01-01")).reported == []
    rows = reciprocity.table(looks_back("CT"))
    assert [row[8:10] for row in rows[1:]] == [
        ["reported", "both sides agree"], ["reported", "days_differ"], ["reported", "only_receiving_side"],
    ]  # fmt: skip
    # The same file again records nothing, and the claims follow from the events.
    position = story.store.position()
    again = reports("CT", f"{anna.number},,TX,CT,2018-05-02")[1]
    assert (again.unchanged, story.store.position()) == (1, position)
    assert story.store.rebuild_claims()
    assert {one.number for one in looks_back("CT").reported} == set(found)


def test_only_an_associations_own_moves_are_its_coordinators_to_report(story, reports):
    story.it_is("2026-03-02")
    anna = story.endorsed("Anna", "IFS", "CT", since="2015-03-02", through="2027-12-31")
    row = f"{anna.number},,TX,CT,2018-05-02"
    with pytest.raises(Forbidden):
        reports("CT", row, actor=Actor("coordinator", association="TX"))
    assert reports("CT", row, actor=Actor("coordinator", association="CT"), dry_run=True)[1].new == 1
    assert story.endorsement(anna.number).moves_reported == ()
    with pytest.raises(Invalid, match="neither side"):
        story.endorsement(anna.number).report_move(
            "KS", "TX", "CT", day("2018-05-02"), on=day("2026-03-02"), by="coordinator:KS"
        )
