"""An endorsement's life, as rules."""

from datetime import UTC, date, datetime

import msgspec
import pytest
from given import DAY, fact, given, then

from domain.endorsement import Endorsement, Source
from domain.errors import Invalid, OutOfTurn, RequirementsNotMet
from domain.policy import Attestation, Reinstatement

BY, OTHER = "coordinator:VA:k1", "coordinator:VA:k2"
WINDOW = date(2027, 10, 15)
ATTESTED = Attestation(training_hours=45, rsc_hours=36, membership=True, ethics=True, no_sanction=True)
BACK = Reinstatement(training_hours=15, rsc_provider="IMHM-C-1", membership=True, ethics=True, audit=True)
SOURCE = Source("ab" * 32, 7, "VA-0007")


def endorsement(*facts, category="IFS"):
    awarded = fact(
        Endorsement.Awarded, on=date(2025, 2, 1), number="IFS-1", person="p1", category=category, association="VA",
        application="a1", edition="FS-2023", through=date(2027, 12, 31),
    )  # fmt: skip
    return given(Endorsement("IFS-1"), awarded, *facts)


SUSPENDED = fact(Endorsement.Suspended, on=DAY, reason="sanction_being_established")
INACTIVE = fact(Endorsement.MadeInactive, on=DAY, reason="move", until=date(2028, 6, 1))
LAPSED = fact(Endorsement.Lapsed, on=date(2028, 1, 1), through=date(2027, 12, 31))
PROPOSED = fact(Endorsement.RemovalProposed, on=DAY, by=BY, ground="fraud")
REMOVED = fact(Endorsement.Removed, on=DAY, by=OTHER, ground="fraud", proposed_by=BY)


def test_R17_an_award_names_the_edition_and_is_good_through_the_next_cycle():
    new = Endorsement("IFS-1")
    new.award("p1", "IFS", "VA", "a1", "FS-2023", on=date(2025, 2, 1), by=BY)
    (awarded,) = then(new)
    assert (awarded.edition, awarded.through) == ("FS-2023", date(2027, 12, 31))


def test_r21_it_lapses_with_the_end_of_its_last_day_event_or_not():
    held = endorsement()
    assert held.standing(date(2027, 12, 31)) == "active"
    assert held.standing(date(2028, 1, 1)) == "lapsed"
    with pytest.raises(OutOfTurn):
        held.lapse(on=date(2027, 12, 31), by=BY)
    held.lapse(on=date(2028, 1, 1), by="operator")
    assert then(held) == [fact(Endorsement.Lapsed, on=date(2028, 1, 1), by="operator", through=date(2027, 12, 31))]


def test_a_lapse_is_recorded_once():
    with pytest.raises(OutOfTurn):
        endorsement(LAPSED).lapse(on=date(2028, 1, 2), by="operator")


@pytest.mark.parametrize(("on", "open_"), [
    (date(2027, 9, 30), False), (date(2027, 10, 1), True), (date(2027, 12, 31), True), (date(2026, 11, 1), False),
])  # fmt: skip
def test_r18_renewal_only_inside_the_window_of_a_cycle_year(on, open_):
    held = endorsement()
    if open_:
        held.renew(ATTESTED, member=True, on=on, by="holder:p1")
        (renewed,) = then(held)
        assert (renewed.cycle, renewed.edition, renewed.through) == (2027, "renewal-2024", date(2030, 12, 31))
    else:
        with pytest.raises(OutOfTurn, match="opens 20"):
            held.renew(ATTESTED, member=True, on=on, by="holder:p1")


def test_r19_renewal_lacking_hours_is_refused_with_what_is_missing():
    held = endorsement()
    with pytest.raises(RequirementsNotMet) as refused:
        held.renew(
            Attestation(training_hours=10, rsc_hours=24, membership=True, ethics=True, no_sanction=True),
            member=True,
            on=WINDOW,
            by="h",
        )
    assert [(m["requirement"], m["have"], m["need"]) for m in refused.value.facts["missing"]] == [
        ("training_hours", 10, 30)
    ]


def test_one_renewal_a_cycle():
    renewed = fact(
        Endorsement.Renewed,
        on=WINDOW,
        cycle=2027,
        edition="renewal-2024",
        through=date(2030, 12, 31),
        attested=ATTESTED,
    )
    with pytest.raises(OutOfTurn, match="renewed already"):
        endorsement(renewed).renew(ATTESTED, member=True, on=date(2027, 12, 1), by="holder:p1")


