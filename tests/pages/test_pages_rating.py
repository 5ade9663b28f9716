"""The rater's page in a real browser: by the link, by the code without a script, on a phone, and in Spanish."""

import pytest
from barriers import barriers
from faces import created
from references import CODES

from registry import notify

RATER = {"relationship": "supervisor", "name": "Wilhelmina Rater", "email": "wilhelmina@example.org"}


@pytest.fixture
def asked(life, settings, registry):
    """The id of a reference for which the rater has a letter, and the code in it."""
    life.start()
    answer = life.holder.do(f"/people/{life.person}/references", RATER | {"waiver": True})
    name = created(answer, "reference")
    return name, registry.rating_code(name, 2)


def fill(page, but=()):
    for code in CODES:
        if code not in but:
            page.locator(f"#{code}-3").check()
    page.locator("#recommendation-recommend").check()
    page.locator("#known-yes").check()


def test_a_rater_opens_the_link_corrects_and_is_thanked(visit, asked, registry, life):
    name, code = asked
    page = visit(width=320)
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    page.goto(f"/rate#{code}")
    page.get_by_role("heading", name="Reference for Marisol Okafor").wait_for()
    assert "#" not in page.url
    assert not any(code in address for address in sent)
    assert "has given up the right" in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert barriers(page) == {}

    fill(page, but=("RF",))
    page.get_by_label("Anything to add").fill("Calm and curious.")
    page.get_by_role("button", name="Send the reference").click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").get_by_role("link").all_inner_texts() == ["Reflection: Choose one answer."]
    assert page.get_by_label("Anything to add").input_value() == "Calm and curious."
    assert page.locator("#TF-3").is_checked()
    assert barriers(page) == {}

    page.locator("#RF-unknown").check()
    page.get_by_role("button", name="Send the reference").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    (found,) = registry.references_of(life.person)
    assert (found.name, found.state, found.unknown) == (name, "rated", 1)

    page.goto("/rate")
    page.get_by_label("Code of the letter").fill(code)
    page.get_by_role("button", name="Go on").click()
    assert "This code opens nothing" in page.get_by_role("alert").inner_text()
    assert barriers(page) == {}


def test_without_a_script_the_code_is_pasted_and_one_may_decline_in_spanish(visit, asked, registry, life):
    _, code = asked
    page = visit(script=False)
    page.goto("/rate?lang=es")
    page.get_by_label("Código de la carta").fill(" ".join(code[i : i + 4] for i in range(0, 52, 4)).lower())
    page.get_by_role("button", name="Continuar").click()
    page.get_by_text("Prefiero no dar una referencia").click()
    page.get_by_label("No tengo tiempo").check()
    page.get_by_role("button", name="Declinar").click()
    page.get_by_role("heading", name="Usted declinó").wait_for()
    assert registry.references_of(life.person)[0].state == "declined"


def test_applicant_and_coordinator_see_where_a_reference_stands(visit, asked, life, views):
    name, _ = asked
    views.catch_up()
    own = visit("holder", person=life.person)
    own.get_by_role("link", name="Wilhelmina Rater").click()
    own.get_by_role("heading", name="Reference by Wilhelmina Rater").wait_for()
    assert "asked for" in own.content()
    assert barriers(own) == {}
    theirs = visit("coordinator", association="VA")
    theirs.goto("/today")
    assert theirs.locator(f'a[href="/references/{name}"]').count() == 1
    theirs.goto(f"/references/{name}")
    theirs.get_by_text("Vet a rater who is not endorsed").first.click()
    theirs.get_by_label("Note").fill("Spoke by phone.")
    theirs.get_by_role("button", name="Vet a rater who is not endorsed").click()
    theirs.wait_for_url("**/references/**done=vet_rater**")
    assert "Spoke by phone." in theirs.content()


def test_the_letter_leads_there(asked, settings, registry):
    notify.go_round(settings, registry)
    box = notify.Outbox(settings)
    (letter,) = box.letters()
    assert f"https://{settings.public_host}/rate#{asked[1]}" in box.read(letter).get_content()
