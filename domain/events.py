"""Every aggregate imported, so that the table of topics is complete."""

from domain.application import Application
from domain.association import Association
from domain.endorsement import Endorsement
from domain.event import topics
from domain.key import Key
from domain.person import Person
from domain.transfer import Transfer

AGGREGATES = (Association, Person, Application, Endorsement, Transfer, Key)
TOPICS = topics()
