"""Stories of looking again: every decision agrees with its own rules, and other rules or facts say who they change."""

import json
from base64 import b64encode
from datetime import date

import msgspec
import psycopg
import pytest
import typer
from telling import rsc, training, work
from typer.testing import CliRunner

from domain.application import Application
from domain.audit import Audit
from domain.endorsement import Endorsement, new_number
from domain.errors import Invalid
from domain.event import Event
from domain.exam import Exam
from domain.person import Demographics, Person
from domain.policy import Attestation
from registry.cli import reconsider as reconsidering
from registry.database import Unavailable
from registry.reconsider.past import Past
from registry.reconsider.reconsideration import Asked, TooLong, reconsider
from registry.reconsider.rules import named, read_rules
from registry.settings import Settings

ATTESTED = Attestation(40, 36, 10, 3, membership=True, ethics=True, no_sanction=True)


@pytest.fixture
def again(settings, vault, story):
    def run(rules=None, *, correct="", **asked):
        if isinstance(rules, dict):
            rules = read_rules(json.dumps(rules), story.today("VA"))
        return reconsider(settings, vault, Asked(rules=rules, **asked), correct=correct and json.dumps(correct))

    return run


@pytest.fixture
def lily(story):
    """A Family Specialist of 30 RSC hours, 20 of them with a mentor who was endorsed in 2024."""
    story.it_is("2025-02-03")
    mentor = story.endorsed("Ines Mendel", "IMHM-C", "VA", since="2019-05-01")
    second = story.endorsed("Olga Later", "IMHM-C", "VA", since="2024-01-08")
    reviewer = story.endorsed("Ada Okoro", "IMHM-C", "VA", since="2019-05-01")
    lily = story.somebody("Lily Applicant", "VA")
    lily.entries = lily.has_done(
        work("2021-01-04", "2024-12-30"), training(32, "2024-02-05"),
        rsc(10, "2023-02-06", "2023-11-30", mentor.number), rsc(20, "2024-02-05", "2024-11-29", second.number),
    )  # fmt: skip
    lily.second, lily.reviewer = second, reviewer
    lily.application = lily.applies("IFS", at="VA")
    story.rated(lily, "IFS")
    lily.submits(lily.application)
    story.it_is("2025-03-03")
    story.judged(lily.application, "VA", [reviewer], "approve")
    lily.number = story.coordinator("VA").approve_application(lily.application)
    return lily


def planted(story, aggregate, kind, **facts):
    """A fact as a fault or a forger would have written it: no rule is asked."""
    on = facts.pop("on", story.today("VA"))
    by = facts.pop("by", "coordinator:VA:vak1")
    aggregate.record(kind, on=on, by=by, **facts)
    recorded = story.store.save(aggregate)
    return recorded.events[-1]


def missing(found):
    return [
        (gap["requirement"], gap["have"], gap["need"], gap["missing"], gap["source"]) for gap in found.refusal.missing
    ]


def where(found):
    return [(one.stream, one.version) for one in found]


def test_what_was_decided_agrees_with_its_own_rules_and_nothing_is_written(story, again, lily, connect):
    story.it_is("2027-11-02")
    story.somebody("Paul Bystander", "VA")
    person = story.store.get(Person, lily.id)
    person.record_membership("VA", date(2027, 1, 1), date(2027, 12, 31), on=story.today("VA"), by="operator")
    story.given(person)
    lily.renews(lily.number, training=40, rsc=36, rsc_provision=10, dei=3)
    everything = "SELECT * FROM {} ORDER BY 1, 2"
    before = [connect().execute(everything.format(f"registry.{table}")).fetchall() for table in ("events", "claims")]

    report = again({"rsc_hours": 31})

    assert report.findings == report.corrected == []
    assert report.decisions == {"submission": 1, "award": 1, "renewal": 1}
    assert report.imported == 3
    assert [connect().execute(everything.format(f"registry.{table}")).fetchall() for table in ("events", "claims")] == (
        before
    )
    assert connect().execute("SELECT count(*) FROM service.access").fetchone() == (0,)


