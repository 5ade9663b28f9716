"""What the public may know of a change, and nothing more."""

from datetime import UTC, date, datetime, timedelta

import pytest
from given import fact

from domain.alert import alerts, known
from domain.endorsement import Endorsement, Source, Stands
from domain.policy import Attestation

NUMBER = "IFS-7K3MQ9TD"
BEGAN = datetime(2024, 3, 1, tzinfo=UTC)
E = Endorsement


def history(*facts):
    placed = []
    for version, event in enumerate(facts, 1):
        told = {name: getattr(event, name) for name in event.__struct_fields__}
        told |= {"originator_id": f"endorsement/{NUMBER}", "originator_version": version,
                 "recorded_at": BEGAN + timedelta(days=version)}  # fmt: skip
        placed.append((10 * version, type(event)(**told)))
    return placed


AWARDED = fact(
    E.Awarded, on=date(2024, 3, 1), number=NUMBER, person="p1", category="IFS", association="VA", application="a1",
    edition="FS-2023", through=date(2026, 12, 31),
)  # fmt: skip
RENEWED = fact(
    E.Renewed, on=date(2026, 11, 2), cycle=2026, edition="renewal-2025", through=date(2029, 12, 31),
    attested=Attestation(training_hours=16, rsc_hours=12, membership=True, ethics=True, no_sanction=True),
)  # fmt: skip
LAPSED = fact(E.Lapsed, on=date(2027, 1, 1), through=date(2026, 12, 31))
MOVED = fact(E.CustodyTransferred, on=date(2026, 5, 4), from_="VA", to="CT", transfer="t1")


def told(*facts):
    return [
        (alert.position, alert.change, alert.known.standing, alert.known.since) for alert in alerts(history(*facts))
    ]


@pytest.mark.parametrize(
    ("event", "change", "standing"),
    [
        (RENEWED, "renewed", "active"),
        (LAPSED, "lapsed", "lapsed"),
        (fact(E.MadeInactive, on=date(2026, 4, 1), reason="illness", until=date(2028, 4, 1)), "inactive", "inactive"),
        (fact(E.EmeritusGranted, on=date(2026, 4, 1)), "emeritus", "emeritus"),
        (fact(E.Suspended, on=date(2026, 4, 1), reason="fraud_being_established"), "suspended", "suspended"),
        (fact(E.Removed, on=date(2026, 4, 1), ground="fraud", proposed_by="coordinator:VA:k1"), "removed", "removed"),
        (fact(E.Archived, on=date(2026, 4, 1)), "withdrawn", "withdrawn"),
        (fact(E.EndedByDeath, on=date(2026, 4, 1)), "withdrawn", "withdrawn"),
        (fact(E.EndedByErasure, on=date(2026, 4, 1)), "withdrawn", "withdrawn"),
        (MOVED, "transferred", "active"),
        (fact(E.AddOnGranted, on=date(2026, 4, 1), add_on="ERS"), "add_on_granted", "active"),
    ],
)
def test_a_change_of_what_the_public_knows_is_told(event, change, standing):
    assert [row[1:3] for row in told(AWARDED, event)] == [("awarded", "active"), (change, standing)]


def test_a_lifted_suspension_goes_back():
    suspended = fact(E.Suspended, on=date(2026, 4, 1), reason="fraud_being_established")
    lifted = fact(E.SuspensionLifted, on=date(2026, 4, 9), standing="active")

    assert told(AWARDED, suspended, lifted)[-1] == (30, "suspension_lifted", "active", date(2026, 4, 9))


def test_what_the_public_does_not_know_is_not_told():
    hidden = (
        fact(E.SanctionReported, source="told_by_holder", decided_on=date(2026, 4, 1)),
        fact(E.RemovalProposed, ground="fraud"),
        fact(E.RemovalProposalWithdrawn),
        fact(E.SanctionSettled, outcome="unfounded"),
        fact(E.RenewalReminded, through=date(2026, 12, 31)),
        fact(E.AuditPassed, audit="a1"),
        fact(E.MoveReported, association="VA", from_="VA", to="CT", moved_on=date(2026, 1, 1)),
    )
    assert [row[1] for row in told(AWARDED, *hidden)] == ["awarded"]


def test_a_move_leaves_since_when_it_stands_so():
    assert told(AWARDED, MOVED)[-1] == (20, "transferred", "active", date(2024, 3, 1))


def test_a_renewal_leaves_it_active_since_its_award_unless_it_had_lapsed_meanwhile():
    assert told(AWARDED, RENEWED)[-1] == (20, "renewed", "active", date(2024, 3, 1))
    late = fact(E.Reported, on=date(2027, 3, 1), means="reactivation", standing="active", through=date(2029, 12, 31),
                source=Source("0" * 64, 1, "r"))  # fmt: skip
    assert told(AWARDED, late)[-1] == (20, "reactivated", "active", date(2027, 3, 1))


def test_nothing_brings_a_removed_one_back_but_an_erasure_is_told():
    removed = fact(E.Removed, on=date(2026, 4, 1), ground="fraud", proposed_by="coordinator:VA:k1")
    erased = fact(E.EndedByErasure, on=date(2026, 6, 1))

    assert [row[1] for row in told(AWARDED, removed, RENEWED, erased)] == ["awarded", "removed", "withdrawn"]


def test_a_correction_is_told_where_it_changes_something():
    right = Stands("active", date(2024, 3, 1), date(2026, 12, 31))
    undone = fact(E.Corrected, corrects=2, reason="wrong_record", newest=right, recorded=right, void=True,
                  on=date(2026, 11, 9))  # fmt: skip

    rows = list(alerts(history(AWARDED, RENEWED, undone)))

    assert [row.change for row in rows] == ["awarded", "renewed", "corrected"]
    assert rows[-1].known.through == date(2026, 12, 31)


def test_past_its_last_good_day_it_is_lapsed_whether_or_not_that_is_recorded():
    on = known(history(AWARDED), date(2027, 1, 5))

    assert on is not None
    assert (on.standing, on.since, on.reason) == ("lapsed", date(2027, 1, 1), "lapsed")
    recorded = known(history(AWARDED, LAPSED), date(2027, 1, 5))
    assert recorded == on


def test_an_alert_has_one_id_however_often_it_is_told():
    assert [alert.id for alert in alerts(history(AWARDED, LAPSED))] == ["alert-10", "alert-20"]
