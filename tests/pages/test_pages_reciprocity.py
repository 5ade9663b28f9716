"""The pages of reciprocity: who came and left, and the matrix, for eyes, screen readers and paper."""

from barriers import has_no_barrier
from faces import created


def test_who_came_and_left_is_a_table_that_can_be_read_and_taken_along(visit, life, client, views):
    number, person = life.endorse()
    holder, ct = client("holder", person=person), client("coordinator", association="CT")
    transfer = created(holder.do(f"/people/{person}/transfers", {"to": "CT", "endorsements": [number]}), "transfer")
    life.va.do(f"/transfers/{transfer}/confirmations")
    ct.do(f"/transfers/{transfer}/memberships", {"through": "2027-12-31"})
    before = life.registry.store.position()
    ct.do(f"/transfers/{transfer}/acceptances")
    views.catch_up()

    page = visit("coordinator", association="CT")
    has_no_barrier(page, "/associations/CT/reciprocity")
    assert page.locator("th[scope=row]").inner_text().startswith(number)
    page.get_by_label("As known at").fill(str(before))
    page.get_by_role("button", name="Show").click()
    assert page.get_by_text("Nobody came in this period.").is_visible()
    assert page.locator(f"a[href='/transfers/{transfer}']").count() == 1  # still under way
    with page.expect_download() as table:
        page.get_by_role("link", name="Table (CSV)").click()
    assert table.value.suggested_filename.endswith(".csv")

    alliance = visit("alliance")
    has_no_barrier(alliance, "/reciprocity", without="tr:nth-of-type(n+9)")
    assert alliance.get_by_role("row", name="VA").get_by_text("1").count()
    alliance.goto("/reciprocity?from=2010-01-01&through=2010-12-31")
    assert alliance.get_by_text("Nobody moved in this period.").is_visible()
