"""The OpenAPI 3.1 document, made from the tables of deeds, questions and problems."""

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec

from domain.access import TABLE
from registry.api.deeds import DEEDS, Deed
from registry.api.problems import KINDS, MEDIA_TYPE

_REF = "#/components/schemas/{name}"
_UUID = "3f0c9d4e-6f0a-4b57-9a53-0d6a8a3c1b77"
_ARGUMENTS: dict[str, tuple[str, str]] = {
    "review": ("A quality review's id", "ojsxm2lfo4qgc3tefy2tkmzygy"),
    "item": ("A decision: its application's id and the version that decided it", "nbswy3dpeb3w64tmmqqho2lumq-7"),
    "finding": ("A finding, as the review lists it", "F1"),
    "audit": ("The audit's id", "mf2wi2lumf2wi2lumf2wi2lumf"),
    "number": ("The endorsement's public number", "IFS-7K3MQ9TD"),
    "person": ("The person's id", "mfrggzdfmztwq2lknnwg23tpoa"),
    "application": ("The application's id", "nbswy3dpeb3w64tmmqqho2lumq"),
    "exam": ("The exam's id", "mv4gc3lfpbqw24dmmuqgk6dbnu"),
    "transfer": ("The transfer's id", "orugs4zanfzsa5dimuqgk3tffy"),
    "reference": ("The reference's id", "pfxxk4tbmfrggzdfmztwq2lknm"),
    "entry": ("The portfolio entry", "E7"),
    "employer": ("The employer's id", "mvwxa3dppfsxe2ltnb2w4z3zme"),
    "share": ("The shared link, as the list names it", "S9"),
    "other": ("The other person's id", "obqxg43xn5zgiidgn5zsa5dimu"),
    "code": ("The association's code", "VA"),
    "category": ("The category's code", "IFS"),
    "cti": ("The certificate's id: 32 hex digits", "5e0c0f1b2a3948576675849302112233"),
    "file": ("The file's name", "certificate.pdf"),
}  # fmt: skip


class Parameter(NamedTuple):
    name: str
    says: str
    example: Any
    schema: dict[str, Any]
    required: bool = False


class Asked(NamedTuple):
    """What the document says of a question."""

    path: str
    says: str
    name: str
    rule: str
    parameters: tuple[Parameter, ...]
    example: Any
    media: str = "application/json"


ON = Parameter("on", "The day asked about; with `known`, by default the day of then", "2026-06-01",
               {"type": "string", "format": "date"})  # fmt: skip
KNOWN = Parameter("known", "As it was known then: a position, a time, or a day to its end in UTC", "4711",
                  {"type": "string"})  # fmt: skip
POSITION = Parameter("position", "Wait until the answer covers this position", 4711, {"type": "integer", "minimum": 1})
LIMIT = Parameter("limit", "How many at most", 20, {"type": "integer", "minimum": 1, "maximum": 100})
CURSOR = Parameter("cursor", "Where to go on, from `Link`", "", {"type": "string"})

_RECORDED_EXAMPLE = {
    "position": 4712,
    "events": [
        {
            "position": 4712,
            "stream": "endorsement/IFS-7K3MQ9TD",
            "version": 7,
            "topic": "endorsement.suspended",
            "on": "2026-06-01",
            "by": "coordinator:VA:k1f09c2aa",
            "recorded_at": "2026-06-01T12:00:00Z",
            "late": None,
            "facts": {"reason": "sanction_being_established"},
        }
    ],
    "links": {"endorsement": "/api/endorsements/IFS-7K3MQ9TD"},
}


