"""A roster: certificates' texts or endorsement numbers, each with a name; read row by row, and its texts checked."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from verifier.keys import KeyRing
from verifier.status import Statuses
from verifier.verdict import VERDICTS, Look, Unverified, Words, iso
from verifier.verification import verify

MOST_ROWS: Final = 5_000
LONGEST_FILE: Final = 12 << 20
LONGEST_NAME: Final = 200
LONGEST_TEXT: Final = 2_048

_MOST_COLUMNS: Final = 64
_SHOWN: Final = 40
_SEPARATORS: Final = ",;\t"
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_JOINERS: Final = "\u200c\u200d"  # they shape letters in Persian, Hindi and others
_FORMULA_SIGNS: Final = "=+-@"
_CODE: Final = "number"
_NAME: Final = "name"
_FIRST: Final = "first name"
_LAST: Final = "last name"
_COLUMNS: Final = {
    **dict.fromkeys(
        ("number", "endorsement", "endorsement number", "certificate", "certificate number", "code", "qr", "qr code",
         "qr text", "text", "número", "numero", "aval", "certificado", "código", "codigo"),
        _CODE,
    ),
    **dict.fromkeys(("name", "full name", "holder", "employee", "nombre", "nombre completo", "titular"), _NAME),
    **dict.fromkeys(("first name", "given name", "first"), _FIRST),
    **dict.fromkeys(("last name", "family name", "surname", "last", "apellido", "apellidos"), _LAST),
}  # fmt: skip
_ADDRESS: Final = re.compile(r"[!#-;=?-Z_a-z~]+", re.ASCII)
_NO_CODE: Final = "it is not the text of a code: that has no blanks, quotes or brackets. Scan the code again."
_NO_NUMBER: Final = "it is longer than any number. Give a number such as IFS-7K3MQ9TD, or the text of a code."
_SHAPED: Final = re.compile(r"https?://\S+|[A-Z]{3,4}(-[A-Z/]{1,3})?-\s*[0-9A-Z ]{8,11}", re.IGNORECASE)


class NotARoster(Exception):
    """The whole file can't be read; says in which row and column, and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as given. `row` is its number in a spreadsheet; `wrong`: why it can't be looked at, and what to do."""

    row: int
    text: str
    name: str
    wrong: str = ""

    @property
    def is_certificate(self) -> bool:
        return self.text[:8].lower().startswith(("https://", "http://"))


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What is said of one row, as of a certificate: see `verifier.verdict`. What is `good` needs no second look."""

    name: str
    exit: int
    look: Look
    en: Words
    es: Words

    @property
    def good(self) -> bool:
        return self.exit == 0

    def words(self, lang: str = "en") -> Words:
        return self.es if lang == "es" else self.en


_OWN: Final = (
    RowVerdict(
        "in_force", 0, "good",
        Words("In force", "The register has this number under this name, in force.",
              "It does not show who applied to you.", "Compare the name with a photo ID."),
        Words("Vigente", "El registro tiene este número con este nombre, vigente.",
              "No muestra quién se presentó ante usted.", "Compare el nombre con un documento con foto."),
    ),
    RowVerdict(
        "not_in_force", 1, "warn",
        Words("Not in force", "The register has this number under this name.", "It is not in force.",
              "Ask the holder, or the association."),
        Words("No vigente", "El registro tiene este número con este nombre.", "No está vigente.",
              "Pregunte a su titular o a la asociación."),
    ),
    RowVerdict(
        "name_differs", 2, "stop",
        Words("Another name", "The certificate is genuine and in force.", "It is about somebody of another name.",
              "Ask for their own certificate."),
        Words("Otro nombre", "El certificado es auténtico y está vigente.", "Es de alguien con otro nombre.",
              "Pida su propio certificado."),
    ),
    RowVerdict(
        "not_found", 2, "unsure",
        Words("Not found", "The register shows nobody with this number and this name.",
              "That does not say that there is no endorsement: not everybody is listed, and one letter is enough.",
              "Compare both with the certificate, and check the certificate itself."),
        Words("No encontrado", "El registro no muestra a nadie con este número y este nombre.",
              "Eso no dice que no haya un aval: no todos figuran, y basta una letra distinta.",
              "Compare ambos con el certificado y compruebe el propio certificado."),
    ),
    RowVerdict(
        "unreadable", 2, "unsure",
        Words("Not looked at", "This row can't be looked at.", "It says nothing of anybody.",
              "Mend it and check again."),
        Words("Sin comprobar", "Esta fila no se puede comprobar.", "No dice nada de nadie.",
              "Corríjala y compruebe otra vez."),
    ),
    RowVerdict(
        "not_looked_up", 3, "unsure",
        Words("Not looked up", "A number alone can't be checked without the registry.", "It says nothing of anybody.",
              "Ask for the certificate, or check at the registry."),
        Words("Sin buscar", "Un número solo no se puede comprobar sin el registro.", "No dice nada de nadie.",
              "Pida el certificado o compruébelo en el registro."),
    ),
)  # fmt: skip

