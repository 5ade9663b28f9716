"""The shapes of rules: requirements, editions, renewal cycles, provider rules, and what is missing under them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple

import msgspec

from domain.category import CATEGORIES, SLOT_TITLES, AddOn, Slot

Degree = Literal["", "cda", "associate", "bachelor", "master", "doctorate"]
DEGREES: tuple[Degree, ...] = ("", "cda", "associate", "bachelor", "master", "doctorate")


What = Literal[
    "any_of", "training", "dei", "rsc_provision", "rsc", "rsc_about_given", "rsc_given", "work", "leadership", "degree",
    "licence", "references", "reference", "endorsed", "exam",
]  # fmt: skip
"""What a requirement may ask."""

# What a portfolio alone answers; references, add-ons' endorsements and the exam come from elsewhere.
PORTFOLIO: frozenset[What] = frozenset({
    "any_of", "training", "dei", "rsc_provision", "rsc", "rsc_about_given", "rsc_given", "work", "leadership", "degree",
    "licence",
})  # fmt: skip
# What has to be there at submission: all but the exam, which a Mentor sits after the review (ALL-EXAM).
SUBMISSION: frozenset[What] = PORTFOLIO | {"references", "reference", "endorsed"}
EVERYTHING: frozenset[What] = SUBMISSION | {"exam"}


def _no_degree() -> Degree:
    return ""


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


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a portfolio and an application add up to: hours, days, the highest degree, a licence, references.

    The fields with a factory are always written, as the first stored events have them; later ones only where given.
    `reference_slots`: the places they fill; `endorsed_slots`: slots held as active that day.
    """

    training: float = msgspec.field(default_factory=float)
    dei: float = msgspec.field(default_factory=float)
    rsc_provision: float = msgspec.field(default_factory=float)
    rsc: float = msgspec.field(default_factory=float)
    work_days: int = msgspec.field(default_factory=int)
    internship_days: int = msgspec.field(default_factory=int)
    degree: Degree = msgspec.field(default_factory=_no_degree)
    licence: bool = msgspec.field(default_factory=bool)
    judged: tuple[Judged, ...] = msgspec.field(default_factory=tuple)
    rsc_about_given: float = 0
    rsc_given_days: int = 0
    leadership_days: int = 0
    references: int = 0
    reference_slots: tuple[str, ...] = ()
    endorsed_slots: tuple[str, ...] = ()
    exam: bool = False


class Requirement(msgspec.Struct, frozen=True, omit_defaults=True):
    """At least `amount` of one thing, or one of `any_of` instead.

    Clock hours: `training`, `dei` and `rsc_provision` (parts of it), `rsc`, `rsc_about_given` (a part of it). Days:
    `work` (with at most `internship` of them), `leadership`, `rsc_given`. `degree`: a level named in `level`.
    `references`: how many; `reference`: one of them fills the place named in `level` (a ReferenceSlot), in words
    `label`. `endorsed`: held as active in one of the slots `of`.
    """

    what: What
    source: str
    amount: float = 0
    level: str = ""
    internship: int = 0
    label: str = ""
    of: tuple[str, ...] = ()
    any_of: tuple[Requirement, ...] = ()

    def words(self) -> str:
        """The requirement in words a person understands."""
        match self.what:
            case "any_of":
                return " or ".join(option.words() for option in self.any_of)
            case "degree":
                return _DEGREE_WORDS[self.level]
            case "reference":
                return f"a reference from {self.label}"
            case "work" if self.internship:
                work = _WORDS["work"].format(_span(self.amount))
                return f"{work}, at most {self.internship} days of it an internship"
            case "endorsed":
                return f"an active endorsement as {' or '.join(SLOT_TITLES[slot] for slot in self.of)}"
            case "work" | "rsc_given" | "leadership" as what:
                return _WORDS[what].format(_span(self.amount))
            case what:
                return _WORDS[what].format(self.amount)

    def have(self, adds: Tally) -> float:
        """How much of it there is, in the requirement's own unit; 1 or 0 where it is held or not."""
        match self.what:
            case "any_of":
                return max(float(not option.missing(adds)) for option in self.any_of)
            case "work":
                return adds.work_days + min(adds.internship_days, self.internship)
            case "degree":
                return float(adds.degree in _ENOUGH[self.level])
            case "reference":
                return float(self.level in adds.reference_slots)
            case "endorsed":
                return float(not set(self.of).isdisjoint(adds.endorsed_slots))
            case what:
                return float(getattr(adds, _FIELDS.get(what, what)))

    def missing(self, adds: Tally, edition: str = "") -> Missing | None:
        need = self.amount or 1.0
        have = self.have(adds)
        return None if have >= need else Missing(self, have=have, need=need, edition=edition)


