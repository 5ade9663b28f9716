"""References over the whole way: nominated, asked by a letter, rated without an account, vetted, counted, erased."""

import logging
import re
import socketserver
import threading
import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from faces import created
from references import CODES, give_references

from domain.access import Actor
from domain.editions import reference_rule
from domain.errors import Forbidden
from domain.reference import Reference, counted
from registry import nightly, notify
from registry.commands import Act

RATER = {"relationship": "supervisor", "name": "Wilhelmina Q. Rater", "email": "wilhelmina@example.org"}
ANSWERS = dict.fromkeys(CODES, 3)
RATING = {"answers": ANSWERS, "recommendation": "recommend", "known_a_year": True, "comment": "Wholeheartedly, W."}


@pytest.mark.parametrize("category", ["IFA", "IMHS", "IMHM-P", "ERS"])
def test_the_references_that_tests_are_given_count(registry, category):
    names = give_references(registry, "p1", category)
    found = counted(registry.references_of("p1"), category, "VA", registry.today("VA"))
    assert (found.count, found.open) == (len(names), ())
    assert len(names) == len(reference_rule(category, registry.today("VA")).slots)


def letters(settings, registry):
    """The texts of the letters that wait, in order; then they are as if sent."""
    notify.go_round(settings, registry)
    box = notify.Outbox(settings)
    found = [box.read(letter) for letter in box.letters()]
    for letter in box.letters():
        assert letter.stat().st_mode & 0o777 == 0o600
        letter.unlink()
    return found


def code_of(letter):
    return re.search(r"/rate#([A-Z2-7]{52})\s", letter.get_content())[1]


def nominated(life, **unlike):
    return created(life.holder.do(f"/people/{life.person}/references", RATER | {"waiver": True} | unlike), "reference")


def test_a_reference_from_nomination_to_counting(life, client, settings, registry, caplog, connect):
    caplog.set_level(logging.DEBUG)
    life.start()
    reference = nominated(life, waiver=False)
    (letter,) = letters(settings, registry)
    assert letter["To"] == RATER["email"]
    assert "Marisol Okafor" in letter.get_content()
    assert "Okafor" not in letter["Subject"]
    code = code_of(letter)

    # A typed code with blanks, small letters; no account and no key.
    typed = " ".join(code[i : i + 4] for i in range(0, 52, 4)).lower()
    public = client()
    key = str(uuid.uuid4())
    answer = public.post("/ratings", {"code": typed} | RATING, key=key)
    assert answer.status_code == 201, answer.text
    assert "Wholeheartedly" not in answer.text
    # Sent twice it is done once.
    assert public.post("/ratings", {"code": typed} | RATING, key=key).headers["Idempotency-Replayed"] == "true"

    (found,) = registry.references_of(life.person)
    assert (found.state, found.recommendation, found.application != "") == ("rated", "recommend", True)
    assert counted([found], "IFA", "VA", registry.today("VA")).slots == ("supervisor",)

    # R27: the applicant sees state and name, the coordinator the content; that is noted.
    own = life.holder.get(f"/references/{reference}").json()
    assert (own["state"], own["name"]) == ("rated", RATER["name"])
    assert not {"answers", "comment", "recommendation", "unknown", "reasons"} & set(own)
    theirs = life.va.get(f"/references/{reference}").json()
    assert (theirs["answers"]["TF"], theirs["comment"]) == (3, RATING["comment"])
    noted = connect("owner").execute("SELECT reason FROM service.access WHERE record LIKE 'reference/%'").fetchall()
    assert ("see_reference",) in noted
    assert client("coordinator", association="TX").get(f"/references/{reference}").status_code == 403
    life.va.do(f"/references/{reference}/reasons", {"reasons": "More about reflection."})
    assert life.holder.get(f"/references/{reference}").json()["reasons"] == "More about reflection."

    # Full seal: the rater's name and words stand in no table and no log.
    for secret in (RATER["name"], RATER["email"], "Wholeheartedly", code):
        assert places_of(secret, connect()) == []
        assert secret not in caplog.text

    # Its key destroyed, the rest is as it was.
    for gone in registry.forget_references(life.person, on=registry.today("VA"), by="operator"):
        registry.store.save(gone)
        registry.store.vault.erase(gone.name, ["reference"])
    erased = life.va.get(f"/references/{reference}").json()
    assert (erased["state"], erased["name"], erased["answers"]) == ("erased", None, None)
    assert registry.forget_references(life.person, on=registry.today("VA"), by="operator")[0].pending == []