def test_who_would_not_have_been_endorsed_is_named_with_what_is_missing_and_its_row(story, again, lily):
    report = again({"rsc_hours": 60})

    (found,) = report.changed
    assert (found.number, found.decision, found.association, found.category) == (lily.number, "award", "VA", "IFS")
    assert missing(found) == [("rsc", 30.0, 60.0, 30.0, "CT-IFS")]
    assert found.refusal.code == "requirements_not_met"
    assert "there are 30, 30 to go" in found.words()
    assert "Lily" not in json.dumps(report.as_dict())
    counted = report.as_dict()["counts"]
    assert counted["association"] == {"VA": {"considered": 1, "changed": 1}}
    assert counted["year"] == {"2025": {"considered": 1, "changed": 1}}

    assert again({"rsc_hours": 30}).changed == []
    assert again({"MHS": {"rsc_hours": 60}}).concerned == 0
    assert missing(again({"FS": {"dei_hours": 1}}).changed[0]) == [("dei", 0.0, 1.0, 1.0, "this reconsideration")]
    assert again({"rsc_hours": 0, "training_hours": 0}).changed == []


def test_an_edition_by_name_or_of_a_day_is_asked_too(story, again, lily):
    assert missing(again(named("FS-2002", story.today("VA"))).changed[0]) == [("degree", 0.0, 1.0, 1.0, "AL, KS, HI")]
    assert again(named("2024-01-01", story.today("VA"))).changed == []
    assert again(named("MHS-2025", story.today("VA"))).concerned == 0
    before = again(named("2001-01-01", story.today("VA"))).changed
    assert [found.refusal.code for found in before] == ["not_in_force"]


def test_an_association_and_a_day_narrow_it(story, again, lily):
    assert again(association="VA").considered == 2
    assert again(association="CT").considered == again(association="CT").imported == 0
    assert again(since=date(2025, 3, 1)).decisions == {"award": 1}
    assert len(again({"rsc_hours": 60}, since=date(2025, 3, 1)).changed) == 1


def test_a_submission_on_which_no_award_rests_is_listed_as_one(story, again, lily):
    other = story.somebody("Otto Waiting", "VA")
    other.has_done(work("2021-01-04", "2024-12-30"), training(32, "2024-02-05"),
                   rsc(25, "2024-02-05", "2024-11-29", lily.second.number))  # fmt: skip
    application = other.applies("IFS", at="VA")
    story.rated(other, "IFS")
    other.submits(application)

    changed = again({"rsc_hours": 28}).changed

    assert [(found.stream, found.decision) for found in changed] == [(f"application/{application}", "submission")]


def test_a_submission_that_was_not_enough_is_found_and_named(story, again, lily):
    otto = story.somebody("Otto Short", "VA")
    otto.has_done(work("2021-01-04", "2024-12-30"), training(32, "2024-02-05"),
                  rsc(9, "2024-02-05", "2024-11-29", lily.second.number))  # fmt: skip
    application = otto.applies("IFS", at="VA")
    story.rated(otto, "IFS")
    found = story.store.get(Application, application)
    right = story.submission(lily.application)
    event = planted(
        story, found, Application.Submitted, edition="FS-2023", person_version=right.person_version,
        entries=right.entries, tally=right.tally, by=f"holder:{otto.id}:h1",
    )  # fmt: skip
    story.judged(application, "VA", [lily.reviewer], "approve")
    number = story.coordinator("VA").approve_application(application)

    report = again({"rsc_hours": 60})

    (finding,) = report.findings
    assert (finding.stream, finding.version) == (event.originator_id, event.originator_version)
    assert missing(finding) == [("rsc", 9.0, 24.0, 15.0, "CT-IFS")]
    assert {(one.number, missing(one)[0][1]) for one in report.changed} == {(lily.number, 30.0), (number, 9.0)}


