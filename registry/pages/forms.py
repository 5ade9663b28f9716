"""Forms for deeds: which ones a visitor may do to a case now, their fields from the body's types, and back again."""

import types
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
from starlette.datastructures import FormData

from domain.access import LATE_ROLES, Actor, Thing, allowed
from domain.application import Application, windows
from domain.audit import DONE, Audit
from domain.category import CATEGORIES, CURRENT
from domain.competency import Area
from domain.editions import attaches, practice, renewal_window
from domain.employer import Employer
from domain.endorsement import CONVERSIONS, Endorsement
from domain.event import LateReason
from domain.exam import Exam
from domain.person import Person
from domain.reference import Reference
from domain.transfer import Transfer
from registry.api.asking import converted
from registry.api.associations import known_rows
from registry.api.deeds import BY_NAME, Deed
from registry.pages.words import HINTS, LABELS, plain

KEY, VERSION = "_key", "_version"
_GRAVE = frozenset({"suspend", "propose_removal", "remove", "archive", "withdraw_application", "decline_transfer",
                    "cancel_transfer", "dispute_standing", "hold_transfer", "end_licence", "suspend_licence", "correct",
                    "refuse_registration", "decline_application", "request_erasure", "confirm_erasure", "report_death",
                    "merge_persons", "split_persons", "end_employer"})  # fmt: skip


class Field(NamedTuple):
    name: str
    label: str
    kind: str
    value: Any = ""
    options: Sequence[tuple[str, str]] = ()
    hint: str = ""
    required: bool = False
    error: str = ""

    @property
    def chosen(self) -> Sequence[str]:
        return self.value if isinstance(self.value, list | tuple) else (str(self.value),)


class Form(NamedTuple):
    """One deed as a form. `key` is its Idempotency-Key: a form sent twice is done once."""

    deed: Deed
    action: str
    fields: Sequence[Field]
    late: Sequence[Field]
    key: str
    version: int | None
    open: bool = False
    error: str = ""
    missing: Sequence[Mapping[str, Any]] = ()

    @property
    def id(self) -> str:
        return self.action.strip("/").replace("/", "-")

    @property
    def grave(self) -> bool:
        return self.deed.name in _GRAVE

    @property
    def errors(self) -> list[Field]:
        return [field for field in (*self.fields, *self.late) if field.error]


class Typed(NamedTuple):
    """A form that came back refused: what was typed, and what is wrong with which field."""

    action: str
    values: Mapping[str, Any]
    key: str
    error: str
    field: str = ""
    missing: Sequence[Mapping[str, Any]] = ()


def make(
    actor: Actor,
    deed: Deed,
    arguments: Mapping[str, str],
    *,
    version: int | None = None,
    typed: Typed | None = None,
    values: Mapping[str, Any] | None = None,
    options: Mapping[str, Sequence[tuple[str, str]]] | None = None,
) -> Form:
    action = deed.path.format(**arguments)
    mine = typed if typed is not None and typed.action == action else None
    given = mine.values if mine else values or {}
    wrong = (mine.field, mine.error) if mine else ("", "")
    fields = [
        field
        for info, hint in _fields(deed.body)
        if info.encode_name not in ("on", "late", "vetted")
        for field in _as_fields(info, hint, given, wrong, options or {})
    ]
    late = []
    if actor.role in LATE_ROLES:
        late = [
            Field("on", LABELS["on"], "date", given.get("on", ""), error=wrong[1] if wrong[0] == "on" else ""),
            Field("late", LABELS["late"], "choice", given.get("late", ""), _choices(get_args(LateReason), blank=True),
                  error=wrong[1] if wrong[0] == "late" else ""),
        ]  # fmt: skip
    named = any(field.error for field in (*fields, *late))
    return Form(
        deed, action, fields, late, mine.key if mine else str(uuid.uuid4()), version, mine is not None,
        mine.error if mine and not named else "", mine.missing if mine else (),
    )  # fmt: skip


