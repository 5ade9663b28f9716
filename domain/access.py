"""Who may do what: one table of role x deed x scope. What has no row is refused (`domain.md` 12.5)."""

from typing import Literal, get_args

import msgspec

from domain.errors import Forbidden, Invalid, SignInAgain
from domain.event import PersonalClass

Role = Literal[
    "public", "holder", "rater", "advisor", "reviewer", "exam_scorer", "employer", "coordinator", "alliance", "operator"
]
Scope = Literal["own", "assigned", "association", "releasing", "receiving", "direct", "all"]


class Actor(msgspec.Struct, frozen=True):
    """Somebody at the counter: a role, and the association or the person it is held for.

    `id` names the key or session, never a person's name. `also`: other records of the same human, merged.
    `fresh`: they signed in lately, or show a key each time.
    """

    role: Role
    association: str = ""
    person: str = ""
    id: str = ""
    also: tuple[str, ...] = ()
    fresh: bool = True

    @property
    def people(self) -> frozenset[str]:
        """Every record of the human who acts; empty for who acts as no person."""
        return frozenset((self.person, *self.also)) if self.person else frozenset()

    @property
    def by(self) -> str:
        """How events name the actor: `coordinator:VA:k3f9`, `holder:9x...`, `operator`."""
        held_for = self.association or self.person
        named = f"{self.role}:{held_for}" if held_for else self.role
        return f"{named}:{self.id}" if self.id else named


PUBLIC = Actor("public")
OPERATOR = Actor("operator")


class Thing(msgspec.Struct, frozen=True):
    """What is acted on, as far as access goes: whose it is and which associations are its sides."""

    person: str = ""
    association: str = ""
    releasing: str = ""
    receiving: str = ""
    reviewers: frozenset[str] = frozenset()
    advisors: frozenset[str] = frozenset()


class Rule(msgspec.Struct, frozen=True):
    """One row: a role may do a deed in a scope, and sees these classes of personal fields with it.

    `second`: a second person has to confirm. `fresh`: it takes a sign-in of the last minutes, for it can't be undone.
    `basis`: the source, or *ours*.
    """

    deed: str
    role: Role
    scope: Scope
    sees: frozenset[PersonalClass] = frozenset()
    second: bool = False
    fresh: bool = False
    basis: str = "ours"


_NAMES: frozenset[PersonalClass] = frozenset({"identity"})
_CONTACT: frozenset[PersonalClass] = frozenset({"identity", "contact"})
_RATING: frozenset[PersonalClass] = frozenset({"identity", "reference"})
_OWN: frozenset[PersonalClass] = frozenset({"identity", "contact", "demographic"})


def _rows(deed: str, *grants: tuple[Role, Scope], basis: str = "ours", **facts: object) -> list[Rule]:
    return [Rule(deed, role, scope, basis=basis, **facts) for role, scope in grants]  # type: ignore[arg-type]  # a row's columns


_COORDINATOR: tuple[Role, Scope] = ("coordinator", "association")
_DIRECT: tuple[Role, Scope] = ("alliance", "direct")
_HOLDER: tuple[Role, Scope] = ("holder", "own")
_ALLIANCE: tuple[Role, Scope] = ("alliance", "all")
_OPERATOR: tuple[Role, Scope] = ("operator", "all")
_EMPLOYER: tuple[Role, Scope] = ("employer", "own")

