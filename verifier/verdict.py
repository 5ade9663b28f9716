"""The one table of verdicts, with order, exit codes and sentences, and the verifier's one error."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

Kind = Literal["certificate", "badge", "letter", "proof"]
"""What was checked. A letter of registration says that an application is open, a proof by itself that an entry is in
the log: neither ever shows an endorsement."""

Look = Literal["good", "warn", "stop", "unsure"]
"""How a face shows a verdict: a word, a shape, a sign and a colour. Only `good` is green."""

Condition = Literal[
    "misshapen",
    "elsewhere",
    "unequipped",
    "untrusted_key",
    "bad_signature",
    "other_issuer",
    "key_withdrawn",
    "early",
    "listed_revoked",
    "listed_suspended",
    "listed_superseded",
    "late",
    "unlisted",
    "letter",
    "listed_good",
]
"""What the checks can find. `unlisted`: no fresh list, that can be believed, says anything of it."""


class Check(NamedTuple):
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
        self.kind: Kind = "certificate"


class Words(NamedTuple):
    """What is said of one verdict in one language: the big word, then three sentences anybody understands."""

    head: str
    what: str
    what_not: str
    now: str

    @property
    def sentence(self) -> str:
        return f"{self.what} {self.what_not} {self.now}"


class Verdict(NamedTuple):
    """One row: `exit` is 0 good, 1 authentic but not good, 2 not authentic, 3 not established."""

    name: str
    condition: Condition
    exit: int
    look: Look
    en: Words
    es: Words
    letter_en: Words | None = None
    letter_es: Words | None = None
    """Of a letter, where it is said otherwise than of a certificate."""

    def words(self, lang: str = "en", kind: Kind = "certificate") -> Words:
        plain, letter = (self.es, self.letter_es) if lang == "es" else (self.en, self.letter_en)
        if kind == "proof":
            return OF_A_PROOF.get(self.name, {}).get(lang, plain)
        return letter if kind == "letter" and letter else plain


class Notice(NamedTuple):
    """What the issuer's signed notes say of a certificate that is no longer good."""

    reason: str
    on: str
    standing: str
    association: str


_NO_ENDORSEMENT: Final = "This is not an endorsement."
_NO_AVAL: Final = "Esto no es un aval."