def document(host: str, questions: Sequence[Asked]) -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components({deed.body for deed in DEEDS}, ref_template=_REF)
    schemas |= _SCHEMAS
    for deed in DEEDS:
        schemas[deed.body.__name__]["additionalProperties"] = False
    paths: dict[str, dict[str, Any]] = {}
    for asked in questions:
        paths.setdefault(f"/api{asked.path}", {})["get"] = _question(asked)
    for deed in DEEDS:
        paths.setdefault(f"/api{deed.path}", {})["post"] = _deed(deed)
    paths["/api/check"] = {"post": _CHECK}
    paths["/api/roster-checks"] = {"post": _ROSTER}
    paths["/log/{position}.tlog-proof"] = {"get": _PROOF}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Endorsement Registry",
            "version": version("endorsement-registry"),
            "summary": "Endorsements as a history that proves itself.",
            "description": (
                "Independent open-source work, not affiliated with the Alliance for the Advancement of Infant Mental "
                "Health or any association. What is not there and what is not yours look the same.\n\n"
                "Every POST needs an `Idempotency-Key` (a UUID): sent again with the same body it is answered again "
                "and never done twice. Problems are RFC 9457; each `type` is documented at its address."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}, {"url": f"https://{host}"}],
        "security": [{"key": []}, {}],
        "tags": [{"name": name} for name in sorted({_tag(path) for path in paths})],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "erk_ and 64 hex digits"}},
            "headers": {
                "ETag": {"description": "The record's version, for If-Match", "schema": {"type": "string"}},
                "X-Registry-Position": {
                    "description": "The position in the history that the answer stands at",
                    "schema": {"type": "integer"},
                },
            },
            "responses": {"Problem": _problem_response("Refused; see `code`", *list(KINDS)[:1])},
        },
    }


def _tag(path: str) -> str:
    return path.removeprefix("/api").strip("/").split("/")[0]


def _arguments(path: str) -> list[dict[str, Any]]:
    found = []
    for name in re.findall(r"{(\w+)}", path):
        says, example = _ARGUMENTS[name]
        found.append(
            {"name": name, "in": "path", "required": True, "description": says, "example": example,
             "schema": {"type": "string"}}
        )  # fmt: skip
    return found


def _who(rule: str) -> str:
    rows = [row for row in TABLE if row.deed == rule]
    if not rows:
        return "Open to everybody."
    return "May be asked by: " + ", ".join(f"{row.role} ({row.scope})" for row in rows) + "."


def _deed(deed: Deed) -> dict[str, Any]:
    return {
        "operationId": deed.name,
        "summary": deed.says,
        "description": _who(deed.access).replace("asked", "done"),
        "tags": [_tag(deed.path.removeprefix("/"))],
        "parameters": [
            *_arguments(deed.path),
            {"name": "Idempotency-Key", "in": "header", "required": True, "example": _UUID,
             "schema": {"type": "string", "format": "uuid"}},
            {"name": "If-Match", "in": "header", "required": False, "example": '"7"',
             "description": "The ETag of the record as you read it", "schema": {"type": "string"}},
        ],
        "requestBody": {
            "required": bool(deed.example),
            "content": {
                "application/json": {
                    "schema": {"$ref": _REF.format(name=deed.body.__name__)},
                    "example": deed.example,
                }
            },
        },
        "responses": {
            "201": _answer("Recorded", "Recorded", _RECORDED_EXAMPLE),
            "200": _answer("Nothing had to be recorded", "Recorded", {"position": 0, "events": [], "links": {}}),
            **_problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 503),
        },
    }  # fmt: skip


def _question(asked: Asked) -> dict[str, Any]:
    return {
        "operationId": asked.name,
        "summary": asked.says,
        "description": _who(asked.rule),
        "tags": [_tag(asked.path.removeprefix("/"))],
        "parameters": [
            *_arguments(asked.path),
            *(
                {"name": p.name, "in": "query", "required": p.required, "description": p.says, "example": p.example,
                 "schema": p.schema}
                for p in asked.parameters
            ),
        ],
        "responses": {
            "200": {
                "description": "The answer",
                "headers": _HEADERS,
                "content": {asked.media: {"schema": {}, "example": asked.example}},
            },
            **_problems(*((401, 403, 404, 422, 503) if asked.rule else (404, 422, 503))),
        },
    }  # fmt: skip


_HEADERS = {name: {"$ref": f"#/components/headers/{name}"} for name in ("ETag", "X-Registry-Position")}


def _answer(says: str, schema: str, example: Any) -> dict[str, Any]:
    return {
        "description": says,
        "headers": _HEADERS,
        "content": {"application/json": {"schema": {"$ref": _REF.format(name=schema)}, "example": example}},
    }


def _problems(*statuses: int) -> dict[str, Any]:
    return {
        str(status): _problem_response(
            "; ".join(kind.title for kind in KINDS.values() if kind.status == status),
            *(kind.code for kind in KINDS.values() if kind.status == status),
        )
        for status in statuses
    }


def _problem_response(says: str, *codes: str) -> dict[str, Any]:
    examples = {
        code: {
            "value": {
                "type": f"https://registry.example/problems/{code}",
                "title": KINDS[code].title,
                "status": KINDS[code].status,
                "detail": KINDS[code].meaning,
                "code": code,
            }
        }
        for code in codes
    }
    return {
        "description": says,
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}, "examples": examples}},
    }