TABLE: tuple[Rule, ...] = (
    # People and portfolios: the person, or the coordinator at their request.
    *_rows("register_person", _COORDINATOR, _DIRECT, _OPERATOR),
    *_rows("rename_person", _COORDINATOR, _DIRECT, _OPERATOR),
    *_rows("move_person", _HOLDER, _COORDINATOR, _DIRECT, _OPERATOR),
    *_rows("choose_publication", _HOLDER),
    *_rows("record_membership", _COORDINATOR, _DIRECT, basis="CT-PORT"),
    *_rows("verify_membership_elsewhere", _COORDINATOR, _DIRECT, basis="AZ-FAQ"),
    *_rows("end_membership", _COORDINATOR, _DIRECT),
    *_rows("import_members", _COORDINATOR, _ALLIANCE, _OPERATOR, basis="CT-PORT"),
    *_rows("import_moves", _COORDINATOR, _ALLIANCE, _OPERATOR),
    *_rows("choose_provider_listing", _HOLDER, basis="NM-STEPS"),
    *_rows("record_entry", _HOLDER, _COORDINATOR, _DIRECT, basis="MI-FAQ"),
    *_rows("withdraw_entry", _HOLDER, _COORDINATOR, _DIRECT),
    *_rows("vet_provider", _COORDINATOR, _DIRECT, basis="CT-ECFA"),
    *_rows("record_reviewer_training", _COORDINATOR, _ALLIANCE, basis="WA-FAQ"),
    *_rows("settle_likeness", _COORDINATOR, _ALLIANCE),
    *_rows("write_note", _COORDINATOR, _DIRECT, ("reviewer", "assigned"), ("advisor", "assigned")),
    *_rows("write_note", ("coordinator", "releasing"), ("coordinator", "receiving")),
    # References: the rater comes by a link; who sees the content is said with `see_reference`.
    *_rows("nominate_rater", _HOLDER, basis="MI-REF"),
    *_rows("withdraw_nomination", _HOLDER),
    *_rows("request_rating", _HOLDER, _COORDINATOR, _DIRECT),
    *_rows("remind_rater", _HOLDER, _COORDINATOR, _DIRECT),
    *_rows("vet_rater", _COORDINATOR, _ALLIANCE, basis="CT-ECFA"),
    *_rows("record_rating", ("rater", "own"), basis="MI-REF"),
    *_rows("decline_rating", ("rater", "own")),
    *_rows("relay_reasons", _COORDINATOR, _DIRECT, basis="WA-FAQ"),
    # A death is reported to the association, or to the Alliance (ours).
    *_rows("report_death", _COORDINATOR, _ALLIANCE, fresh=True),
    # Erasure: requested, confirmed by a second person, cancelled while there is time. Demographics are one's own.
    *_rows("request_erasure", _HOLDER, _COORDINATOR, _DIRECT, _OPERATOR, fresh=True),
    *_rows("confirm_erasure", _COORDINATOR, _ALLIANCE, _OPERATOR, second=True, fresh=True),
    *_rows("cancel_erasure", _HOLDER, _COORDINATOR, _DIRECT, _OPERATOR),
    *_rows("volunteer_demographics", _HOLDER),
    *_rows("withdraw_demographics", _HOLDER),
    # Merging and splitting. Both records have to be the coordinator's association's.
    *_rows("merge_persons", _COORDINATOR, _ALLIANCE),
    *_rows("split_persons", _COORDINATOR, _ALLIANCE),
    # Applications.
    *_rows("start_application", _HOLDER, _COORDINATOR, _DIRECT, basis="MI-FAQ"),
    *_rows("accept_registration", _COORDINATOR, _DIRECT, basis="TX-APP"),
    *_rows("refuse_registration", _COORDINATOR, _DIRECT, basis="TX-APP"),
    *_rows("settle_fee", _COORDINATOR, _DIRECT, basis="TX-APP"),
    *_rows("change_category", _HOLDER, _COORDINATOR, _DIRECT),
    *_rows("assign_advisor", _COORDINATOR, _DIRECT, basis="TX-REV"),
    *_rows("submit_application", _HOLDER, basis="MI-FAQ"),
    *_rows("amend_application", _HOLDER, basis="WA-FAQ"),
    *_rows("withdraw_application", _HOLDER),
    *_rows("issue_letter", _HOLDER, _COORDINATOR, _DIRECT),
    *_rows("assign_reviewer", _COORDINATOR, _DIRECT, basis="WA-FAQ"),
    *_rows("recuse_reviewer", ("reviewer", "assigned"), _COORDINATOR, _DIRECT),
    *_rows("recommend", ("reviewer", "assigned"), basis="TX-REV"),
    *_rows("reach_consensus", _COORDINATOR, _DIRECT, basis="TX-REV"),
    *_rows("approve_application", _COORDINATOR, _DIRECT),
    *_rows("put_on_hold", _COORDINATOR, _DIRECT, basis="WA-FAQ"),
    *_rows("defer_application", _COORDINATOR, _DIRECT),
    *_rows("decline_application", _COORDINATOR, _DIRECT),
    *_rows("remind_applicant", _OPERATOR),
    *_rows("expire_application", _OPERATOR),
    *_rows("appeal", _HOLDER),
    *_rows("decide_appeal", _ALLIANCE),
    *_rows("assess_competencies", ("reviewer", "assigned"), basis="TX-REV, OK-REV"),
    # Exams: the Alliance delivers them; who scores sees a candidate number alone (R16).
    *_rows("approve_for_exam", _COORDINATOR, _ALLIANCE, basis="VA-EXAM"),
    *_rows("book_exam", _HOLDER, _COORDINATOR, _ALLIANCE, basis="VA-EXAM"),
    *_rows("cancel_exam", _HOLDER, _COORDINATOR, _ALLIANCE),
    *_rows("record_sitting", _ALLIANCE, basis="ALL-EXAM"),
    *_rows("assign_scorer", _ALLIANCE, basis="ALL-EXAM"),
    *_rows("recuse_scorer", ("exam_scorer", "assigned"), _ALLIANCE),
    *_rows("score_part_1", _ALLIANCE, basis="ALL-EXAM"),
    *_rows("score_part_2", ("exam_scorer", "assigned"), basis="MA-REG, RI-EXAM"),
    *_rows("decide_exam", _ALLIANCE, basis="ALL-EXAM"),
    # Competencies: a licensee's own catalogue.
    *_rows("load_competencies", _COORDINATOR, _ALLIANCE, _OPERATOR),
    # Endorsements.
    *_rows("renew", _HOLDER, basis="NE-POL"),
    *_rows("remind_of_renewal", _OPERATOR),
    *_rows("record_lapse", _OPERATOR, basis="NE-POL"),
    *_rows("make_inactive", _COORDINATOR, _DIRECT, basis="IAITMH"),
    *_rows("reactivate", _COORDINATOR, _DIRECT, basis="IAITMH"),
    *_rows("reinstate", _COORDINATOR, _DIRECT, basis="NE-POL"),
    *_rows("suspend", _COORDINATOR, _ALLIANCE),
    *_rows("lift_suspension", _COORDINATOR, _ALLIANCE),
    *_rows("grant_emeritus", _COORDINATOR, _DIRECT, basis="CT-MENU"),
    *_rows("report_sanction", _COORDINATOR, _ALLIANCE, basis="PA-REG"),
    *_rows("settle_sanction", _COORDINATOR, _ALLIANCE),
    *_rows("propose_removal", _COORDINATOR, _ALLIANCE, basis="PA-REG"),
    *_rows("withdraw_removal_proposal", _COORDINATOR, _ALLIANCE),
    *_rows("remove", _COORDINATOR, _ALLIANCE, basis="PA-REG", second=True, fresh=True),
    *_rows("archive", _HOLDER, basis="MI-REN", fresh=True),
    *_rows("grant_add_on", _COORDINATOR, _DIRECT, basis="IN-ERS"),
    *_rows("convert", _COORDINATOR, _DIRECT, _OPERATOR, basis="AZ-REQ"),
    *_rows("correct", _COORDINATOR, _ALLIANCE),
    *_rows("import_roster", _COORDINATOR, _ALLIANCE, _OPERATOR),
    *_rows("settle_report", _COORDINATOR, _ALLIANCE),
    *_rows("issue_certificates", _COORDINATOR, _ALLIANCE, _OPERATOR),
    # Audits.
    *_rows("draw_audit", _COORDINATOR, _ALLIANCE, basis="domain.md 12.5"),
    *_rows("send_audit_notice", _COORDINATOR, _ALLIANCE),
    *_rows("submit_audit_evidence", _HOLDER),
    *_rows("pass_audit", _COORDINATOR, _ALLIANCE, basis="domain.md 12.5"),
    *_rows("fail_audit", _COORDINATOR, _ALLIANCE, basis="domain.md 12.5"),
    *_rows("leave_unremedied", _COORDINATOR, _ALLIANCE),
    *_rows("drop_from_audit", _COORDINATOR, _ALLIANCE),
    *_rows("note_audit_days", _OPERATOR),
    *_rows("close_audit", _COORDINATOR, _ALLIANCE),
    *_rows("see_audit", _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_NAMES),
    *_rows("see_renewals", _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_NAMES),
    # Transfers: both sides, the Alliance over a dispute (design section 10).
    *_rows("request_transfer", _HOLDER),
    *_rows("confirm_standing", ("coordinator", "releasing"), ("alliance", "releasing")),
    *_rows("dispute_standing", ("coordinator", "releasing"), ("alliance", "releasing")),
    *_rows("decide_dispute", _ALLIANCE),
    *_rows("verify_membership", ("coordinator", "receiving"), ("alliance", "receiving")),
    *_rows("accept_transfer", ("coordinator", "receiving"), ("alliance", "receiving")),
    *_rows("decline_transfer", ("coordinator", "receiving"), ("alliance", "receiving")),
    *_rows("cancel_transfer", _HOLDER),
    *_rows("hold_transfer", ("coordinator", "releasing"), _ALLIANCE),
    *_rows("release_transfer", ("coordinator", "releasing"), _ALLIANCE),
    *_rows("take_custody", _ALLIANCE),
    # Associations.
    *_rows("admit_association", _ALLIANCE, _OPERATOR),
    *_rows("rename_association", _COORDINATOR, _ALLIANCE, _OPERATOR),
    *_rows("offer_category", _ALLIANCE, _OPERATOR, basis="ALL-INT"),
    *_rows("withdraw_category", _COORDINATOR, _ALLIANCE, _OPERATOR),
    *_rows("change_reviewers", _COORDINATOR, _ALLIANCE, _OPERATOR),
    *_rows("appoint_coordinator", _ALLIANCE, _OPERATOR),
    *_rows("stand_down_coordinator", _ALLIANCE, _OPERATOR),
    *_rows("grant_licence", _ALLIANCE, _OPERATOR, basis="ALL-INT"),
    *_rows("suspend_licence", _ALLIANCE, _OPERATOR, basis="ALL-INT"),
    *_rows("resume_licence", _ALLIANCE, _OPERATOR, basis="ALL-INT"),
    # Both pass the custody of everybody held there; a licence granted again brings nobody back.
    *_rows("end_licence", _ALLIANCE, _OPERATOR, basis="ALL-INT", fresh=True),
    *_rows("take_over_people", _ALLIANCE, _OPERATOR, fresh=True),
    # Employers: who admits them may end them; what they follow is theirs alone, and no holder is told.
    *_rows("admit_employer", _COORDINATOR, _ALLIANCE, _OPERATOR),
    *_rows("change_employer_contact", _EMPLOYER, _COORDINATOR, _ALLIANCE, _OPERATOR),
    *_rows("end_employer", _EMPLOYER, _COORDINATOR, _ALLIANCE, _OPERATOR, fresh=True),
    *_rows("follow", _EMPLOYER, basis="peers.md 4, 9"),
    *_rows("unfollow", _EMPLOYER),
    *_rows("choose_mails", _EMPLOYER),
    *_rows("set_webhook", _EMPLOYER, basis="peers.md 4, 9"),
    *_rows("end_webhook", _EMPLOYER, _OPERATOR),
    *_rows("test_webhook", _EMPLOYER, _OPERATOR),
    *_rows("replay_webhook", _EMPLOYER, _OPERATOR),
    *_rows("see_employer", _EMPLOYER, _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_CONTACT),
    *_rows("see_followed", _EMPLOYER),
    # What a holder shows to whoever has the link, beyond the certificate.
    *_rows("share", _HOLDER),
    *_rows("end_share", _HOLDER),
    *_rows("see_shares", _HOLDER),
    # Quality reviews: the Alliance looks again, somebody from elsewhere judges, the association answers.
    *_rows("draw_quality_sample", _ALLIANCE, basis="ALL-WHO-old"),
    *_rows("assign_second_reviewer", _ALLIANCE),
    *_rows("record_second_review", ("reviewer", "assigned"), basis="domain.md 12.5"),
    *_rows("compute_agreement", _ALLIANCE),
    *_rows("raise_finding", _ALLIANCE),
    *_rows("resolve_finding", _ALLIANCE),
    *_rows("close_quality_review", _ALLIANCE),
    *_rows("see_quality", _COORDINATOR, _ALLIANCE, _OPERATOR),
    *_rows("see_second_review", ("reviewer", "assigned"), _ALLIANCE),
    *_rows("see_reviewer_load", _COORDINATOR, _ALLIANCE, _OPERATOR),
    # Numbers and associations, no names.
    *_rows("see_reciprocity", _COORDINATOR, _ALLIANCE, _OPERATOR),
    # Every decision again, by its own rules and by others: an association its own, the Alliance all.
    *_rows("reconsider", _COORDINATOR, _ALLIANCE, _OPERATOR),
    # Questions. The public sees standing only while active and listed; the page decides nothing else.
    *_rows("see_history", _HOLDER, sees=_CONTACT),
    *_rows("see_history", _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_CONTACT),
    *_rows("see_history", ("coordinator", "releasing"), ("coordinator", "receiving"), sees=_NAMES),
    # A file to hand on: what somebody may see of a history, with its proof. The operator's opens nothing.
    *_rows("take_bundle", _HOLDER, _COORDINATOR, _ALLIANCE, sees=_CONTACT),
    *_rows("take_bundle", ("coordinator", "releasing"), ("coordinator", "receiving"), sees=_NAMES),
    *_rows("take_bundle", _OPERATOR),
    *_rows("see_endorsement", _HOLDER, _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_NAMES),
    *_rows("see_endorsement", ("coordinator", "releasing"), ("coordinator", "receiving"), sees=_NAMES),
    *_rows("see_application", _HOLDER, _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_NAMES),
    *_rows("see_application", ("reviewer", "assigned"), ("advisor", "assigned"), sees=_NAMES),
    *_rows("see_transfer", _HOLDER, _ALLIANCE, _OPERATOR, sees=_NAMES),
    *_rows("see_transfer", ("coordinator", "releasing"), ("coordinator", "receiving"), sees=_NAMES),
    # R27: reviewers and coordinators see the content always, the applicant as waiver and association say.
    *_rows("see_reference", _HOLDER, _ALLIANCE, _OPERATOR),
    *_rows("see_reference", _COORDINATOR, _DIRECT, ("reviewer", "assigned"), basis="WA-FAQ", sees=_RATING),
    *_rows("see_person", _HOLDER, sees=_OWN),
    *_rows("see_person", _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_CONTACT),
    *_rows("see_queue", _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_NAMES),
    *_rows("see_held", _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_NAMES),
    *_rows("see_reviews", ("reviewer", "own"), ("advisor", "own"), sees=_NAMES),
    *_rows("see_exams", ("exam_scorer", "own"), _ALLIANCE, _OPERATOR),
    *_rows("see_exam", ("exam_scorer", "assigned"), _ALLIANCE, _OPERATOR),
    *_rows("see_exam_history", _ALLIANCE, _OPERATOR),
    *_rows("see_certificate", _HOLDER, _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_NAMES),
    *_rows("see_letter", _HOLDER, _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_NAMES),
    *_rows("export_roster", _COORDINATOR, _ALLIANCE, _OPERATOR, sees=_CONTACT),
)