def test_a_wrong_outcome_of_every_kind_is_found(story, again, lily):
    va = "VA"
    wrong: list[Event] = []
    endorsement = story.store.get(Endorsement, lily.number)
    wrong.append(planted(story, endorsement, Endorsement.Renewed, cycle=2027, edition="renewal-2024",
                         through=date(2031, 12, 31), attested=ATTESTED, by=f"holder:{lily.id}:h1"))  # fmt: skip
    lapsed = story.store.get(Endorsement, lily.second.number)
    wrong.append(planted(story, lapsed, Endorsement.Lapsed, through=date(2027, 12, 31), by="operator"))
    resting = story.store.get(Endorsement, lily.reviewer.number)
    wrong.append(planted(story, resting, Endorsement.MadeInactive, reason="move", until=date(2035, 3, 3)))
    unknown = Endorsement(new_number("IFS", story.registry.draw))
    wrong.append(planted(story, unknown, Endorsement.Awarded, number=unknown.number, person=lily.id, category="IFS",
                         association=va, application=lily.application, edition="FS-2023",
                         through=date(2027, 12, 31)))  # fmt: skip
    exam = Exam("e1")
    exam.book("C-1", date(2025, 2, 22), "IMH", "MHS", on=date(2025, 2, 10), by="coordinator")
    exam.sit(on=date(2025, 2, 23), by="alliance:ALLIANCE:a1")
    story.given(exam)
    wrong.append(planted(story, exam, Exam.Part1Scored, wrong=13, items=60, most_wrong=13, passed=True,
                         by="alliance:ALLIANCE:a1"))  # fmt: skip
    audit = Audit("a1")
    wrong.append(planted(story, audit, Audit.SampleDrawn, association=va, cycle=2027, seed="0123456789abcdef",
                         share=0.05, population=("IFS-7K3MQ9TD",), always=(), sample=("IFS-7K3MQ9TD",)))  # fmt: skip

    findings = again().findings

    assert set(where(findings)) == set(where_of(wrong))
    differs = {one.stream: one.differs for one in findings if one.differs}
    assert differs[exam.stream] == {"most_wrong": (13, 12), "passed": (True, False)}
    assert differs[unknown.stream] == {"application": (lily.application, "no approval of this number")}
    # The one that was renewed is not in the population, which somebody else is.
    assert differs[audit.stream] == {"population": (False, True)}


def where_of(events):
    return [(event.originator_id, event.originator_version) for event in events]


def test_an_award_that_ends_on_a_wrong_day_is_found_where_it_stands(story, again, lily, connect):
    stream = f"endorsement/{lily.number}"
    superuser = connect()
    superuser.execute("ALTER TABLE registry.events DISABLE TRIGGER ALL")
    superuser.execute(
        "UPDATE registry.events"
        " SET state = convert_to(replace(convert_from(state, 'UTF8'), '2027-12', '2030-12'), 'UTF8')"
        " WHERE originator_id = %s AND originator_version = 1",
        [stream],
    )

    (finding,) = again().findings

    assert (finding.stream, finding.version) == (stream, 1)
    assert finding.differs == {"through": ("2030-12-31", "2027-12-31")}


def test_what_was_corrected_since_is_taken_into_account(story, again, lily):
    story.it_is("2025-05-05")
    lily.record_entry(rsc(3, "2023-02-06", "2023-11-30", lily.second.number), supersedes=lily.entries[2])

    (found,) = again().corrected

    assert found.number == lily.number
    assert missing(found) == [("rsc", 20.0, 24.0, 4.0, "CT-IFS")]
    person = story.store.get(Person, lily.id)
    corrected = [event for _, event in story.store.events(person.stream) if isinstance(event, Person.EntryCorrected)]
    assert found.because == ((person.stream, corrected[0].originator_version, _version_of(story, lily, 2)),)
    assert again().findings == []