# Where the field of the tally has another name than what is asked.
_FIELDS = {"rsc_given": "rsc_given_days", "leadership": "leadership_days"}
_WORDS: dict[str, str] = {
    "training": "{:g} hours of training",
    "dei": "{:g} hours of training about diversity, equity and inclusion",
    "rsc_provision": "{:g} hours of training about providing reflective supervision/consultation",
    "rsc": "{:g} hours of reflective supervision/consultation from a qualified provider",
    "rsc_about_given": "{:g} of those hours about the reflective supervision/consultation the applicant gives",
    "rsc_given": "{} of providing reflective supervision/consultation",
    "leadership": "{} as a leader in the field",
    "work": "{} of paid work in the field",
    "licence": "a professional mental-health licence",
    "references": "{:g} references that count",
    "exam": "the exam passed",
}


def _span(days: float) -> str:
    """As the sources say it, and as it is counted: `2 years (730 days)`."""
    years = days / 365
    return f"{years:g} year{'s' if years != 1 else ''} ({days:g} days)" if years.is_integer() else f"{days:g} days"


_DEGREE_WORDS = {
    "any": "an academic degree",
    "cda": "a CDA certificate",
    "bachelor": "a Bachelor’s or higher",
    "master": "a Master’s or higher",
}
_ENOUGH: dict[str, tuple[Degree, ...]] = {
    "any": ("associate", "bachelor", "master", "doctorate"),
    "cda": ("cda",),
    "bachelor": ("bachelor", "master", "doctorate"),
    "master": ("master", "doctorate"),
}


