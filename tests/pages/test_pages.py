"""Pages in a real browser: readable by everybody, usable by keyboard and without JavaScript, nothing typed is lost."""

import pytest
from barriers import COLOURS, barriers, has_no_barrier
from faces import created


@pytest.fixture
def endorsed(life, views):
    """An endorsement on its way to Connecticut, and a second application."""
    life.number = life.endorsed()
    asked = life.holder.do(f"/people/{life.person}/transfers", {"to": "CT", "endorsements": [life.number]})
    life.transfer = created(asked, "transfer")
    again = life.holder.do(f"/people/{life.person}/applications", {"association": "VA", "category": "IFS"})
    life.application = created(again, "application")
    views.catch_up()
    return life


def test_barriers_are_found(visit):
    page = visit()
    page.set_content("""<img src="data:,"><p style="color: #bbb; background: #fff">pale</p>""")
    assert barriers(page).keys() >= {"image-alt", "color-contrast"}
    assert barriers(page, COLOURS).keys() == {"color-contrast"}
    assert "color-contrast" not in barriers(page, without="p")


PUBLIC = (
    "/", "/register", "/register?number=abc", "/register?name=nobody&lang=es", "/v1/check",
    "/endorsements/{number}", "/endorsements/IFS-7K3MQ9TD", "/problems", "/today",
    "/access?role=advisor", "/access?role=cook", "/rules?category=IFS&association=RI",
    "/rsc-providers?language=es&association=CT", "/rsc-providers?number={number}&lang=es",
    "/enter/unknown", "/?lang=es",
)  # fmt: skip
# Many times the same row.
LONG = {"/access": "tr:nth-of-type(n+9)", "/api": "details:nth-of-type(n+9)"}


def test_public_pages_are_accessible(visit, endorsed):
    page = visit()
    for path in PUBLIC:
        has_no_barrier(page, path.format(number=endorsed.number))
    for path, rows in LONG.items():
        has_no_barrier(page, path, without=rows)


def test_public_pages_have_contrast_in_the_dark(visit, endorsed):
    page = visit()
    page.emulate_media(color_scheme="dark")
    for path in (*PUBLIC, *LONG):
        page.goto(path.format(number=endorsed.number))
        assert barriers(page, COLOURS, without=LONG.get(path, "")) == {}, path


def test_pages_of_staff_are_accessible(visit, endorsed):
    page = visit("coordinator", association="VA")
    for path in ("/today", f"/endorsements/{endorsed.number}", f"/people/{endorsed.person}",
                 f"/applications/{endorsed.application}", f"/transfers/{endorsed.transfer}",
                 "/reconsider?association=VA&training_hours=99", "/associations/VA/reciprocity"):  # fmt: skip
        has_no_barrier(page, path)
    page.goto(f"/endorsements/{endorsed.number}")
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert barriers(page) == {}


def test_pages_of_holders_and_reviewers_are_accessible(visit, endorsed):
    holder = visit("holder", person=endorsed.person)
    for path in (f"/people/{endorsed.person}?category=IFS", f"/endorsements/{endorsed.number}"):
        has_no_barrier(holder, path)
    reviewer = visit("reviewer", person=endorsed.reviewers[0][1])
    has_no_barrier(reviewer, "/reviews")


def test_pages_of_employers_and_of_shared_links_are_accessible(visit, endorsed, client):
    answer = endorsed.va.do("/employers", {"name": "Riverside Clinic", "email": "hr@riverside.example.org"})
    employer = created(answer, "employer")
    key = client("employer", person=employer)
    key.do(f"/employers/{employer}/follows", {"number": endorsed.number, "name": "Marisol Okafor"})
    endorsed.va.do(f"/endorsements/{endorsed.number}/suspensions", {"reason": "sanction_being_established"})
    body = {"number": endorsed.number, "until": "2026-06-30",
            "details": ["history", "other_endorsements", "rsc_provider"]}  # fmt: skip
    link = endorsed.holder.do(f"/people/{endorsed.person}/shares", body)["shown_once"]["link"]
    page = visit("employer", person=employer)
    has_no_barrier(page, f"/employers/{employer}")
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert barriers(page) == {}
    has_no_barrier(visit("coordinator", association="VA"), "/employers")
    has_no_barrier(visit("holder", person=endorsed.person), f"/people/{endorsed.person}/shares")
    public = visit()
    for path in (f"/shared/{link.rpartition('/')[2]}", "/shared/unknown?lang=es"):
        has_no_barrier(public, path)


def test_by_keyboard_alone_without_javascript(visit, endorsed):
    """A coordinator suspends an endorsement with Tab, Space, Enter and letters."""
    page = visit("coordinator", association="VA", script=False)
    page.goto(f"/endorsements/{endorsed.number}")
    tab_to(page, "Suspend it while a finding")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("fraud")
    tab_to(page, "Suspend it while a finding", "BUTTON")
    page.keyboard.press("Enter")
    page.wait_for_url("**/endorsements/**done=suspend**")
    assert page.locator("h1 .badge").inner_text() == "suspended"