def _version_of(story, human, which):
    recorded = [
        event for _, event in story.store.events(f"person/{human.id}") if isinstance(event, Person.EntryRecorded)
    ]
    return recorded[which].originator_version


def test_an_event_put_right_in_memory_says_what_would_have_followed(story, again, lily):
    version = _version_of(story, lily, 3)
    fewer = {"stream": f"person/{lily.id}", "version": version, "fields": {"fact": {"hours": 12}}}

    report = again({"rsc_hours": 25}, correct=fewer)

    (found,) = report.corrected
    assert missing(found) == [("rsc", 22.0, 24.0, 2.0, "CT-IFS")]
    assert found.because == ((f"person/{lily.id}", version, version),)
    assert missing(report.changed[0]) == [("rsc", 22.0, 25.0, 3.0, "CT-IFS")]
    assert report.findings == []

    later = {"stream": f"endorsement/{lily.second.number}", "version": 1, "fields": {"awarded_on": "2024-06-01"}}
    (found,) = again(correct={"corrections": [later]}).corrected
    assert missing(found) == [("rsc", 10.0, 24.0, 14.0, "CT-IFS")]
    assert again(correct=fewer | {"fields": {"fact": {"hours": 15}}}).corrected == []


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"version": 99}, "version", "has no version 99; its last version is"),
        ({"stream": "person/nobody"}, "version", "there is no such stream"),
        ({"fields": {}}, "fields", "Say what is to change"),
        ({"fields": {"name": "Lil"}}, "fields.name", "person.registered has no field|is sealed"),
        ({"fields": {"residenz": "CT"}}, "fields.residenz", "it has .*residence"),
        ({"fields": {"residence": 7}}, "fields", "can't be in person.registered"),
        ({"versions": 1}, "correct", "A correction has stream, version and fields"),
    ],
)
def test_a_correction_that_can_not_be_says_what_is_wrong_with_it(story, again, changed, field, words):
    human = story.somebody("Paul Bystander", "VA")
    correct = {"stream": f"person/{human.id}", "version": 1, "fields": {"residence": "CT"}} | changed
    with pytest.raises(Invalid, match=words) as refused:
        again(correct=correct)
    assert refused.value.field == field


def test_renewals_and_reinstatements_have_other_rules_too(story, again, lily):
    story.it_is("2027-11-02")
    person = story.store.get(Person, lily.id)
    person.record_membership("VA", date(2027, 1, 1), date(2027, 12, 31), on=story.today("VA"), by="operator")
    story.given(person)
    lily.renews(lily.number, training=40, rsc=36, rsc_provision=10, dei=3)

    (found,) = again({"renewal": {"training_hours": 21}}).changed

    assert (found.decision, found.number, found.edition) == ("renewal", lily.number, "renewal-2024")
    assert missing(found) == [("training_hours", 40.0, 42.0, 2.0, "NE-POL, TX-REN2, PA-REN2, RI-REN2")]
    assert again({"renewal": {"training_hours": 20}}).changed == []
    assert again({"renewal": {"dei_hours": 2}}).changed[0].refusal.missing[0]["source"] == "this reconsideration"
    assert again(named("renewal-2002", story.today("VA"))).changed == []


def test_groups_are_people_and_their_own_words_stay_closed(story, again, lily, vault, monkeypatch):
    told = Demographics(race_ethnicity=("asian",), languages=("en", "es"), gender="Woman", own_words="left-handed")
    lily.volunteer_demographics(told)
    opened = []
    unsealed = vault.open_all

    def watched(events):
        found = unsealed(events)
        opened.extend(event for event in found if isinstance(event, Person.DemographicsVolunteered))
        return found

    monkeypatch.setattr(vault, "open_all", watched)

    report = again({"rsc_hours": 60}, demographics=True)

    assert [event.own_words for event in opened] == [None]
    assert report.groups.keys() == {"sector", "race_ethnicity", "languages", "gender"}
    # One person is no group: nothing is said of her.
    assert {by: (dict(table.rows), table.total.considered) for by, table in report.groups.items()} == dict.fromkeys(
        report.groups, ({}, None)
    )
    assert "asian" not in json.dumps(report.as_dict())
    assert report.people.keys() == {lily.id}
    assert lily.id not in json.dumps(report.as_dict()["groups"])


