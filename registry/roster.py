"""Reads an association's export and judges it row by row; knows no database."""

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from domain import association as associations
from domain.association import ROWS, DateCustom
from domain.association import today as today_at
from domain.category import AUSTRALIAN_TITLES, CATEGORIES
from domain.endorsement import ReportedStanding
from domain.errors import Invalid, Refused
from domain.person import printable_name

RECORD, ASSOCIATION, FIRST, LAST, CREDENTIALS, EMAIL, CATEGORY, EARNED, THROUGH, STATUS, RESIDENCE = COLUMNS = (
    "Record ID", "Association", "First Name", "Last Name", "Credentials", "Email", "Category", "Date Earned",
    "Valid Through", "Status", "Residence",
)  # fmt: skip

ErrorKind = Literal[
    "unknown_association", "other_association", "unknown_category", "bad_date", "awarded_in_future",
    "before_endorsement_existed", "through_before_award", "bad_name", "unknown_status", "conflicting_record",
]  # fmt: skip
WarningKind = Literal["bad_email", "possible_same_person"]
Kind = Literal[ErrorKind, WarningKind]
WARNING_KINDS: tuple[WarningKind, ...] = get_args(WarningKind)
ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
"""In the order in which a row is judged; a refused row has the first that applies."""

LARGEST_FILE = 64 * 1024 * 1024
LONGEST_CELL = 500
LONGEST_EMAIL = 254
FIRST_YEAR = 2002
"""The first Endorsements were awarded in Michigan in 2002."""
LAST_YEAR = 2199

FORMULA_SIGNS = "=+-@\t\r"
"""A spreadsheet may run a cell that begins with one of these; an export puts ' before it."""

STATUSES: dict[str, ReportedStanding] = {"active": "active", "lapsed": "lapsed", "inactive": "inactive"}


class UnreadableFile(Refused):
    """The file as a whole is no roster; nothing was done."""

    code = "unreadable_file"


class Row(msgspec.Struct, frozen=True):
    """One accepted row. `number` is the row as a spreadsheet shows it: the header is row 1.

    `name` is first and last name together; `email` is empty unless it is usable. `credentials` and `residence`
    are the person's: the first that the file gives for the same name and address. `like`: the other name that
    had this address before.
    """

    number: int
    record: str
    association: str
    name: str
    credentials: str
    email: str
    category: str
    awarded_on: date
    through: date
    standing: ReportedStanding
    residence: str
    like: str = ""

    @property
    def person(self) -> tuple[str, str] | tuple[int]:
        """The same for two rows of one person; someone without an address is a person of their own."""
        return (self.name.casefold(), self.email.casefold()) if self.email else (self.number,)


class Finding(msgspec.Struct, frozen=True):
    """What is wrong with a row: where, what stands there, and what to do."""

    row: int
    kind: str
    column: str
    value: str
    advice: str


class Roster(msgspec.Struct, frozen=True):
    """A file that was read: its accepted rows in order, and what is wrong with the others."""

    digest: str
    today: date
    count: int
    duplicates: int
    rows: list[Row]
    errors: list[Finding]
    warnings: list[Finding]

    def report(self) -> dict[str, Any]:
        kinds = Counter(finding.kind for finding in (*self.errors, *self.warnings))
        return {
            "rows": self.count,
            "endorsements": len(self.rows),
            "people": len({row.person for row in self.rows}),
            "duplicates": self.duplicates,
            "warnings": len(self.warnings),
            "errors": len(self.errors),
            "kinds": dict(sorted(kinds.items())),
            "today": self.today.isoformat(),
        }