def test_a_lapsed_one_is_not_renewed_but_reinstated():
    late = endorsement(LAPSED)
    with pytest.raises(OutOfTurn, match="reinstate"):
        late.renew(ATTESTED, member=True, on=date(2028, 1, 5), by="holder:p1")


def test_r22_reinstatement_asks_15_hours_and_an_audit_follows():
    late = endorsement()
    for lacking in (
        msgspec.structs.replace(BACK, training_hours=14),
        msgspec.structs.replace(BACK, rsc_provider=""),
        msgspec.structs.replace(BACK, audit=False),
    ):
        with pytest.raises(RequirementsNotMet, match="reinstatement-2024"):
            late.reinstate(lacking, member=True, on=date(2028, 2, 1), by=BY)
    late.reinstate(BACK, member=True, on=date(2028, 2, 1), by=BY)
    (reinstated,) = then(late)
    assert (reinstated.audit_required, reinstated.through) == (True, date(2030, 12, 31))
    assert late.standing(date(2028, 2, 1)) == "active"
    assert late.standing(date(2028, 1, 15)) == "lapsed"


def test_r23_inactive_for_two_years_at_most():
    held = endorsement()
    held.make_inactive("family_leave", on=DAY, by=BY)
    assert then(held) == [fact(Endorsement.MadeInactive, reason="family_leave", until=date(2028, 6, 1))]
    long = endorsement(fact(Endorsement.MadeInactive, on=date(2025, 3, 1), reason="move", until=date(2027, 3, 1)))
    with pytest.raises(OutOfTurn, match="inactive for too long"):
        long.reactivate(member=True, on=date(2027, 3, 2), by=BY)


def test_r23_past_its_last_good_day_an_inactive_one_takes_what_a_lapsed_one_takes():
    away = endorsement(INACTIVE)
    with pytest.raises(OutOfTurn, match="reinstate"):
        away.reactivate(member=True, on=date(2028, 2, 1), by=BY)
    away.reinstate(BACK, member=True, on=date(2028, 2, 1), by=BY)
    assert away.standing(date(2028, 2, 1)) == "active"


def test_a_suspension_goes_back_to_what_it_was():
    for before, after in (((), "active"), ((INACTIVE,), "inactive")):
        held = endorsement(*before, SUSPENDED)
        assert held.standing(DAY) == "suspended"
        held.lift_suspension(on=date(2026, 7, 1), by=BY)
        assert held.standing(date(2026, 7, 1)) == after
        assert held.standing(date(2026, 6, 15)) == "suspended"


def test_removal_takes_two_people_and_a_documented_ground():
    held = endorsement(SUSPENDED)
    with pytest.raises(OutOfTurn, match="propose removal"):
        held.remove(on=DAY, by=BY)
    with pytest.raises(OutOfTurn, match="report a sanction"):
        held.propose_removal("fraud", on=DAY, by=BY)
    held.report_sanction("fraud_finding", "", DAY, on=DAY, by=BY)
    assert held.moving(DAY) == "reported as sanctioned"
    with pytest.raises(OutOfTurn, match="a board's sanction"):
        held.propose_removal("licensing_board_sanction", on=DAY, by=BY)
    held.collect_events()
    held.propose_removal("fraud", on=DAY, by=BY)
    with pytest.raises(Invalid, match="second person"):
        held.remove(on=DAY, by=BY)
    held.remove(on=DAY, by=OTHER)
    assert then(held)[-1] == REMOVED


def test_after_a_removal_nothing_more_happens():
    gone = endorsement(PROPOSED, REMOVED)
    for deed in (
        lambda: gone.renew(ATTESTED, member=True, on=WINDOW, by="h"),
        lambda: gone.suspend("fraud_being_established", on=WINDOW, by=BY),
        lambda: gone.archive(on=WINDOW, by="h"),
        lambda: gone.reinstate(BACK, member=True, on=WINDOW, by=BY),
        lambda: gone.transfer_custody("CT", "t1", on=WINDOW, by=BY),
    ):
        with pytest.raises(OutOfTurn, match="removed"):
            deed()
    assert gone.can(WINDOW) == []


def test_a_move_keeps_number_award_and_through():
    moved = endorsement(fact(Endorsement.CustodyTransferred, on=DAY, from_="VA", to="CT", transfer="t1"))
    assert moved.custodian == "CT"
    assert (moved.number, moved.awarded_on, moved.through) == ("IFS-1", date(2025, 2, 1), date(2027, 12, 31))
    assert moved.standing(DAY) == "active"


