"""Deeds on references: nominate a rater, vet, remind, rate."""

from domain.reference import Reference, references_of
from registry.commands.shared import Shared


class References(Shared):
    """Deeds on references: nominate a rater, vet, remind, rate."""

    def references_of(self, person: str) -> list[Reference]:
        """Every reference a person ever nominated, whatever became of it; opened, so that one rater is recognised.

        `domain.reference.counted` judges them; each has `rater`, the person behind it where we know them.
        """
        found = []
        for name in self.store.claimed(references_of(person)):
            events = [event for _, event in self.store.events(f"{Reference.kind}/{name}")]
            reference = Reference.fold([self.store.opened(events[0]), *events[1:]])
            if reference:
                found.append(reference)
        return found
