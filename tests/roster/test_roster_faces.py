"""The roster check over HTTP: the API, and the page with a real browser that runs no script."""

import logging
import re

import httpx
import pytest
from barriers import barriers
from faces import serving
from grounds import PATIENCE, wait_for
from playwright.sync_api import expect

from registry.api import create_app
from registry.api.problems import Problem
from registry.api.rosters import Turns
from registry.pages.rosters import SAMPLE, TEXTS
from verifier import receipt, roster
from verifier.keys import read_keys_json


@pytest.fixture(scope="module")
def where(published):
    with serving(create_app(published.settings, registry=published.registry, clock=published.clock)) as address:
        yield address


@pytest.fixture
def http(where):
    with httpx.Client(base_url=where, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def ring(published):
    return read_keys_json((published.settings.static / "keys.json").read_bytes())


def csv_of(published, *places, end="\n"):
    return "number,name\n" + end.join(f'{published.people[at].number},"{published.people[at].name}"' for at in places)


def test_the_api_answers_csv_and_json_with_the_same_signed_receipt(http, published, ring):
    held = published.people[20]

    by_csv = http.post("/api/roster-checks", content=csv_of(published, 20), headers={"Content-Type": "text/csv"})
    by_json = http.post("/api/roster-checks", json={"rows": [{"number": held.number, "name": held.name}]})

    assert by_csv.status_code == by_json.status_code == 200
    assert by_csv.headers["content-type"] == receipt.MEDIA
    assert "roster-receipt-2026-06-01T120000Z.json" in by_csv.headers["content-disposition"]
    assert by_csv.headers["cache-control"] == "no-store"
    for answer in (by_csv, by_json):
        assert receipt.check(answer.content, ring).receipt["counts"] == {"in_force": 1, "rows": 1}


def test_the_api_gives_pages_to_who_prefers_them(http, published):
    answer = http.post(
        "/api/roster-checks", content=csv_of(published, 21),
        headers={"Content-Type": "text/csv", "Accept": "application/pdf"},
    )  # fmt: skip

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("body", "media", "status", "said"),
    [
        (b"", "text/csv", 422, "no row"),
        (b"number,name\nIFS-7K3MQ9TD,Byron, Ada\n", "text/csv", 422, "Row 2 has 3 columns"),
        (b"[]", "application/json", 422, "JSON object"),
        (b'{"rows": []}', "application/json", 422, "from 1 to 5,000"),
        (b'{"rows": [{"number": "IFS-7K3MQ9TD"}]}', "application/json", 422, "rows"),
        (b'{"rows": ', "application/json", 400, "one JSON object"),
        (b"<rows/>", "application/xml", 415, "text/csv"),
        (b"x" * (13 << 20), "text/csv", 413, "at most"),
    ],
)
def test_what_is_no_roster_is_refused_with_what_to_do(http, body, media, status, said):
    answer = http.post("/api/roster-checks", content=body, headers={"Content-Type": media})

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert said in answer.json()["detail"]


def test_nothing_of_a_row_is_logged(http, published, caplog):
    with caplog.at_level(logging.DEBUG):
        http.post("/api/roster-checks", json={"rows": [{"number": "IFS-0", "name": "Quite Unheard-Of"}]})
        http.post("/roster-check", data={"rows": csv_of(published, 22)})
        for path in "/api/roster-checks", "/roster-check":  # the line is written after the answer
            wait_for(lambda line=f"POST {path} 200": line in caplog.text, "the line of the request")

    assert "Unheard" not in caplog.text
    assert published.people[22].number not in caplog.text


def test_who_asks_too_much_is_told_when_to_ask_again():
    now = [0.0]
    turns = Turns(clock=lambda: now[0])
    for _ in range(5):
        turns.take("192.0.2.1", 5_000)

    with pytest.raises(Problem) as refused:
        turns.take("192.0.2.1", 1)
    turns.take("192.0.2.2", 5_000)

    assert refused.value.kind.status == 429
    wait = int(refused.value.headers["Retry-After"])
    assert 0 < wait < 60
    now[0] += wait
    turns.take("192.0.2.1", 1)


# --- the page


@pytest.fixture
def tab(browser, where):
    context = browser.new_context(java_script_enabled=False, base_url=where, accept_downloads=True)
    yield context.new_page()
    context.close()