_ROWS: Final = (
    Verdict(
        "malformed",
        "misshapen",
        2,
        "unsure",
        Words(
            "Not readable",
            "This is not a certificate we can read.",
            "That does not say it is forged: the picture may be poor, or the code something else.",
            "Scan the code again, or ask the holder for the original.",
        ),
        Words(
            "No se puede leer",
            "No es un certificado que podamos leer.",
            "Eso no dice que sea falso: la imagen puede ser mala, o el código, de otra cosa.",
            "Escanee el código otra vez o pida el original a su titular.",
        ),
    ),
    Verdict(
        "wrong_domain",
        "elsewhere",
        2,
        "stop",
        Words(
            "Wrong address",
            "This code leads to a different address than the registry's.",
            "It is not from this registry, whatever it looks like.",
            "Do not trust it; tell the association.",
        ),
        Words(
            "Dirección incorrecta",
            "Este código lleva a una dirección que no es la del registro.",
            "No es de este registro, aunque lo parezca.",
            "No confíe en él y avise a la asociación.",
        ),
    ),
    Verdict(
        "cannot_check",
        "unequipped",
        3,
        "unsure",
        Words(
            "Can't check now",
            "We can't check this now.",
            "That says nothing about the certificate, good or bad.",
            "Try again, or ask the association.",
        ),
        Words(
            "No se puede comprobar ahora",
            "No podemos comprobarlo ahora.",
            "Eso no dice nada sobre el certificado, ni bueno ni malo.",
            "Inténtelo otra vez o consulte a la asociación.",
        ),
    ),
    Verdict(
        "unknown_key",
        "untrusted_key",
        2,
        "stop",
        Words(
            "Not recognized",
            "This is signed with a key that the registry does not use for certificates.",
            "It is not shown to be from the registry.",
            "Do not rely on it; ask the association.",
        ),
        Words(
            "No reconocido",
            "Está firmado con una clave que el registro no usa para certificados.",
            "No consta que sea del registro.",
            "No se fíe de él; consulte a la asociación.",
        ),
    ),
    Verdict(
        "tampered",
        "bad_signature",
        2,
        "stop",
        Words(
            "Not genuine",
            "This was changed or forged: its signature does not hold.",
            "What it says is not the registry's word.",
            "Do not accept it; ask the association.",
        ),
        Words(
            "No es auténtico",
            "Fue alterado o falsificado: su firma no es válida.",
            "Lo que dice no es palabra del registro.",
            "No lo acepte; consulte a la asociación.",
        ),
    ),
    Verdict(
        "issuer_mismatch",
        "other_issuer",
        2,
        "stop",
        Words(
            "Not genuine",
            "This names an issuer that its key does not belong to.",
            "It is not from the issuer it names.",
            "Do not accept it; tell the association.",
        ),
        Words(
            "No es auténtico",
            "Nombra un emisor al que no pertenece su clave.",
            "No es del emisor que nombra.",
            "No lo acepte y avise a la asociación.",
        ),
    ),
    Verdict(
        "key_revoked",
        "key_withdrawn",
        1,
        "stop",
        Words(
            "Must be re-issued",
            "The key that signed this certificate was withdrawn.",
            "It proves nothing any more; that does not say the endorsement is lost.",
            "Ask the holder for a newly signed certificate.",
        ),
        Words(
            "Debe emitirse de nuevo",
            "La clave que firmó este certificado fue retirada.",
            "Ya no prueba nada; eso no dice que se haya perdido el aval.",
            "Pida a su titular un certificado firmado de nuevo.",
        ),
        Words(
            "Must be re-issued",
            "The key that signed this letter was withdrawn.",
            _NO_ENDORSEMENT,
            "Ask for a newly signed letter.",
        ),
        Words(
            "Debe emitirse de nuevo",
            "La clave que firmó esta carta fue retirada.",
            _NO_AVAL,
            "Pida una carta firmada de nuevo.",
        ),
    ),
    Verdict(
        "not_yet_valid",
        "early",
        1,
        "warn",
        Words(
            "Not valid yet",
            "This certificate is genuine, but its time has not begun.",
            "It shows no endorsement in force today.",
            "Check again on its first day.",
        ),
        Words(
            "Aún no vigente",
            "Este certificado es auténtico, pero su plazo no ha empezado.",
            "No acredita un aval vigente hoy.",
            "Compruébelo otra vez en su primer día.",
        ),
        Words(
            "Not valid yet",
            "This letter is genuine, but its time has not begun.",
            _NO_ENDORSEMENT,
            "Check again on its first day.",
        ),
        Words(
            "Aún no vigente",
            "Esta carta es auténtica, pero su plazo no ha empezado.",
            _NO_AVAL,
            "Compruébela otra vez en su primer día.",
        ),
    ),
    Verdict(
        "revoked",
        "listed_revoked",
        1,
        "stop",
        Words(
            "Revoked",
            "This certificate was revoked.",
            "It no longer shows an endorsement.",
            "Do not accept it; ask the association.",
        ),
        Words(
            "Revocado",
            "Este certificado fue revocado.",
            "Ya no acredita un aval.",
            "No lo acepte; consulte a la asociación.",
        ),
        Words(
            "Application ended",
            "This letter is no longer good: the application has ended.",
            _NO_ENDORSEMENT,
            "Ask for the certificate, or ask the association.",
        ),
        Words(
            "Solicitud terminada",
            "Esta carta ya no vale: la solicitud terminó.",
            _NO_AVAL,
            "Pida el certificado o consulte a la asociación.",
        ),
    ),
    Verdict(
        "suspended",
        "listed_suspended",
        1,
        "stop",
        Words(
            "Suspended",
            "This certificate is suspended: on hold for now.",
            "It shows no endorsement in force today.",
            "Do not rely on it for now; ask the association.",
        ),
        Words(
            "Suspendido",
            "Este certificado está suspendido: por ahora no cuenta.",
            "No acredita un aval vigente hoy.",
            "No se fíe de él por ahora; consulte a la asociación.",
        ),
        Words(
            "Suspended",
            "This letter is suspended: on hold for now.",
            _NO_ENDORSEMENT,
            "Ask the association.",
        ),
        Words(
            "Suspendida",
            "Esta carta está suspendida: por ahora no cuenta.",
            _NO_AVAL,
            "Consulte a la asociación.",
        ),
    ),
    Verdict(
        "superseded",
        "listed_superseded",
        1,
        "warn",
        Words(
            "Replaced",
            "This certificate was replaced by a newer one.",
            "It does not show how the endorsement stands today.",
            "Ask the holder for the newer one, and check that.",
        ),
        Words(
            "Reemplazado",
            "Este certificado fue reemplazado por uno más reciente.",
            "No muestra cómo está el aval hoy.",
            "Pida el más reciente a su titular y compruébelo.",
        ),
        Words(
            "Replaced",
            "This letter was replaced by a newer one.",
            _NO_ENDORSEMENT,
            "Ask for the newer one, and check that.",
        ),
        Words(
            "Reemplazada",
            "Esta carta fue reemplazada por una más reciente.",
            _NO_AVAL,
            "Pida la más reciente y compruébela.",
        ),
    ),
    Verdict(
        "expired",
        "late",
        1,
        "warn",
        Words(
            "Expired",
            "This certificate is genuine, but it has expired.",
            "It shows no endorsement in force today.",
            "Ask the holder for a current one.",
        ),
        Words(
            "Vencido",
            "Este certificado es auténtico, pero ha vencido.",
            "No acredita un aval vigente hoy.",
            "Pida a su titular uno vigente.",
        ),
        Words(
            "Expired",
            "This letter is genuine, but its time has ended.",
            _NO_ENDORSEMENT,
            "Ask the association whether the application is still open.",
        ),
        Words(
            "Vencida",
            "Esta carta es auténtica, pero su plazo ha terminado.",
            _NO_AVAL,
            "Consulte a la asociación si la solicitud sigue abierta.",
        ),
    ),
    Verdict(
        "status_unknown",
        "unlisted",
        3,
        "unsure",
        Words(
            "Status not checked",
            "The signature is genuine, but the current status could not be checked.",
            "It may have been revoked since: this is neither a yes nor a no.",
            "Try again with a fresh list, or ask the association.",
        ),
        Words(
            "Estado no comprobado",
            "La firma es auténtica, pero no se pudo comprobar el estado actual.",
            "Pudo ser revocado después: esto no es un sí ni un no.",
            "Inténtelo otra vez con una lista reciente o consulte a la asociación.",
        ),
        Words(
            "Status not checked",
            "The letter's signature is genuine, but its current status could not be checked.",
            _NO_ENDORSEMENT,
            "Try again with a fresh list, or ask the association.",
        ),
        Words(
            "Estado no comprobado",
            "La firma de la carta es auténtica, pero no se pudo comprobar su estado actual.",
            _NO_AVAL,
            "Inténtelo otra vez con una lista reciente o consulte a la asociación.",
        ),
    ),
    Verdict(
        "not_an_endorsement",
        "letter",
        1,
        "unsure",
        Words(
            "Not an endorsement",
            "This letter of registration is genuine: an application is open.",
            f"{_NO_ENDORSEMENT} Nothing is decided yet.",
            "Ask for the certificate when the application has been approved.",
        ),
        Words(
            "No es un aval",
            "Esta carta de registro es auténtica: hay una solicitud abierta.",
            f"{_NO_AVAL} Aún no hay nada decidido.",
            "Pida el certificado cuando la solicitud esté aprobada.",
        ),
    ),
    Verdict(
        "valid",
        "listed_good",
        0,
        "good",
        Words(
            "Valid",
            "This certificate is genuine and in force.",
            "It does not show who stands before you.",
            "Compare the name with a photo ID.",
        ),
        Words(
            "Vigente",
            "Este certificado es auténtico y está vigente.",
            "No muestra quién está ante usted.",
            "Compare el nombre con un documento con foto.",
        ),
    ),
)