class Missing(msgspec.Struct, frozen=True):
    """One requirement that is not met: how much there is and how much it takes, under which edition."""

    requirement: Requirement
    have: float
    need: float
    edition: str = ""

    def words(self) -> str:
        if self.requirement.amount:
            return f"{self.requirement.words()} (there are {self.have:g}, {self.need - self.have:g} to go)"
        return self.requirement.words()

    def as_dict(self) -> dict[str, Any]:
        return {
            "requirement": self.requirement.what,
            "have": self.have,
            "need": self.need,
            "missing": self.need - self.have,
            "edition": self.edition,
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
    vetted_providers_until: date = date(2025, 12, 31)


class Edition(msgspec.Struct, frozen=True, omit_defaults=True):
    """The requirements of one slot (or add-on) from a day on, everywhere or at one association.

    `day`: where the day comes from, "ours" where the sources give none. `for_all`: it also ends what single
    associations had before it.
    """

    name: str
    slot: Slot | AddOn
    effective: date
    requirements: tuple[Requirement, ...]
    day: str = "ours"
    association: str = ""
    note: str = ""
    for_all: bool = False

    @property
    def exam(self) -> Requirement | None:
        """The row that asks for an exam; it is judged with the decision, never with the submission."""
        return next((requirement for requirement in self.requirements if requirement.what == "exam"), None)

    def missing(self, adds: Tally, asks: Collection[What] = PORTFOLIO) -> list[Missing]:
        """What is missing of the kinds asked for: what a portfolio answers, SUBMISSION or EVERYTHING."""
        return [
            gap
            for requirement in self.requirements
            if requirement.what in asks and (gap := requirement.missing(adds, self.name))
        ]

    @property
    def reference_slots(self) -> tuple[str, ...]:
        """What the references are asked to be, beside their number."""
        return tuple(requirement.level for requirement in self.requirements if requirement.what == "reference")

    @property
    def attaches_to(self) -> tuple[str, ...]:
        """The slots an add-on attaches to; none for a category."""
        return tuple(
            slot for requirement in self.requirements if requirement.what == "endorsed" for slot in requirement.of
        )


class Hours(msgspec.Struct, frozen=True, omit_defaults=True):
    """Hours a renewal asks for each whole year; `slots`: of whom (all where empty), `ers`: of holders of ERS too.

    `after_years`: only of those who were endorsed that long at the deadline; the longest that fits counts.
    """

    what: Literal["training_hours", "rsc_hours", "rsc_provision_hours", "dei_hours"]
    a_year: float
    source: str
    slots: tuple[str, ...] = ()
    ers: bool = False
    after_years: int = 0

    def asked_of(self, slot: str, *, ers: bool, years_held: int) -> bool:
        return (not self.slots or slot in self.slots or (self.ers and ers)) and years_held >= self.after_years

    def words(self) -> str:
        return _HOURS_WORDS[self.what]


_HOURS_WORDS = {
    "training_hours": "hours of training",
    "rsc_hours": "hours of RSC received",
    "rsc_provision_hours": "hours of training about providing RSC",
    "dei_hours": "hours of DEI training",
}


class RenewalEdition(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How endorsements are renewed for the years from `effective` on: each year, or in a cycle of years.

    `due` and `grace` are month and day, in the year renewed for or, where that day is before `opens`, in the next one;
    the last good day is that of the grace. `source` is of the model, `due_source` of the days, `day` of the beginning.
    """

    name: str
    effective: date
    model: Literal["yearly", "cycle"]
    hours: tuple[Hours, ...]
    source: str
    due: tuple[int, int] = (12, 31)
    grace: tuple[int, int] | None = None
    opens: tuple[int, int] = (10, 1)
    due_source: str
    day: str = "ours"
    association: str = ""
    cap_years: int = 3
    first_renewal: Literal["next_cycle", "cycle_after_submission", "year_after_award"]
    first_source: str
    note: str = ""
    for_all: bool = False

    def missing(
        self,
        attested: Attestation,
        *,
        slot: str,
        ers: bool,
        since: date,
        due: date,
        held_since: date | None = None,
    ) -> list[MissingHours]:
        """What an attestation lacks: of a year, or of the whole years endorsed at the deadline (design 10).

        `since`: of the award or the last renewal; `held_since`: of the award, for what is asked after some years.
        """
        ends = due + timedelta(days=1)
        years = 1 if self.model == "yearly" else min(whole_years(since, ends), self.cap_years)
        held = whole_years(held_since or since, ends)
        needs: dict[str, Hours] = {}
        for hours in sorted(self.hours, key=lambda hours: hours.after_years):
            if hours.asked_of(slot, ers=ers, years_held=held):
                needs[hours.what] = hours
        gaps = [
            MissingHours(what, hours.words(), have=have, need=need, source=hours.source, edition=self.name)
            for what, hours in needs.items()
            if (have := getattr(attested, what)) < (need := years * hours.a_year)
        ]
        signed = [
            ("membership", "a current membership", attested.membership),
            ("ethics", "the code of ethics signed again", attested.ethics),
            ("no_sanction", "the statement that no licensing board has sanctioned you", attested.no_sanction),
        ]
        return gaps + [
            MissingHours(what, words, have=0, need=1, source=self.source, edition=self.name)
            for what, words, given in signed
            if not given
        ]


class Term(NamedTuple):
    """One renewal: the year it is for, the day its window opens, the due day, and the last good day with grace."""

    year: int
    opens: date
    due: date
    through: date
    edition: RenewalEdition


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


class ReinstatementEdition(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The rules of reinstatement from a day on: hours and an audit (new), or new references and a fee (old)."""

    name: str
    effective: date
    source: str
    training: float = 0
    rsc_slots: tuple[str, ...] = ()
    references: int = 0
    statements: tuple[Literal["membership", "ethics", "audit"], ...]
    fee: Literal["reinstatement", "processing"]
    audit: bool
    day: str = "ours"
    association: str = ""
    note: str = ""
    for_all: bool = False

    def missing(self, attested: Reinstatement, *, slot: str, ers: bool, references: int = 0) -> list[MissingHours]:
        """What an attestation of reinstatement lacks; `references`: how many new ones count."""
        connected = bool(attested.rsc_provider) or not (self.rsc_slots and (slot in self.rsc_slots or ers))
        needs: list[tuple[str, str, float, float]] = [
            ("training_hours", "hours of training in the last 12 months", self.training, attested.training_hours),
            ("rsc_provider", "a provider of RSC you are connected to, 12 hours a year planned", 1, float(connected)),
            ("references", "new references that count", self.references, references),
            *((what, STATEMENT_WORDS[what], 1, float(getattr(attested, what))) for what in self.statements),
        ]
        return [
            MissingHours(what, label, have=have, need=need, source=self.source, edition=self.name)
            for what, label, need, have in needs
            if have < need
        ]


STATEMENT_WORDS = {
    "membership": "a current membership",
    "ethics": "the code of ethics signed again",
    "audit": "your word to take part in the audit of the next renewal",
}


class MissingHours(msgspec.Struct, frozen=True):
    """One thing an attestation lacks."""

    what: str
    label: str
    have: float
    need: float
    source: str
    edition: str = ""

    def words(self) -> str:
        if self.what.endswith("_hours"):
            return f"{self.need:g} {self.label} (attested: {self.have:g})"
        if self.what == "references":
            return f"{self.need:g} {self.label} (there are {self.have:g})"
        return self.label

    def as_dict(self) -> dict[str, Any]:
        return {
            "requirement": self.what,
            "have": self.have,
            "need": self.need,
            "missing": self.need - self.have,
            "edition": self.edition,
            "source": self.source,
            "words": self.words(),
        }


Relationship = Literal[
    "supervisor", "rsc_provider", "rsc_receiver", "colleague", "teacher", "trainer", "consultant", "parent",
    "cda_mentor", "board_member", "other",
]  # fmt: skip
"""What a rater is to the applicant: `supervisor` is the present one, `parent` a recipient of services (2.1 to 2.5)."""


class ReferenceSlot(msgspec.Struct, frozen=True, omit_defaults=True):
    """One place among the references of a category: who may fill it.

    No `relationships`: anybody. `qualified`: only a rater endorsed in `endorsed_in` (slots), or vetted (R6).
    """

    name: str
    words: str
    source: str
    relationships: frozenset[Relationship] = frozenset()
    qualified: bool = False
    endorsed_in: frozenset[str] = frozenset()


class ReferenceRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """The places that references of a category (its slot) or add-on have to fill, from a day on."""

    name: str
    slot: str
    effective: date
    slots: tuple[ReferenceSlot, ...]
    source: str
    association: str = ""
    for_all: bool = False


class ProviderRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is a qualified provider of RSC from a day on (`domain.md` 2.6), everywhere or at one association.

    `mentors`: the slots that may provide for somebody who applies as a clinical Mentor, where others may not.
    """

    effective: date
    slots: tuple[str, ...]
    add_ons: tuple[str, ...]
    vetted: bool
    source: str
    day: str = "ours"
    association: str = ""
    mentors: tuple[str, ...] = ()
    note: str = ""
    for_all: bool = False

    @property
    def name(self) -> str:
        return "-".join(filter(None, ("provider", self.effective.isoformat(), self.association)))

    def accepts(self, held: str, slot: str = "") -> bool:
        """Whether a category with add-on (`IFS+ERS`), held as active that day, may provide; empty never may.

        `slot`: what the one who receives applies for.
        """
        category, _, add_on = held.partition("+")
        slots = self.mentors if self.mentors and slot == "MHM-C" else self.slots
        return bool(held) and (CATEGORIES[category].slot in slots or add_on in self.add_ons)


class Fee(msgspec.Struct, frozen=True, omit_defaults=True):
    """What something costs at an association from a day on, in whole units of the currency; `slot` empty: of all."""

    association: str
    what: FeeKind
    amount: int
    source: str
    effective: date
    slot: str = ""
    currency: str = "USD"
    day: str = "ours"
    until: date | None = None

    @property
    def name(self) -> str:
        return "-".join(filter(None, ("fee", self.what, self.slot, str(self.effective), self.association)))


FeeKind = Literal[
    "membership", "registration", "processing", "exam", "renewal", "late_renewal", "reinstatement", "reactivation",
]  # fmt: skip


class Parameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field of Practice from a day on, everywhere or at one association; `rule`: the R of `domain.md` 12.4."""

    field: str
    value: Any
    source: str
    rule: str = ""
    association: str = ""
    effective: date = date(2002, 1, 1)
    day: str = "ours"

    @property
    def name(self) -> str:
        return "-".join(filter(None, ("practice", self.field, str(self.effective), self.association)))


def whole_years(since: date, until: date) -> int:
    """Whole years between two days, rounded down; never negative."""
    before = (until.month, until.day) < (since.month, since.day)
    return max(0, until.year - since.year - before)
