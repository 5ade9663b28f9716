"""The one table of verdicts, with order, exit codes and sentences, and the verifier's one error."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the log of checks: `passed` is None for what was not, or could not be, checked."""

    number: int
    check: str
    passed: bool | None
    found: str


class Unverified(Exception):
    """What was read is not shown to be true: `verdict` names the row of the table, `why` says it in words."""

    def __init__(self, verdict: str, why: str) -> None:
        super().__init__(f"{verdict}: {why}")
        self.verdict = verdict
        self.why = why
        self.checks: tuple[Check, ...] = ()
        """Those made until this was found."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row: `exit` is 0 good, 1 authentic but not good, 2 not authentic, 3 status not established."""

    name: str
    exit: int
    en: str
    es: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What the issuer's signed notes say of a certificate that is no longer good."""

    reason: str
    on: str
    standing: str
    association: str


_ROWS: Final = (
    Verdict(
        "malformed",
        2,
        "This is not a certificate we can read. Scan the code again, or ask the holder for the original.",
        "No es un certificado que podamos leer. Escanee el código otra vez o pida el original a su titular.",
    ),
    Verdict(
        "wrong_domain",
        2,
        "This code leads to a different address than the registry's. Do not trust it; tell the association.",
        "Este código lleva a una dirección que no es la del registro. No confíe en él y avise a la asociación.",
    ),
    Verdict(
        "unknown_key",
        2,
        "This certificate is signed with a key we do not know. Do not rely on it; ask the association.",
        "Este certificado está firmado con una clave que no conocemos. No se fíe de él; consulte a la asociación.",
    ),
    Verdict(
        "tampered",
        2,
        "This certificate was changed or forged: its signature does not hold. Do not accept it.",
        "Este certificado fue alterado o falsificado: su firma no es válida. No lo acepte.",
    ),
    Verdict(
        "issuer_mismatch",
        2,
        "This certificate names an issuer its key does not belong to. Do not accept it.",
        "Este certificado nombra un emisor al que no pertenece su clave. No lo acepte.",
    ),
    Verdict(
        "key_revoked",
        1,
        "The key that signed this certificate was withdrawn. Ask the holder for a newly signed certificate.",
        "La clave que firmó este certificado fue retirada. Pida al titular un certificado firmado de nuevo.",
    ),
    Verdict(
        "not_yet_valid",
        1,
        "This certificate is genuine, but its time has not begun. Check again on its first day.",
        "Este certificado es auténtico, pero aún no está vigente. Compruébelo otra vez en su primer día.",
    ),
    Verdict(
        "revoked",
        1,
        "This certificate was revoked. It no longer shows an endorsement; ask the association.",
        "Este certificado fue revocado. Ya no acredita un aval; consulte a la asociación.",
    ),
    Verdict(
        "suspended",
        1,
        "This certificate is suspended. Do not rely on it for now; ask the association.",
        "Este certificado está suspendido. No se fíe de él por ahora; consulte a la asociación.",
    ),
    Verdict(
        "superseded",
        1,
        "This certificate was replaced by a newer one. Ask the holder for the newer one.",
        "Este certificado fue reemplazado por uno más reciente. Pida el más reciente a su titular.",
    ),
    Verdict(
        "expired",
        1,
        "This certificate is genuine, but it has expired. Ask the holder for a current one.",
        "Este certificado es auténtico, pero ha vencido. Pida a su titular uno vigente.",
    ),
    Verdict(
        "status_unknown",
        3,
        "The signature is genuine, but the current status could not be checked. Try again with a fresh list.",
        "La firma es auténtica, pero no se pudo comprobar el estado actual. Inténtelo otra vez con una lista reciente.",
    ),
    Verdict(
        "valid",
        0,
        "This certificate is genuine and in force. Compare the name with a photo ID.",
        "Este certificado es auténtico y está vigente. Compare el nombre con un documento con foto.",
    ),
)

VERDICTS: Final = {row.name: row for row in _ROWS}
"""By name, in order of precedence: the first that applies is the verdict."""

USAGE: Final = 64
"""The exit code of a command line that can't be understood."""

UNFORESEEN: Final = 70
"""The exit code of a fault of our own: it says nothing of any certificate."""

LAST_SECOND: Final = 253402300799
"""Of the year 9999, with which the calendar of our libraries ends."""

_SEVERITY: Final = (0, 3, 1, 2, USAGE)


def worst(exits: list[int]) -> int:
    """The exit code of several: bad usage, then not authentic, then not good, then unknown, then good."""
    return max(exits, key=_SEVERITY.index, default=0)


REASON_WORDS: Final = {
    "en": {
        "renewed": "renewed",
        "transferred": "transferred to {association}",
        "corrected": "corrected",
        "suspended": "suspended",
        "inactive": "made inactive",
        "removed": "endorsement removed",
        "erased": "withdrawn by the holder",
    },
    "es": {
        "renewed": "renovado",
        "transferred": "transferido a {association}",
        "corrected": "corregido",
        "suspended": "suspendido",
        "inactive": "puesto en inactividad",
        "removed": "aval retirado",
        "erased": "retirado por su titular",
    },
}
STANDING_WORDS: Final = {
    "en": {
        "active": "active",
        "lapsed": "lapsed",
        "suspended": "suspended",
        "inactive": "inactive",
        "removed": "removed",
        "erased": "erased",
    },
    "es": {
        "active": "activo",
        "lapsed": "caducado",
        "suspended": "suspendido",
        "inactive": "inactivo",
        "removed": "retirado",
        "erased": "borrado",
    },
}
NOTICE_SENTENCES: Final = {
    "en": "On {on}: {replaced}{reason}. The endorsement is now {standing}, held by {association}.",
    "es": "El {on}: {replaced}{reason}. El aval está ahora {standing}, a cargo de {association}.",
}
REPLACED_WORDS: Final = {"en": "replaced; ", "es": "reemplazado; "}
REASONS: Final = frozenset(REASON_WORDS["en"])
STANDINGS: Final = frozenset(STANDING_WORDS["en"])
LANGUAGES: Final = ("en", "es")

PROOF_REFUSED: Final = {
    "en": "The log proof that came with this certificate is not its own, or cannot be believed. "
    "Do not accept them together; ask the association.",
    "es": "La prueba de registro que acompaña a este certificado no es suya o no es creíble. "
    "No los acepte juntos; consulte a la asociación.",
}


def sentence(verdict: str, lang: str = "en", notice: Notice | None = None) -> str:
    """What it is and what to do, in plain words; a notice adds why, when and where the endorsement is now.

    A word of the notes that is not in our table is shown as it is.
    """
    row = VERDICTS[verdict]
    plain = row.es if lang == "es" else row.en
    if notice is None:
        return plain
    more = NOTICE_SENTENCES[lang].format(
        on=notice.on,
        replaced=REPLACED_WORDS[lang] if verdict == "superseded" else "",
        reason=REASON_WORDS[lang].get(notice.reason, notice.reason).replace("{association}", notice.association),
        standing=STANDING_WORDS[lang].get(notice.standing, notice.standing),
        association=notice.association,
    )
    return f"{plain} {more}"


def iso(seconds: int) -> str:
    """A time of the formats as people write it; the far future ends with the year 9999."""
    return instant(seconds).isoformat()[:-6] + "Z"


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(seconds, LAST_SECOND), UTC)
