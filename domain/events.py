"""Every aggregate imported, so that the table of topics is complete."""

from domain.application import Application
from domain.association import Association
from domain.audit import Audit
from domain.competency import Competencies
from domain.employer import Employer
from domain.endorsement import Endorsement
from domain.event import topics
from domain.exam import Exam
from domain.key import Key
from domain.person import Person
from domain.quality import QualityReview
from domain.readings import Readings
from domain.reference import Reference
from domain.transfer import Transfer

AGGREGATES = (
    Association,
    Competencies,
    Person,
    Reference,
    Application,
    Exam,
    Endorsement,
    Audit,
    Transfer,
    QualityReview,
    Readings,
    Employer,
    Key,
)
TOPICS = topics()
