"""Runs every benchmark and writes bench/results.json and the table of bench/README.md."""

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "verifier" / "page" / "index.html"


def run(module: str, *options: str) -> dict:
    print(f"bench: {module} ...", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{module}", "--json", *options], stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def processor() -> str:
    about = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in about.read_text().splitlines() if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def rebuilds(size: str, found: dict) -> list[tuple[str, str, str, str]]:
    rebuilt, copied = found["rebuild_events_per_second"], found["copy_events_per_second"]
    low, high = found["rebuild_spread"]
    return [
        (
            f"COPY of the {found['events']:,} rows of a world ({size}) / rebuild of all views, time",
            f"{found['of_copy']:.2f}",
            "at least 0.20",
            f"{copied:,} / {rebuilt:,} events a second; {low:.1f} to {high:.1f} s",
        ),
        (
            f"the same rebuild ({size}) / the library's ProjectionRunner on a sample",
            f"{found['times_the_library']:,}",
            "at least 100",
            f"{rebuilt:,} / {found['library_events_per_second']:,} events a second",
        ),
        (
            f"compare ({size}) / rebuild, time",
            f"{found['compare_of_rebuild']:.2f}",
            "at most 1.5",
            f"{found['compare_seconds']:.1f} / {found['rebuild_seconds']:.1f} s",
        ),
        (f"peak memory of the rebuild ({size}), MiB", f"{found['peak_mib']:,}", "at most 1,024", ""),
    ]


def pasts(size: str, found: dict) -> list[tuple[str, str, str, str]]:
    took = found["milliseconds"]
    told = "; ".join(f"{name} {took[name]['then']:.1f} / {took[name]['now']:.1f} ms" for name in took)
    return [
        (
            f"as-of question / the same of the present ({found['events']:,} events, {size})",
            f"{found['ratio']:.2f}",
            "at most 3",
            told,
        )
    ]


def main() -> None:
    verify, append, rebuild, world, decide, bundle, lag, asof = (
        run(module) for module in ("verify", "append", "rebuild", "world", "decide", "bundle", "lag", "asof")
    )
    one, eight = append["1"], append["8"]
    page = PAGE.stat().st_size
    rows = [
        (
            "one QR text verified / a raw Ed25519 verify",
            f"{verify['ratio']:.2f}",
            "at most 2.5",
            f"{verify['verify_us']:.0f} µs / {verify['raw_us']:.0f} µs",
        ),
        (
            "append of one command / the library's default, one client",
            f"{one['ours'] / one['library']:.2f}",
            "at least 1",
            f"{one['ours']:,} / {one['library']:,} a second",
        ),
        (
            "the same, eight clients",
            f"{eight['ours'] / eight['library']:.2f}",
            "",
            f"{eight['ours']:,} / {eight['library']:,} a second",
        ),
        *(row for size, found in rebuild["sizes"].items() for row in rebuilds(size, found)),
        (
            f"from answer to view at {lag['appends_per_second']} appends a second, 99 of 100, ms",
            f"{lag['p99_ms']:.0f}",
            "at most 250",
            f"half within {lag['p50_ms']:.0f} ms, all within {lag['most_ms']:.0f} ms",
        ),
        (
            f"a made-up world / COPY of its {world['events']:,} rows, time",
            f"{world['ratio']:.2f}",
            "",
            f"{world['world_events_per_second']:,} / {world['copy_events_per_second']:,} events a second",
        ),
        ("a made-up world, events a second", f"{world['world_events_per_second']:,}", "at least 20,000", ""),
        (f"deciding on an aggregate of {decide['events']} events, ms", f"{decide['decide_ms']}", "at most 10", ""),
        (
            f"checking a bundle of {bundle['events']:,} events, events a second",
            f"{bundle['check_events_per_second']:,}",
            "at least 10,000",
            f"{bundle['check_peak_mib']} MiB; of one case {bundle['case_check_ms']} ms",
        ),
        *(row for size, found in asof["sizes"].items() for row in pasts(size, found)),
        ("verify page with its decoder, bytes in one request", f"{page:,}", "at most 60,000", ""),
    ]
    measured = {
        "at": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{processor()}, {platform.system()} {platform.release()}, Python {platform.python_version()}",
        "verify": verify,
        "append": append,
        "rebuild": rebuild,
        "world": world,
        "decide": decide,
        "bundle": bundle,
        "lag": lag,
        "asof": asof,
        "page_bytes": page,
    }
    (HERE / "results.json").write_text(json.dumps(measured, indent=1) + "\n")
    table = "\n".join(f"| {what} | {ratio} | {aim} | {figures} |" for what, ratio, aim, figures in rows)
    (HERE / "README.md").write_text(
        "# What it costs\n\nMade by `make bench`: medians of rounds in turn, side by side in one run; ratios travel, "
        f"rates do not.\nMeasured {measured['at']} on {measured['machine']}.\n\n"
        f"| what | measured | aim | figures |\n|---|--:|---|---|\n{table}\n"
    )
    print(table)


if __name__ == "__main__":
    main()