def test_ers_attaches_to_a_specialist_and_emerging_ends_after_two_years():
    with pytest.raises(Invalid, match="ERS-2024"):
        endorsement(category="IFA").grant_add_on("ERS", on=DAY, by=BY)
    held = endorsement()
    held.grant_add_on("EERS", on=DAY, by=BY)
    (granted,) = then(held)
    assert granted.until == date(2028, 6, 1)
    assert held.held_on(date(2026, 5, 31)) == "IFS"
    assert held.held_on(DAY) == "IFS+EERS"


def test_r24_emerging_ers_ends_by_date():
    long = endorsement(
        fact(Endorsement.AddOnGranted, on=DAY, add_on="EERS", until=date(2028, 6, 1)),
        fact(
            Endorsement.Renewed,
            on=WINDOW,
            cycle=2027,
            edition="renewal-2024",
            through=date(2030, 12, 31),
            attested=ATTESTED,
        ),
    )
    assert long.held_on(date(2028, 6, 1)) == "IFS+EERS"
    assert long.held_on(date(2028, 6, 2)) == "IFS"


def test_nothing_was_held_before_the_award():
    assert endorsement().held_on(date(2025, 1, 31)) == ""
    assert endorsement().held_on(date(2025, 2, 1)) == "IFS"


def test_an_imported_one_is_the_associations_word_under_no_edition():
    told = given(Endorsement("IFS-1"), fact(
        Endorsement.Imported, number="IFS-1", person="p1", category="IFRS", association="CT",
        awarded_on=date(2022, 3, 1),
        through=date(2027, 12, 31), standing="active", source=SOURCE,
    ))  # fmt: skip
    assert (told.edition, told.reported, told.imported) == ("", True, SOURCE)
    assert told.held_on(date(2023, 1, 1)) == "IFRS"


def test_a_later_file_lets_it_lapse_or_come_back_on_the_day_of_the_file():
    told = given(
        Endorsement("IFS-1"),
        fact(Endorsement.Imported, on=date(2025, 1, 1), number="IFS-1", person="p1", category="IFS", association="CT",
             awarded_on=date(2022, 3, 1), through=date(2027, 12, 31), standing="active", source=SOURCE),
        fact(Endorsement.Reported, on=DAY, means="lapse", standing="lapsed", through=date(2027, 12, 31), source=SOURCE),
    )  # fmt: skip
    assert told.standing(date(2026, 5, 31)) == "active"
    assert told.standing(DAY) == "lapsed"


def test_a_fact_recorded_late_stands_where_it_belongs():
    held = endorsement(
        fact(Endorsement.Suspended, on=date(2026, 3, 1), reason="fraud_being_established"),
        fact(Endorsement.SuspensionLifted, on=date(2026, 4, 1)),
        fact(
            Endorsement.MadeInactive,
            on=date(2026, 2, 1),
            late="paper_received_late",
            reason="illness",
            until=date(2028, 2, 1),
        ),
    )
    assert held.standing(date(2026, 2, 15)) == "inactive"
    assert held.standing(date(2026, 3, 15)) == "suspended"


CERTIFICATE = {
    "valid_from": datetime(2026, 6, 1, 12, tzinfo=UTC), "expires_at": datetime(2028, 1, 1, 4, 59, 59, tzinfo=UTC),
    "through": date(2027, 12, 31), "person_version": 1,
}  # fmt: skip


def test_each_certificate_names_the_one_it_replaces_and_no_person():
    held = endorsement()
    held.issue_certificate("aa" * 16, why="awarded", **CERTIFICATE, on=DAY, by=BY)
    held.issue_certificate("bb" * 16, why="renamed", **CERTIFICATE, on=DAY, by=BY)
    first, second = then(held)
    assert (first.replaces, second.replaces) == ("", "aa" * 16)
    assert (second.person, second.person_version) == ("person/p1", 1)
    assert held.certificate.cti == "bb" * 16


@pytest.mark.parametrize("standing", [SUSPENDED, INACTIVE, REMOVED], ids=lambda e: e.topic)
def test_only_an_active_one_gets_a_certificate(standing):
    with pytest.raises(OutOfTurn):
        endorsement(standing).issue_certificate("aa" * 16, why="awarded", **CERTIFICATE, on=DAY, by=BY)


