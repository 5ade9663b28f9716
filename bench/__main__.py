"""Runs every benchmark and writes bench/results.json, and from it the table of bench/README.md and bench/growth.svg.

`python -m bench [--sizes 10k,100k,1M] [--only append,rush] [--write]`: `--only` runs some again and keeps the rest of
bench/results.json; `--write` only writes the table and the plot from it again. The whole should take 20 to 30 minutes
of two idle cores, most of it the sizes 100k and 1M, the rush and the worlds of roster and reissue.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.plot import Line, drawn

HERE = Path(__file__).parent
PAGE = HERE.parent / "verifier" / "page" / "index.html"
RESULTS = HERE / "results.json"
SIZES = "10k,100k,1M"
SIZED = ("rebuild", "asof")
ALONE = ("verify", "issue", "page", "append", "world", "decide", "bundle", "lag", "rush", "roster", "reissue")


class Row(NamedTuple):
    what: str
    measured: str
    aim: str = ""
    figures: str = ""


def run(module: str, *options: str) -> dict[str, Any]:
    print(f"bench: {module} {' '.join(options)} ...", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{module}", "--json", *options], stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def processor() -> str:
    about = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in about.read_text().splitlines() if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def measure(sizes: list[str], only: list[str], known: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What was found, and what could not be measured: that keeps what is known of it."""
    found = known | {
        "at": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{processor()}, {platform.system()} {platform.release()}, Python {platform.python_version()}",
        "page_bytes": PAGE.stat().st_size,
    }
    failed = []
    for module in ALONE:
        if module in only:
            try:
                found[module] = run(module)
            except subprocess.CalledProcessError:
                failed.append(module)
    sized = [module for module in SIZED if module in only]
    for size in sizes if sized else ():
        # One world for all that is asked of this size.
        with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
            Path(folder).chmod(0o755)
            for module in sized:
                answer = run(module, "--sizes", size, "--home", folder, "--rounds", "3")
                found.setdefault(module, {}).setdefault("sizes", {}).update(answer["sizes"])
            subprocess.run([sys.executable, "-c", _STOP, folder], check=True)
    return found, failed


_STOP = """
import sys
from pathlib import Path
from registry import database
from registry.settings import Settings
database.stop(Settings(home=Path(sys.argv[1])))
"""


# --- the table -----------------------------------------------------------------------------------------------------


def rows_of(found: dict[str, Any]) -> Iterator[Row]:
    for name, rows in (
        ("rebuild", _rebuilds), ("append", _appends), ("lag", _lag), ("asof", _pasts), ("decide", _decided),
        ("bundle", _bundles), ("rush", _rush), ("world", _world), ("verify", _verified),
        ("page", _page), ("issue", _issued), ("roster", _rosters), ("reissue", _reissued),
    ):  # fmt: skip
        if name in found:
            yield from rows(found[name])
    yield Row("verify page with its decoder, bytes in one request", f"{found['page_bytes']:,}", "at most 60,000")


def _rebuilds(rebuild: dict[str, Any]) -> Iterator[Row]:
    for size, found in rebuild["sizes"].items():
        rebuilt, copied = found["rebuild_events_per_second"], found["copy_events_per_second"]
        low, high = found["rebuild_spread"]
        yield Row(f"COPY of {found['events']:,} rows of a world ({size}) / rebuild of all views, time",
                  f"{found['of_copy']:.2f}", "at least 0.20",
                  f"{copied:,} / {rebuilt:,} events a second; {low:.1f} to {high:.1f} s")  # fmt: skip
        yield Row(f"rebuild ({size}) / the library's ProjectionRunner on a sample, events a second",
                  f"{found['times_the_library']:,}", "at least 100",
                  f"{rebuilt:,} / {found['library_events_per_second']:,} events a second")  # fmt: skip
        yield Row(f"compare ({size}) / rebuild, time", f"{found['compare_of_rebuild']:.2f}", "at most 1.5",
                  f"{found['compare_seconds']:.1f} / {found['rebuild_seconds']:.1f} s")  # fmt: skip
        yield Row(f"peak memory of the rebuild ({size}), MiB", f"{found['peak_mib']:,}", "at most 1,024")


def _appends(append: dict[str, Any]) -> Iterator[Row]:
    for clients, aim in (("1", 2), ("8", 5)):
        found = append[clients]
        yield Row(f"append of one command / the library's default recorder, {clients} client{'s' * (clients != '1')}",
                  f"{found['ours'] / found['library']:.2f}", f"at least {aim}",
                  f"{found['ours']:,} / {found['library']:,} a second")  # fmt: skip
    yield Row("append in bulk, events a second", f"{append['bulk']['ours, events']:,}", "at least 30,000")