VERDICTS: Final = {row.name: row for row in _ROWS}
"""By name, in order of precedence: the first that applies is the verdict."""

_LISTED: Final = frozenset[Condition]({"listed_good", "listed_revoked", "listed_suspended", "listed_superseded"})


def decide(conditions: Collection[Condition]) -> Verdict:
    """The first row whose condition was found. Where no fresh list says anything, the status is unknown."""
    listed = not _LISTED.isdisjoint(conditions)
    return next(row for row in _ROWS if row.condition in conditions or (row.condition == "unlisted" and not listed))


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
        "emeritus": "emeritus status granted",
        "removed": "endorsement removed",
        "erased": "withdrawn by the holder",
    },
    "es": {
        "renewed": "renovado",
        "transferred": "transferido a {association}",
        "corrected": "corregido",
        "suspended": "suspendido",
        "inactive": "puesto en inactividad",
        "emeritus": "pasado a emérito",
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
        "emeritus": "emeritus",
        "removed": "removed",
        "erased": "erased",
    },
    "es": {
        "active": "activo",
        "lapsed": "caducado",
        "suspended": "suspendido",
        "inactive": "inactivo",
        "emeritus": "emérito",
        "removed": "retirado",
        "erased": "borrado",
    },
}
NOTICE_SENTENCES: Final = {
    "en": "On {on}: {reason}. The endorsement is now {standing}, held by {association}.",
    "es": "El {on}: {reason}. El aval está ahora {standing}, a cargo de {association}.",
}
REPLACED_SENTENCES: Final = {
    "en": "This paper was replaced on {on}: {reason}. The endorsement itself is {standing}, held by {association}.",
    "es": "Este papel fue reemplazado el {on}: {reason}. El aval en sí está {standing}, a cargo de {association}.",
}
"""Of one that was replaced: the endorsement may be removed since, and an old paper must not hide it."""
LANGUAGES: Final = ("en", "es")