ROW_VERDICTS: Final[Mapping[str, RowVerdict]] = {row.name: row for row in _OWN} | {
    row.name: RowVerdict(row.name, row.exit, row.look, row.words("en"), row.words("es")) for row in VERDICTS.values()
}
"""By name: those of certificates, and those of rows alone."""

COMPARED: Final = {
    "en": "Names are compared without regard to case, accents, punctuation and blanks; the words must be the same, in "
    "the same order, or as “Last, First”. Nothing is guessed: a short form or a missing middle name is another name.",
    "es": "Los nombres se comparan sin atender a mayúsculas, acentos, signos ni espacios; las palabras deben ser las "
    "mismas y en el mismo orden, o como «Apellido, Nombre». Nada se adivina: un nombre abreviado es otro nombre.",
}
"""The rule of `same_name`, *ours*, as receipts and pages state it."""


# --- names ---

# Letters that Unicode does not take apart, and signs within words.
_PLAIN: Final = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
    "'": "", "’": "", "‘": "", "ʼ": "", "ʻ": "", "`": "", "´": "",
})  # fmt: skip
_WORD: Final = re.compile(r"[^\W_]+")
_CUT: Final = "…"


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFC", name).casefold().translate(_PLAIN)
    if not plain.isascii():
        apart = unicodedata.normalize("NFKD", plain)
        plain = "".join([letter for letter in apart if not unicodedata.combining(letter)]).translate(_PLAIN)
    return _WORD.findall(plain)


def same_name(given: str, known: str) -> bool:
    """Whether a row names who is meant; see `COMPARED`. A name that paper had no room for is compared so far."""
    words = _words(known)
    last, comma, first = given.partition(",")
    for said in (_words(given), _words(f"{first} {last}") if comma else []):
        if words and (said == words or (known.endswith(_CUT) and said[: len(words)] == words)):
            return True
    return False


# --- reading ---


def read(data: bytes) -> list[Row]:
    """The rows of a CSV file, or of lines pasted from a spreadsheet. Raises NotARoster.

    The first row names the columns; without such a row there are two, a number or text and a name.
    """
    lines = _text_of(data)
    separator = max(_SEPARATORS, key=lines.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(lines, newline=""), delimiter=separator, strict=True)
    header: list[str] = []
    rows: list[Row] = []
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            while cells and not cells[-1].strip():
                cells.pop()
            if not cells:
                continue
            if len(cells) > _MOST_COLUMNS:
                raise NotARoster(f"Row {number} has {len(cells):,} columns. Keep two: number and name.")
            if not header:
                header, named = _header(number, cells)
                if named:
                    continue
            if len(rows) == MOST_ROWS:
                raise NotARoster(f"Row {number:,} is one too many: check {MOST_ROWS:,} at a time, and split the list.")
            rows.append(_row(number, header, cells))
    except csv.Error as error:
        raise NotARoster(
            f"After row {number:,} this is no CSV file ({error}). Export it again, with quotes around texts."
        ) from None
    if not rows:
        raise NotARoster("There is no row to check. Give a number or a code's text and a name in each row.")
    return rows


