"""Runs the matching task on generated data here, in DuckDB and in Splink, and prints the ratios.

The task: a population of persons and a file of leads, up to three identifiers each; every lead gets an
outcome, the person and the rule. DuckDB and Splink take the union of equal keys, which is less than the
decisions here: no caps, no contradictions, no precedence.

    python3 -m venv venv && venv/bin/pip install duckdb splink
    venv/bin/python benches/peers/matching.py [--persons N] [--leads N] [--hubs] [--splink] [--threads N]

Needs a release build of `match_task`: cargo build --release -p benchmarks --bin match_task
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import resource
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TASK = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "match_task"

MATCH = """
CREATE OR REPLACE TABLE decided AS
WITH pairs AS (
    SELECT l.lead_id, p.person_key, 4 AS rule FROM leads l JOIN persons p ON l.document = p.document
    UNION ALL
    SELECT l.lead_id, p.person_key, 2 FROM leads l JOIN persons p ON l.phone = p.phone
    UNION ALL
    SELECT l.lead_id, p.person_key, 1 FROM leads l JOIN persons p ON l.email = p.email
), candidates AS (
    SELECT lead_id, person_key, bit_or(rule) AS rules FROM pairs GROUP BY lead_id, person_key
), found AS (
    SELECT lead_id, count(*) AS n, min(person_key) AS person_key, max(rules) AS rules
    FROM candidates GROUP BY lead_id
)
SELECT l.lead_id,
       CASE WHEN f.n = 1 THEN 'MATCHED' WHEN f.n > 1 THEN 'CONFLICT'
            WHEN l.phone IS NULL AND l.document IS NULL AND l.email IS NULL THEN 'MISSING'
            ELSE 'NO_CANDIDATES' END AS outcome,
       CASE WHEN f.n = 1 THEN f.person_key END AS person_key, f.rules
FROM leads l LEFT JOIN found f USING (lead_id)
"""


def read(key, table, file):
    columns = f"{{'{key}': 'BIGINT', 'phone': 'VARCHAR', 'document': 'VARCHAR', 'email': 'VARCHAR'}}"
    return (
        f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM read_csv('{file}', header = true, "
        f"columns = {columns}, nullstr = '')"
    )


def duckdb_task(folder, threads, out):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    start = time.perf_counter()
    connection.execute(read("person_key", "persons", folder / "persons.csv"))
    connection.execute(read("lead_id", "leads", folder / "leads.csv"))
    load = time.perf_counter() - start
    matches = []
    for _ in range(5):
        start = time.perf_counter()
        connection.execute(MATCH)
        matches.append(time.perf_counter() - start)
    rows = connection.execute("SELECT outcome, count(*) FROM decided GROUP BY 1 ORDER BY 1").fetchall()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    out.put({"load": load, "match": min(matches), "outcomes": dict(rows), "peak": peak,
             "version": duckdb.__version__})


def splink_task(folder, threads, out):
    import duckdb
    import splink
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    start = time.perf_counter()
    for key, table in (("person_key", "persons"), ("lead_id", "leads")):
        connection.execute(read(key, table, folder / f"{table}.csv"))
        connection.execute(f"ALTER TABLE {table} RENAME {key} TO unique_id")
    load = time.perf_counter() - start
    settings = SettingsCreator(
        link_type="link_only",
        blocking_rules_to_generate_predictions=[block_on("document"), block_on("phone"), block_on("email")],
    )
    api = DuckDBAPI(connection)
    try:
        tables = [api.register("persons"), api.register("leads")]
        linker = Linker(tables, settings)
    except (AttributeError, TypeError):
        linker = Linker(["persons", "leads"], settings, db_api=api)
    matches = []
    for _ in range(2):
        linker.table_management.delete_tables_created_by_splink_from_db()
        start = time.perf_counter()
        linker.inference.deterministic_link()
        matches.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    out.put({"load": load, "match": min(matches), "peak": peak, "version": splink.__version__})


def in_own_process(task, *arguments):
    """Runs a peer in a process of its own, so that its peak memory is its own."""
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    process = context.Process(target=task, args=(*arguments, out))
    process.start()
    while True:
        try:
            found = out.get(timeout=1)
            break
        except Exception:
            if not process.is_alive():
                return None
    process.join()
    return found


def ours(folder, threads):
    best = {}
    for way in ("kept", "once"):
        command = [TASK, way, folder, str(threads)]
        lines = subprocess.run(command, check=True, capture_output=True, text=True)
        for line in lines.stdout.splitlines():
            figure = json.loads(line)
            name = figure.pop("figure")
            value = next(iter(figure.values()))
            best[name] = min(best.get(name, value), value)
    for outcome in ("matched", "conflict", "weak", "no_candidates", "missing", "decided", "text"):
        assert best[f"kept_{outcome}"] == best[f"once_{outcome}"], f"the two ways differ in {outcome}"
    best["kept_csv_to_decisions"] = best["load_persons"] + best["leads_csv_to_decisions"]
    return best


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--persons", type=int, default=5_000_000)
    flags.add_argument("--leads", type=int, default=1_000_000)
    flags.add_argument("--threads", type=int, default=2)
    flags.add_argument("--rounds", type=int, default=3)
    flags.add_argument("--hubs", action="store_true")
    flags.add_argument("--splink", action="store_true")
    args = flags.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        hubs = ["hubs"] if args.hubs else []
        subprocess.run([TASK, "generate", folder, str(args.persons), str(args.leads), *hubs], check=True)
        here, duck = {}, None
        # In turn, so that a noisy minute of the machine hits both; the best of each counts.
        for _ in range(args.rounds):
            figures = ours(folder, args.threads)
            here = {name: min(here.get(name, value), value) for name, value in figures.items()}
            found = in_own_process(duckdb_task, folder, args.threads)
            if duck is None:
                duck = found
            for name in ("load", "match", "peak"):
                duck[name] = min(duck[name], found[name])
        print(f"{args.persons:,} persons, {args.leads:,} leads, {args.threads} threads, hubs: {args.hubs}")
        print("here  ", json.dumps(here))
        print("duckdb", json.dumps(duck))
        if args.splink:
            print("splink", json.dumps(in_own_process(splink_task, folder, args.threads)))
        per_million = here["index_bytes"] / args.persons * 1e6 / 2**20
        total = duck["load"] + duck["match"]
        print("What DuckDB does here is less: no caps, no contradiction, no precedence.")
        print(f"keys ready:        {duck['match'] / here['keys_ready']:.2f} x DuckDB's leads per second")
        print(f"raw text:          {duck['match'] / here['raw_text_to_decisions']:.2f} x DuckDB on normalised keys")
        print(f"CSV to decisions:  {here['once_csv_to_decisions'] / total:.2f} of DuckDB's time for load + match, persons read once")
        print(f"                   {here['kept_csv_to_decisions'] / total:.2f} of it where the index of everybody is built and kept")
        print(f"index memory:      {per_million:.0f} MiB per million persons, {here['index_bytes'] / duck['peak']:.2f} of DuckDB's peak")
        print(f"peak memory:       {here['once_peak_memory'] / duck['peak']:.2f} of DuckDB's, process against process, persons read once")
        print(f"                   {here['kept_peak_memory'] / duck['peak']:.2f} of it, index built and kept, leads decided")
        print(f"threads:           {here['keys_ready_one_thread'] / here['keys_ready']:.2f} x one thread")


if __name__ == "__main__":
    main()
