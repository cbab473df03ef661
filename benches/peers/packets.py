"""Checks returned packets beside a stock validator of Data Packages on files that were made alike.

`export_packets` issues one packet for each source, every one is filled in, and `check_packets` checks the folder: keys, evidence, numbers
and the KPIs that follow. `frictionless validate` reads `return.datapackage.json` of a smaller folder, in a process of its own: of each
packet it reads every row that was issued, so that its time grows with the square of the packets, and its fastest size is what is compared.
One line for each size: seconds, rows per second and the most memory of the process; then the ratio of rows per second and of memory.

    python3 -m venv venv && venv/bin/pip install frictionless
    cargo build --release --example export_packets --example check_packets
    venv/bin/python benches/peers/packets.py [--rows N] [--peer-rows N ...] [--programs DIR]
"""

import argparse
import csv
import io
import json
import os
import pathlib
import re
import sys
import tempfile
import time

from queues import TARGET

# How many files a folder may have; more rows stand in several, of which each is checked by a run of its own.
FOLDER = 100_000

FILLED = {
    "evidence_date": "2025-03-31",
    "evidence_quote": "En 2024 se presentaron 1200 recursos y se estimaron 300 de ellos.",
    "recurso_presentado_count": "1200",
    "recurso_estimado_count": "300",
    "anulaciones_formales_count": "60",
    "resolution_delay_p90_days": "182.5",
}
FORMULAS = {
    "kpi:recurso_estimation_rate": "recurso_estimado_count / recurso_presentado_count",
    "kpi:formal_annulment_rate": "anulaciones_formales_count / recurso_presentado_count",
    "kpi:resolution_delay_p90_days": "resolution_delay_p90_days",
}


def run(command):
    """Runs a program to its end; returns its seconds and the most memory that it held, in MiB."""
    begun = time.perf_counter()
    process = os.posix_spawnp(command[0], list(map(str, command)), os.environ,
                              file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - begun
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{command[0]} ended with {code}")
    return seconds, usage.ru_maxrss / 1024


def told(name, rows, seconds, memory):
    """Prints one line; returns rows per second and memory."""
    print(f"{name} of {rows:,} rows: {seconds:.2f} s, {rows / seconds:,.0f} rows/s, {memory:,.0f} MiB", flush=True)
    return rows / seconds, memory


def catalogued(folder, rows):
    """Writes the catalogue of so many sources; returns the flags that name what is expected."""
    sources = [f"es:sanctions:office_{at:07}" for at in range(rows)]
    catalogue = {
        "expected_sources": sources,
        "sources": [{"source_id": source, "label": f"Office {at:07}", "organismo": "Organismo, S.A.",
                     "source_url": "https://example.org/", "expected_metrics": list(FILLED)[2:]} for at, source in enumerate(sources)],
        "kpis": [{"kpi_id": kpi, "label": kpi, "formula": formula} for kpi, formula in FORMULAS.items()],
    }
    path = folder / f"catalogue-{rows}.json"
    path.write_text(json.dumps(catalogue, indent=1))
    return ["--quiet", "--catalog", path, "--period-date", "2024-12-31", "--period-granularity", "year"]


def filled(text):
    """Fills a packet in."""
    header, row = csv.reader(io.StringIO(text, newline=""))
    cells = [FILLED.get(label, cell) for label, cell in zip(header, row)]
    written = io.StringIO(newline="")
    csv.writer(written).writerows([header, cells])
    return written.getvalue()


def returned(folder, rows, described, programs):
    """Makes a folder of filled packets, `described` as issued with its descriptors; returns it with the flags that name what is expected.

    Each issued file is synchronised with the disk, so that a folder without descriptors is made of one packet, with the names of the others.
    """
    packets = folder / f"packets-{rows}"
    asked = catalogued(folder, rows)
    issued = packets if described else folder / "one"
    run([programs / "export_packets", *(asked if described else catalogued(folder, 1)), "--out-dir", issued])
    files = {path.name: filled(path.read_bytes().decode()) for path in issued.glob("*.csv")}
    packets.mkdir(exist_ok=True)
    for name, text in files.items():
        for at in [0] if described else range(rows):
            own = lambda text: text if described else re.sub(r"(?<=office[_-])0{7}|(?<=Office )0{7}", f"{at:07}", text)
            (packets / own(name)).write_bytes(own(text).encode())
    return packets, asked


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peer-rows", type=int, nargs="+", default=[100, 200, 400])
    parser.add_argument("--programs", type=pathlib.Path, default=TARGET / "release" / "examples")
    args = parser.parse_args()
    peer = pathlib.Path(sys.executable).with_name("frictionless")
    ours, theirs = {}, {}
    for rows in sorted({*args.peer_rows, args.rows}):
        described = rows in args.peer_rows
        seconds, memory = 0.0, 0.0
        for first in range(0, rows, FOLDER):
            with tempfile.TemporaryDirectory() as folder:
                packets, asked = returned(pathlib.Path(folder), min(FOLDER, rows - first), described, args.programs)
                took, most = run([args.programs / "check_packets", *asked, "--strict-ready", packets])
                seconds, memory = seconds + took, max(memory, most)
                if described:
                    theirs[rows] = told("frictionless", rows, *run([peer, "validate", packets / "return.datapackage.json"]))
        ours[rows] = told("check_packets", rows, seconds, memory)
    fastest = max(theirs, key=lambda rows: theirs[rows][0])
    for rows in [fastest, args.rows]:
        rate, memory = (ours[rows][0] / theirs[fastest][0], theirs[fastest][1] / ours[rows][1])
        print(f"check_packets of {rows:,} rows beside frictionless of {fastest:,}: {rate:,.0f} times the rows per second, "
              f"1/{memory:.2g} of the memory")


if __name__ == "__main__":
    main()
