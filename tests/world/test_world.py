"""A made-up world: the same for the same seed, lawful, and sound as if the service had written it."""

import re
import subprocess
import sys
import uuid
from collections import Counter
from datetime import date
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import msgspec
import psycopg
import pytest
from independent import below

from domain.application import Application
from domain.audit import Audit
from domain.endorsement import Endorsement, read_number
from domain.event import Event, Sealed
from domain.events import AGGREGATES, TOPICS
from domain.person import Person
from domain.quality import QualityReview
from projections.engine import Engine
from registry import database as databases
from registry.commands.quality import decisions
from registry.log import fsck
from registry.reconsider.decisions import DECISIONS
from registry.reconsider.reconsideration import Asked, reconsider
from registry.reconsider.rules import Changed
from registry.settings import Settings
from registry.store import EventMapper, Store
from registry.vault import Vault
from registry.world.places import EXAMPLES, PLACES
from registry.world.writing import NotEmpty, Written, write_world

UNTIL = date(2026, 11, 1)
EVENTS = "SELECT notification_id, originator_id, originator_version, topic, state FROM registry.events ORDER BY 1"
CLAIMS = "SELECT name, stream, position, body, events FROM registry.claims ORDER BY 1"


class Made(NamedTuple):
    settings: Settings
    written: Written
    events: list[Event]


def make(settings: Settings, people: int = 60, seed: int = 1) -> Written:
    return write_world(settings, people=people, seed=seed, until=UNTIL, told=lambda *_: None)


def rows(settings: Settings, question: str = EVENTS) -> list[tuple]:
    with psycopg.connect(databases.address(settings)) as connection:
        return connection.execute(question).fetchall()


