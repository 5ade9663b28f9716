"""Competencies: codes, coverage, a licensee's catalogue, and each reviewer's judgement of them."""

import pytest
from given import DAY, fact, given, then

from domain.application import Application, Snapshot
from domain.category import CATEGORIES
from domain.competency import (
    BY_REFERENCE,
    DOMAINS,
    OURS,
    Competencies,
    agreement,
    coverage,
    read_catalogue,
)
from domain.errors import Forbidden, Invalid, RequirementsNotMet
from domain.policy import Practice, Tally

BY = "reviewer:r1:k1"
SLOTS = sorted({category.slot for category in CATEGORIES.values()})
IN_REVIEW = (
    fact(Application.Started, person="p1", association="VA", category="IFS"),
    fact(Application.Submitted, edition="FS-2023", person_version=4, entries=("E2",), tally=Tally()),
    fact(Application.ReviewerAssigned, reviewer="IFS-1", person="r1", held="IFS"),
)


def test_codes_are_stable():
    """A code never gets another meaning: these are the ones entries and judgements name."""
    labels = {area.code: area.label for area in OURS.areas}
    assert len(labels) == len(OURS.areas)
    assert labels["TF-1"] == "Pregnancy and early parenthood"
    assert labels["TF-12"] == "Statistics"
    assert labels["DS-8"] == "Reflective supervision and consultation"
    assert labels["RF-6"] == "Parallel process"


def test_every_area_has_a_domain_a_source_and_a_short_label_of_our_own():
    assert {area.domain for area in OURS.areas} == set(DOMAINS)
    for area in OURS.areas:
        assert area.source
        assert 0 < len(area.label) <= 60  # short
        assert area.text == ""


def test_mentors_add_leadership_and_research_and_nobody_else_is_asked_for_them():
    for slot in SLOTS:
        domains = {area.domain for area in OURS.areas_for(slot)}
        assert domains >= set(DOMAINS) - {"LA", "RE"}
        assert ({"LA", "RE"} <= domains) == slot.startswith("MHM")


@pytest.mark.parametrize("slot", SLOTS)
def test_an_empty_portfolio_shows_nothing_and_every_code_shows_all(slot):
    empty, whole = coverage([], slot, OURS), coverage([[area.code for area in OURS.areas]], slot, OURS)
    asked = [area.code for area in OURS.areas_for(slot)]
    assert (empty.covered, sorted(empty.missing + empty.by_reference)) == ((), sorted(asked))
    assert {code[:2] for code in empty.by_reference} == BY_REFERENCE
    assert (list(whole.covered), whole.missing, whole.by_reference) == (asked, (), ())


def test_a_code_of_another_category_covers_nothing():
    shown = coverage([("TF-12", "TF-1"), ("TF-1",)], "FS", OURS)
    assert shown.covered == ("TF-1",)


def test_an_unknown_code_is_named_with_those_there_are():
    with pytest.raises(Invalid, match="code TF-99, XX-1; the catalogue ours-1 has TF-1, TF-2") as refused:
        OURS.check(["TF-1", "XX-1", "TF-99"])
    assert refused.value.field == "codes"


def test_a_licensee_loads_its_own_and_each_one_is_a_version():
    own = given(Competencies("VA"))
    own.load(read_catalogue({"TF-1": "Becoming  a parent", "CO-9": "Signing"}, {"CO-9": "Ours."}, {"CO-9": ["FS"]}),
             on=DAY, by=BY)  # fmt: skip
    own.load(read_catalogue({"TF-1": "Becoming a parent"}, {}, {}), on=DAY, by=BY)
    first, second = then(own)
    assert (first.name, second.name, own.catalogue.name) == ("VA-1", "VA-2", "VA-2")
    assert [(a.code, a.label, a.slots, a.text) for a in first.areas] == [
        ("TF-1", "Becoming a parent", OURS.areas[0].slots, ""),
        ("CO-9", "Signing", ("FS",), "Ours."),
    ]