def test_it_gives_up_when_its_time_is_over(story, settings, vault, lily):
    with pytest.raises(TooLong, match="Name one association"):
        reconsider(settings, vault, Asked(), deadline=0)


def test_the_store_of_then_writes_nothing(story, settings, vault, lily):
    past = Past(settings, vault)
    human = past.get(Person, lily.id)
    human.record_membership("VA", date(2025, 1, 1), date(2025, 12, 31), on=date(2025, 3, 3), by="operator")
    recorded = past.save(human)
    past.close()

    assert recorded.positions == []
    assert len(recorded.events) == 1
    assert story.store.position() == past.until
    assert msgspec.structs.replace(recorded.events[0]) in recorded.events


def command(settings, *arguments):
    app = typer.Typer()
    reconsidering.join(app)
    app.callback()(lambda: None)
    environment = {
        "REGISTRY_HOME": str(settings.home), "REGISTRY_DATABASE_URL": settings.database_url,
        "REGISTRY_MASTER_KEY": b64encode(settings.master_key).decode(),
    }  # fmt: skip
    return CliRunner().invoke(app, ["reconsider", *map(str, arguments)], env=environment)


def test_the_command_prints_lists_and_exits_with_one_where_something_does_not_agree(
    story, settings, lily, connect, tmp_path
):
    rules, listed = tmp_path / "rules.toml", tmp_path / "out.csv"
    rules.write_text("rsc_hours = 60\n")

    done = command(settings, "--rules", rules, "--csv", listed, "--demographics", "--association", "VA")

    assert done.exit_code == 0, done.output
    assert "None do not agree with their own rules." in done.output
    assert (
        f"{lily.number}: award of 2025-03-03 at VA (IFS). Still missing under edition FS-2023, changed:" in done.output
    )
    assert "everybody: hidden of hidden" in done.output
    assert [row.split(",")[:2] for row in listed.read_text().splitlines()] == [
        ["list", "number"],
        ["changed", lily.number],
    ]
    read = connect().execute("SELECT actor, record, reason FROM service.access").fetchall()
    assert read == [("operator", "demographics", "reconsider")]

    planted(story, story.store.get(Endorsement, lily.number), Endorsement.Lapsed, through=date(2027, 12, 31))
    done = command(settings, "--json")
    assert done.exit_code == 1
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["stream"], finding["decision"]) == (f"endorsement/{lily.number}", "lapse")


def test_what_the_command_can_not_read_is_said(story, settings, tmp_path):
    for arguments, words in (
        (("--rules", tmp_path / "none.json"), "none.json can't be read: FileNotFoundError"),
        (("--since", "soon"), "Give --since as a day"),
        (("--association", "ZZ"), "No association has the code ZZ"),
        (("--demographics",), "Totals by group need other rules"),
        (("--edition", "today", "--rules", tmp_path), "not both"),
    ):
        refused = command(settings, *arguments).exception
        assert isinstance(refused, Invalid)
        assert words in refused.message


def test_a_database_that_is_away_is_said_and_nothing_may_be_written_on_this_connection(settings, vault, tmp_path):
    away = Settings(home=tmp_path, database_url="postgresql://postgres@127.0.0.1:1/nothing", master_key=bytes(32))
    with pytest.raises(Unavailable):
        reconsider(away, vault, Asked())
    past = Past(settings, vault)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        past._connection.execute("INSERT INTO service.access VALUES ('a', 'b', '2026-01-01', 'c')")
    past.close()