DEEDS = frozenset(rule.deed for rule in TABLE)
# The rows of a role for a deed, the widest sight first.
_ROWS: dict[tuple[str, Role], list[Rule]] = {(deed, role): [] for deed in DEEDS for role in get_args(Role)}
for _rule in sorted(TABLE, key=lambda rule: len(rule.sees), reverse=True):
    _ROWS[_rule.deed, _rule.role].append(_rule)
SCOPES: dict[Scope, str] = {
    "own": "their own",
    "assigned": "assigned to them",
    "association": "their association's",
    "releasing": "their association releases it",
    "receiving": "their association receives it",
    "direct": "the Alliance's own",
    "all": "all",
}
"""Each scope in words that go on from the deed."""


def rows_of(role: str = "", deed: str = "") -> list[Rule]:
    """The rows of a role, of a deed, or all, in the order of the table. Raises Invalid for what is not in it."""
    if role and role not in get_args(Role):
        raise Invalid(f"There is no role {role}; the roles are {', '.join(get_args(Role))}.", field="role")
    if deed and deed not in DEEDS:
        raise Invalid(f"There is no deed {deed}; `registry access` lists them all.", field="deed")
    return [rule for rule in TABLE if role in ("", rule.role) and deed in ("", rule.deed)]


LATE_ROLES = frozenset({"coordinator", "alliance", "operator"})
"""Who may record a past day, with a reason."""