@pytest.mark.parametrize(
    ("labels", "texts", "slots", "field"),
    [
        ({}, {}, {}, "labels"),
        ({"tf-1": "x"}, {}, {}, "labels"),
        ({"ZZ-1": "x"}, {}, {}, "labels"),
        ({"TF-1": " "}, {}, {}, "labels"),
        ({"TF-1": "x" * 121}, {}, {}, "labels"),
        ({"TF-1": "x"}, {"TF-2": "y"}, {}, "texts"),
        ({"TF-1": "x"}, {"TF-1": "y" * 2001}, {}, "texts"),
        ({"TF-1": "x"}, {}, {"TF-1": ["IFS"]}, "slots"),
    ],
)
def test_a_catalogue_that_cannot_be_names_the_field(labels, texts, slots, field):
    with pytest.raises(Invalid) as refused:
        read_catalogue(labels, texts, slots)
    assert refused.value.field == field


def test_a_reviewer_judges_the_competencies_of_the_category_by_code():
    reviewing = given(Application("a1"), *IN_REVIEW)
    with pytest.raises(Invalid, match="IFS has no competency TF-12"):
        reviewing.assess("IFS-1", ["TF-12"], [], OURS, on=DAY, by=BY)
    with pytest.raises(Invalid, match="either that it is met"):
        reviewing.assess("IFS-1", ["TF-1"], ["TF-1"], OURS, on=DAY, by=BY)
    with pytest.raises(Invalid, match="at least one"):
        reviewing.assess("IFS-1", [], [], OURS, on=DAY, by=BY)
    with pytest.raises(Forbidden):
        reviewing.assess("IFS-2", ["TF-1"], [], OURS, on=DAY, by=BY)
    reviewing.assess("IFS-1", ["TF-2", "TF-1"], ["DS-2"], OURS, on=DAY, by=BY)
    assert then(reviewing) == [
        fact(Application.CompetenciesAssessed, reviewer="IFS-1", met=("TF-1", "TF-2"), not_met=("DS-2",),
             catalogue="ours-1", by=BY)
    ]  # fmt: skip


def test_an_old_judgement_that_changes_is_a_new_fact():
    reviewing = given(
        Application("a1"),
        *IN_REVIEW,
        fact(Application.CompetenciesAssessed, reviewer="IFS-1", met=("TF-1",)),
        fact(Application.ReviewRecommended, reviewer="IFS-1", outcome="approve", held="IFS"),
    )
    reviewing.assess("IFS-1", [], ["TF-1"], OURS, on=DAY, by=BY)
    assert reviewing.assessments["IFS-1"] == ((), ("TF-1",))
    assert reviewing.reviewers == {"IFS-1": "approve"}


def test_agreement_is_counted_for_each_competency_in_the_order_of_the_domains():
    counted = agreement([(("TF-1", "TF-10", "RF-1"), ("TF-2",)), (("TF-1", "TF-2"), ())])
    assert [(a.code, a.met, a.not_met) for a in counted] == [("TF-1", 2, 0), ("TF-2", 1, 1), ("TF-10", 1, 0),
                                                             ("RF-1", 1, 0)]  # fmt: skip


def test_missing_competencies_are_recorded_and_block_only_where_the_practice_says_so():
    places = ("supervisor", "rsc_provider", "knows_the_work")
    enough = Tally(training=30, rsc=24, work_days=730, references=3, reference_slots=places)
    shown = coverage([("TF-1",)], "FS", OURS)
    built = given(Application("a1"), IN_REVIEW[0], fact(Application.Registered, member=True))
    handed_in = Snapshot(4, enough)
    blocking = Practice(competencies_block=True)
    with pytest.raises(RequirementsNotMet, match="show the competencies TF-2") as refused:
        built.submit(handed_in, signed=True, member=True, practice=blocking, shown=shown, on=DAY, by=BY)
    assert refused.value.facts["missing"][0]["requirement"] == "competencies"
    built.submit(handed_in, signed=True, member=True, practice=Practice(), shown=shown, on=DAY, by=BY)
    assert then(built)[0].not_shown == shown.missing