def places_of(secret, connection):
    found = []
    tables = connection.execute(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    for (table,) in tables:
        if table.endswith('"events"') or table == "registry.events":
            column = "convert_from(t.state, 'UTF8')"
        else:
            column = "t::text"
        rows = connection.execute(f"SELECT 1 FROM {table} AS t WHERE {column} LIKE %s LIMIT 1", [f"%{secret}%"])
        found += [table for _ in rows.fetchall()]
    return found


def test_a_link_works_once_for_ninety_days_and_only_the_newest(life, client, settings, registry, clock):
    reference = nominated(life)
    (first,) = letters(settings, registry)
    life.va.do(f"/references/{reference}/requests")
    (second,) = letters(settings, registry)
    public = client()
    refused = [public.post("/ratings", {"code": wrong} | RATING) for wrong in ("A" * 52, "", code_of(first))]
    assert {answer.status_code for answer in refused} == {401}
    assert len({re.sub(r'"instance":"[^"]*"', "", answer.text) for answer in refused}) == 1
    for wrong in ("A" * 52, code_of(first)):
        with pytest.raises(Forbidden, match="opens nothing"):
            registry.asked(wrong)
    assert registry.asked(code_of(second)).name == reference
    clock.move(days=91)
    with pytest.raises(Forbidden, match="opens nothing"):
        registry.asked(code_of(second))
    clock.move(days=-91)
    assert public.post("/ratings", {"code": code_of(second)} | RATING).status_code == 201
    assert public.post("/ratings", {"code": code_of(second)} | RATING).status_code == 401
    # Nobody rates with a key or a session instead.
    assert life.holder.post("/ratings", {"code": ""} | RATING).status_code == 403


def test_a_rater_declines_and_another_one_is_asked(life, client, settings, registry):
    nominated(life)
    again = life.holder.post(f"/people/{life.person}/references", RATER | {"waiver": True})
    assert (again.status_code, again.json()["field"]) == (422, "email")
    own = life.holder.post(
        f"/people/{life.person}/references", RATER | {"waiver": True, "email": "marisol@example.org"}
    )
    assert "Nobody rates themselves" in own.text
    (letter,) = letters(settings, registry)
    client().do("/ratings/declined", {"code": code_of(letter), "reason": "no_time"})
    nominated(life)
    listed = life.holder.get(f"/people/{life.person}/references").json()["references"]
    assert sorted(one["state"] for one in listed) == ["declined", "requested"]


def test_a_number_qualifies_only_from_its_holders_own_address(life, registry):
    number, person = life.reviewers[0]
    nominated(life, endorsement=number)
    (found,) = registry.references_of(life.person)
    assert (found.rater, found.confirmed) == (person, False)


def test_a_rater_who_is_silent_is_reminded_twice(life, settings, registry, clock, views, connect):
    reference = nominated(life)
    letters(settings, registry)
    rule = tuple(rule for rule in nightly.RULES if rule.name == "remind_rater")
    said = []
    for days in (13, 1, 0, 13, 1, 30):
        clock.move(days=days)
        views.catch_up()
        list(nightly.go_round(registry, connect("reader"), rules=rule))
        said.append([letter["Subject"].split(":")[0] for letter in letters(settings, registry)])
    assert said == [[], ["Reminder"], [], [], ["Reminder"], []]
    assert len(registry.store.get(Reference, reference).reminded_on) == 2


class Sink(socketserver.StreamRequestHandler):
    """As much of a mail server as a letter needs; an address at refused.example is refused for good."""

    def handle(self):
        self.say("220 sink")
        for line in iter(self.rfile.readline, b""):
            word = line.decode().upper().strip()
            if word.startswith("RCPT") and "REFUSED" in word:
                self.say("550 no such address")
            elif word == "DATA":
                self.say("354 go on")
                taken = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.taken.append(taken.decode())
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def mail_server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sink) as server:
        server.taken = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_letters_are_sent_once_and_deleted(life, settings, registry):
    nominated(life)
    nominated(life, name="Bo Rater", email="bo@refused.example", relationship="colleague")
    box = notify.Outbox(settings)
    with mail_server() as server:
        sending = replace(settings, smtp_url=f"smtp://127.0.0.1:{server.server_address[1]}")
        assert notify.go_round(sending, registry) == notify.Sent(1, 1, 0)
        assert notify.go_round(sending, registry) == notify.Sent(0, 0, 0)
        (taken,) = server.taken
    assert f"To: {RATER['email']}" in taken
    assert box.letters() == []
    assert len(box.letters("refused")) == 1
    # Read again from the start the same letter has the same name.
    (box.folder / "position").unlink()
    assert notify.go_round(settings, registry).waiting == 2
    assert re.search(r"Message-ID: (\S+)", taken)[1] in {box.read(letter)["Message-ID"] for letter in box.letters()}


def test_nobody_is_written_to_about_what_is_over(life, settings, registry, clock):
    gone = nominated(life)
    life.holder.do(f"/references/{gone}/withdrawals")
    nominated(life, email="other@example.org")
    clock.move(days=100)
    assert letters(settings, registry) == []


def test_only_the_reviewers_of_the_open_application_see_a_rating(life, client, settings, registry):
    give_references(registry, life.person, "IFA")
    application = life.submitted()
    number, person = life.reviewers[0]
    reviewer = client("reviewer", person=person)
    path = f"/references/{registry.references_of(life.person)[0].name}"
    assert reviewer.get(path).status_code == 403
    life.va.do(f"/applications/{application}/reviewers", {"reviewer": number})
    assert reviewer.get(path).json()["answers"]["TF"] == 3


def test_a_deed_of_one_is_refused_to_another(life, client, registry):
    reference = nominated(life)
    stranger = client("holder", person=life.reviewers[0][1])
    for deed in ("requests", "reminders", "withdrawals"):
        assert stranger.post(f"/references/{reference}/{deed}").status_code == 403
    vetting = {"qualified": True, "note": "Phoned."}
    assert life.holder.post(f"/references/{reference}/vettings", vetting).status_code == 403
    life.va.do(f"/references/{reference}/vettings", vetting)
    assert registry.references_of(life.person)[0].vetted is True
    act = Act(Actor("coordinator", association="VA"), on=registry.today("VA") - timedelta(days=1))
    with pytest.raises(Exception, match="past day"):
        registry.remind_rater(act, reference)
