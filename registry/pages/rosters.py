"""The page of roster checks: a form, the rows with their answers, and the receipt to keep; without any script."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse

from domain.access import Actor
from registry.api.house import House
from registry.api.problems import Problem, problem_of
from registry.api.roster_checks import PDF, receipt_file, roster_of, whose_turn
from registry.pages.render import language_of, page
from registry.roster_check import Answered
from verifier import receipt
from verifier.roster import COMPARED, LONGEST_FILE, MOST_ROWS, ROW_VERDICTS, shortened

_AT_ONCE_SECONDS: Final = 1.5
"""An answer that takes longer is begun with how far it has come."""
_WORD_SECONDS: Final = 0.5
_LONGEST_RECEIPT: Final = receipt.LARGEST * 4 // 3 + 4
_HERE: Final = "<!--result-->"
SAMPLE: Final = "number,name\nIFS-7K3MQ9TD,Marisol Okafor\nIMHM-C-7K3MQ9TJ,Ada Reviewer\n"

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Check a roster",
        "lead": "Up to {most} people at once: for each a name, and an endorsement number or the text of a "
        "certificate's code. You get a signed receipt to file. Nothing of what you send is kept.",
        "paste": "Paste rows",
        "paste_hint": "Two columns, as a spreadsheet copies them: number and name. Or lines like "
        "IFS-7K3MQ9TD,Marisol Okafor",
        "file": "Or choose a CSV file",
        "file_hint": "CSV in UTF-8, at most {mb} MB. A first row may name the columns: number, name.",
        "sample": "A sample file",
        "check": "Check the roster",
        "nothing": "Paste rows or choose a file first.",
        "names": "How names are compared",
        "wrong": "The roster could not be read",
        "progress": "Checked {done} of {of} rows.",
        "all_done": "All {of} rows are checked.",
        "found": "What was found",
        "counted": "{rows} rows checked at {at}: {good} in order, {bad} to look at.",
        "look_at": "Rows to look at",
        "none": "None: every row is in order.",
        "in_order": "Rows in order ({rows})",
        "row": "Row",
        "name": "Name",
        "given": "Number or text",
        "answer": "Answer",
        "more": "More",
        "through": "through {day}",
        "as_row": "as row {row}",
        "receipt": "The receipt",
        "receipt_lead": "It says what was checked, what was found, when and against which checkpoint of the public "
        "log; it is signed. It does not say how things stand later: check again for that.",
        "json": "Download the receipt (JSON)",
        "pdf": "Download the receipt (PDF)",
        "verify": "Anybody checks it, also without a network, with: verify receipt FILE --static DIR",
        "again": "Check another roster",
    },
    "es": {
        "title": "Comprobar una lista",
        "lead": "Hasta {most} personas a la vez: de cada una el nombre, y el número de aval o el texto del código de "
        "su certificado. Recibirá un recibo firmado para archivar. No se guarda nada de lo que envía.",
        "paste": "Pegue las filas",
        "paste_hint": "Dos columnas, como las copia una hoja de cálculo: número y nombre. O líneas como "
        "IFS-7K3MQ9TD,Marisol Okafor",
        "file": "O elija un archivo CSV",
        "file_hint": "CSV en UTF-8, de {mb} MB como máximo. La primera fila puede decir: número, nombre.",
        "sample": "Un archivo de ejemplo",
        "check": "Comprobar la lista",
        "nothing": "Pegue filas o elija un archivo primero.",
        "names": "Cómo se comparan los nombres",
        "wrong": "No se pudo leer la lista",
        "progress": "Comprobadas {done} de {of} filas.",
        "all_done": "Las {of} filas están comprobadas.",
        "found": "Lo que se encontró",
        "counted": "{rows} filas comprobadas el {at}: {good} en orden, {bad} por revisar.",
        "look_at": "Filas por revisar",
        "none": "Ninguna: todas las filas están en orden.",
        "in_order": "Filas en orden ({rows})",
        "row": "Fila",
        "name": "Nombre",
        "given": "Número o texto",
        "answer": "Respuesta",
        "more": "Más",
        "through": "hasta {day}",
        "as_row": "como la fila {row}",
        "receipt": "El recibo",
        "receipt_lead": "Dice qué se comprobó, qué se encontró, cuándo y con qué punto de control del registro "
        "público; está firmado. No dice cómo estarán las cosas después: para eso, compruebe otra vez.",
        "json": "Descargar el recibo (JSON)",
        "pdf": "Descargar el recibo (PDF)",
        "verify": "Cualquiera lo comprueba, también sin red, con: verify receipt ARCHIVO --static CARPETA",
        "again": "Comprobar otra lista",
    },
}


async def see_roster_check(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    return _form(house, request)


async def sample_roster(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    headers = {"Content-Disposition": 'attachment; filename="roster.csv"'}
    return Response(SAMPLE, media_type="text/csv; charset=utf-8", headers=headers)


async def check_roster(house: House, request: HttpRequest, actor: Actor) -> Response:
    """What takes a while is answered in pieces: how far it has come, then the result."""
    content, text = await _sent(request)
    if not content.strip():
        return _form(house, request, wrong=_words(request)["nothing"], status=422)
    try:
        rows = roster_of(content)
    except Problem as refused:
        return _form(house, request, wrong=refused.detail, text=text, status=422)
    house.rosters.turns.take(whose_turn(request, actor), len(rows))
    done = 0

    def progress(so_far: int, _of: int) -> None:
        nonlocal done
        done = so_far

    work = asyncio.ensure_future(house.rosters.check(rows, house.clock(), progress))
    try:
        async with asyncio.timeout(_AT_ONCE_SECONDS):
            answered = await asyncio.shield(work)
    except TimeoutError:
        pass
    else:
        return _page(house, request, "roster.html", result=_result(request, answered))
    head, _, tail = bytes(_page(house, request, "roster.html", waiting=True).body).partition(_HERE.encode())

    async def pieces() -> AsyncIterator[bytes]:
        yield head
        while not work.done():
            yield f"<li>{_words(request)['progress'].format(done=f'{done:,}', of=f'{len(rows):,}')}</li>\n".encode()
            await asyncio.wait([work], timeout=_WORD_SECONDS)
        yield f"<li>{_words(request)['all_done'].format(of=f'{len(rows):,}')}</li></ol>\n".encode()
        try:
            shown = _page(house, request, "roster_result.html", result=_result(request, work.result()))
        except Exception as error:  # noqa: BLE001 # the page has begun: what went wrong is said on it
            shown = _page(house, request, "roster_result.html", failed=problem_of(error).detail)
        yield bytes(shown.body)
        yield tail

    return StreamingResponse(pieces(), media_type="text/html; charset=utf-8")


async def keep_receipt(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    """The receipt that the page showed, as a file; only one of ours is handed out, as it was signed."""
    try:
        async with request.form(max_files=0, max_fields=3, max_part_size=_LONGEST_RECEIPT) as form:
            given, wanted = form.get("receipt"), form.get("as")
        content = b64decode(str(given), validate=True)
    except (MultiPartException, NotBase64, ValueError):
        raise Problem("malformed", "The form could not be read. Check the roster again.") from None
    checked = await asyncio.to_thread(house.rosters.checker.read_back, content)
    media = PDF if wanted == "pdf" else receipt.MEDIA
    file = await house.rosters.print(content) if media == PDF else content
    return receipt_file(file, checked.receipt["checked_at"], media)


async def _sent(request: HttpRequest) -> tuple[bytes, str]:
    """What was sent, and the part of it that was typed. Raises Problem."""
    large = Problem("too_large", f"Send at most {LONGEST_FILE >> 20} MB.")
    if int(request.headers.get("content-length") or 0) > 2 * LONGEST_FILE:
        raise large
    try:
        async with request.form(max_files=1, max_fields=3, max_part_size=LONGEST_FILE) as form:
            file, text = form.get("file"), form.get("rows")
            content = await file.read(LONGEST_FILE + 1) if isinstance(file, UploadFile) else b""
    except MultiPartException:
        raise large from None
    typed = text if isinstance(text, str) else ""
    return content or typed.encode(errors="replace"), typed


def _words(request: HttpRequest) -> Mapping[str, str]:
    return TEXTS[language_of(request)]


def _form(house: House, request: HttpRequest, *, wrong: str = "", text: str = "", status: int = 200) -> Response:
    return _page(house, request, "roster.html", wrong=wrong, text=text, status=status)


def _page(house: House, request: HttpRequest, template: str, *, status: int = 200, **facts: Any) -> Response:
    lang = language_of(request)
    known = {"wrong": "", "text": "", "waiting": False, "result": None, "failed": "", "compared": COMPARED[lang]}
    return page(
        house.settings, request, template, status=status, r=TEXTS[lang], most=f"{MOST_ROWS:,}",
        megabytes=LONGEST_FILE >> 20, **known | facts,
    )  # fmt: skip


def _result(request: HttpRequest, answered: Answered) -> dict[str, Any]:
    lang, said = language_of(request), answered.receipt
    rows = [
        {**row, "head": one.words(lang).head, "look": one.look, "good": one.good, "shown": shortened(row["text"])}
        for row in said["rows"]
        if (one := ROW_VERDICTS[row["verdict"]])
    ]
    counted = [(count, ROW_VERDICTS[name], name) for name, count in said["counts"].items() if name != "rows"]
    return {
        "at": said["checked_at"],
        "specimen": said["specimen"],
        "counts": [(f"{count:,}", one.words(lang), one.look) for count, one, _ in counted],
        "problems": [row for row in rows if not row["good"]],
        "good": [row for row in rows if row["good"]],
        "rows": len(rows),
        "content": b64encode(answered.content).decode(),
    }


ROUTES: Final = (
    ("GET", "/roster-check", see_roster_check),
    ("POST", "/roster-check", check_roster),
    ("GET", "/roster-check/sample.csv", sample_roster),
    ("POST", "/roster-check/receipt", keep_receipt),
)
