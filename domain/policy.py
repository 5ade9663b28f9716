"""The shapes of rules: requirements, editions, renewal cycles, provider rules, and what is missing under them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

import msgspec

from domain.category import CATEGORIES, Slot

Degree = Literal["", "cda", "associate", "bachelor", "master", "doctorate"]
DEGREES: tuple[Degree, ...] = ("", "cda", "associate", "bachelor", "master", "doctorate")


Reason = Literal["qualified", "peer", "own", "no_rule", "not_endorsed", "not_vetted", "not_qualified"]


class Judged(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one entry was judged by its provider or supervisor (R9, R12, R13), and the row that says so.

    `day` is the first day on which they did not qualify.
    """

    entry: str
    counts: bool
    reason: Reason
    source: str
    provider: str = ""
    day: date | None = None

    @property
    def why(self) -> str:
        """The reason in words."""
        on = f" on {self.day.isoformat()}" if self.day else ""
        return {
            "qualified": "The provider was qualified on every day of it.",
            "peer": "Peer supervision does not count for an application.",
            "own": "Nobody is their own provider or supervisor.",
            "no_rule": f"No rule for providers is known{on}.",
            "not_endorsed": f"A provider who is not endorsed does not count{on}.",
            "not_vetted": "The provider is neither endorsed nor vetted.",
            "not_qualified": f"{self.provider or 'The provider'} was not qualified for this{on}.",
        }[self.reason]


class Tally(msgspec.Struct, frozen=True):
    """What a portfolio adds up to: hours, days, the highest degree, a licence."""

    training: float = 0
    dei: float = 0
    rsc_provision: float = 0
    rsc: float = 0
    work_days: int = 0
    internship_days: int = 0
    degree: Degree = ""
    licence: bool = False
    judged: tuple[Judged, ...] = ()


class Requirement(msgspec.Struct, frozen=True, omit_defaults=True):
    """At least `amount` of one thing, or one of `any_of` instead.

    `training` and `rsc` are clock hours, `work` days (with at most `internship` of them), `degree` a
    level named in `level`, `licence` a professional licence, `exam` one passed.
    """

    what: str
    source: str
    amount: float = 0
    level: str = ""
    internship: int = 0
    any_of: tuple[Requirement, ...] = ()

    def words(self) -> str:
        """The requirement in words a person understands."""
        match self.what:
            case "any_of":
                return " or ".join(option.words() for option in self.any_of)
            case "training":
                return f"{self.amount:g} hours of training"
            case "rsc":
                return f"{self.amount:g} hours of reflective supervision/consultation from a qualified provider"
            case "work":
                return f"{self.amount:g} days of paid work in the field"
            case "degree":
                return {
                    "any": "an academic degree",
                    "cda": "a CDA certificate",
                    "master": "a Master’s or higher",
                }[self.level]
            case "licence":
                return "a professional mental-health licence"
            case _:
                return "the exam passed"

    def have(self, adds: Tally) -> float:
        """How much of it there is, in the requirement's own unit; 1 or 0 where it is held or not."""
        match self.what:
            case "any_of":
                return max(float(not option.missing(adds)) for option in self.any_of)
            case "training":
                return adds.training
            case "rsc":
                return adds.rsc
            case "work":
                return adds.work_days + min(adds.internship_days, self.internship)
            case "degree":
                enough = {"any": ("associate", "bachelor", "master", "doctorate"),
                          "cda": ("cda",), "master": ("master", "doctorate")}  # fmt: skip
                return float(adds.degree in enough[self.level])
            case "licence":
                return float(adds.licence)
            case _:
                return 0.0

    def missing(self, adds: Tally) -> Missing | None:
        need = self.amount or 1.0
        have = self.have(adds)
        return None if have >= need else Missing(self, have=have, need=need)


