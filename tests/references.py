"""References that count, quickly: for every test that submits an application.

`give_references(registry, person, "IFA")` records, by events and in one transaction, a rating for every place the
category's rule names (`domain/editions.py`, REFERENCES), by raters of their own, given today at the association and
vetted where the place asks for it; so `Registry.references_of(person)` then fills them all. It needs neither HTTP nor
a key. Give `on` for another day, or `relationships` for other raters than the rule wants.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from domain.editions import reference_rule
from domain.policy import Relationship
from domain.reference import ASKED, Reference
from registry.commands import Registry

CODES = tuple(ASKED)


def give_references(
    registry: Registry,
    person: str,
    category: str,
    *,
    association: str = "VA",
    on: date | None = None,
    relationships: Sequence[Relationship] = (),
    waiver: bool = True,
    unknown: int = 0,
) -> list[str]:
    """The ids of the references, in the order of the places."""
    day = on or registry.today(association)
    made = []
    for place, (relationship, vetted) in enumerate(_raters(category, day, relationships)):
        reference = Reference(registry.new_id())
        by, coordinator, rater = f"holder:{person}", f"coordinator:{association}", f"rater:{reference.name}"
        facts = {"on": day, "by": by}
        reference.record(
            Reference.Nominated, person=person, association=association, relationship=relationship, waiver=waiver,
            name=f"Rater {'ABCDEFGH'[place]}", email=f"{reference.name}@example.org", match=reference.name, **facts,
        )  # fmt: skip
        reference.record(Reference.Requested, link=f"link-{reference.name}", until=day + timedelta(days=90), **facts)
        if vetted:
            reference.record(Reference.Vetted, qualified=True, note="Spoke by phone.", on=day, by=coordinator)
        answers = {code: "unknown" if number < unknown else 3 for number, code in enumerate(CODES)}
        reference.record(
            Reference.Rated, answers=msgspec.json.encode(answers).decode(), comment="A pleasure.", unknown=unknown,
            recommendation="recommend", completed_on=day, known_a_year=True, on=day, by=rater,
        )  # fmt: skip
        made.append(reference)
    registry.store.save(*made)
    return [reference.name for reference in made]


def _raters(category: str, on: date, relationships: Sequence[Relationship]) -> list[tuple[Relationship, bool]]:
    if relationships:
        return [(relationship, False) for relationship in relationships]
    rule = reference_rule(category, on)
    slots = rule.slots if rule else ()
    return [(min(slot.relationships, default="other"), slot.qualified) for slot in slots]