@pytest.fixture(scope="module")
def made(server, tmp_path_factory):
    """A world of a few hundred people, for tests that only look at it."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(urlunsplit(urlsplit(server)._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE registry_template STRATEGY file_copy")
        connection.execute(f"GRANT CREATE, TEMPORARY ON DATABASE {name} TO registry_projector")
        address = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        settings = Settings(home=tmp_path_factory.mktemp("world"), database_url=address)
        written = make(settings, people=900)
        yield Made(settings, written, [EventMapper().load(*row[1:]) for row in rows(settings)])
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def lives(events: list[Event]) -> dict[str, list[Event]]:
    """Events by the person they are of."""
    whose: dict[str, str] = {}
    found: dict[str, list[Event]] = {}
    for event in events:
        kind, _, name = event.originator_id.partition("/")
        person = name if kind == "person" else whose.setdefault(event.originator_id, getattr(event, "person", ""))
        found.setdefault(person, []).append(event)
    return found


def test_the_same_seed_makes_the_same_history_and_another_seed_another(new_database, tmp_path):
    one, again, other = (
        Settings(home=tmp_path / name, database_url=new_database()) for name in ("one", "again", "other")
    )
    written = make(one)

    assert make(again) == written
    assert make(other, seed=2).root != written.root
    for question in (EVENTS, CLAIMS, "SELECT * FROM vault.person_keys ORDER BY 1, 2"):
        assert rows(one, question) == rows(again, question)
    assert one.master_key_file.read_bytes() == again.master_key_file.read_bytes()


def test_positions_are_gapless_and_time_never_goes_back(made):
    assert [row[0] for row in rows(made.settings)] == list(range(1, made.written.events + 1))
    moments = [event.recorded_at for event in made.events]
    assert moments == sorted(moments)
    assert moments[0].year == 2002
    assert moments[-1].date() <= UNTIL


def test_two_thirds_are_imported_with_short_histories_and_the_rest_apply(made):
    of = lives(made.events)
    people = [life for life in of.values() if isinstance(life[0], Person.Registered)]
    applied = [life for life in people if any(isinstance(event, Application.Started) for event in life)]
    imported = [life for life in people if any(isinstance(event, Endorsement.Imported) for event in life)]

    assert len(applied) + len(imported) == made.written.people
    assert len(imported) / made.written.people == pytest.approx(2 / 3, abs=0.05)
    # All but the few of the association that is audited, and those who meet a rare turn.
    assert sum(3 <= len(life) <= 6 for life in imported) >= 0.97 * len(imported)
    # Who applied last has not come far.
    assert sum(15 <= len(life) <= 60 for life in applied) >= 0.97 * len(applied)
    assert sum(len(life) > 60 for life in applied) <= 0.01 * len(applied)


def test_every_topic_occurs_but_a_few_that_cannot(made):
    absent = {
        # no employer asks, and nobody shares or asks for a letter, in a made-up world
        *(topic for topic in TOPICS if topic.startswith("employer.")),
        "person.shared",
        "person.share_ended",
        "application.letter_issued",
        "application.letter_signed",
        "key.withdrawn",  # a key is withdrawn by hand, after it was lost
        "endorsement.move_reported",  # nothing was before a made-up world
        "readings.digested",  # nobody reads in a made-up world
        "endorsement.audit_passed",  # who was reinstated is audited with the cycle that ends in 2026
    }

    assert TOPICS.keys() - {event.topic for event in made.events} <= absent


def test_six_associations_are_made_up_and_nothing_else_is_called_so(made):
    admitted = [event for event in made.events if event.topic == "association.admitted"]

    assert len(admitted) == 38 + 1  # and the Alliance
    assert {event.code: event.name for event in admitted if event.source == "made up"} == {
        code: f"Example Association {code[1]}" for code in EXAMPLES
    }
    assert len(PLACES) == 39


def test_every_aggregate_folds_and_every_number_is_a_good_one(made):
    streams: dict[str, list[Event]] = {}
    for event in made.events:
        streams.setdefault(event.originator_id, []).append(event)
    kinds = {aggregate.kind: aggregate for aggregate in AGGREGATES}
    folded = {name: kinds[name.partition("/")[0]].fold(events) for name, events in streams.items()}

    endorsements = [one for one in folded.values() if isinstance(one, Endorsement)]
    assert endorsements
    assert all(read_number(one.number) == one.number for one in endorsements)
    for name, events in streams.items():
        assert [event.originator_version for event in events] == list(range(1, len(events) + 1)), name


def test_a_removed_person_holds_nothing_active(made):
    for life in lives(made.events).values():
        removed = {e.originator_id: n for n, e in enumerate(life) if isinstance(e, Endorsement.Removed)}
        for stream, at in removed.items():
            later = [event for event in life[at + 1 :] if event.originator_id == stream]
            assert not any(isinstance(event, Endorsement.Renewed | Endorsement.CertificateIssued) for event in later)


def test_reviewers_are_other_people_active_on_that_day(made):
    endorsements: dict[str, list[Event]] = {}
    for event in made.events:
        if event.originator_id.startswith("endorsement/"):
            endorsements.setdefault(event.originator_id, []).append(event)
        if isinstance(event, Application.ReviewRecommended):
            reviewer = Endorsement.fold(endorsements[f"endorsement/{event.reviewer}"])
            assert reviewer.held_on(event.on) == event.held


def streams(events: list[Event], kind: str) -> list[list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        if event.originator_id.startswith(f"{kind}/"):
            found.setdefault(event.originator_id, []).append(event)
    return list(found.values())


def test_audits_are_of_many_associations_and_each_draws_from_all_that_was_renewed_there(made):
    drawn = [(at, event) for at, event in enumerate(made.events) if isinstance(event, Audit.SampleDrawn)]

    assert len({event.association for _, event in drawn}) > 15
    for at, audit in drawn:
        held = [Endorsement.fold(events) for events in streams(made.events[:at], "endorsement")]
        assert audit.population == tuple(
            sorted(
                one.number
                for one in held
                if (one.custodian, one.renewed_for) == (audit.association, audit.cycle)
                and one.standing(audit.on) == "active"
            )
        )


def test_quality_reviews_are_of_many_associations_and_each_draws_from_all_that_was_decided_there(made):
    drawn = [event for event in made.events if isinstance(event, QualityReview.SampleDrawn)]

    assert len({event.association for event in drawn}) > 15
    for review in drawn:
        assert review.population == tuple(
            sorted(
                f"{event.originator_id.partition('/')[2]}-{event.originator_version}"
                for events in streams(made.events, "application")
                for event in decisions(events, review.association)
                if review.from_ <= event.on <= review.through
            )
        )


def test_it_is_sound(made):
    with psycopg.connect(databases.url(made.settings, "reader"), autocommit=True) as connection:
        report = fsck.examine(connection, made.settings.static)

    assert report.sound
    assert report.events == made.written.events


def test_views_rebuild_and_compare_without_a_difference(made):
    vault = Vault(made.settings)
    engine = Engine(EventMapper().load, vault.open_all)
    with psycopg.connect(databases.url(made.settings, "projector"), autocommit=True) as connection:
        engine.rebuild(connection)
        assert engine.compare(connection).differences == []
        (listed,) = connection.execute("SELECT count(*) FROM views.standing").fetchone()
    vault.close()

    assert listed > 20


def test_claims_are_what_the_events_say(made):
    written = rows(made.settings, CLAIMS)
    vault = Vault(made.settings)
    store = Store(made.settings, vault)

    assert store.rebuild_claims() == len(written)
    assert rows(made.settings, CLAIMS) == written
    store.close()
    vault.close()


def test_personal_fields_are_sealed_under_keys_of_the_vault(made):
    registered = [event for event in made.events if isinstance(event, Person.Registered)]
    vault = Vault(made.settings)
    opened = vault.open_all(registered[:50])
    vault.close()

    assert all(isinstance(event.name, Sealed) for event in registered)
    assert all(isinstance(event.email, Sealed) for event in registered)
    assert sum(event.name is not None for event in opened) >= 40


def test_the_root_is_what_a_publisher_signs(made):
    with psycopg.connect(databases.url(made.settings, "reader"), autocommit=True) as connection:
        tree = fsck._Tree()
        for position, *rest in rows(made.settings):
            tree.append(fsck._leaf(fsck._entry(position, *rest)))
        assert connection

    assert tree.root().hex() == made.written.root


def test_a_registry_in_which_something_is_refuses(made, new_database, tmp_path):
    with pytest.raises(NotEmpty, match="keys"):
        make(made.settings)
    with pytest.raises(NotEmpty, match="events"):
        make(Settings(home=tmp_path, database_url=made.settings.database_url))


def test_the_command_prints_one_object_and_nothing_personal(database, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "registry", "world", "--people", "60", "--seed", "1", "--until", "2026-11-01", "--json"],
        env={"REGISTRY_HOME": str(tmp_path), "REGISTRY_DATABASE_URL": database, "PATH": ""},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    facts = msgspec.json.decode(done.stdout)
    assert facts.keys() == {"people", "seed", "until", "events", "seconds", "root"}
    assert not re.search(r"@|example\.org|[A-Z]{2,5}-[0-9A-Z]{8}", done.stderr)
    again = subprocess.run(
        [sys.executable, "-m", "registry", "world", "--people", "60", "--seed", "1"],
        env={"REGISTRY_HOME": str(tmp_path / "other"), "REGISTRY_DATABASE_URL": database, "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert again.returncode == 2
    assert "empty registry" in again.stderr
    assert Counter(again.stdout) == {}


def test_every_decision_agrees_with_its_own_rules_and_others_name_whom_a_script_finds(made):
    vault = Vault(made.settings)
    report = reconsider(made.settings, vault, Asked(rules=Changed({"rsc_hours": 60})))
    vault.close()

    assert [found.words() for found in report.findings] == []
    # A reinstatement is rare.
    assert report.decisions.keys() >= {decision.name for decision in DECISIONS.values()} - {"reinstatement"}
    assert report.imported == sum(
        isinstance(event, Endorsement.Imported | Endorsement.Reported) for event in made.events
    )
    with psycopg.connect(databases.address(made.settings)) as connection:
        awards, submissions = below(connection, 60)
        position = connection.execute("SELECT max(notification_id) FROM registry.events").fetchone()
    assert {one.number: one.refusal.missing[0]["have"] for one in report.changed if one.decision == "award"} == awards
    assert {(one.stream, one.version) for one in report.changed if one.decision != "award"} == submissions
    assert len(awards) > 100
    assert position == (made.written.events,)