def _text_of(data: bytes) -> str:
    if len(data) > LONGEST_FILE:
        raise NotARoster(f"It is larger than {LONGEST_FILE >> 20} MB. Keep two columns, number and name, or split it.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotARoster("It is in UTF-16. Save it as “CSV UTF-8”.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotARoster(f"Row {line:,} is not in UTF-8. Save the file as “CSV UTF-8”.") from None
    if (at := text.find("\0")) >= 0:
        before = text[:at].rpartition("\n")[2]
        column = 1 + max(map(before.count, _SEPARATORS))
        place = f"Row {text.count(chr(10), 0, at) + 1:,}, column {column}"
        raise NotARoster(f"{place} holds a NUL: this is no text. Save it as “CSV UTF-8”.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _header(number: int, cells: Sequence[str]) -> tuple[list[str], bool]:
    """What each column holds, and whether this row says so."""
    said = [_COLUMNS.get(" ".join(cell.replace("_", " ").split()).casefold(), "") for cell in cells]
    if any(said):
        wanted = [_CODE, *([_NAME] if _NAME in said or _FIRST not in said else [_FIRST, _LAST])]
        for column in wanted:
            if column not in said:
                raise NotARoster(f"Row {number} names no column {column}. Name one so, and check again.")
        twice = [column for column, times in Counter(filter(None, said)).items() if times > 1]
        if twice:
            at = [str(place) for place, column in enumerate(said, 1) if column == twice[0]]
            raise NotARoster(f"Row {number}: columns {' and '.join(at)} are both the {twice[0]}. Keep one of them.")
        return [column if column in wanted else "" for column in said], True
    both = 2
    shaped = [bool(_SHAPED.fullmatch(cell.strip())) for cell in cells]
    if len(cells) == both and any(shaped):
        return ([_CODE, _NAME] if shaped[0] else [_NAME, _CODE]), False
    if len(cells) > both and any(shaped):
        raise NotARoster(
            f"Row {number} has {len(cells)} columns and no names for them. Put quotes around a name with a comma, or "
            "begin with a row that says number, name."
        )
    raise NotARoster(f"Row {number} names no columns. Begin with a row that says: number, name.")


def _row(number: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) > len(header):
        raise NotARoster(
            f"Row {number:,} has {len(cells)} columns, not {len(header)}. Put quotes around a name with a comma."
        )
    held = dict(zip(header, cells, strict=False))
    name = held.get(_NAME, " ".join([held.get(_FIRST, "").strip(), held.get(_LAST, "").strip()]))
    return row(number, held.get(_CODE, ""), name)


def row(number: int, text: str, name: str) -> Row:
    """One row, with what is wrong with it, if anything is."""
    text, name = _unguarded(text.strip()), _unguarded(name.strip())
    for column, value, most in ((_CODE, text, LONGEST_TEXT), (_NAME, name, LONGEST_NAME)):
        if wrong := _wrong(value, most):
            return Row(number, text[:_SHOWN], name[:LONGEST_NAME], f"Column {column}: {wrong}")
    found = Row(number, text, name)
    if found.is_certificate:
        return found if _ADDRESS.fullmatch(text) else Row(number, text[:_SHOWN], name, f"Column {_CODE}: {_NO_CODE}")
    return found if len(text) <= _SHOWN else Row(number, text[:_SHOWN], name, f"Column {_CODE}: {_NO_NUMBER}")


def _unguarded(cell: str) -> str:
    """Without the ' that an export puts before what a spreadsheet might take for a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple(_FORMULA_SIGNS) else cell


def _wrong(value: str, most: int) -> str:
    if not value:
        return "it is empty. Fill it in: each row needs a number or a code's text, and a name."
    if value[0] in _FORMULA_SIGNS:
        return f"it begins with {value[0]} like a formula. Give the plain text."
    if len(value) > most:
        return f"it has {len(value):,} characters, {most:,} is the most. Look for a lost quote."
    if not value.isprintable() and any(_unseen(letter) for letter in value):
        return "it holds characters that cannot be seen. Type it anew."
    return ""


def _unseen(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSEEN and letter not in _JOINERS


# --- checking ---

_BLANK: Final = {"number": "", "category": "", "association": "", "through": "", "as_of": "", "why": "", "same_as": 0}


def answer(of: Row, verdict: str, **facts: Any) -> dict[str, Any]:
    """What is said of a row: always these members, empty where there is nothing to say."""
    return {"row": of.row, "text": of.text, "name": of.name, "verdict": verdict, **_BLANK, **facts}


class Certificates:
    """Checks rows that are the texts of certificates; `lists`: the status lists that had their say."""

    def __init__(self, keys: KeyRing, statuses: Statuses, at: datetime) -> None:
        self._keys = keys
        self._statuses = statuses
        self._at = at
        self.lists: set[str] = set()

    def check(self, of: Row) -> dict[str, Any]:
        """Of a certificate that is not authentic no claim is repeated; of nobody another name."""
        try:
            found = verify(of.text, self._keys, self._statuses, at=self._at)
        except Unverified as refused:
            return answer(of, refused.verdict, why=refused.why)
        certificate, verdict = found.certificate, found.verdict
        if verdict == "valid" and not same_name(of.name, certificate.name):
            verdict = "name_differs"
        if found.as_of and certificate.status_uri:
            self.lists.add(certificate.status_uri)
        return answer(
            of,
            verdict,
            number=certificate.number,
            category=certificate.category,
            association=certificate.association,
            through=iso(certificate.expires_at),
            as_of=iso(int(found.as_of.timestamp())) if found.as_of else "",
            why=next((check.found for check in found.checks if check.passed is False), "")
            or ("a letter that an application is open" if found.kind == "letter" else ""),
        )


def alone(of: Row) -> dict[str, Any] | None:
    """What can be said without keys and without the registry: that a row can't be looked at."""
    return answer(of, "unreadable", why=of.wrong) if of.wrong else None


def counts(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many rows there are of each verdict; `rows` in all."""
    found = Counter(str(one["verdict"]) for one in rows)
    return {"rows": found.total(), **dict(sorted(found.items()))}


def shortened(text: str) -> str:
    """A code's text as a table has room for it."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