def read_roster(
    data: bytes,
    now: datetime,
    *,
    today: date | None = None,
    only: str = "",
    own: str = "",
    known: Mapping[str, associations.Row] = ROWS,
) -> Roster:
    """Judge every row on `today`, else on the day it is at the row's association at `now`.

    `only` leaves the rows of other associations out of account; `own` refuses them; `known` are the associations there
    are. Raises UnreadableFile.
    """
    count = duplicates = 0
    accepted: list[Row] = []
    errors: list[Finding] = []
    warnings: list[Finding] = []
    seen: set[tuple[str, ...]] = set()
    records: set[str] = set()
    addresses: dict[str, str] = {}
    for number, cells in records_of(data, _header):
        if only and cells[ASSOCIATION].upper() != only:
            continue
        count += 1
        content = tuple(cells[column] for column in COLUMNS)
        if content in seen:
            duplicates += 1
            continue
        seen.add(content)
        judge = _Judge(number, cells, own, lambda code: today or today_at(known[code], now), known)
        row = judge.row()
        if row and row.record and row.record in records:
            judge.refuse("conflicting_record", RECORD, "An earlier row has this record id and other facts; "
                         "that one was taken. Leave one of them, or give each its own id.")  # fmt: skip
            row = None
        if row is None:
            errors.append(judge.error)
            continue
        records.add(row.record)
        if cells[EMAIL] and not row.email:
            warnings.append(judge.finding("bad_email", EMAIL, "The row is taken without the address; "
                                          "send the right one with the next file."))  # fmt: skip
        other = addresses.setdefault(row.email.casefold(), row.name) if row.email else row.name
        if other.casefold() != row.name.casefold():
            row = msgspec.structs.replace(row, like=other)
            warnings.append(judge.finding("possible_same_person", EMAIL, "Another name has this address: kept as two "
                                          "people until a coordinator says whether they are one."))  # fmt: skip
        accepted.append(row)
    return Roster(
        digest=hashlib.sha256(data).hexdigest(),
        today=today or now.date(),
        count=count,
        duplicates=duplicates,
        rows=_people_made_whole(accepted),
        errors=errors,
        warnings=warnings,
    )


def _people_made_whole(rows: list[Row]) -> list[Row]:
    """A person stands in several rows; what the first of them says about the person goes for all."""
    credentials: dict[tuple[Any, ...], str] = {}
    residence: dict[tuple[Any, ...], str] = {}
    for row in rows:
        residence.setdefault(row.person, row.residence)
        if row.credentials:
            credentials.setdefault(row.person, row.credentials)
    return [
        msgspec.structs.replace(row, credentials=credentials.get(row.person, ""), residence=residence[row.person])
        for row in rows
    ]


# --- the file ------------------------------------------------------------------------------------------------------