def _lag(lag: dict[str, Any]) -> Iterator[Row]:
    yield Row(f"from answer to view at {lag['appends_per_second']} appends a second, 99 of 100, ms",
              f"{lag['p99_ms']:.0f}", "at most 250",
              f"half within {lag['p50_ms']:.0f} ms, all within {lag['most_ms']:.0f} ms")  # fmt: skip


def _pasts(asof: dict[str, Any]) -> Iterator[Row]:
    for size, found in asof["sizes"].items():
        took = found["milliseconds"]
        told = "; ".join(f"{name} {took[name]['then']:.1f} / {took[name]['now']:.1f} ms" for name in took)
        yield Row(f"as-of question / the same of the present ({found['events']:,} events, {size})",
                  f"{found['ratio']:.2f}", "at most 3", told)  # fmt: skip
        lookup = took["register by name"]["now"]
        yield Row(f"register lookup ({size}), ms", f"{lookup:.1f}")


def _decided(decide: dict[str, Any]) -> Iterator[Row]:
    for events, found in decide["sizes"].items():
        yield Row(f"loading and deciding on an aggregate of {events} events, ms", f"{found['decide_ms']}",
                  "at most 10" if events == "500" else "")  # fmt: skip


def _bundles(bundle: dict[str, Any]) -> Iterator[Row]:
    yield Row(f"checking a bundle of {bundle['events']:,} events, events a second",
              f"{bundle['check_events_per_second']:,}", "at least 10,000",
              f"{bundle['check_peak_mib']} MiB; of one case {bundle['case_check_ms']} ms")  # fmt: skip
    yield Row(f"making / checking the proof of one of {bundle['log_events']:,} events, ms",
              f"{bundle['proof_make_ms']} / {bundle['proof_check_ms']}")  # fmt: skip


def _rush(rush: dict[str, Any]) -> Iterator[Row]:
    yield Row(f"the rush before a deadline: of {rush['attestations']:,} attestations refused, lost, late",
              f"{rush['refused']}, {rush['lost']}, {rush['late']}", "0, 0, 0",
              f"{rush['at_once_per_second']} a second, 99 % within {rush['at_once_p99_ms']:.0f} ms")  # fmt: skip
    yield Row("its last quarter in one minute, 99 of 100, ms", f"{rush['last_hour_p99_ms']:.0f}", "at most 500",
              f"half within {rush['last_hour_median_ms']:.0f} ms")  # fmt: skip
    yield Row("server, worker and database with nothing to do, memory in MiB", f"{rush['memory_mib']}", "at most 400",
              f"{rush['disk_mib']} MiB on disk, of at most 2,048")  # fmt: skip


def _world(world: dict[str, Any]) -> Iterator[Row]:
    yield Row(f"a made-up world of {world['events']:,} events, events a second",
              f"{world['world_events_per_second']:,}", "at least 20,000",
              f"{world['ratio']:.1f} times the time of COPY of its rows")  # fmt: skip


def _span(spread: list[float]) -> str:
    low, high = spread
    return f"{low:,.0f} to {high:,.0f}"


def _verified(verify: dict[str, Any]) -> Iterator[Row]:
    if "spread_us" not in verify:  # of an older run
        return
    micro, whole = verify["spread_us"], verify["command_spread_ms"]
    yield Row("one QR text verified / a raw Ed25519 verify", f"{verify['ratio']:.2f}", "at most 2.2",
              f"{verify['verify_us']:.0f} µs ({_span(micro['verify'])}) / {verify['raw_us']:.0f} µs "
              f"({_span(micro['raw Ed25519'])})")  # fmt: skip
    yield Row("one badge verified by its jcs proof, its list at hand, µs", f"{verify['badge_us']:.0f}", "at most 600",
              f"{_span(micro['badge'])}; {verify['badge_ratio']:.2f} raw Ed25519 verifies; as JWT "
              f"{verify['jwt_us']:.0f}")  # fmt: skip
    for name, what, median in (
        ("file", "a badge's JSON file", verify["command_ms"]), ("text", "a QR text", verify["command_text_ms"]),
    ):  # fmt: skip
        yield Row(f"the command `verify` on {what}, whole process, ms", f"{median:.0f}", "at most 100",
                  f"{_span(whole[name])}; a bare Python {verify['python_ms']:.0f}")  # fmt: skip


