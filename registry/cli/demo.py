"""`registry demo`: a registry of made-up people on this machine, and what to open and scan."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from registry.settings import Settings

if TYPE_CHECKING:
    from registry.demo import Made


def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where to serve.")] = 8000,
    lan: Annotated[
        bool, typer.Option("--lan", help="Serve HTTPS on this machine's own address, so that a phone nearby can scan.")
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Leave the files and stop, without serving.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout that says where everything is.")
    ] = False,
) -> None:
    """Make a registry of made-up people, play one life through its API, and serve it on this machine.

    Migrates, makes SPECIMEN keys, imports a roster, and lets one person apply, be reviewed by two, be endorsed, renew
    in a window and move from Virginia to Connecticut with the word of both. Run again it uses what it made before;
    data lives in REGISTRY_HOME (./var).
    """
    # The rest of the house takes a second to come in; `--help` need not wait for it.
    from registry import demo as making  # noqa: PLC0415

    settings = Settings.from_environment()
    if lan:
        settings = dataclasses.replace(settings, qr_host=f"{making.own_address()}:{port}")
    try:
        with making.witnessing(settings) as witnessed:
            people = making.prepare(settings, _say)
            settings = witnessed()
            making.refresh(settings, people.made, _say)
            making.put_roster(people.made)
            if as_json:
                print(msgspec.json.encode(people.made).decode(), flush=True)
            if not serve:
                _say(_check(people.made))
                return
            address = f"https://{settings.qr_host}" if lan else f"http://localhost:{port}"
            making.serve(
                settings,
                port=port,
                lan=lan,
                started=lambda: _say(_welcome(people.made, address, making.entries(settings, people), lan=lan)),
            )
    except making.NotADemo as refused:
        _say(str(refused))
        raise typer.Exit(2) from None


def _welcome(made: "Made", address: str, entries: list[tuple[str, str]], *, lan: bool) -> str:
    links = "\n".join(f"    {who:<39} {address}{path}" for who, path in entries)
    warning = (
        "\n  The phone will warn that it doesn't know this machine's certificate: it was made here, a minute ago.\n"
        "  That is right for a demo. Go on once; with a real registry a warning means: stop.\n"
        if lan
        else "\n  This code says registry.example, which no phone can open; `registry demo --lan` makes one it can.\n"
    )
    return (
        f"\nThe registry runs on {address}  (Ctrl-C stops it)\n"
        f"\n  Come in, once by each link, within ten minutes (`registry enter` makes new ones):\n{links}\n"
        f"\n  Look at the public register:         {address}/register"
        f"\n  and at the endorsement of the life:  {address}/endorsements/{made.number}"
        f"\n  Check an employer's roster:          {address}/roster-check"
        f"\n  with the file                        {_shown(made.home)}/roster.csv"
        f"\n  The log's head, cosigned by a witness of its own process:  {address}/checkpoint\n"
        f"\n{_check(made, address)}"
        f"\n{_drawn(made)}{warning}"
    )


def _check(made: "Made", address: str = "") -> str:
    new, old = _shown(made.certificates), _shown(made.superseded)
    page = f"    open {address}/v1 and drop {new}/certificate.pdf on it\n" if address else ""
    return (
        "  Check the certificate, and the one it replaced, without a phone:\n"
        f"{page}"
        f"    .venv/bin/verify {new} --static {_shown(made.static)}\n"
        f"    .venv/bin/verify {old}/qr.png --static {_shown(made.static)}\n"
    )


def _shown(path: str) -> str:
    there = Path(path)
    return str(there.relative_to(Path.cwd())) if there.is_relative_to(Path.cwd()) else path


def _drawn(made: "Made") -> str:
    """The code in half blocks: two rows of modules a line, dark on light whatever the terminal's colours."""
    from registry.certificates import qr  # noqa: PLC0415

    code = qr.symbol((Path(made.certificates) / "qr.txt").read_text().strip())
    rows = [list(row) for row in code.matrix_iter(border=4)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    blocks = {(1, 1): " ", (0, 0): "█", (1, 0): "▄", (0, 1): "▀"}
    lines = (
        "".join(blocks[bool(upper), bool(lower)] for upper, lower in zip(above, below, strict=True))
        for above, below in zip(rows[::2], rows[1::2], strict=True)
    )
    return "".join(f"  \x1b[97;40m{line}\x1b[0m\n" for line in lines)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def join(registry: typer.Typer) -> None:
    registry.command()(demo)
