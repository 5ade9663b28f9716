"""Where a coordinator looks at a case, a person or the day, a bundle is one click away."""

from datetime import UTC, datetime

from registry.opening import open_keys, open_plane
from verifier.bundle import check


def test_a_coordinator_takes_a_case_a_person_and_a_period(visit, life, views, settings, connect):
    number = life.endorsed()
    views.catch_up()
    open_plane(settings, open_keys(settings)).publish(connect("reader"), datetime(2026, 6, 1, 13, tzinfo=UTC))
    page = visit("coordinator", association="VA")
    for path, link in (
        (f"/endorsements/{number}", "Take its case as a file"),
        (f"/people/{life.person}", "Take their history as a file"),
    ):
        page.goto(path)
        with page.expect_download() as taken:
            page.get_by_text(link).click()
        assert check(taken.value.path().read_bytes()).claims["endorsements"][0]["number"] == number
    page.goto("/today")
    form = page.get_by_role("region", name="A period as a file")
    form.get_by_label("First day").fill("2026-01-01")
    form.get_by_label("Last day").fill("2026-12-31")
    with page.expect_download() as taken:
        form.get_by_role("button", name="Take it").click()
    assert taken.value.suggested_filename == "VA-2026-01-01-2026-12-31.bundle.json"
