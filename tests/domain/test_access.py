"""Who may do what: every deed x role x whose thing it is, against a reviewed snapshot."""

import ast
import json
from pathlib import Path
from typing import get_args

import pytest

from domain.access import DEEDS, SCOPES, TABLE, Actor, Role, Scope, Thing, allowed, check, rows_of
from domain.errors import Forbidden, Invalid, SignInAgain

SNAPSHOT = Path(__file__).parents[1] / "vectors" / "access.json"
COMMANDS = Path(__file__).parents[2] / "registry" / "commands"

ACTORS = {
    "public": Actor("public"),
    "holder": Actor("holder", person="p1"),
    "reviewer": Actor("reviewer", person="r1"),
    "exam_scorer": Actor("exam_scorer", person="r1"),
    "employer": Actor("employer", person="e1"),
    "coordinator": Actor("coordinator", association="VA"),
    "alliance": Actor("alliance", association="ALLIANCE"),
    "operator": Actor("operator"),
}
THINGS = {
    "own": Thing(person="p1", association="VA", reviewers=frozenset({"r1"})),
    "other": Thing(person="p2", association="CT", reviewers=frozenset({"r2"})),
    "none": Thing(),
    "direct": Thing(person="p2", association="ALLIANCE"),
    "releasing": Thing(person="p2", releasing="VA", receiving="CT"),
    "receiving": Thing(person="p2", releasing="CT", receiving="VA"),
    "reviewers-own": Thing(person="r1"),
    "employers-own": Thing(person="e1", association="VA"),
}


def matrix():
    return {
        deed: {
            role: sorted(kind for kind, thing in THINGS.items() if allowed(actor, deed, thing))
            for role, actor in ACTORS.items()
        }
        for deed in sorted(DEEDS)
    }


def test_the_matrix_is_the_one_that_was_reviewed():
    assert matrix() == json.loads(SNAPSHOT.read_text())


def test_every_role_and_scope_of_the_table_is_known():
    assert {rule.role for rule in TABLE} < set(get_args(Role))
    assert {rule.scope for rule in TABLE} <= set(get_args(Scope))
    assert all(rule.basis for rule in TABLE)


def test_the_public_has_no_row_at_all():
    assert not [rule for rule in TABLE if rule.role == "public"]


@pytest.mark.parametrize("deed", sorted(DEEDS))
def test_nobody_acts_on_a_stranger_in_another_association(deed):
    for role in ("public", "holder", "reviewer", "exam_scorer", "employer", "coordinator"):
        with pytest.raises(Forbidden):
            check(ACTORS[role], deed, THINGS["other"])
        with pytest.raises(Forbidden):
            check(ACTORS[role], deed, THINGS["none"])


def test_a_deed_without_a_row_is_an_error_not_an_answer():
    with pytest.raises(KeyError):
        allowed(ACTORS["operator"], "delete_everything", Thing())


def test_an_actor_without_a_person_or_association_owns_nothing():
    for actor in map(Actor, ("holder", "coordinator", "reviewer", "exam_scorer", "employer")):
        assert not any(allowed(actor, deed, Thing()) for deed in DEEDS)


def test_a_refusal_names_role_and_deed_and_nothing_of_the_thing():
    with pytest.raises(Forbidden) as refused:
        check(ACTORS["coordinator"], "see_history", THINGS["other"])
    assert "p2" not in str(refused.value)
    assert "CT" not in str(refused.value)


def test_every_command_asks_the_table():
    """Each public deed of the Registry names a deed of the table in its body."""
    modules = [ast.parse(path.read_text()) for path in COMMANDS.glob("*.py")]
    methods = [method for tree in modules for method in ast.walk(tree) if isinstance(method, ast.FunctionDef)]
    deeds = [m for m in methods if any(getattr(d, "id", "") == "once" for d in m.decorator_list)]
    assert len(deeds) > 30
    for method in deeds:
        named = {node.value for node in ast.walk(method) if isinstance(node, ast.Constant)}
        assert named & DEEDS, f"{method.name} asks for no deed of the access table"


def test_what_needs_a_second_person_is_what_was_reviewed():
    assert {rule.deed for rule in TABLE if rule.second} == {"remove", "confirm_erasure"}


def test_what_passes_everybody_of_an_association_takes_a_new_sign_in():
    stale = Actor("alliance", association="ALLIANCE", fresh=False)
    for deed in ("end_licence", "take_over_people", "report_death", "confirm_erasure", "remove"):
        with pytest.raises(SignInAgain):
            check(stale, deed, Thing(association="VA"))


def test_what_cannot_be_undone_takes_a_new_sign_in():
    stale = Actor("holder", person="p1", fresh=False)
    check(stale, "see_person", THINGS["own"])
    with pytest.raises(SignInAgain) as refused:
        check(stale, "archive", THINGS["own"])
    assert "come in again" in refused.value.message
    assert check(ACTORS["holder"], "archive", THINGS["own"]).fresh


def test_every_row_has_a_role_of_the_field_and_words_for_its_scope():
    assert set(SCOPES) == set(get_args(Scope))
    assert rows_of() == list(TABLE)
    assert {rule.role for rule in rows_of("reviewer")} == {"reviewer"}
    assert {rule.deed for rule in rows_of(deed="remove")} == {"remove"}
    for wrong in ({"role": "cook"}, {"deed": "cook"}):
        with pytest.raises(Invalid):
            rows_of(**wrong)


def test_no_row_stands_twice():
    rows = [(rule.deed, rule.role, rule.scope) for rule in TABLE]
    assert len(rows) == len(set(rows))
