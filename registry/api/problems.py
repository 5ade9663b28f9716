"""Every way in which the API says no: one table of RFC 9457 problems, and how refusals become them."""

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response

from domain.errors import Refused
from registry.certificates.keys import KeysUnusable
from registry.database import NotMigrated, Unavailable
from registry.log.published import NotYetPublished

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "2"


class Kind(NamedTuple):
    """One row: `code` is the last part of the stable type URI."""

    code: str
    status: int
    title: str
    meaning: str


KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("malformed", 400, "The body is not JSON we can read",
             "The body is not UTF-8 JSON, names a member twice, or is nested deeper than any request of ours."),
        Kind("idempotency_key", 400, "Idempotency-Key is missing or is not a UUID",
             "Every POST names itself with a UUID in the header Idempotency-Key. Sent again with the same key and "
             "body, it is answered again and never done twice."),
        Kind("if_match", 400, "If-Match is not an ETag of ours",
             'If-Match takes the ETag of the record as you read it, such as "7".'),
        Kind("sign_in_again", 403, "Come in again first",
             "What can't be undone takes a session that began in the last 15 minutes. Leave, come in by a new link, "
             "and repeat it. A request with an API key is never asked for this."),
        Kind("unauthenticated", 401, "Who is asking?",
             "Send an API key as `Authorization: Bearer erk_...`. It may be missing, mistyped, expired or withdrawn. "
             "What is not there and what is not yours look the same."),
        Kind("forbidden", 403, "Not yours to do",
             "The table of roles and deeds has no row for this role on this record. What is not there and what is "
             "not yours look the same."),
        Kind("cross_site", 403, "Sent from another site",
             "A form of these pages was sent from another site's page. Open the page here and send it again."),
        Kind("not_found", 404, "Not found", "There is nothing public or yours at this address."),
        Kind("method_not_allowed", 405, "Not this way", "The address exists, the method does not; see Allow."),
        Kind("out_of_turn", 409, "Not in this state",
             "The case is in a state in which this can't be done. `state` says which, `can` what is possible now."),
        Kind("taken", 409, "Already open elsewhere",
             "Only one case may hold this, such as one open application per person."),
        Kind("conflict", 409, "Changed meanwhile",
             "Somebody else changed this first. `changed` lists what happened since. Read it again, then repeat."),
        Kind("erased", 410, "Erased", "The person asked to be forgotten; nothing more is kept or shown."),
        Kind("changed", 412, "Changed since you read it",
             "The record's version is not the one in If-Match. `changed` lists what happened since. Read it again, "
             "then repeat."),
        Kind("too_large", 413, "Too large", "The body is larger than this address takes."),
        Kind("media_type", 415, "Not JSON", "Send the body as application/json."),
        Kind("invalid", 422, "A field can't be what it says",
             "`field` names it, `detail` says what to do. Fields that we do not know are refused as well."),
        Kind("past_not_held", 422, "Not answered of the past here",
             "This question does not take `known` or `on`; it is refused rather than answered of the present. `detail` "
             "says where the past is answered, `commands` how the operator asks it of the views of then."),
        Kind("requirements_not_met", 422, "Requirements are missing",
             "`missing` lists each requirement with what there is, what it takes, and the source of the rule."),
        Kind("not_in_force", 422, "Not in force on that day",
             "No edition, category or association is in force for this on that day."),
        Kind("idempotency_key_reused", 422, "The key came with another body",
             "This Idempotency-Key was used for another request. Take a new one."),
        Kind("too_many", 429, "Too much at once",
             "This address has had as much checked as one may for now. Retry-After says in how many seconds to ask "
             "again."),
        Kind("internal", 500, "A defect of ours",
             "Nothing you can mend. Tell the operator the `trace`, which is in the log."),
        Kind("unavailable", 503, "Not now",
             "The database does not answer, or not in time. Whether a POST was done is not known: send it again with "
             "the same Idempotency-Key. Certificates can be verified all the same."),
        Kind("behind", 503, "Not there yet", "The views have not reached the position asked for. Ask again."),
        Kind("no_key", 503, "No signing key",
             "No key can sign certificates now; nothing was recorded. The operator runs `registry keys init`."),
        Kind("not_published", 503, "Not published yet", "The log's checkpoint does not cover this yet. Ask again."),
    )
}  # fmt: skip


class Problem(Exception):
    """A refusal at the edge itself."""

    def __init__(self, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **facts: Any) -> None:
        super().__init__(code)
        self.kind = KINDS[code]
        self.detail = detail
        # That nothing is possible now is said too.
        self.facts = {name: value for name, value in facts.items() if value or name == "can"}
        self.headers = dict(headers or {})
        if self.kind.status == 503:  # noqa: PLR2004 # the status says it
            self.headers.setdefault("Retry-After", RETRY_AFTER)

    def document(self, host: str) -> dict[str, Any]:
        return {
            "type": f"https://{host}/problems/{self.kind.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "code": self.kind.code,
            **self.facts,
        }

    def response(self, host: str) -> Response:
        return Response(
            msgspec.json.encode(self.document(host)), self.kind.status, media_type=MEDIA_TYPE, headers=self.headers
        )


def problem_of(error: Exception, *, if_match: bool = False, anonymous: bool = False) -> Problem:
    """What a refusal is to a caller. `if_match`: they named a version; `anonymous`: they named no key."""
    match error:
        case Problem():
            return error
        case Refused(code="forbidden") if anonymous:
            return Problem(
                "unauthenticated", "Send an API key that may do this.", headers={"WWW-Authenticate": "Bearer"}
            )
        case Refused(code="conflict") if if_match:
            return Problem("changed", error.message, **error.facts)
        case Refused(code=code) if code in KINDS:
            return Problem(code, error.message, field=error.field, **error.facts)
        case Refused():
            return Problem("invalid", error.message, field=error.field)
        case Unavailable() | TimeoutError():
            return Problem("unavailable", "The database does not answer. Send the same request again.")
        case NotMigrated():
            return Problem(
                "unavailable",
                "The tables are not of this version. The operator runs `registry migrate` and `registry work`.",
            )
        case KeysUnusable():
            return Problem("no_key", "No key can sign certificates now. Nothing was recorded.")
        case NotYetPublished():
            return Problem("not_published", "The log's checkpoint does not cover this yet. Ask again in a moment.")
        case _:
            return Problem("internal", "Something went wrong here.", trace=secrets.token_hex(8))
