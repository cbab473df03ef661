#!/usr/bin/env python3
"""Matches leads to persons on one machine that need not hold them: DuckDB joins, `keys` and `decide` do the rest.

    duckdb_match.py --leads leads.csv --persons persons.csv --out decisions.csv --secret-file secret

Memory is bounded by --memory-limit; what is larger goes to the folder of --work, which is emptied at the end.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import duckdb

HERE = pathlib.Path(__file__).resolve().parent
STEPS = {step: (HERE / "sql" / name).read_text() for step, name in [
    ("holders", "1_holders.sql"), ("candidates", "2_candidates.sql"), ("groups", "3_groups.sql")]}
KEY_COLUMNS = {"record": "VARCHAR", "part": "INTEGER", "kind": "VARCHAR", "form": "VARCHAR", "hi": "BIGINT",
               "lo": "BIGINT", "list_up_to": "BIGINT", "sealed": "VARCHAR", "stamp": "VARCHAR"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", required=True, help="the leads, as leads.csv")
    parser.add_argument("--persons", required=True, help="the persons, as persons.csv")
    parser.add_argument("--out", required=True, help="where the decisions go, as CSV")
    parser.add_argument("--secret-file", help="32 hexadecimal digits (left out: the variable IDENTITY_SECRET)")
    parser.add_argument("--region", default="PE")
    parser.add_argument("--policy")
    parser.add_argument("--programs", default=".", help="the folder of `keys` and `decide`")
    parser.add_argument("--memory-limit", default="1GB", help="what DuckDB may hold in memory")
    parser.add_argument("--work", help="a folder for what does not fit (left out: a temporary one)")
    return parser.parse_args()


def program(args, name, *more):
    command = [os.path.join(args.programs, name), "--quiet", "--region", args.region, *more]
    command += ["--policy", args.policy] if args.policy else []
    return command + (["--secret-file", args.secret_file] if args.secret_file else [])


def run(command, source, target):
    """Runs one program over files; whatever it refuses ends the job."""
    with open(source, "rb") as stdin, open(target, "wb") as stdout:
        ended = subprocess.run(command, stdin=stdin, stdout=stdout, check=False).returncode
    if ended:
        sys.exit(f"{os.path.basename(command[0])} ended with {ended}: see its message above")


def match(args, work):
    db = duckdb.connect(str(work / "join.duckdb"))
    db.execute(f"SET memory_limit = '{args.memory_limit}'")
    db.execute(f"SET temp_directory = '{work / 'spill'}'")
    db.execute("SET preserve_insertion_order = false")
    for what, one, source in [("leads", "lead", args.leads), ("persons", "person", args.persons)]:
        rows = work / f"{what}.csv"
        run(program(args, "keys", "--of", what), source, rows)
        read = "SELECT {} FROM read_csv(?, header = true, quote = '\"', escape = '\"', columns = ?) WHERE part = {}"
        for name, part, columns in [(what, 0, "record, sealed, stamp"),
                                    (f"{one}_keys", 1, "record, hi, lo, list_up_to")]:
            db.execute(f"CREATE TABLE {name} AS " + read.format(columns, part), [str(rows), KEY_COLUMNS])
        rows.unlink()
    for step in ["holders", "candidates"]:
        db.execute(f"CREATE TABLE {step} AS {STEPS[step]}")
    groups = work / "groups.csv"
    db.execute(f"COPY (SELECT * FROM ({STEPS['groups']}) ORDER BY lead, part, person) TO '{groups}' (HEADER)")
    run(program(args, "decide"), groups, args.out)


def main():
    args = arguments()
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        match(args, pathlib.Path(work))


if __name__ == "__main__":
    main()
