"""The nightly rules: what a day's end makes due (lapses, expiries, reminders), one row each; the worker does them.

A rule is a row of `RULES`: a name, a query of the views that names whom it may concern, and the method of Registry
that does it to one of them. To add one:

1. Write the query in your view's module: `named(on, after, limit) -> Query`. Its first column is the subject (a
   number or id), greater than `after`, in ascending order of `subject COLLATE "C"`, at most `limit` of them. `on` is
   the day it is where the day begins first, so it may name too many; it must not miss anybody.
2. Write the method in your commands: `method(subject) -> bool`, True when it recorded something. It loads the
   aggregate, judges *from its events* on `self.today(association)` whether it is due, and saves by `self.store.save`.
   What is not due is no error: return False. No Act, no `@once`: the aggregate's own state, or a claim
   (`reminder/<case>/<day>`), makes it once by (what, whom, day), however often and by how many it is done.
3. Add the row. If the method does more than save, such as destroying keys, say `saves_only=False`: a dry run then only
   counts whom the query names.

A view that is behind only delays: whoever is named too late is named in the next round. What fails for one subject is
said (ids and the kind of error only), stops nobody else and is tried again in the next round.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from domain.errors import Conflict
from projections import (
    applications,
    associations,
    audits,
    employers,
    people,
    readings,
    references,
    renewals,
    standing,
    transfers,
)
from projections.view import Query
from registry.commands import Registry
from registry.database import Unavailable

BATCH: Final = 100
"""So many subjects between two looks at what else waits."""

# The first place on earth where the next day begins is so far ahead of UTC; each case is judged in its own zone.
_EARLIEST: Final = timedelta(hours=14)


class Rule(NamedTuple):
    """`named(on, after, limit)`: a query for whom it may concern. `do(registry, subject)`: judged again from events."""

    name: str
    says: str
    source: str
    named: Callable[[date, str, int], Query]
    do: Callable[[Registry, str], bool]
    saves_only: bool = True


class Failed(NamedTuple):
    subject: str
    why: str


class Batch(NamedTuple):
    """What was done to some of those a rule names."""

    rule: str
    named: int
    recorded: int
    failed: list[Failed]


RULES: Final[tuple[Rule, ...]] = (
    Rule("lapse", "Past its last good day, an endorsement lapses", "R21, NE-POL",
         standing.past_through, Registry.record_lapse),
    Rule("inactivity", "After its years of inactivity, it takes another application", "R23, IAITMH",
         standing.past_inactivity, Registry.end_inactivity),
    Rule("emerging", "After two years, an Emerging ERS ends", "R24, IN-ERS",
         standing.past_add_on, Registry.end_add_on),
    Rule("remind_of_renewal", "When the window opens, 30 and 7 days before the last good day, a holder is told to "
         "renew", "ours", renewals.to_remind, Registry.remind_of_renewal),
    Rule("audit_days", "A holder's last day in an audit is over: it waits for the coordinator", "R28, ours",
         audits.days_passed, Registry.note_audit_days),
    Rule("digest_readings", "Who read confidential data on a day is digested into one event", "design section 5",
         readings.undigested, Registry.digest_readings),
    Rule("transfer_word", "Without a word on the standing the releasing association is reminded after 7 and 12 days; "
         "after 14 the Alliance decides", "design section 10, ours", transfers.without_word, Registry.chase_transfer),
    Rule("transfer_hold", "An open sanction, proposal to remove or audit holds a transfer until it is settled",
         "design section 10, ours", transfers.open_cases, Registry.weigh_transfer),
    Rule("application_licence", "An open application goes on at the Alliance when its association's licence ended",
         "ours", associations.left_applications, Registry.hand_over_application),
    Rule("custody", "What an association without a licence holds passes to the Alliance; taken over people to their "
         "association", "ALL-INT, ours", associations.custody_due, Registry.settle_custody_of),
    Rule("remind_rater", "A rater who has not answered is reminded after 14 and 28 days", "ours",
         references.reminders_due, Registry.remind_due),
    Rule("remind_applicant", "An application in which nothing was done is said to expire", "ours",
         applications.to_remind, Registry.remind_applicant),
    Rule("expire_application", "An application in which nothing was done expires", "ours",
         applications.to_expire, Registry.expire_application),
    Rule("erasure", "Seven days after a second person's word, somebody is forgotten", "ours (design section 5)",
         people.to_forget, Registry.carry_out_erasure, saves_only=False),
    Rule("employer_letter", "What an employer follows has changed: one letter a day, at most", "ours",
         employers.to_tell, Registry.tell_employer),
    Rule("employer_ended", "An ended employer's name and address are destroyed", "ours (design section 5)",
         employers.to_forget, Registry.forget_employer, saves_only=False),
    Rule("exam_approval", "A year after the approval, the exam can't be sat any more", "R16, VA-EXAM",
         applications.exam_approvals_over, Registry.expire_exam_approval),
)  # fmt: skip


def go_round(
    registry: Registry, connection: Connection[Any], *, rules: tuple[Rule, ...] = RULES, rehearse: bool = False
) -> Iterator[Batch]:
    """Every rule once, batch by batch. `connection` reads the views.

    `rehearse`: the registry writes nothing (`open_registry(rehearse=True)`); deeds that do more are left alone.
    Raises what means that the database is away; anything else stays with its subject.
    """
    for rule in rules:
        after = ""
        while True:
            on = (registry.clock() + _EARLIEST).date()
            with connection.cursor(row_factory=tuple_row) as cursor:
                subjects = [row[0] for row in cursor.execute(*rule.named(on, after, BATCH)).fetchall()]
            if not subjects:
                break
            after = subjects[-1]
            yield _do(registry, rule, subjects if rule.saves_only or not rehearse else [], len(subjects))


def _do(registry: Registry, rule: Rule, subjects: list[str], named: int) -> Batch:
    recorded = 0
    failed: list[Failed] = []
    for subject in subjects:
        try:
            recorded += rule.do(registry, subject)
        except Conflict:
            continue  # somebody did something with it in this moment; the next round looks again
        except (psycopg.OperationalError, psycopg.InterfaceError, Unavailable):
            raise
        except Exception as error:  # noqa: BLE001 # one that can't be done must not stop the others
            # The kind only: the words may quote what is on record.
            failed.append(Failed(subject, type(error).__name__))
    return Batch(rule.name, named, recorded, failed)


def noon(on: date) -> datetime:
    """An instant at which it is this day at every association."""
    return datetime.combine(on, time(12), UTC)
