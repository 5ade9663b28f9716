"""References over the whole way: nominated, asked by a link, rated without an account, vetted, counted, erased."""

import pytest
from references import give_references

from domain.editions import reference_rule
from domain.reference import counted


@pytest.mark.parametrize("category", ["IFA", "IMHS", "IMHM-P", "ERS"])
def test_the_references_that_tests_are_given_count(registry, category):
    names = give_references(registry, "p1", category)
    found = counted(registry.references_of("p1"), category, "VA", registry.today("VA"))
    assert (found.count, found.open) == (len(names), ())
    assert len(names) == len(reference_rule(category, registry.today("VA")).slots)