def in_scope(actor: Actor, scope: Scope, thing: Thing) -> bool:
    match scope:
        case "own":
            return thing.person in actor.people
        case "assigned":
            assigned = thing.advisors if actor.role == "advisor" else thing.reviewers
            return not actor.people.isdisjoint(assigned)
        case "association":
            return bool(actor.association) and actor.association == thing.association
        case "releasing":
            return bool(actor.association) and actor.association == thing.releasing
        case "receiving":
            return bool(actor.association) and actor.association == thing.receiving
        case "direct":
            return thing.association == "ALLIANCE"
        case "all":
            return True


def allowed(actor: Actor, deed: str, thing: Thing) -> Rule | None:
    """The row with the widest sight that allows the deed on the thing, or None. Raises KeyError for no deed of ours."""
    for rule in _ROWS[deed, actor.role]:
        if in_scope(actor, rule.scope, thing):
            return rule
    return None


def check(actor: Actor, deed: str, thing: Thing) -> Rule:
    """The row that allows it. Raises Forbidden, which names the deed and the role and nothing of the thing."""
    rule = allowed(actor, deed, thing)
    if rule is None:
        words = deed.replace("_", " ")
        raise Forbidden(
            f"As {actor.role} you may not {words} here. Ask the association that holds this record.", deed=deed
        )
    if rule.fresh and not actor.fresh:
        raise SignInAgain(deed)
    return rule
