"""What the documents say is what the project has."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))


def test_the_api_page_is_the_apis_own_tables():
    import api

    assert api.FILE.read_text() == api.written(), "run `python tools/api.py`"


def test_every_body_has_a_name_of_its_own():
    from registry.api.openapi import document
    from registry.api.questions import QUESTIONS

    assert document("registry.example", QUESTIONS)["openapi"] == "3.1.0"


def test_every_file_a_document_names_is_there():
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        if document.name == "plan.md":
            continue
        for name in re.findall(
            r"`((?:docs|tests|verifier|registry|domain|projections|bench)/[\w./-]*)`", document.read_text()
        ):
            assert (ROOT / name).exists(), f"{document.name} names {name}"


def test_every_dependency_has_its_line():
    wanted = re.findall(
        r'^    "([a-z0-9-]+)', (ROOT / "pyproject.toml").read_text().partition("[project.scripts]")[0], re.MULTILINE
    )
    lines = (ROOT / "docs" / "dependencies.md").read_text()
    assert [name for name in wanted if name not in lines] == []


def test_the_rules_page_is_the_rows_and_the_tests_and_every_rule_has_a_test():
    import rules

    assert rules.FILE.read_text() == rules.written(), "run `python tools/rules.py`"
    assert set(rules.RULES) == set(range(1, 31))
    assert set(rules.tests()) == set(rules.RULES)
