"""A bundle over HTTP is what `registry bundle` writes, for whoever asks."""

import pytest

from registry.bundle import MEDIA
from registry.opening import open_keys, open_plane
from verifier import keys
from verifier.bundle import Pins, check


@pytest.fixture
def number(life, views, settings, clock, connect):
    """Somebody endorsed here, in the published log."""
    found = life.endorsed()
    views.catch_up()
    open_plane(settings, open_keys(settings)).publish(connect("reader"), clock())
    return found


@pytest.fixture
def pins(number, settings):
    ring = keys.read_keys_json((settings.static / "keys.json").read_bytes())
    return Pins(logs=ring.logs, ring=ring)


def test_a_case_a_person_and_a_period(life, number, pins, connect):
    for path in (
        f"/endorsements/{number}/bundle",
        f"/people/{life.person}/bundle",
        "/associations/VA/bundle?from=2026-01-01&to=2026-12-31",
    ):
        answer = life.va.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA), answer.text
        assert "attachment" in answer.headers["content-disposition"]
        proved = check(answer.content, pins)
        assert (proved.verdict, proved.made_for["association"]) == ("proved", "VA")
        assert proved.checkpoint.size == int(answer.headers["x-registry-position"])
        assert "Marisol Okafor" in {one["value"] for one in proved.opened}
        assert life.person in {one["person"] for one in proved.claims["endorsements"]}
    noted = connect().execute("SELECT record FROM service.access WHERE reason = 'take_bundle'").fetchall()
    assert sorted(record for (record,) in noted) == sorted(
        [f"endorsement/{number}", f"person/{life.person}", "association/VA"]
    )


def test_ones_own_is_noted_of_nobody(life, number, pins, connect):
    answer = life.holder.get(f"/people/{life.person}/bundle")

    assert {"Marisol Okafor", "marisol@example.org"} <= {one["value"] for one in check(answer.content, pins).opened}
    assert "application.competencies_assessed" not in answer.text
    assert connect().execute("SELECT FROM service.access WHERE reason = 'take_bundle'").fetchall() == []


def test_strangers_get_none_and_bad_days_are_named(life, number, client):
    michigan = client("coordinator", association="MI")
    assert michigan.get(f"/endorsements/{number}/bundle").status_code == 403
    assert client().get(f"/endorsements/{number}/bundle").status_code == 401
    for days in ("from=2026-06-01&to=2026-01-01", "from=2026-06-01", "from=x&to=y", "from=2001-01-01&to=2001-02-01"):
        refused = life.va.get(f"/associations/VA/bundle?{days}")
        assert (refused.status_code, refused.json()["field"]) in {(422, "to"), (422, "from")}