class Missing(msgspec.Struct, frozen=True):
    """One requirement that is not met: how much there is and how much it takes."""

    requirement: Requirement
    have: float
    need: float

    def words(self) -> str:
        if self.requirement.amount:
            return f"{self.requirement.words()} (there are {self.have:g}, {self.need - self.have:g} to go)"
        return self.requirement.words()

    def as_dict(self) -> dict[str, Any]:
        return {
            "what": self.requirement.what,
            "have": self.have,
            "need": self.need,
            "missing": self.need - self.have,
            "source": self.requirement.source,
            "words": self.words(),
        }


class Practice(msgspec.Struct, frozen=True, kw_only=True):
    """What rests on one association's page or on us: a parameter per association and day, never code.

    Days, months and years are calendar ones; the rows with their sources are in `editions.PRACTICES`.
    """

    one_at_a_time: bool = True
    membership_needed: bool = True
    reference_valid_days: int = 365
    reference_most_unknown: int = 5
    ratings_shown: Literal["relayed_reasons", "content"] = "relayed_reasons"
    all_reviewers_agree: bool = True
    exam_most_wrong: int = 12
    exam_items: int = 60
    exam_part_2_pass: float = 80
    exam_approval_years: int = 1
    exam_retakes: int = 1
    exam_months: tuple[int, ...] = tuple(range(2, 12))
    competencies_block: bool = False
    hours_shared: bool = True
    inactive_years: int = 2
    emeritus_offered: bool = True
    open_application_months: int = 24
    appeal_days: int = 60
    audit_share: float = 0.05


class Edition(msgspec.Struct, frozen=True):
    """The requirements of one slot from a day on. `draft` until every rule around it is carried."""

    name: str
    slot: Slot
    effective: date
    requirements: tuple[Requirement, ...]
    draft: bool = True

    @property
    def exam(self) -> Requirement | None:
        """The row that asks for an exam; it is judged with the decision, never with the submission."""
        return next((requirement for requirement in self.requirements if requirement.what == "exam"), None)

    @property
    def handed_in(self) -> tuple[Requirement, ...]:
        """What has to be there at submission: all but the exam, which comes after the review (ALL-EXAM)."""
        return tuple(requirement for requirement in self.requirements if requirement.what != "exam")

    def missing(self, adds: Tally) -> list[Missing]:
        return [gap for requirement in self.handed_in if (gap := requirement.missing(adds))]


class RenewalEdition(msgspec.Struct, frozen=True):
    """The renewal rules from a day on: yearly hours, and the parts that rest on an association."""

    name: str
    effective: date
    training_a_year: float
    rsc_a_year: float
    rsc_slots: frozenset[str]
    source: str
    rsc_provision: dict[str, float]
    dei: dict[str, float]
    cap_years: int = 3
    draft: bool = True

    def missing(
        self, attested: Attestation, *, slot: str, ers: bool, association: str, since: date, due: date
    ) -> list[MissingHours]:
        """What an attestation lacks; whole years endorsed at the deadline, rounded down (design 10)."""
        years = min(whole_years(since, due + timedelta(days=1)), self.cap_years)
        training = years * self.training_a_year
        receives = slot in self.rsc_slots or ers
        provides = slot == "MHM-C" or ers
        needs = [
            ("training_hours", "hours of training", training, attested.training_hours, self.source),
            (
                "rsc_hours",
                "hours of RSC received",
                years * self.rsc_a_year * receives,
                attested.rsc_hours,
                self.source,
            ),
        ]
        if years:
            share = years / self.cap_years
            provision = self.rsc_provision.get(association, 0) * provides * share
            needs += [
                ("rsc_provision_hours", "hours of training about providing RSC", provision,
                 attested.rsc_provision_hours, self.source),
                ("dei_hours", "hours of DEI training", self.dei.get(association, 0) * share,
                 attested.dei_hours, self.source),
            ]  # fmt: skip
        gaps = [
            MissingHours(what, words, have=have, need=need, source=source)
            for what, words, need, have, source in needs
            if have < need
        ]
        signed = [
            ("membership", "a current membership", attested.membership),
            ("ethics", "the code of ethics signed again", attested.ethics),
            ("no_sanction", "the statement that no licensing board has sanctioned you", attested.no_sanction),
        ]
        return gaps + [
            MissingHours(what, words, have=0, need=1, source=self.source) for what, words, given in signed if not given
        ]


