"""Whether an hour of RSC with somebody counts on a day, and who lets the public list say that they provide it."""

from datetime import date

import pytest
from humans import VA

from domain.access import Actor
from domain.endorsement import Endorsement
from domain.errors import Invalid, NotFound
from domain.person import ProviderListing
from projections import providers
from registry.api.views import accepted_on
from registry.commands import Act


def counts(registry, number, *days, association=""):
    return [registry.rsc_provider(number, day, association)["counts_for"] for day in days]


def held(registry, number):
    return registry.store.get(Endorsement, number)


def test_r13_a_specialist_provided_until_april_2024_in_connecticut_and_to_the_year_s_end_elsewhere(
    registry, somebody, endorsed
):
    number = endorsed(somebody(), "IMHS")
    days = date(2024, 3, 31), date(2024, 4, 1), date(2024, 12, 31), date(2025, 1, 1)
    there = counts(registry, number, *days, association="CT")
    here = counts(registry, number, *days, association="VA")
    assert [bool(found) for found in there] == [True, False, False, False]
    assert [bool(found) for found in here] == [True, True, True, False]
    answer = registry.rsc_provider(number, date(2024, 4, 1), "CT")
    assert (answer["reason"], answer["rule"]["source"]) == ("not_accepted", "CT-IFS")


def test_r13_a_family_reflective_supervisor_before_and_after_the_conversion(registry, somebody, endorsed, clock):
    number = endorsed(somebody(), "IFRS")
    converted = held(registry, number)
    converted.record(Endorsement.Converted, from_="IFRS", to="IFS", add_on="ERS", on=date(2025, 1, 1), by="operator")
    registry.store.save(converted)
    before, after = (registry.rsc_provider(number, day) for day in (date(2024, 12, 31), date(2025, 1, 1)))
    assert (before["held"], before["counts"]) == ("IFRS", True)
    assert (after["held"], after["counts"]) == ("IFS+ERS", True)


def test_r13_an_emerging_ers_provides_within_its_two_years(registry, somebody, endorsed):
    number = endorsed(somebody(), "IFS")
    emerging = held(registry, number)
    emerging.record(
        Endorsement.AddOnGranted, add_on="EERS", until=date(2027, 3, 1), on=date(2025, 3, 2), by="coordinator:VA:k1"
    )
    registry.store.save(emerging)
    days = date(2025, 3, 1), date(2025, 3, 2), date(2027, 3, 1), date(2027, 3, 2)
    assert [bool(found) for found in counts(registry, number, *days)] == [False, True, True, False]


def test_r12_the_day_of_the_hour_counts_whatever_came_later(registry, somebody, endorsed):
    ana = somebody()
    number = endorsed(ana, "IMHM-C")
    registry.archive(Act(Actor("holder", person=ana)), number)
    assert counts(registry, number, date(2024, 2, 29), date(2025, 6, 1), date(2026, 6, 1)) == [
        [],
        ["FS", "MHS", "MHM-C"],
        [],
    ]


def test_a_number_that_nobody_has_is_said_to_be_unknown(registry):
    with pytest.raises(NotFound):
        registry.rsc_provider("IFS-7K3MQ9TD", date(2026, 6, 1))
    with pytest.raises(Invalid):
        registry.rsc_provider("IFS-123", date(2026, 6, 1))
    with pytest.raises(NotFound):
        registry.rsc_provider("IFS-7K3MQ9TD", date(2026, 6, 1), "XX")


def test_the_list_shows_who_opted_in_while_qualified(registry, somebody, endorsed, views, connect, clock):
    mentor, hidden, specialist = somebody("Ana Núñez"), somebody("Ben Ode"), somebody("Cai Lu")
    numbers = [endorsed(mentor, "IMHM-C"), endorsed(hidden, "IMHM-C"), endorsed(specialist, "IMHS")]
    for who in (mentor, specialist):
        listing = ProviderListing(listed=True, languages=("es", "en"), remote=True)
        registry.choose_provider_listing(Act(Actor("holder", person=who)), who, listing)
    views()

    def found(**asked):
        on = asked.pop("on", clock.today)
        query = providers.listed(on=on, accepted=accepted_on(on), **asked)
        return [row[0] for row in connect("reader").execute(*query).fetchall()]

    assert found() == found(language="es", remote=True, association="VA") == [numbers[0]]
    assert found(language="fr") == found(association="CT") == found(after=("ana nunez", numbers[0])) == []
    # The specialist was qualified as long as the rule of that time said so.
    assert set(found(on=date(2024, 6, 1))) == {numbers[0], numbers[2]}
    registry.suspend(Act(VA), numbers[0], reason="fraud_being_established")
    views()
    assert found() == []