def _fields(body: type[Any]) -> Iterable[tuple[Any, Any]]:
    hints = get_type_hints(body)
    return [(info, hints[info.name]) for info in msgspec.structs.fields(body)]


def _bare(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(part for part in get_args(hint) if part is not type(None))
    return hint


def _as_fields(
    info: Any,
    hint: Any,
    given: Mapping[str, Any],
    wrong: tuple[str, str],
    options: Mapping[str, Sequence[tuple[str, str]]],
) -> list[Field]:
    """One field; of a table of words one for each of its keys."""
    name, kind = info.encode_name, _bare(hint)
    if get_origin(kind) is not dict:
        return [_field(info, hint, given, wrong, options)]
    words = _choices(get_args(get_args(kind)[1]), blank=True)
    error = wrong[1] if wrong[0] == name else ""
    return [
        Field(f"{name}.{key}", label, "choice", given.get(f"{name}.{key}", ""), words, error=error)
        for key, label in options.get(name, ())
    ]


def _field(
    info: Any,
    hint: Any,
    given: Mapping[str, Any],
    wrong: tuple[str, str],
    options: Mapping[str, Sequence[tuple[str, str]]],
) -> Field:
    name, kind = info.encode_name, _bare(hint)
    required = bool(info.required)
    label = LABELS.get(name, plain(name).capitalize())
    field = Field(
        name,
        label,
        "text",
        given.get(name, ""),
        options.get(name, ()),
        HINTS.get(name, ""),
        required,
        wrong[1] if wrong[0] == name else "",
    )
    if name in options:
        return field._replace(kind="many" if get_origin(kind) is tuple else "choice")
    if kind is bool:
        return field._replace(kind="tick", value=_ticked(given.get(name)), required=False)
    if kind is date:
        return field._replace(kind="date")
    if kind is float or kind is int:
        return field._replace(kind="hours")
    if get_origin(kind) is Literal:
        return field._replace(kind="choice", options=_choices(get_args(kind), blank=not required))
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        choices = _choices(get_args(item)) if get_origin(item) is Literal else ()
        return field._replace(kind="many" if choices else "list", options=choices)
    if name in ("association", "to", "residence"):
        return field._replace(kind="choice", options=_associations())
    if name == "category":
        return field._replace(kind="choice", options=[(code, f"{code}, {CATEGORIES[code].title}") for code in CURRENT])
    return field


def _ticked(value: Any) -> bool:
    return value in (True, "true", "on")


def _choices(words: Sequence[str], *, blank: bool = False) -> list[tuple[str, str]]:
    found = [(word, plain(word)) for word in words if word]
    return [("", "—"), *found] if blank else found


def _associations() -> list[tuple[str, str]]:
    return [(code, f"{row.jurisdiction} ({row.abbreviation})") for code, row in known_rows().items()]


def read(deed: Deed, form: FormData) -> tuple[Any, dict[str, Any]]:
    """The body that a form says, and what was typed. Raises Invalid; then `typed_of` has what was typed."""
    typed = typed_of(deed, form)
    values: dict[str, Any] = {}
    for info, hint in _fields(deed.body):
        name, kind = info.encode_name, _bare(hint)
        if kind is bool:
            values[name] = _ticked(typed.get(name))
        elif get_origin(kind) is tuple:
            values[name] = typed.get(name, [])
        elif get_origin(kind) is dict:
            parts = {key.removeprefix(f"{name}."): text for key, text in typed.items() if key.startswith(f"{name}.")}
            values[name] = {key: text for key, text in parts.items() if text}
        elif (text := typed.get(name, "")) != "":
            values[name] = _number(text) if kind in (float, int) else text
    return converted(values, deed.body), typed


def _number(text: str) -> Any:
    try:
        number = float(text.replace(",", "."))
        return int(number) if number.is_integer() else number
    except (ValueError, OverflowError):
        return text


def typed_of(deed: Deed, form: FormData) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for info, hint in _fields(deed.body):
        name = info.encode_name
        if get_origin(_bare(hint)) is dict:
            typed |= {key: str(value) for key, value in form.items() if key.startswith(f"{name}.")}
        elif get_origin(_bare(hint)) is tuple:
            given = [str(value).strip() for value in form.getlist(name)]
            typed[name] = [part for value in given for part in value.replace(",", " ").split()]
        elif isinstance(value := form.get(name), str):
            typed[name] = value.strip()
    return typed


# --- what can be done now


def for_endorsement(actor: Actor, thing: Thing, found: Endorsement, on: date, typed: Typed | None) -> list[Form]:
    standing = found.standing(on)
    names = {
        "active": ["renew", "make_inactive", "grant_add_on", "grant_emeritus", "suspend", "archive"],
        "inactive": ["reactivate", "grant_emeritus", "suspend", "archive"],
        "lapsed": ["reinstate", "suspend", "archive"],
        "emeritus": ["suspend", "archive"],
        "suspended": ["lift_suspension"],
    }.get(standing, [])
    if standing in ("active", "inactive", "lapsed", "emeritus", "suspended"):
        if found.removal_proposed_by:
            removal = ["remove", "withdraw_removal_proposal"]
        else:
            removal = ["propose_removal", "settle_sanction"] if found.sanction else ["report_sanction"]
        names = [*names, *removal, "correct"]
    if found.category in CONVERSIONS:
        names = ["convert", *names]
    if found.contradicted:
        names = ["settle_report", *names]
    opens, last = renewal_window(on, found.custodian)
    if not opens <= on <= last or found.through > last:
        names = [name for name in names if name != "renew"]
    if not attaches("ERS", found.category, on, found.custodian):
        names = [name for name in names if name != "grant_add_on"]
    forms = _allowed(actor, thing, names, {"number": found.number}, found.version, typed)
    if found.late_fee(on):
        return forms
    # Only the days of grace ask for one.
    return [form._replace(fields=[field for field in form.fields if field.name != "late_fee"]) for form in forms]


def for_application(
    actor: Actor,
    thing: Thing,
    found: Application,
    needed: int,
    typed: Typed | None,
    on: date,
    areas: Sequence[Area] = (),
) -> list[Form]:
    """`areas`: the competencies of the category, for a reviewer to judge."""
    names = [name for name in found.can(needed) if name in BY_NAME]
    mine = [
        number
        for number in found.reviewers
        if actor.role != "reviewer" or found.reviewing_people[number] == actor.person
    ]
    if actor.role == "reviewer" and all(found.reviewers[number] for number in mine):
        names = [name for name in names if name != "recommend"]
    reviewers: dict[str, Sequence[tuple[str, str]]] = {"reviewer": [(number, number) for number in mine]}
    others: dict[str, Sequence[tuple[str, str]]] = {
        "to": [(code, f"{code}, {CATEGORIES[code].title}") for code in CURRENT if code != found.category]
    }
    judged = [(area.code, f"{area.code} {area.label}") for area in areas]
    weeks = windows(on, found.exam_through or on, practice(found.association, on).exam_months)
    options: dict[str, dict[str, Sequence[tuple[str, str]]]] = {
        "recommend": reviewers,
        "recuse_reviewer": reviewers,
        "change_category": others,
        "assess_competencies": {**reviewers, "met": judged, "not_met": judged},
        "book_exam": {"window": [(week.isoformat(), f"the week from {week.isoformat()}") for week in weeks]},
    }
    values = {"what": "registration" if found.state == "started" else "processing"}
    forms = []
    for name in names:
        forms += _allowed(
            actor, thing, [name], {"application": found.name}, found.version, typed,
            values=values, options=options.get(name, {}),
        )  # fmt: skip
    return forms


def for_exam(actor: Actor, thing: Thing, found: Exam, typed: Typed | None) -> list[Form]:
    mine = found.scorers.get(actor.person)
    names = {
        "booked": ["record_sitting", "assign_scorer"],
        "sat": ["score_part_1", "assign_scorer", "decide_exam"],
    }.get(found.state, [])
    if found.part_1 is not None:
        names = [name for name in names if name != "score_part_1"]
    if found.waits_for != "waiting_for_the_decision":
        names = [name for name in names if name != "decide_exam"]
    if actor.role == "exam_scorer" and found.state in ("booked", "sat") and mine is None:
        names = [*(["score_part_2"] if found.state == "sat" else []), "recuse_scorer"]
    elif found.state in ("booked", "sat"):
        names = [*names, "recuse_scorer"]
    open_ = [person for person, score in found.scorers.items() if score is None]
    if actor.role == "exam_scorer":
        open_ = [person for person in open_ if person == actor.person]
    if not open_:
        names = [name for name in names if name != "recuse_scorer"]
    forms = []
    for name in names:
        choose = {"scorer": [(person, person) for person in open_]} if name == "recuse_scorer" else {}
        forms += _allowed(actor, thing, [name], {"exam": found.name}, found.version, typed, options=choose)
    return forms


def for_transfer(actor: Actor, thing: Thing, found: Transfer, typed: Typed | None) -> list[Form]:
    ends = ["decline_transfer", "cancel_transfer"]
    names = {
        "requested": ["confirm_standing", "dispute_standing", "verify_membership", *ends],
        "unanswered": ["confirm_standing", "decide_dispute", "verify_membership", *ends],
        "confirmed": ["verify_membership", "accept_transfer", *ends],
        "disputed": ["decide_dispute", "verify_membership", *ends],
    }.get(found.state, [])
    if names:
        names = [*(["release_transfer"] if found.held else []), *names, "hold_transfer"]
    elif "take custody" in found.can():
        names = ["take_custody"]
    if found.state == "confirmed" and found.membership_through is None:
        names = [name for name in names if name != "accept_transfer"]
    if found.membership_through is not None:
        names = [name for name in names if name != "verify_membership"]
    # Of several, each may be refused alone; a single one is declined.
    several = [(number, f"{number}: refuse it because") for number in found.numbers] if len(found.numbers) > 1 else []
    options = {"refuse": several, "endorsements": [(number, number) for number in found.numbers]}
    return _allowed(actor, thing, names, {"transfer": found.name}, found.version, typed, options=options)


def for_audit(actor: Actor, thing: Thing, found: Audit, number: str, on: date, typed: Typed | None) -> list[Form]:
    """What can be done with one endorsement of an audit, and with all of it once everybody's is decided."""
    names = {
        "drawn": ["send_audit_notice", "drop_from_audit"],
        "noticed": ["fail_audit", "drop_from_audit"],
        "submitted": ["pass_audit", "fail_audit", "drop_from_audit"],
        "failed": ["pass_audit", "drop_from_audit"],
    }.get(found.items.get(number, ""), [])
    if names and (day := found.remedy_by.get(number)) and on > day:
        names = ["leave_unremedied", *names]
    if found.state == "open" and all(state in DONE for state in found.items.values()):
        names = ["close_audit"]
    return _allowed(actor, thing, names, {"audit": found.name, "number": number}, found.version, typed)


def evidence(actor: Actor, thing: Thing, audit: str, number: str, typed: Typed | None) -> list[Form]:
    return _allowed(actor, thing, ["submit_audit_evidence"], {"audit": audit, "number": number}, None, typed)


def for_reference(actor: Actor, thing: Thing, found: Reference, typed: Typed | None) -> list[Form]:
    names = {
        "nominated": ["request_rating", "vet_rater", "withdraw_nomination"],
        "requested": ["remind_rater", "request_rating", "vet_rater", "withdraw_nomination"],
        "rated": ["vet_rater", "relay_reasons"],
        "rejected": ["relay_reasons"],
    }.get(found.state, [])
    if found.waiver:
        names = [name for name in names if name != "relay_reasons"]
    return _allowed(actor, thing, names, {"reference": found.name}, found.version, typed)


def for_person(
    actor: Actor, thing: Thing, found: Person, endorsements: Sequence[Endorsement], on: date, typed: Typed | None
) -> list[Form]:
    person = {"person": found.name}
    if found.state != "known":
        names = ["cancel_erasure"] if found.erasure else ["request_erasure"] if found.state == "died" else []
        return _allowed(actor, thing, names, person, found.version, typed)
    names = ["record_entry", "nominate_rater", "start_application", "record_membership", "verify_membership_elsewhere",
             "end_membership",
             "move_person", "choose_publication", "choose_provider_listing", "rename_person", "write_note",
             "volunteer_demographics"]  # fmt: skip
    if found.demographics:
        names.append("withdraw_demographics")
    names += {"": ["request_erasure"], "requested": ["confirm_erasure", "cancel_erasure"],
              "confirmed": ["cancel_erasure"]}[found.erasure]  # fmt: skip
    if not found.trained(on):
        names.append("record_reviewer_training")
    names.append("report_death")
    values = {"association": found.residence, "residence": found.residence, "listed": found.listed}
    forms = _allowed(actor, thing, names, person, None, typed, values=values)
    moving = [(e.number, e.number) for e in endorsements if e.standing(on) in ("active", "inactive")]
    if moving:
        forms += _allowed(actor, thing, ["request_transfer"], person, None, typed, options={"endorsements": moving})
    for other in sorted(found.merged):
        forms += _allowed(actor, thing, ["split_persons"], person, found.version, typed, values={"other": other})
    if actor.role in ("coordinator", "alliance"):
        forms += _allowed(actor, thing, ["merge_persons"], person, found.version, typed)
    for other, asked in found.likenesses.items():
        if asked.same is None:
            theirs = Thing(association=asked.association)
            forms += _allowed(actor, theirs, ["settle_likeness"], {**person, "other": other}, found.version, typed)
    return forms


def for_employer(actor: Actor, thing: Thing, found: Employer, typed: Typed | None) -> list[Form]:
    if found.state != "admitted":
        return []
    names = ["follow", "set_webhook"]
    if found.sends:
        names += ["test_webhook", "replay_webhook"]
    if found.webhook:
        names += ["end_webhook"]
    names += ["choose_mails", "change_employer_contact", "end_employer"]
    made = _allowed(actor, thing, names, {"employer": found.name}, None, typed, values={"mails": found.mails})
    # A form takes one at a time; many at once go through the API.
    return [form._replace(fields=[field for field in form.fields if field.name != "endorsements"]) for form in made]


def for_shares(actor: Actor, thing: Thing, found: Person, numbers: Sequence[str], typed: Typed | None) -> list[Form]:
    if found.state != "known" or not numbers:
        return []
    options = {"number": [(number, number) for number in numbers]}
    return _allowed(actor, thing, ["share"], {"person": found.name}, None, typed, options=options)


def end_share(actor: Actor, thing: Thing, found: Person, share: str, typed: Typed | None) -> list[Form]:
    return _allowed(actor, thing, ["end_share"], {"person": found.name, "share": share}, None, typed)


def for_entry(actor: Actor, thing: Thing, found: Person, entry: str, typed: Typed | None) -> list[Form]:
    fact = found.entries[entry]
    names = ["withdraw_entry"]
    if fact.kind == "rsc" and not fact.provider:
        names = ["vet_provider", *names]
    return _allowed(actor, thing, names, {"person": found.name, "entry": entry}, None, typed)


def _allowed(
    actor: Actor,
    thing: Thing,
    names: Iterable[str],
    arguments: Mapping[str, str],
    version: int | None,
    typed: Typed | None,
    *,
    values: Mapping[str, Any] | None = None,
    options: Mapping[str, Sequence[tuple[str, str]]] | None = None,
) -> list[Form]:
    return [
        make(actor, BY_NAME[name], arguments, version=version, typed=typed, values=values, options=options)
        for name in names
        if allowed(actor, BY_NAME[name].access, thing)
    ]