YEARLY = Attestation(15, 12, 3, 1, membership=True, ethics=True, no_sanction=True)


def yearly(association, last):
    return given(Endorsement("IFS-1"), fact(
        Endorsement.Awarded, on=date(2019, 2, 1), number="IFS-1", person="p1", category="IFS", association=association,
        application="a1", edition="FS-2002", through=last,
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("association", "last", "renewed_on", "late_fee", "next_last"),
    [
        ("TX", date(2022, 12, 31), date(2022, 12, 31), None, date(2023, 12, 31)),
        ("AZ", date(2023, 1, 31), date(2022, 12, 15), None, date(2024, 1, 31)),
        ("AZ", date(2023, 1, 31), date(2023, 1, 31), "paid", date(2024, 1, 31)),
        ("SC", date(2023, 2, 28), date(2023, 2, 10), "waived", date(2024, 2, 29)),
        ("MI", date(2023, 2, 28), date(2023, 2, 10), None, date(2023, 12, 31)),
        ("TX", date(2023, 12, 31), date(2023, 12, 1), None, date(2024, 12, 31)),
        ("PA", date(2024, 1, 31), date(2024, 1, 20), None, date(2024, 12, 31)),
    ],
)
def test_r18_before_2024_each_year_is_renewed_to_the_end_of_the_next_and_its_grace(
    association, last, renewed_on, late_fee, next_last
):
    early = yearly(association, last)
    early.renew(YEARLY, member=True, late_fee=late_fee, on=renewed_on, by="h")
    (renewed,) = then(early)
    assert (renewed.through, renewed.late_fee) == (next_last, late_fee)
    with pytest.raises(OutOfTurn):
        early.renew(YEARLY, member=True, on=renewed_on, by="h")


def test_r19_in_the_days_of_grace_a_late_fee_takes_a_word_where_a_row_names_one():
    late = yearly("AZ", date(2023, 1, 31))
    with pytest.raises(RequirementsNotMet) as refused:
        late.renew(YEARLY, member=True, on=date(2022, 12, 16), by="h")
    (gap,) = refused.value.facts["missing"]
    assert (gap["requirement"], gap["edition"], gap["source"]) == (
        "late_fee",
        "fee-late_renewal-2002-01-01-AZ",
        "AZ-REN",
    )
    assert "35 USD" in gap["words"]
    with pytest.raises(Invalid, match="No late fee is asked"):
        late.renew(YEARLY, member=True, late_fee="paid", on=date(2022, 12, 15), by="h")
    late.renew(YEARLY, member=True, late_fee="not_asked", on=date(2022, 12, 16), by="h")
    assert then(late)[0].late_fee == "not_asked"


def test_r19_renewing_takes_a_membership_on_record_whatever_is_attested():
    held = endorsement()
    with pytest.raises(RequirementsNotMet) as refused:
        held.renew(ATTESTED, member=False, on=WINDOW, by="h")
    (gap,) = refused.value.facts["missing"]
    assert (gap["requirement"], gap["edition"], gap["source"]) == ("membership", "renewal-2024", "NE-POL, TX-REN2")
    assert "VA records yours" in gap["words"]
    held.renew(ATTESTED, member=True, on=WINDOW, by="h")
    assert then(held)[0].code_of_ethics == "ethics-2022"


def test_r22_r23_coming_back_takes_a_membership_on_record():
    away = endorsement(INACTIVE)
    with pytest.raises(RequirementsNotMet) as refused:
        away.reactivate(member=False, on=date(2027, 2, 1), by=BY)
    assert [(gap["requirement"], gap["source"]) for gap in refused.value.facts["missing"]] == [("membership", "IAITMH")]
    late = endorsement(LAPSED)
    with pytest.raises(RequirementsNotMet) as refused:
        late.reinstate(BACK, member=False, on=date(2028, 2, 1), by=BY)
    assert [(gap["requirement"], gap["source"]) for gap in refused.value.facts["missing"]] == [("membership", "NE-POL")]
    late.reinstate(BACK, member=True, on=date(2028, 2, 1), by=BY)
    assert then(late)[0].code_of_ethics == "ethics-2022"


def test_a_contradiction_is_settled_once():
    asked = endorsement(fact(Endorsement.ReportContradicted, field="through", association="VA", source=SOURCE))
    asked.settle_report(on=DAY, by=BY)
    with pytest.raises(OutOfTurn):
        asked.settle_report(on=DAY, by=BY)


def test_a_proposal_to_remove_is_taken_back_and_holds_a_move_meanwhile():
    held = endorsement(PROPOSED)
    assert held.moving(DAY) == "proposed for removal"
    held.withdraw_removal_proposal(on=DAY, by=OTHER)
    assert held.moving(DAY) == "active"
    with pytest.raises(OutOfTurn, match="propose removal"):
        held.remove(on=DAY, by=OTHER)


@pytest.mark.parametrize("deed", ["suspend", "inactive", "archive", "remove"])
def test_no_deed_is_of_a_day_before_the_last_fact(deed):
    held = endorsement(fact(Endorsement.AddOnGranted, on=date(2026, 6, 10), add_on="ERS"))
    with pytest.raises(Invalid, match="on record for 2026-06-10"):
        {
            "suspend": lambda: held.suspend("fraud_being_established", on=date(2026, 6, 5), by=BY),
            "inactive": lambda: held.make_inactive("illness", on=date(2026, 6, 5), by=BY),
            "archive": lambda: held.archive(on=date(2026, 6, 5), by="h"),
            "remove": lambda: held.propose_removal("fraud", on=date(2024, 1, 1), by=BY),
        }[deed]()


def test_emerging_ers_is_granted_once_and_ers_not_twice():
    emerging = endorsement(fact(Endorsement.AddOnGranted, on=DAY, add_on="EERS", until=date(2028, 6, 1)))
    with pytest.raises(OutOfTurn, match="EERS already"):
        emerging.grant_add_on("EERS", on=date(2027, 6, 1), by=BY)
    emerging.grant_add_on("ERS", on=date(2027, 6, 1), by=BY)
    with pytest.raises(OutOfTurn, match="ERS already"):
        emerging.grant_add_on("ERS", on=date(2027, 6, 2), by=BY)


def test_a_certificate_never_says_more_days_than_an_emerging_ers_has():
    emerging = endorsement(fact(Endorsement.AddOnGranted, on=date(2025, 3, 1), add_on="EERS", until=date(2027, 3, 1)))
    assert emerging.printed_through(DAY) == date(2027, 3, 1)
    assert emerging.printed_through(date(2027, 3, 2)) == date(2027, 12, 31)


def test_years_at_renewal_count_from_the_reinstatement():
    back = endorsement(
        LAPSED,
        fact(Endorsement.Reinstated, on=date(2029, 2, 1), edition="reinstatement-2024", through=date(2030, 12, 31),
             attested=BACK, audit_required=True),
    )  # fmt: skip
    back.renew(
        Attestation(training_hours=15, rsc_hours=12, membership=True, ethics=True, no_sanction=True),
        member=True, on=date(2030, 10, 15), by="h",
    )  # fmt: skip
    assert then(back)[0].cycle == 2030


def test_a_last_day_soon_after_the_deadline_is_renewed_in_the_window_before():
    told = given(Endorsement("IFS-1"), fact(
        Endorsement.Imported, number="IFS-1", person="p1", category="IFA", association="SC",
        awarded_on=date(2022, 3, 1), through=date(2028, 1, 31), standing="active", source=SOURCE, on=date(2025, 1, 1),
    ))  # fmt: skip
    told.renew(ATTESTED, member=True, on=date(2027, 11, 1), by="h")
    assert told.through == date(2030, 12, 31)


def test_a_renewal_reported_late_goes_on_from_the_last_good_day():
    told = given(
        Endorsement("IFS-1"),
        fact(Endorsement.Imported, on=date(2024, 3, 1), number="IFS-1", person="p1", category="IFS", association="CT",
             awarded_on=date(2022, 3, 1), through=date(2024, 12, 31), standing="active", source=SOURCE),
        fact(Endorsement.Reported, on=date(2025, 9, 1), means="renewal", standing="active", through=date(2027, 12, 31),
             source=SOURCE),
    )  # fmt: skip
    assert told.standing(date(2024, 12, 31)) == told.standing(date(2025, 4, 1)) == "active"


def test_a_record_that_came_lapsed_was_good_to_its_last_day():
    told = given(Endorsement("IFS-1"), fact(
        Endorsement.Imported, number="IFS-1", person="p1", category="IFS", association="CT",
        awarded_on=date(2022, 3, 1), through=date(2024, 12, 31), standing="lapsed", source=SOURCE,
    ))  # fmt: skip
    assert (told.standing(date(2024, 12, 31)), told.standing(date(2025, 1, 1))) == ("active", "lapsed")