def test_a_pasted_roster_is_answered_without_a_script_and_its_receipt_is_kept(tab, published, ring, tmp_path):
    held = published.people[30]
    tab.goto("/roster-check")
    tab.get_by_label("Paste rows").fill(f"{held.number}\t{held.name}\n{published.people[101].number}\t{held.name}")
    tab.get_by_role("button", name="Check the roster").press("Enter")

    expect(tab.get_by_role("heading", name="What was found")).to_be_visible()
    expect(tab.get_by_text("2 rows checked at 2026-06-01 12:00 UTC: 1 in order, 1 to look at.")).to_be_visible()
    for name, start in (("JSON", b'{"checked_at"'), ("PDF", b"%PDF-")):
        with tab.expect_download() as started:
            tab.get_by_role("button", name=f"Download the receipt ({name})").press("Enter")
        started.value.save_as(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    assert receipt.check((tmp_path / "JSON").read_bytes(), ring).receipt["counts"]["rows"] == 2


def test_a_file_is_answered_as_well_and_in_spanish(tab, published):
    tab.goto("/roster-check?lang=es")
    content = csv_of(published, 31, 101, 31).encode()
    tab.get_by_label("O elija un archivo CSV").set_input_files(
        {"name": "personal.csv", "mimeType": "text/csv", "buffer": content}
    )
    tab.get_by_role("button", name="Comprobar la lista").click()

    expect(tab.get_by_text("3 filas comprobadas el 2026-06-01 12:00 UTC: 2 en orden, 1 por revisar.")).to_be_visible()
    expect(tab.get_by_text("No vigente").first).to_be_visible()


def test_a_wrong_paste_stands_there_with_what_is_wrong(tab):
    tab.goto("/roster-check")
    tab.get_by_label("Paste rows").fill("number,name\nIFS-7K3MQ9TD,Byron, Ada")
    tab.get_by_role("button", name="Check the roster").click()

    expect(tab.get_by_role("alert")).to_contain_text("Row 2 has 3 columns, not 2. Put quotes around a name")
    expect(tab.get_by_label("Paste rows")).to_have_value("number,name\nIFS-7K3MQ9TD,Byron, Ada")


def test_nothing_sent_is_said_so(http):
    answer = http.post("/roster-check", data={"rows": "  "})

    assert answer.status_code == 422
    assert TEXTS["en"]["nothing"] in answer.text


def test_what_takes_a_while_is_answered_in_pieces(http, published, monkeypatch):
    monkeypatch.setattr("registry.pages.rosters._AT_ONCE_SECONDS", 0.0)
    monkeypatch.setattr("registry.pages.rosters._WORD_SECONDS", 0.01)

    answer = http.post("/roster-check", data={"rows": csv_of(published, *range(600, 1_600))})

    assert answer.status_code == 200
    said = [int(done.replace(",", "")) for done in re.findall(r"Checked ([\d,]+) of 1,000 rows\.", answer.text)]
    assert said == sorted(said)
    assert any(0 < done < 1_000 for done in said)
    assert "All 1,000 rows are checked." in answer.text
    assert answer.text.index("All 1,000") < answer.text.index("What was found") < answer.text.index("</main>")


def test_a_receipt_of_somebody_else_is_not_handed_out(http):
    answer = http.post("/roster-check/receipt", data={"receipt": "e30=", "as": "pdf"})

    assert answer.status_code == 422
    assert "no receipt of this registry" in answer.text


def test_the_sample_is_a_roster_and_both_languages_say_all(http):
    assert http.get("/roster-check/sample.csv").text == SAMPLE
    assert [row.wrong for row in roster.read(SAMPLE.encode())] == ["", ""]
    assert TEXTS["en"].keys() == TEXTS["es"].keys()


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_page_has_no_barrier(browser, where, published, lang):
    context = browser.new_context(base_url=where)
    tab = context.new_page()
    try:
        tab.goto(f"/roster-check?lang={lang}")
        assert barriers(tab) == {}
        tab.locator("#rows").fill(csv_of(published, 32, 101))
        tab.locator("form button").first.click()
        tab.locator("#receipt").wait_for()
        assert barriers(tab) == {}
    finally:
        context.close()
