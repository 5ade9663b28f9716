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


def test_the_table_of_verdicts_is_written_from_the_code_and_every_cell_names_a_test():
    import verdicts

    assert verdicts.FILE.read_text() == verdicts.written(), "run `python tools/verdicts.py`"
    shown = verdicts.tests()
    assert [(name, face) for name in verdicts.VERDICTS for face, test in verdicts.FACES.items()
            if name not in shown.get(test, ())] == []  # fmt: skip
    assert [(name, face) for name in verdicts.VERDICTS for face, test in verdicts.OF_BADGES.items()
            if name not in shown.get(test, ()) and name != "not_an_endorsement"] == []  # fmt: skip


def test_operations_and_readme_name_every_setting_and_every_command():
    from typer.main import get_command

    from registry.__main__ import app

    said = (ROOT / "docs" / "operations.md").read_text() + (ROOT / "README.md").read_text()
    settings = re.findall(r'"(REGISTRY_[A-Z_]+)"', (ROOT / "registry" / "settings.py").read_text())
    assert [name for name in settings if f"`{name}`" not in said] == []
    assert [name for name in get_command(app).commands if f"registry {name}" not in said] == []


def test_every_command_explains_itself():
    from typer.main import get_command
    from typer.testing import CliRunner

    from registry.__main__ import app

    def paths(group, path=()):
        for name, command in getattr(group, "commands", {}).items():
            yield (*path, name)
            yield from paths(command, (*path, name))

    for path in paths(get_command(app)):
        answer = CliRunner().invoke(app, [*path, "--help"])
        assert answer.exit_code == 0, path
        assert "Usage" in answer.output, path
