"""The employer's pages and the holder's list of links, by a link of entry, without a script."""

import re
from datetime import timedelta

import httpx
import pytest
from faces import created
from grounds import PATIENCE
from typer.testing import CliRunner

from registry.__main__ import app


@pytest.fixture
def come(address, desk):
    """A visitor who came in by a link."""
    opened = []

    def enter(role, **whose):
        there = httpx.Client(base_url=address, follow_redirects=True, timeout=PATIENCE)
        opened.append(there)
        there.post(desk.make_entry(role, **whose))
        return there

    yield enter
    for there in opened:
        there.close()


def send(there, page, action, **fields):
    """Fill in the form of this action and send it."""
    form = re.search(rf'<form method="post" action="{re.escape(action)}".*?</form>', page.text, re.DOTALL)
    assert form, action
    key = re.search(r'name="_key" value="([^"]+)"', form[0])
    return there.post(action, data={"_key": key[1], **fields})


def test_an_employer_follows_reads_and_leaves(life, employer, come):
    there = come("employer", person=employer.id)
    here = f"/employers/{employer.id}"
    empty = there.get("/today")
    assert empty.url.path == here
    assert "Nothing yet" in empty.text

    wrong = send(there, empty, f"{here}/follows", number=life.number, name="Somebody Else")
    assert wrong.status_code == 422
    assert "No certificate that is still good shows this" in wrong.text
    followed = send(there, wrong, f"{here}/follows", number=life.number, name="Marisol Okafor")
    assert life.number in followed.text
    assert "Marisol" not in followed.text
    life.suspend()
    after = there.get(here)
    assert "Suspended" in after.text
    assert "What changed lately" in after.text
    left = send(there, after, f"{here}/unfollows", numbers=life.number)
    assert "Nothing yet" in left.text


def test_the_secret_of_an_address_is_on_one_page_once(life, employer, come, receiving):
    there = come("employer", person=employer.id)
    here = f"/employers/{employer.id}"
    shown = send(there, there.get(here), f"{here}/webhooks", url=receiving.url)

    assert re.search(r"<code>whsec_[A-Za-z0-9+/=]{44}</code>", shown.text)
    assert shown.headers["cache-control"] == "no-store"
    assert "whsec_" not in there.get(here).text
    assert receiving.url in there.get(here).text
    assert receiving.url not in come("coordinator", association="VA").get(here).text


def test_a_holder_makes_a_link_and_ends_it(life, clock, come, address):
    there = come("holder", person=life.person)
    here = f"/people/{life.person}/shares"
    assert "You share nothing" in there.get(here).text
    until = (clock.today + timedelta(days=9)).isoformat()
    made = send(there, there.get(here), here, number=life.number, until=until, details="history")
    path = re.search(r'href="(/shared/[a-z2-7]{52})"', made.text)[1]
    assert httpx.get(f"{address}{path}", timeout=PATIENCE).status_code == 200
    listed = there.get(here)
    assert path not in listed.text
    assert until in listed.text
    (name,) = re.findall(rf'action="{here}/(S\d+)/ends"', listed.text)
    ended = send(there, listed, f"{here}/{name}/ends")
    assert "ended" in ended.text
    assert httpx.get(f"{address}{path}", timeout=PATIENCE).status_code == 404


def test_a_coordinator_admits_and_sees_employers_but_not_what_they_follow(life, employer, come):
    employer.do("follows", {"number": life.number, "name": "Marisol Okafor"})
    there = come("coordinator", association="VA")
    listed = there.get("/employers")
    assert "Riverside Clinic" in listed.text
    admitted = send(there, listed, "/employers", name="Hillside School", email="office@hillside.example.org")
    assert admitted.url.path.startswith("/employers/")
    assert "Hillside School" in admitted.text
    page = there.get(f"/employers/{employer.id}")
    assert life.number not in page.text
    assert "What you follow" not in page.text
    assert there.get("/employers").text.count("/employers/") >= 2


def test_the_commands_of_an_operator(client, registry, settings, monkeypatch):
    for name, value in (
        ("REGISTRY_HOME", str(settings.home)),
        ("REGISTRY_DATABASE_URL", settings.database_url),
        ("REGISTRY_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ):
        monkeypatch.setenv(name, value)

    def run(*words):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    made = run("employer", "add", "--name", "Hillside School", "--email", "office@hillside.example.org")
    assert "Hillside School" in run("employer", "list")
    found = registry.employer(made)
    found.set_webhook("https://hr.example.org/alerts", on=registry.today("ALLIANCE"), by="operator")
    registry.store.save(found)
    assert run("webhooks", "list").startswith(f"{made}  sending")
    assert "hr.example.org" not in run("webhooks", "list", "--json")
    run("webhooks", "test", made)
    run("webhooks", "replay", made, "--after", "0")
    run("webhooks", "end", made)
    run("employer", "end", made)
    assert "(erased)" in run("employer", "list")
    answer = client("operator").do("/employers", {"name": "Third", "email": "t@example.org"})
    assert created(answer, "employer") in run("employer", "list", "--json")