class Attestation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a holder attests at renewal (R19): clock hours since the last renewal, and three statements."""

    training_hours: float
    rsc_hours: float = 0
    rsc_provision_hours: float = 0
    dei_hours: float = 0
    membership: bool = False
    ethics: bool = False
    no_sanction: bool = False


class Reinstatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a lapsed holder attests (R22, NE-POL): training of the last 12 months, and five statements.

    `rsc_provider` names the endorsement of the provider of RSC they are connected to, where their category needs one.
    """

    training_hours: float
    rsc_provider: str = ""
    membership: bool = False
    ethics: bool = False
    audit: bool = False


class ReinstatementEdition(msgspec.Struct, frozen=True):
    """The rules of reinstatement from a day on."""

    name: str
    effective: date
    training: float
    rsc_slots: frozenset[str]
    source: str
    draft: bool = True

    def missing(self, attested: Reinstatement, *, slot: str, ers: bool) -> list[MissingHours]:
        """What an attestation of reinstatement lacks."""
        connected = bool(attested.rsc_provider) or not (slot in self.rsc_slots or ers)
        needs = [
            ("training_hours", "hours of training in the last 12 months", self.training, attested.training_hours),
            ("rsc_provider", "a provider of RSC you are connected to, 12 hours a year planned", 1, float(connected)),
            ("membership", "a current membership", 1, float(attested.membership)),
            ("ethics", "the code of ethics signed again", 1, float(attested.ethics)),
            ("audit", "your word to take part in the audit of the next renewal", 1, float(attested.audit)),
        ]
        return [
            MissingHours(what, label, have=have, need=need, source=self.source)
            for what, label, need, have in needs
            if have < need
        ]


class MissingHours(msgspec.Struct, frozen=True):
    """One thing an attestation lacks."""

    what: str
    label: str
    have: float
    need: float
    source: str

    def words(self) -> str:
        if self.what.endswith("_hours"):
            return f"{self.need:g} {self.label} (attested: {self.have:g})"
        return self.label

    def as_dict(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "have": self.have,
            "need": self.need,
            "missing": self.need - self.have,
            "source": self.source,
            "words": self.words(),
        }


Relationship = Literal[
    "supervisor", "rsc_provider", "rsc_receiver", "colleague", "teacher", "trainer", "consultant", "parent",
    "cda_mentor", "board_member", "other",
]  # fmt: skip
"""What a rater is to the applicant: `supervisor` is the present one, `parent` a recipient of services (2.1 to 2.5)."""


class ReferenceSlot(msgspec.Struct, frozen=True):
    """One place among the references of a category: who may fill it.

    No `relationships`: anybody. `qualified`: only a rater endorsed in `endorsed_in` (slots), or vetted (R6).
    """

    name: str
    words: str
    source: str
    relationships: frozenset[Relationship] = frozenset()
    qualified: bool = False
    endorsed_in: frozenset[str] = frozenset()


class ReferenceRule(msgspec.Struct, frozen=True):
    """The places that references of a category (its slot) or add-on have to fill, from a day on."""

    name: str
    slot: str
    effective: date
    slots: tuple[ReferenceSlot, ...]
    source: str


class ProviderRule(msgspec.Struct, frozen=True):
    """Who is a qualified provider of RSC from a day on (`domain.md` 2.6)."""

    effective: date
    slots: frozenset[str]
    add_ons: frozenset[str]
    vetted: bool
    source: str

    def accepts(self, held: str) -> bool:
        """Whether a category with add-on (`IFS+ERS`), held as active that day, may provide; empty never may."""
        category, _, add_on = held.partition("+")
        return bool(held) and (CATEGORIES[category].slot in self.slots or add_on in self.add_ons)


def whole_years(since: date, until: date) -> int:
    """Whole years between two days, rounded down; never negative."""
    before = (until.month, until.day) < (since.month, since.day)
    return max(0, until.year - since.year - before)
