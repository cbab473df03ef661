"""Measures the two programs of matching at scale as streams, beside one matcher that holds the population.

Each program runs on one core. `keys` turns persons and leads into rows, DuckDB joins them, `decide` decides; beside it `evaluate_matching`
reads the same files, builds its index and decides the same leads, on one core too. Rows per second are records in: persons and leads for
`keys`, leads for `decide`.

    python3 -m venv venv && venv/bin/pip install duckdb
    cargo build --release --example keys --example decide --example evaluate_matching
    venv/bin/python benches/peers/at_scale.py [--persons N] [--leads N] [--turns N]
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import duckdb

from main_job import generate
from queues import TARGET

SCALE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "at_scale"
sys.path.insert(0, str(SCALE))
import duckdb_match  # noqa: E402

PROGRAMS = TARGET / "release" / "examples"
SECRET = {"IDENTITY_SECRET": "000102030405060708090a0b0c0d0e0f"}


def timed(command, source=None, target=None):
    """Runs a program on one core; returns its seconds."""
    with open(source or os.devnull, "rb") as stdin, open(target or os.devnull, "wb") as stdout:
        begun = time.perf_counter()
        subprocess.run(["taskset", "-c", "0", *map(str, command)], stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL,
                       env={**os.environ, **SECRET}, check=True)
        return time.perf_counter() - begun


def joined(folder):
    """Lets DuckDB join the rows; returns its seconds and where the groups lie."""
    begun = time.perf_counter()
    db = duckdb.connect()
    for what, one in [("leads", "lead"), ("persons", "person")]:
        read = "SELECT {} FROM read_csv(?, header = true, quote = '\"', escape = '\"', columns = ?) WHERE part = {}"
        for name, part, columns in [(what, 0, "record, sealed, stamp"), (f"{one}_keys", 1, "record, hi, lo, list_up_to")]:
            db.execute(f"CREATE TABLE {name} AS " + read.format(columns, part),
                       [str(folder / f"{what}.rows"), duckdb_match.KEY_COLUMNS])
    for step in ["holders", "candidates"]:
        db.execute(f"CREATE TABLE {step} AS {duckdb_match.STEPS[step]}")
    groups = folder / "groups.rows"
    rows = db.execute(f"COPY (SELECT * FROM ({duckdb_match.STEPS['groups']}) ORDER BY lead, part, person) TO '{groups}' (HEADER)")
    return time.perf_counter() - begun, groups, rows.fetchone()[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=500_000)
    parser.add_argument("--leads", type=int, default=200_000)
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        generate(folder, args.persons, args.leads, 0.05)
        (folder / "truth.csv").write_text("source_pk,person_key\n")
        seconds = {name: [] for name in ["persons", "leads", "join", "decide", "memory", "index"]}
        for _ in range(args.turns):
            for what in ["persons", "leads"]:
                command = [PROGRAMS / "keys", "--quiet", "--of", what]
                seconds[what].append(timed(command, folder / f"{what}.csv", folder / f"{what}.rows"))
            took, groups, rows = joined(folder)
            seconds["join"].append(took)
            seconds["decide"].append(timed([PROGRAMS / "decide", "--quiet"], groups))
            held = [PROGRAMS / "evaluate_matching", "--quiet", "--json", os.devnull, "--persons", folder / "persons.csv", "--truth",
                    folder / "truth.csv", "--leads"]
            (folder / "none.csv").write_text((folder / "leads.csv").read_text().split("\n", 1)[0] + "\n")
            seconds["index"].append(timed([*held, folder / "none.csv"]))
            seconds["memory"].append(timed([*held, folder / "leads.csv"]))
        took = {name: statistics.median(values) for name, values in seconds.items()}
    keys, decide = took["persons"] + took["leads"], took["decide"]
    print(f"{args.persons:,} persons, {args.leads:,} leads, {rows:,} rows of groups; median of {args.turns} turns, one core each")
    print(f"keys --of persons  {took['persons']:6.2f} s  {args.persons / took['persons']:10,.0f} persons/s")
    print(f"keys --of leads    {took['leads']:6.2f} s  {args.leads / took['leads']:10,.0f} leads/s")
    print(f"join by DuckDB     {took['join']:6.2f} s")
    print(f"decide             {decide:6.2f} s  {args.leads / decide:10,.0f} leads/s")
    print(f"in memory          {took['memory']:6.2f} s, of which reading the population and building its index {took['index']:.2f} s")
    print(f"programs without the join, against in memory: {took['memory'] / (keys + decide):.2f} of its speed")


if __name__ == "__main__":
    main()
