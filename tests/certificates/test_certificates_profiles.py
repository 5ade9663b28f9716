"""An association that a badge names as its source can be looked up: as a Profile, and as a page in both languages."""

import json
from datetime import date

import jsonschema_rs
import pytest
from certificate_facts import HOST, NOON

from domain.association import ALLIANCE, ROWS, Association
from registry.certificates import badge

BEGUN, LATER = date(2026, 1, 5), date(2026, 6, 1)


@pytest.fixture
def published(store, keys, plane, database_connection, static):
    """Admit the Alliance and Arizona, and publish; both files of an association."""
    arizona = Association("AZ")
    arizona.admit(ROWS["AZ"], on=BEGUN, by="operator")
    alliance = Association(ALLIANCE)
    alliance.admit(ROWS[ALLIANCE], on=BEGUN, by="operator")
    store.save(arizona, alliance)

    def publish(code):
        plane.publish(database_connection, NOON)
        folder = static / "associations"
        return json.loads((folder / code).read_bytes()), (folder / f"{code}.html").read_text()

    return publish


def test_it_is_a_profile_of_the_official_shape(published):
    schema = badge.asset(badge.SCHEMA.rpartition("/")[2])
    profile = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": "#/$defs/Profile"}
    for code in ("AZ", ALLIANCE):
        told, page = published(code)
        jsonschema_rs.Draft201909Validator(profile).validate(told)
        assert (told["id"], told["name"]) == (f"https://{HOST}/associations/{code}", ROWS[code].name)
        assert '<section id="es" lang="es">' in page
    assert "parentOrg" not in told
    assert "Arizona" in published("AZ")[0]["description"]


def test_it_says_what_it_was_called_before(published, store):
    earlier = ROWS["AZ"].formerly[0].name
    assert f"Until 2024-12-31 its name was {earlier}." in published("AZ")[1]
    renamed = store.get(Association, "AZ")
    renamed.rename("Desert Infants & Families", "DIF", on=LATER, by="operator")
    store.save(renamed)

    told, page = published("AZ")

    assert told["name"] == "Desert Infants & Families"
    assert "<h1>Desert Infants &amp; Families (DIF)</h1>" in page
    assert f"Until 2026-05-31 its name was {ROWS['AZ'].name}." in page
    assert f"Hasta el 2024-12-31 se llamaba {earlier}." in page
    assert "para Arizona" in page