def records_of(data: bytes, header_of: Callable[[list[str]], list[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows after the header with their cells by column, blanks around them taken off. Raises UnreadableFile.

    `header_of` says what columns the first row names.
    """
    reader = csv.reader(io.StringIO(text_of(data), newline=""), strict=True)
    header: list[str] | None = None
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if header is None:
                header = header_of(cells)
            elif cells:
                yield number, dict(zip(header, _checked(number, cells, len(header)), strict=True))
    except csv.Error as error:
        raise UnreadableFile(
            f"After row {number} this is no longer a CSV file ({error}). Export it again, with quotes around texts."
        ) from None
    if header is None:
        raise UnreadableFile("The file is empty. Export it again.")


def header_reader(what: str, columns: Sequence[str], also: Mapping[str, str]) -> Callable[[list[str]], list[str]]:
    """What reads the first row of a list of `what`: each column once, whatever the case and the signs between words.

    `also`: other names of columns, in small letters. The reader raises UnreadableFile.
    """
    names = {_words(column): column for column in columns} | dict(also)

    def header_of(cells: list[str]) -> list[str]:
        header = [names.get(_words(cell), cell.strip()) for cell in cells]
        if sorted(header) == sorted(columns):
            return header
        missing = [column for column in columns if column not in header]
        unknown = [shown(column) or "(empty)" for column in header if column not in columns]
        wrong = [
            f"{words}: {', '.join(found[:5])}" for words, found in (("missing", missing), ("unknown", unknown)) if found
        ]
        raise UnreadableFile(
            f"The first row does not name the columns of a list of {what} ({'; '.join(wrong) or 'one stands twice'}). "
            f"It needs, once each: {', '.join(columns)}."
        )

    return header_of


def told_of(rows: Mapping[str, Sequence[int]], words: Mapping[str, str]) -> list[str]:
    """A sentence for each outcome that any row had, with the first of these rows."""
    return [
        f"{len(rows[outcome])} {what} (rows {', '.join(map(str, rows[outcome][:10]))}"
        f"{' ...' if len(rows[outcome]) > 10 else ''})."  # noqa: PLR2004 # enough to see
        for outcome, what in words.items()
        if rows.get(outcome)
    ]


def text_of(data: bytes) -> str:
    """The text of a file in UTF-8. Raises UnreadableFile."""
    if len(data) > LARGEST_FILE:
        raise UnreadableFile(f"The file is larger than {LARGEST_FILE >> 20} MB. Split it.")
    if not data.strip():
        raise UnreadableFile("The file is empty. Export it again.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile("The file is in UTF-16. Save it as “CSV UTF-8”.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(f"Line {line} is not in UTF-8. Save the file as “CSV UTF-8”.") from None
    if "\0" in text:
        raise UnreadableFile("The file has NUL characters: it is no text. Save it as “CSV UTF-8”.")
    return text


def _header(cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    wrong = [
        f"{what}: {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"  # noqa: PLR2004 - enough to see
        for what, names in (
            ("missing", [column for column in COLUMNS if column not in header]),
            ("unknown", [shown(column) or "(empty)" for column in header if column not in COLUMNS]),
            ("twice", [column for column in COLUMNS if header.count(column) > 1]),
        )
        if names
    ]
    if wrong:
        raise UnreadableFile(
            f"The first row does not name the columns of a roster ({'; '.join(wrong)}). It needs, once each: "
            f"{', '.join(COLUMNS)}."
        )
    return header


def _checked(number: int, cells: list[str], columns: int) -> list[str]:
    if len(cells) != columns:
        raise UnreadableFile(
            f"Row {number} has {len(cells)} columns, not {columns}. Put quotes around texts with commas."
        )
    clean = [without_guard(unicodedata.normalize("NFC", cell).strip()) for cell in cells]
    if (longest := max(map(len, clean))) > LONGEST_CELL:
        raise UnreadableFile(
            f"Row {number} has a cell of {longest} characters; {LONGEST_CELL} is the most. Look for a lost quote."
        )
    return clean


def with_guard(cell: str) -> str:
    """A cell as it may stand in a spreadsheet: never a formula."""
    return f"'{cell}" if cell.startswith(tuple(FORMULA_SIGNS)) else cell


def without_guard(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(tuple(FORMULA_SIGNS)) else cell


def shown(value: str, longest: int = 60) -> str:
    """A value for a screen: no controls, no turned writing, not too long."""
    text = "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in value)
    return text if len(text) <= longest else f"{text[:longest]}..."


# --- a row ---------------------------------------------------------------------------------------------------------


class _Refused(Exception):
    pass


class _Judge:
    """Judges one row, in the order of ERROR_KINDS."""

    def __init__(
        self,
        number: int,
        cells: dict[str, str],
        own: str,
        today: Callable[[str], date],
        known: Mapping[str, associations.Row],
    ) -> None:
        self._number = number
        self._cells = cells
        self._own = own
        self._today = today
        self._known = known
        self.error: Finding

    def finding(self, kind: Kind, column: str, advice: str) -> Finding:
        return Finding(self._number, kind, column, self._cells[column], advice)

    def refuse(self, kind: ErrorKind, column: str, advice: str) -> None:
        self.error = self.finding(kind, column, advice)

    def row(self) -> Row | None:
        """The row, or None with `error` set."""
        try:
            return self._judged()
        except _Refused:
            return None

    def _fail(self, kind: ErrorKind, column: str, advice: str) -> _Refused:
        self.refuse(kind, column, advice)
        return _Refused()

    def _judged(self) -> Row:
        cells = self._cells
        association = self._association()
        category = read_category(cells[CATEGORY])
        if category is None:
            raise self._fail("unknown_category", CATEGORY, "Give the code (IFS), the title, or the old level "
                             "(Level II; for level IV with -C, -P or -R/F).")  # fmt: skip
        awarded_on, through = self._days(association)
        name = self._name()
        standing = STATUSES.get(cells[STATUS].casefold())
        if standing is None:
            raise self._fail("unknown_status", STATUS, "Write Active, Lapsed or Inactive.")
        return Row(
            number=self._number,
            record=plain(cells[RECORD]),
            association=association,
            name=name,
            credentials=plain(cells[CREDENTIALS]),
            email=cells[EMAIL] if usable_address(cells[EMAIL]) else "",
            category=category,
            awarded_on=awarded_on,
            through=through,
            standing=standing,
            residence=place(cells[RESIDENCE], association, self._known),
        )

    def _association(self) -> str:
        code = self._cells[ASSOCIATION].upper()
        if code not in self._known:
            raise self._fail("unknown_association", ASSOCIATION, f"Write one of {', '.join(self._known)}.")
        if self._own and code != self._own:
            raise self._fail("other_association", ASSOCIATION, f"Only rows of {self._own} are yours to import; "
                             "leave this one to its association.")  # fmt: skip
        return code

    def _days(self, association: str) -> tuple[date, date]:
        custom = self._known[association].dates
        today = self._today(association)
        days = {column: read_day(self._cells[column], custom) for column in (EARNED, THROUGH)}
        for column, day in days.items():
            if day is None:
                order = "day/month/year" if custom == "day_first" else "month/day/year"
                raise self._fail("bad_date", column, f"Write a day of the calendar as 2024-12-31, or {order} "
                                 "with all four digits of the year.")  # fmt: skip
        awarded_on, through = days[EARNED] or date.min, days[THROUGH] or date.min
        if through.year > LAST_YEAR:
            raise self._fail("bad_date", THROUGH, "No Endorsement lasts so long; write its last good day.")
        if awarded_on > today:
            raise self._fail("awarded_in_future", EARNED, f"It is {today.isoformat()} there; "
                             "write the day on which it was awarded, or wait for it.")  # fmt: skip
        if awarded_on.year < FIRST_YEAR:
            raise self._fail("before_endorsement_existed", EARNED, f"The first were awarded in {FIRST_YEAR}; "
                             "look up the day on the certificate.")  # fmt: skip
        if through < awarded_on:
            raise self._fail("through_before_award", THROUGH, "The last good day lies before the award; "
                             "correct one of the two.")  # fmt: skip
        return awarded_on, through

    def _name(self) -> str:
        parts = {column: self._cells[column] for column in (FIRST, LAST)}
        if not any(parts.values()):
            raise self._fail("bad_name", FIRST, "Give the name.")
        for column, part in parts.items():
            try:
                if part:
                    printable_name(part)
            except Invalid as refused:
                raise self._fail("bad_name", column, refused.message) from None
        try:
            return printable_name(" ".join(parts.values()))
        except Invalid as refused:
            raise self._fail("bad_name", LAST, refused.message) from None


def plain(text: str) -> str:
    """Single blanks, and nothing that can't be seen; for texts that are kept but not judged."""
    seen = (c for c in text if c.isprintable() or c.isspace())
    return " ".join("".join(seen).split())


_ADDRESS = re.compile(r"""[^\W_][^\s@,;:<>()\[\]"\\]*@([^\W_]([\w-]*[^\W_])?\.)+[^\W\d_]{2,}""")


def usable_address(text: str) -> bool:
    """Whether mail could be sent there; an address with signs at its beginning is taken for a slip."""
    return len(text) <= LONGEST_EMAIL and text.isprintable() and _ADDRESS.fullmatch(text) is not None


def place(text: str, association: str, known: Mapping[str, associations.Row] = ROWS) -> str:
    """The code of a place, by code or name. Anything else may be an address, which must not stand in a plain event."""
    code = text.upper()
    if found := _places(tuple((row.code, row.jurisdiction) for row in known.values())).get(_letters(text)):
        return found
    if code.startswith("US-") and code[3:] in known:
        return code[3:]
    return code if code in known or re.fullmatch(r"[A-Z]{2,3}(-[A-Z0-9]{1,3})?", code) else association


def _letters(text: str) -> str:
    # The okina of Hawai‘i is written in many ways.
    return re.sub("[^a-z]", "", text.casefold())


@lru_cache(maxsize=4)
def _places(jurisdictions: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {_letters(name): code for code, name in jurisdictions if code != "ALLIANCE"}


_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_CUSTOM = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


def read_day(text: str, custom: DateCustom) -> date | None:
    """A day in ISO form or in the association's custom; None for anything else."""
    if iso := _ISO.fullmatch(text):
        year, month, day = map(int, iso.groups())
    elif written := _CUSTOM.fullmatch(text):
        first, second, year = map(int, written.groups())
        day, month = (first, second) if custom == "day_first" else (second, first)
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


# --- categories ----------------------------------------------------------------------------------------------------


class _Names(NamedTuple):
    codes: set[str]
    titles: set[str]
    levels: set[str]


# The last word of a mentor's code or title, as associations write it (WV, RI-APP, AU-GUIDE).
_MENTORS = {
    "MHM-C": ("c", "clinical"),
    "MHM-P": ("p", "policy", "policy administrator"),
    "MHM-RF": ("rf", "r f", "research faculty", "research academic", "research", "faculty"),
}
# Australia's own letters for its titles (AU-CAT).
_AUSTRALIAN_CODES = {"IFA": "ifw", "IFS": "ifp", "IMHS": "imhp"}


def _words(text: str) -> str:
    """In lower case, without the trademark, only letters and digits, single blanks."""
    text = re.sub(r"®|™|\((r|tm)\)", " ", text.casefold())
    return " ".join(re.findall(r"[^\W_]+", text))


def _names(code: str) -> _Names:
    category = CATEGORIES[code]
    titles = {category.title, AUSTRALIAN_TITLES.get(code, category.title)}
    family, credential = code.partition("-")[0].casefold(), _words(category.credential)
    starts = [credential, f"{credential} level"]
    if category.credential == "IMH-E":
        # A level alone is of the older credential.
        starts += ["level", ""]
    if kinds := _MENTORS.get(category.slot):
        mentor = _words(category.title.partition(",")[0])
        levels = {f"{start} iv {kind}" for start in starts for kind in kinds}
        return _Names({f"{family} {kind}" for kind in kinds}, {f"{mentor} {kind}" for kind in kinds}, levels)
    levels = {f"{start} {category.level}" for start in starts if category.level}
    return _Names({family} | {_AUSTRALIAN_CODES.get(code, family)}, set(map(_words, titles)), set(map(_words, levels)))


def _readings() -> dict[str, str]:
    found: dict[str, str] = {}
    for code in CATEGORIES:
        names = _names(code)
        texts = names.codes | names.titles | names.levels
        texts |= {f"{title} {short}" for title in names.titles for short in names.codes}
        for text in texts:
            reading = " ".join(text.split())
            if found.setdefault(reading, code) != code:
                raise TypeError(f"{reading!r} is two categories")
    return found


_READINGS = _readings()


def read_category(text: str) -> str | None:
    """The code of a category as associations write it: code, title, both, or an old level; None if it is none."""
    return _READINGS.get(_words(text))