def _page(page: dict[str, Any]) -> Iterator[Row]:
    spread = page["spread_ms"]
    yield Row("verify page in Chromium, from a code's text to its verdict, ms", f"{page['verdict_ms']:.0f}",
              "at most 150", f"{_span(spread['verdict'])}; from opening the address {page['opened_ms']:.0f} "
              f"({_span(spread['opened'])})")  # fmt: skip


def _issued(issue: dict[str, Any]) -> Iterator[Row]:
    rates = {name: f"{rate:,} ({_span(issue['spread'][name])})" for name, rate in issue["per_second"].items()}
    yield Row(
        "QR, badge and JWT issued, each read back / `@digitalbazaar/vc` signs the badge, eddsa-rdfc-2022",
        f"{issue['times_rdfc']:.1f}",
        "at least 5",
        f"{rates['ours']} / {rates['peer, rdfc']} a second",
    )
    yield Row(
        "the same / `@digitalbazaar/vc` signs it once with eddsa-jcs-2022, nothing read back",
        f"{issue['times_jcs']:.2f}",
        "",
        f"{rates['ours']} / {rates['peer, jcs']} a second",
    )
    yield Row("the same with the RDF form, which is made once / `@digitalbazaar/vc`, eddsa-rdfc-2022",
              f"{issue['first_times_rdfc']:.2f}", "", f"{rates['ours, first']} / {rates['peer, rdfc']} a second"
              )  # fmt: skip


def _reissued(reissue: dict[str, Any]) -> Iterator[Row]:
    rates, spread = reissue["per_second"], reissue["spread"]
    yield Row(f"{reissue['certificates']:,} certificates signed anew after a compromise, a second",
              f"{rates['signed']:,.0f}", "", _span(spread["signed"]))  # fmt: skip
    yield Row(f"files of {reissue['files']} of them, with pictures, PDF and RDF form, certificates a second",
              f"{rates['files, 2']:.1f}", "", f"two processes; with one {rates['files, 1']:.1f}")  # fmt: skip


def _rosters(roster: dict[str, Any]) -> Iterator[Row]:
    yield Row(f"a roster of {roster['rows']:,} people checked, {roster['texts']:,} of them by certificate, seconds",
              f"{roster['check_seconds']:.1f}", "less than 10",
              f"its pages {roster['pages_seconds']:.1f} s; its receipt verified in {roster['receipt_check_ms']:.0f} ms"
              )  # fmt: skip


def lines_of(found: dict[str, Any]) -> list[Line]:
    """What a thing costs at each size that was measured."""
    rebuilt = found.get("rebuild", {}).get("sizes", {}).values()
    lines = [
        Line(name, "seconds", [(size["events"], size[f"{field}_seconds"]) for size in rebuilt])
        for name, field in (("rebuild of all views", "rebuild"), ("compare", "compare"), ("COPY of the rows", "copy"))
    ]
    asked = list(found.get("asof", {}).get("sizes", {}).values())
    for name in ("public endorsement", "register by name"):
        for side in ("now", "then"):
            points = [(size["events"], size["milliseconds"][name][side]) for size in asked]
            lines.append(Line(f"{name}, {'as of then' if side == 'then' else 'now'}", "milliseconds", points))
    return [line for line in lines if len(line.points) > 1]


def write(found: dict[str, Any]) -> str:
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows_of(found))
    lines = lines_of(found)
    picture = ""
    if lines:
        (HERE / "growth.svg").write_text(drawn(lines))
        picture = "\n![What rebuilding, comparing and asking cost at each size, both axes logarithmic](growth.svg)\n"
    (HERE / "README.md").write_text(
        "# What it costs\n\nMade by `make bench`: medians of rounds in turn, side by side in one run; ratios travel, "
        f"rates do not.\nMeasured {found['at']} on {found['machine']}.\n\n"
        f"| what | measured | aim | figures |\n|---|--:|---|---|\n{table}\n{picture}"
    )
    return table


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", default=SIZES, help="of worlds, in events: 10k, 100k, 1M")
    options.add_argument("--only", default="", help=f"of {', '.join((*ALONE, *SIZED))}")
    options.add_argument("--write", action="store_true", help="measure nothing")
    asked = options.parse_args()
    only = asked.only.split(",") if asked.only else [*ALONE, *SIZED]
    if unknown := [name for name in only if name not in (*ALONE, *SIZED)]:
        options.error(f"there is no benchmark {unknown[0]}")
    known = json.loads(RESULTS.read_text()) if (asked.only or asked.write) and RESULTS.exists() else {}
    found, failed = (known, []) if asked.write else measure(asked.sizes.split(","), only, known)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    print(write(found))
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