_CHECK: dict[str, Any] = {
    "operationId": "check",
    "summary": "Check a certificate: the text of its code, a picture or a PDF",
    "description": "Open to everybody; answered from the published files alone, and nothing is kept.",
    "tags": ["check"],
    "security": [{}],
    "requestBody": {
        "required": True,
        "content": {
            "text/plain": {"example": "https://registry.example/v1#1097..."},
            "application/pdf": {},
            "image/png": {},
            "image/jpeg": {},
        },
    },
    "responses": {
        "200": {
            "description": "The verdict, whatever it is",
            "content": {
                "application/json": {
                    "example": {"verdict": "valid", "certificate": {"number": "IFS-7K3MQ9TD"}, "checks": []}
                }
            },
        },
        **_problems(413, 503),
    },
}
_ROSTER: dict[str, Any] = {
    "operationId": "check_roster",
    "summary": "What a whole roster is worth now, as a signed receipt",
    "description": (
        "Up to 5,000 rows, each with a name and an endorsement number or the text of a certificate's code. A number is "
        "found only together with the name. Nothing of it is kept. 25,000 rows an hour for one address. `verify "
        "receipt` checks the receipt later; with `Accept: application/pdf` it comes as pages, with the JSON attached. "
        "The format is in docs/format.md."
    ),
    "tags": ["roster-checks"],
    "security": [{}, {"key": []}],
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"example": "number,name\nIFS-7K3MQ9TD,Marisol Okafor\n"},
            "application/json": {"example": {"rows": [{"number": "IFS-7K3MQ9TD", "name": "Marisol Okafor"}]}},
        },
    },
    "responses": {
        "200": {
            "description": "The receipt, whatever was found",
            "content": {
                "application/vnd.endorsement-registry.receipt+json": {
                    "example": {"type": "iecmh-receipt", "counts": {"rows": 1, "in_force": 1}, "rows": []}
                },
                "application/pdf": {},
            },
        },
        **_problems(400, 401, 413, 415, 422, 429, 503),
    },
}
_PROOF: dict[str, Any] = {
    "operationId": "proof",
    "summary": "The proof that an event is in the log (C2SP tlog-proof)",
    "description": "For whoever may see the event's history.",
    "tags": ["log"],
    "parameters": [
        {
            "name": "position",
            "in": "path",
            "required": True,
            "description": "The event's position",
            "example": 4711,
            "schema": {"type": "integer"},
        }
    ],
    "responses": {
        "200": {
            "description": "The proof",
            "content": {"text/plain": {"example": "c2sp.org/tlog-proof@v1\n..."}},
        },
        **_problems(401, 403, 404, 503),
    },
}

_SCHEMAS: dict[str, Any] = {
    "Problem": {
        "description": "RFC 9457; `code` is the last part of `type`.",
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What to do"},
            "code": {"enum": list(KINDS)},
            "field": {"type": "string", "description": "The field that is wrong"},
            "missing": {"type": "array", "items": {"type": "object"}},
            "state": {"type": "string"},
            "can": {"type": "array", "items": {"type": "string"}},
            "trace": {"type": "string"},
        },
    },
    "Event": {
        "type": "object",
        "required": ["position", "stream", "version", "topic", "on", "by", "recorded_at", "facts"],
        "properties": {
            "position": {"type": "integer"},
            "stream": {"type": "string"},
            "version": {"type": "integer"},
            "topic": {"type": "string"},
            "on": {"type": "string", "format": "date"},
            "by": {"type": "string"},
            "recorded_at": {"type": "string", "format": "date-time"},
            "late": {"type": ["string", "null"]},
            "facts": {"type": "object"},
            "withheld": {"type": "array", "items": {"type": "string"}},
            "erased": {"type": "array", "items": {"type": "string"}},
        },
    },
    "Recorded": {
        "type": "object",
        "required": ["position", "events", "links"],
        "properties": {
            "position": {"type": "integer", "description": "The last position; wait for it with ?position="},
            "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
            "links": {"type": "object", "additionalProperties": {"type": "string"}},
            "shown_once": {
                "type": "object",
                "description": "A secret this made; a repeated request does not show it again",
                "additionalProperties": {"type": "string"},
            },
        },
    },
}
