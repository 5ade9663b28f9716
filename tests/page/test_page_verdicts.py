"""Every verdict of the table, as the page says it in a browser, with the registry's files behind it or not."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect
from static_plane import (
    CERTIFICATES,
    DAY,
    HOST,
    ISSUER,
    LISTS,
    OTHERS,
    REVOKED,
    STRANGER,
    SUPERSEDED,
    SUSPENDED,
    WITHDRAWN,
    keys_json,
)
from static_plane import GOOD as GOOD_PLACE

import verifier.page
from verifier import certificate as qr
from verifier.verdict import VERDICTS, Notice, sentence

GOOD, STOP, WARN, UNSURE = "good", "stop", "warn", "unsure"


def scanned(open_page, served, text, **settings):
    """A phone's camera opened the code's address at this registry."""
    return open_page(f"{served.address}/v1#{text.split('#')[1]}", **settings)


def pasted(open_page, served, text, **settings):
    page = open_page(f"{served.address}/v1", **settings)
    page.get_by_label("The code as text").first.fill(text)
    page.get_by_role("button", name="Check", exact=True).click()
    return page


def says(page, verdict, look):
    expect(page.locator("#result")).to_have_attribute("data-verdict", verdict)
    expect(page.locator("#card")).to_have_class(look)
    expect(page.locator("#sentence")).to_have_text(VERDICTS[verdict].en.sentence)


def shows_nobody(page):
    expect(page.locator("#facts")).to_be_hidden()
    assert "Marisol" not in page.content()


def forged(plane):
    """Another name under the signature of the first."""
    return plane.text().split("#")[0] + "#" + qr.digits(plane.message().replace(b"Marisol", b"Marisel"))


def test_a_good_certificate_is_green_with_all_its_facts(open_page, served):
    page = scanned(open_page, served, served.plane.text())

    says(page, "valid", GOOD)
    expect(page.get_by_role("heading", name="Valid")).to_be_focused()
    facts = page.locator("#facts")
    for fact in (
        "Marisol Fernández-Okafor, LMSW",
        "Infant Family Specialist + Endorsed Reflective Supervisor",
        "Virginia Association for Infant Mental Health",
        "IFS-7K3MQ9TD",
        "Valid until",
    ):
        expect(facts).to_contain_text(fact)
    expect(page.locator("#when")).to_contain_text(re.compile("Checked .* Status list of "))
    expect(page.locator("#recognized")).to_be_visible()
    expect(page.locator("#host")).to_contain_text(served.address.removeprefix("http://"))
    assert page.title().startswith("Valid")


@pytest.mark.parametrize(
    ("verdict", "look", "index"),
    [("revoked", STOP, REVOKED), ("suspended", STOP, SUSPENDED), ("superseded", WARN, SUPERSEDED)],
)
def test_what_the_list_says_is_shown(open_page, served, verdict, look, index):
    page = scanned(open_page, served, served.plane.text(status_index=index))

    says(page, verdict, look)
    expect(page.locator("#recognized")).to_be_hidden()


def test_a_replaced_certificate_tells_why_when_and_where_the_endorsement_is_now(open_page, served):
    page = scanned(open_page, served, served.plane.text(status_index=SUPERSEDED))

    says(page, "superseded", WARN)
    association = "Connecticut Association for Infant Mental Health"
    told = sentence("superseded", "en", Notice("transferred", "November 2, 2026", "active", association))
    expect(page.locator("#notice")).to_have_text(told.removeprefix(VERDICTS["superseded"].en.sentence).strip())


def test_notes_by_a_stranger_are_not_shown(open_page, served):
    served.plane.note({SUPERSEDED: Notice("renewed", "2026-11-02", "active", "VA")}, by=STRANGER)

    page = scanned(open_page, served, served.plane.text(status_index=SUPERSEDED))

    says(page, "superseded", WARN)
    expect(page.locator("#notice")).to_be_empty()


def test_an_expired_certificate_names_its_last_day_where_it_was_issued(open_page, served):
    # the end of 31 December 2025 in Virginia
    last = 1767243599
    page = scanned(open_page, served, served.plane.text(expires_at=last), timezone_id="Asia/Tokyo")

    says(page, "expired", WARN)
    expect(page.get_by_role("heading", name="Expired on December 31, 2025")).to_be_visible()


def test_revoked_comes_before_expired(open_page, served):
    text = served.plane.text(status_index=REVOKED, expires_at=served.plane.now - DAY)

    says(scanned(open_page, served, text), "revoked", STOP)


def test_a_certificate_whose_time_has_not_begun(open_page, served):
    page = scanned(open_page, served, served.plane.text(valid_from=served.plane.now + DAY))

    says(page, "not_yet_valid", WARN)
    expect(page.locator("#facts")).to_contain_text("Valid from")


def test_a_certificate_of_a_withdrawn_key(open_page, served):
    says(scanned(open_page, served, served.plane.text(by=WITHDRAWN)), "key_revoked", STOP)


@pytest.mark.parametrize("by", [STRANGER, LISTS], ids=["a stranger's key", "the key of the lists"])
def test_only_keys_for_certificates_are_known(open_page, served, by):
    page = scanned(open_page, served, served.plane.text(by=by))

    says(page, "unknown_key", STOP)
    shows_nobody(page)


def test_a_changed_certificate_is_not_genuine_and_names_nobody(open_page, served):
    page = scanned(open_page, served, forged(served.plane))

    says(page, "tampered", STOP)
    shows_nobody(page)


def test_a_certificate_in_the_name_of_another_issuer(open_page, served):
    page = scanned(open_page, served, served.plane.text(by=OTHERS))

    says(page, "issuer_mismatch", STOP)
    shows_nobody(page)


def test_a_genuine_certificate_behind_another_address_is_not_trusted(open_page, served):
    page = pasted(open_page, served, served.plane.text(host="reg1stry.example"))

    says(page, "wrong_domain", STOP)
    shows_nobody(page)


@pytest.mark.parametrize("text", ["#123", f"https://{HOST}/v1#{'9' * 17}", "WIFI:S:guest;;", "x" * 4000])
def test_what_is_no_certificate_is_not_readable_and_not_red(open_page, served, text):
    says(pasted(open_page, served, text), "malformed", UNSURE)


@pytest.mark.parametrize("digits", ["123", "%20", "<img src=x>"])
def test_an_address_with_nothing_readable_behind_the_mark(open_page, served, digits):
    says(open_page(f"{served.address}/v1#{digits}"), "malformed", UNSURE)


def without_list(plane):
    plane.remove("s/1")


def stale_list(plane):
    plane.list({}, age=49 * 3600)


def list_of_another_address(plane):
    plane.list({}, uri=f"https://{HOST}/s/2")


def list_by_a_stranger(plane):
    plane.list({}, by=STRANGER)


def list_by_the_certificate_key(plane):
    plane.list({}, by=CERTIFICATES)


def no_list_at_all(plane):
    plane.write("s/1", b"<html>Bad gateway</html>")


@pytest.mark.parametrize(
    "spoil",
    [
        without_list,
        stale_list,
        list_of_another_address,
        list_by_a_stranger,
        list_by_the_certificate_key,
        no_list_at_all,
    ],
)
def test_without_a_fresh_list_of_ours_it_is_neither_green_nor_red(open_page, served, spoil):
    spoil(served.plane)

    page = scanned(open_page, served, served.plane.text())

    says(page, "status_unknown", UNSURE)
    expect(page.locator("#facts")).to_contain_text("Marisol")
    expect(page.locator("#when")).to_contain_text("not checked")


def test_a_stale_list_says_nothing_not_even_revoked(open_page, served):
    served.plane.list({REVOKED: 1}, age=49 * 3600)

    says(scanned(open_page, served, served.plane.text(status_index=REVOKED)), "status_unknown", UNSURE)


@pytest.mark.parametrize(
    "changes",
    [{"status_index": 131072}, {"status_index": 2**40}, {"status_uri": "https://evil.example/s/1"}],
    ids=["a place past the end", "a place far past the end", "a list elsewhere"],
)
def test_a_status_that_cannot_be_looked_up_is_unknown(open_page, served, changes):
    says(scanned(open_page, served, served.plane.text(**changes)), "status_unknown", UNSURE)


def test_without_a_list_an_expired_certificate_is_still_expired(open_page, served):
    served.plane.remove("s/1")

    says(scanned(open_page, served, served.plane.text(expires_at=served.plane.now - DAY)), "expired", WARN)


def test_without_keys_nothing_is_said_about_the_certificate(open_page, served):
    served.plane.remove("keys.json")

    page = scanned(open_page, served, forged(served.plane))

    says(page, "cannot_check", UNSURE)
    shows_nobody(page)


def test_a_browser_that_cannot_check_offers_the_server_with_the_code_filled_in(open_page, served):
    text = served.plane.text()
    page = open_page("about:blank")
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page.goto(f"{served.address}/v1#{text.split('#')[1]}")

    says(page, "cannot_check", UNSURE)
    own_address = served.address.removeprefix("http://")
    expect(page.locator("#server-text")).to_have_value(text.replace(HOST, own_address))
    page.get_by_role("button", name="Check another").click()
    expect(page.locator("#server-text")).to_have_value("")


@pytest.mark.parametrize("demo", [False, True])
def test_the_did_documents_stand_in_for_keys_json(open_page, served, demo):
    def document(did, signer):
        method = {
            "id": f"{did}#1",
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": signer.row("", did)["publicKeyMultibase"],
        }
        own = {"id": did, "specimen": demo, "verificationMethod": [method], "assertionMethod": [f"{did}#1"]}
        return json.dumps(own).encode()

    served.plane.remove("keys.json")
    served.plane.write(".well-known/did.json", document(ISSUER, CERTIFICATES))
    served.plane.write("status/did.json", document(f"{ISSUER}:status", LISTS))

    page = pasted(open_page, served, served.plane.text())
    says(page, "valid", GOOD)
    expect(page.locator("#specimen")).to_be_visible(visible=demo)


def test_a_trial_registry_says_specimen_before_and_after(open_page, served):
    served.plane.write("keys.json", keys_json(specimen=True))

    page = open_page(f"{served.address}/v1")
    expect(page.locator("#specimen")).to_be_visible()
    page = scanned(open_page, served, served.plane.text())
    says(page, "valid", GOOD)
    expect(page.locator("#specimen")).to_be_visible()


def test_a_registry_in_use_shows_no_specimen_banner(open_page, served):
    page = scanned(open_page, served, served.plane.text())

    says(page, "valid", GOOD)
    expect(page.locator("#specimen")).to_be_hidden()


def test_codes_we_have_no_name_for_are_shown_as_they_are(open_page, served):
    page = scanned(open_page, served, served.plane.text(category="XYZ+NEW", association="Alliance – Región Norte"))

    says(page, "valid", GOOD)
    expect(page.locator("#facts")).to_contain_text("XYZ + NEW")
    expect(page.locator("#facts")).to_contain_text("Alliance – Región Norte")


@pytest.mark.parametrize("code", ["toString", "constructor", "__proto__"])
def test_codes_that_every_object_has_are_codes_like_others(open_page, served, code):
    served.plane.note({SUPERSEDED: Notice(code, "2026-11-02", code, code)})
    changes = {"category": f"{code}+{code}", "association": code, "status_index": SUPERSEDED}
    page = scanned(open_page, served, served.plane.text(**changes))

    says(page, "superseded", WARN)
    expect(page.locator("#facts")).to_contain_text(f"{code} + {code}")
    expect(page.locator("#notice")).to_contain_text(f"The endorsement itself is {code}, held by {code}.")


@pytest.mark.parametrize("language", ["toString", "fr", ""])
def test_a_language_we_do_not_speak_is_english(open_page, served, language):
    page = open_page(f"{served.address}/v1?lang={language}")

    expect(page.get_by_role("heading", name="Is this certificate genuine")).to_be_visible()


def test_the_details_say_that_no_log_proof_is_read(open_page, served):
    page = scanned(open_page, served, served.plane.text())
    page.get_by_text("Technical details").click()

    expect(page.get_by_text("This page does not read the log proof")).to_be_visible()


def test_an_association_has_its_own_titles(open_page, served):
    page = scanned(open_page, served, served.plane.text(category="IFS", association="AU"))

    expect(page.locator("#facts")).to_contain_text("Infant Family Practitioner")


def test_an_end_beyond_all_calendars_is_shown_too(open_page, served):
    page = scanned(open_page, served, served.plane.text(expires_at=2**64 - 1))

    says(page, "valid", GOOD)
    expect(page.locator("#facts")).to_contain_text("December 31, 9999")


def test_a_name_is_text_whatever_is_in_it(open_page, served):
    name = "<img src=x onerror=alert(1)>"
    page = scanned(open_page, served, served.plane.text(name=name))

    expect(page.locator("#facts .name")).to_have_text(name)


def test_spanish_by_address_by_button_and_by_the_browser(open_page, served):
    digits = served.plane.text().split("#")[1]
    for page in (
        open_page(f"{served.address}/v1?lang=es#{digits}"),
        open_page(f"{served.address}/v1#{digits}", locale="es-MX"),
    ):
        expect(page.get_by_role("heading", name="Vigente", exact=True)).to_be_visible()
        expect(page.locator("#sentence")).to_have_text(VERDICTS["valid"].es.sentence)
        assert page.evaluate("document.documentElement.lang") == "es"
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Valid")).to_be_visible()
    page.get_by_role("button", name="Español").click()
    expect(page.get_by_role("heading", name="Vigente", exact=True)).to_be_visible()


# --- a saved copy, with no network ---


def saved(tmp_path, ring=None):
    copy = tmp_path / "verify.html"
    copy.write_bytes(verifier.page.page(ring))
    return copy.as_uri()


def test_a_saved_copy_with_keys_says_genuine_but_not_checked_today(open_page, plane, tmp_path):
    page = open_page(saved(tmp_path, keys_json()) + "#" + plane.text().split("#")[1])

    says(page, "status_unknown", UNSURE)
    expect(page.locator("#facts")).to_contain_text("Marisol")
    expect(page.locator("#host")).to_contain_text("saved copy")


def kit_of(plane, tmp_path):
    file = tmp_path / "kit.html"
    file.write_bytes(plane.kit())
    return file.as_uri()


def test_an_offline_kit_says_the_status_as_of_its_lists(open_page, plane, tmp_path):
    page = open_page(kit_of(plane, tmp_path) + "#" + plane.text(status_index=SUPERSEDED).split("#")[1])

    says(page, "superseded", WARN)
    expect(page.locator("#notice")).to_contain_text("The endorsement itself is active")
    expect(page.locator("#when")).to_contain_text("Status list of ")
    expect(page.locator("#host")).to_contain_text("saved copy with the keys and status lists of ")
    expect(page.locator("#kit")).to_be_hidden()


def test_an_offline_kit_with_lists_past_their_time_does_not_know_the_status(open_page, plane, tmp_path):
    plane.list({REVOKED: 1}, age=49 * 3600)
    page = open_page(kit_of(plane, tmp_path) + "#" + plane.text(status_index=REVOKED).split("#")[1])

    says(page, "status_unknown", UNSURE)
    expect(page.locator("#facts")).to_contain_text("Marisol")


def test_a_kit_that_is_opened_at_the_registry_asks_the_registry_first(open_page, served):
    served.plane.write("kit.html", served.plane.kit())
    served.plane.list({GOOD_PLACE: 1})
    text = served.plane.text()

    says(open_page(f"{served.address}/kit.html#{text.split('#')[1]}"), "revoked", STOP)
    served.plane.remove("s/1")
    says(open_page(f"{served.address}/kit.html#{text.split('#')[1]}"), "valid", GOOD)


def test_a_wrong_address_is_named_beside_the_right_one(open_page, served):
    page = pasted(open_page, served, served.plane.text(host="reg1stry.example"))

    says(page, "wrong_domain", STOP)
    expect(page.locator("#notice")).to_have_text(
        "The code leads to reg1stry.example. The registry's address is registry.example."
    )


def test_a_letter_of_registration_is_neither_green_nor_an_endorsement(open_page, served):
    page = scanned(open_page, served, served.plane.text(typ=qr.LETTER_TYP, category="IFS"))

    expect(page.get_by_role("heading", name="Not an endorsement")).to_be_focused()
    expect(page.locator("#card")).to_have_class(UNSURE)
    expect(page.locator("#sentence")).to_contain_text("This is not an endorsement.")
    expect(page.locator("#facts")).to_contain_text("Applied for")
    expect(page.locator("#facts")).not_to_contain_text("Endorsed")
    expect(page.locator("#recognized")).to_be_hidden()
    expect(page.locator("#stood")).to_be_hidden()


def test_a_saved_copy_with_keys_still_finds_a_forgery(open_page, plane, tmp_path):
    says(open_page(saved(tmp_path, keys_json()) + "#" + forged(plane).split("#")[1]), "tampered", STOP)


def test_a_saved_copy_may_not_know_the_newest_key(open_page, plane, tmp_path):
    page = open_page(saved(tmp_path, keys_json()) + "#" + plane.text(by=STRANGER).split("#")[1])

    says(page, "cannot_check", UNSURE)


def test_a_saved_copy_without_keys_takes_them_from_a_file(open_page, plane, tmp_path):
    page = open_page(saved(tmp_path) + "#" + plane.text().split("#")[1])
    says(page, "cannot_check", UNSURE)

    page.locator("#keys-file").set_input_files(plane.folder / "keys.json")
    page.get_by_role("button", name="Check another").click()
    page.get_by_label("The code as text").first.fill(plane.text())
    page.get_by_role("button", name="Check", exact=True).click()

    says(page, "status_unknown", UNSURE)
    expect(page.locator("#when")).to_contain_text("from a file you chose")