PROOF_REFUSED: Final = {
    "en": Words(
        "Not genuine",
        "The log proof that came with this certificate is not its own, or cannot be believed.",
        "Together they prove nothing.",
        "Do not accept them together; ask the association.",
    ),
    "es": Words(
        "No es auténtico",
        "La prueba de registro que acompaña a este certificado no es suya o no es creíble.",
        "Juntos no prueban nada.",
        "No los acepte juntos; consulte a la asociación.",
    ),
}

OF_A_PROOF: Final = {
    "malformed": {
        "en": Words(
            "Not readable",
            "This is not a proof of the log that we can read.",
            "That says nothing about a certificate.",
            "Ask the holder for the original file.",
        ),
        "es": Words(
            "No se puede leer",
            "No es una prueba del registro público que podamos leer.",
            "Eso no dice nada de un certificado.",
            "Pida el archivo original a su titular.",
        ),
    },
    "unknown_key": {
        "en": Words(
            "Not recognized",
            "No key of the registry's log signed this proof.",
            "It is not shown to be from the registry.",
            "Do not rely on it; ask the association.",
        ),
        "es": Words(
            "No reconocido",
            "Ninguna clave del registro público firmó esta prueba.",
            "No consta que sea del registro.",
            "No se fíe de ella; consulte a la asociación.",
        ),
    },
    "tampered": {
        "en": Words(
            "Not genuine",
            "This proof was changed or forged: it does not hold.",
            "It proves nothing.",
            "Do not accept it; ask the association.",
        ),
        "es": Words(
            "No es auténtico",
            "Esta prueba fue alterada o falsificada: no se sostiene.",
            "No prueba nada.",
            "No la acepte; consulte a la asociación.",
        ),
    },
    "key_revoked": {
        "en": Words(
            "Must be made again",
            "The key of the log that signed this proof was withdrawn.",
            "It proves nothing any more; that does not say the entry is not in the log.",
            "Ask the holder for the files of the certificate as they are now.",
        ),
        "es": Words(
            "Debe hacerse de nuevo",
            "La clave del registro público que firmó esta prueba fue retirada.",
            "Ya no prueba nada; eso no dice que la entrada falte en el registro.",
            "Pida a su titular los archivos actuales del certificado.",
        ),
    },
    "not_an_endorsement": {
        "en": Words(
            "Not a certificate",
            "This is a genuine proof that an entry is in the registry's public log.",
            "This is not a certificate: it does not show how an endorsement stands.",
            "Check the certificate that it belongs to, together with it.",
        ),
        "es": Words(
            "No es un certificado",
            "Es una prueba auténtica de que una entrada está en el registro público.",
            "Esto no es un certificado: no muestra cómo está un aval.",
            "Compruebe el certificado al que pertenece junto con ella.",
        ),
    },
}
"""Of a proof file by itself, where it is said otherwise than of a certificate."""

NOT_ONE: Final = {
    "en": Words(
        "Not one certificate",
        "The files in this folder are not all of one certificate.",
        "That does not say that any of them is forged.",
        "Check each by itself, or ask the holder for the originals.",
    ),
    "es": Words(
        "No es un solo certificado",
        "Los archivos de esta carpeta no son todos de un mismo certificado.",
        "Eso no dice que alguno sea falso.",
        "Compruebe cada uno por separado o pida los originales a su titular.",
    ),
}


def sentence(verdict: str, lang: str = "en", notice: Notice | None = None, kind: Kind = "certificate") -> str:
    """What it is, what it is not, what to do; a notice adds why, when and where the endorsement is now.

    A word of the notes that is not in our table is shown as it is.
    """
    plain = VERDICTS[verdict].words(lang, kind).sentence
    if notice is None or kind in {"letter", "proof"}:
        return plain
    more = (REPLACED_SENTENCES if verdict == "superseded" else NOTICE_SENTENCES)[lang].format(
        on=notice.on,
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
