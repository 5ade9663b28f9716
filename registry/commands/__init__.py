"""Every deed of the registry: load from events, let the aggregate decide, save what it remembered."""

from registry.commands.applications import Applications
from registry.commands.associations import Associations
from registry.commands.audits import Audits
from registry.commands.employers import Employers
from registry.commands.endorsements import Endorsements
from registry.commands.erasing import Erasing
from registry.commands.exams import Exams
from registry.commands.people import People
from registry.commands.quality import Quality
from registry.commands.readings import Readings
from registry.commands.references import References
from registry.commands.shared import Act, Clock, Draw, HandedIn, once, thing_of
from registry.commands.sharing import Sharing
from registry.commands.transfers import Transfers

__all__ = ["Act", "Clock", "Draw", "HandedIn", "Registry", "once", "thing_of"]


class Registry(
    Associations,
    People,
    Erasing,
    Applications,
    Exams,
    Endorsements,
    Audits,
    Transfers,
    Quality,
    References,
    Readings,
    Employers,
    Sharing,
):
    """The registry's deeds. Answers hold the positions and the events that were recorded."""