def tab_to(page, text, tag="SUMMARY"):
    """Tab until this is focused, seeing at every stop that the focus shows."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.evaluate("e => e.tagName") == tag and text in focused.inner_text():
            assert focused.evaluate("e => getComputedStyle(e).outlineStyle") != "none"
            return
    raise AssertionError(f"no way to {text}")


def test_nothing_typed_is_lost_when_it_is_refused(visit, endorsed):
    page = visit("holder", person=endorsed.person)
    page.goto(f"/people/{endorsed.person}")
    page.get_by_text("Record or correct a portfolio entry").first.click()
    form = page.get_by_role("form", name="Record or correct a portfolio entry")
    form.get_by_label("Kind of entry").select_option("training")
    form.get_by_label("First day").fill("2026-03-02")
    form.get_by_label("Last day").fill("2026-03-01")
    form.get_by_label("Hours", exact=False).first.fill("12,5")
    form.get_by_label("Title").fill("Circle of care")
    form.get_by_role("button").click()
    page.wait_for_load_state()
    form = page.get_by_role("form", name="Record or correct a portfolio entry")
    assert form.get_by_label("Title").input_value() == "Circle of care"
    assert form.get_by_label("First day").input_value() == "2026-03-02"
    wrong = form.get_by_label("Last day")
    assert wrong.get_attribute("aria-invalid") == "true"
    assert "before the first" in page.locator(f"#{wrong.get_attribute('aria-describedby')}").inner_text()
    wrong.fill("2026-03-03")
    form.get_by_role("button").click()
    page.wait_for_url("**done=record_entry**")
    assert page.get_by_text("Circle of care").count() == 1


def test_a_form_sent_twice_is_done_once(visit, endorsed, store):
    page = visit("coordinator", association="VA")
    page.goto(f"/people/{endorsed.person}")
    form = page.locator("form[action$='/memberships']")
    fields = {
        "_key": form.locator("[name=_key]").input_value(),
        "association": "VA",
        "from": "2026-01-01",
        "through": "2026-12-31",
    }
    before = store.position()
    for _ in range(2):
        answer = page.context.request.post(form.get_attribute("action"), form=fields, max_redirects=0)
        assert answer.status == 303
        assert answer.headers["location"].endswith(f"done=record_membership&position={before + 1}")
    assert store.position() == before + 1


def test_a_link_lets_in_once_and_leaving_ends_it(visit, desk, address):
    page = visit()
    entry = desk.make_entry("coordinator", association="VA")
    page.goto(entry)
    page.reload()  # scanners of mail only look
    page.get_by_role("button", name="Come in").click()
    page.wait_for_url("**/today")
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Lax", -1)
    assert page.goto(entry).status == 410
    page.goto("/today")
    page.get_by_role("button", name="Leave").click()
    assert page.context.cookies() == []
    page.context.add_cookies([cookie])
    assert page.goto("/today").status == 401


def test_the_public_page_says_nothing_of_what_is_not_active_and_listed(visit, endorsed, views):
    page = visit()
    page.goto(f"/endorsements/{endorsed.number}")
    assert page.locator("h1").inner_text() == "Marisol Okafor, MSW"
    assert "History" not in page.content()
    endorsed.holder.do(f"/people/{endorsed.person}/publications", {"listed": False})
    views.catch_up()
    page.goto(f"/endorsements/{endorsed.number}")
    hidden = page.content().replace(endorsed.number, "NUMBER")
    page.goto("/endorsements/IFS-7K3MQ9TD")
    assert page.content().replace("IFS-7K3MQ9TD", "NUMBER") == hidden


def test_specimen_keys_show_on_every_page(visit, endorsed):
    page = visit()
    for path in ("/", "/register", f"/endorsements/{endorsed.number}", "/v1/check", "/problems"):
        page.goto(path)
        assert "SPECIMEN" in page.locator("header").inner_text()
        assert "not affiliated" in page.locator("footer").inner_text()


def test_a_search_needs_no_new_page_and_no_script(visit, endorsed):
    for script in (True, False):
        page = visit(script=script)
        page.goto("/register")
        page.get_by_label("Name").fill("okafor")
        page.get_by_role("button", name="Search").click()
        page.wait_for_url("**name=okafor**")
        assert page.locator("#results tbody tr").count() == 1
        page.get_by_label("Association").select_option("TX")
        if not script:
            page.get_by_role("button", name="Search").click()
        page.wait_for_url("**association=TX**")
        assert "No active, listed endorsement" in page.locator("#results").inner_text()


def test_a_reviewer_sees_what_was_handed_in(visit, life, views):
    application = life.submitted()
    number, person = life.reviewers[0]
    life.va.do(f"/applications/{application}/reviewers", {"reviewer": number})
    views.catch_up()
    page = visit("reviewer", person=person)
    page.get_by_role("link", name="Marisol Okafor").click()
    assert "home visiting" in page.locator("main").inner_text()
    page.get_by_text("Recommend, as the reviewer").first.click()
    form = page.get_by_role("form", name="Recommend, as the reviewer")
    form.get_by_label("Outcome").select_option("defer")
    form.get_by_role("button").click()
    page.wait_for_load_state()
    assert "Say why" in page.locator("fieldset.wrong .error").inner_text()
    form = page.get_by_role("form", name="Recommend, as the reviewer")
    assert form.get_by_label("Outcome").input_value() == "defer"
    form.get_by_label("more training").check()
    form.get_by_role("button").click()
    page.wait_for_url("**done=recommend**")
    assert page.get_by_text("defer", exact=True).count() >= 1


def test_spanish_for_the_public(visit, endorsed):
    page = visit()
    page.goto("/")
    page.get_by_role("link", name="Español").click()
    assert page.locator("html").get_attribute("lang") == "es"
    page.get_by_role("link", name="Registro", exact=True).click()
    assert page.locator("h1").inner_text() == "Registro de avales"
    page.get_by_role("link", name=endorsed.number).click()
    assert page.locator(".badge").inner_text() == "Activo"
