"""The views of applications and transfers say what the aggregates say, after every event."""

from hypothesis import given, settings
from lives import application_events, transfer_events

from domain.application import Application
from domain.transfer import Transfer
from projections import applications, transfers
from projections.applications import ApplicationRow
from projections.rows import Rows
from projections.transfers import TransferRow


@settings(max_examples=200)
@given(application_events("a1", "p1", "IFS-1"))
def test_an_application_s_row_follows_the_aggregate(events):
    rows = Rows([ApplicationRow], everything=True)
    for position, fact in enumerate(events, start=1):
        applications.change(rows, fact, position)
        row = rows[ApplicationRow].get("a1")
        aggregate = Application.fold(events[:position])

        assert (row.state, row.person, row.association, row.category, row.edition) == (
            aggregate.state, aggregate.person, aggregate.association, aggregate.category, aggregate.edition,
        )  # fmt: skip
        assert {review.reviewer: review.outcome for review in row.reviewers} == aggregate.reviewers
        assert (row.consensus, row.submitted_on) == (aggregate.consensus, aggregate.submitted_on)


@settings(max_examples=200)
@given(transfer_events("t1", "p1", "IFS-1"))
def test_a_transfer_s_row_follows_the_aggregate(events):
    rows = Rows([TransferRow], everything=True)
    for position, fact in enumerate(events, start=1):
        transfers.change(rows, fact, position)
        row = rows[TransferRow].get("t1")
        aggregate = Transfer.fold(events[:position])

        assert (row.state, row.releasing, row.receiving, tuple(row.numbers), tuple(row.accepted)) == (
            aggregate.state, aggregate.from_, aggregate.to, aggregate.numbers, aggregate.accepted,
        )  # fmt: skip
        assert row.membership_through == aggregate.membership_through
