"""Runs the main job on generated files here, on SQLite and PostgreSQL, beside a DuckDB script and beside the floor of each stage.

The whole: `recovery_cycle` from CSV to report, against one DuckDB script that loads the same files into a file of its own,
normalises with a regular expression, matches by equal keys, writes links, origins and the queue, and looks for leaks. The
script does less: no placeholders, no check digits, no caps, no contradiction, no evidence, no ledger, no guardrails.

The floor of a stage is the least that the same database needs for the same rows: a bulk load by its own means (`.import` of the
`sqlite3` program, `\\copy` of `psql`), and bare set-based SQL for the seed, for the writes of all settled leads, and for the checks.

    python3 -m venv venv && venv/bin/pip install duckdb
    cargo build --release --example recovery_cycle
    venv/bin/python benches/peers/main_job.py [--persons N] [--leads N] [--turns N] [--only sqlite|postgres] [--dirty SHARE] [--nights]
    venv/bin/python benches/peers/main_job.py --curve 10000,100000,1000000 [--only sqlite|postgres] [--dirty SHARE]

`--nights` adds the nights after the whole: 5,000 new leads and 1,000 changed persons, twice (the first one makes what is kept from then on:
the index of persons and the notes of changed leads), then one in which nothing changed; the guardrails look at what was touched.

`--curve` takes no floors: it runs the whole once for each size, with as many persons as leads, and tells what a lead and its person cost.

Needs the programs `sqlite3` and `psql` and the server binaries of PostgreSQL (Debian: sqlite3, postgresql).
"""

import argparse
import csv
import datetime
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from queues import Server, TARGET

RUNNER = TARGET / "release" / "examples" / "recovery_cycle"
LEADS = "id external_id lead_created_at phone document document_type document_country email first_name middle_name last_name birth_date plate".split()
PERSONS = "person_key phone document document_type document_country email full_name birth_date plate".split()

# Common given names and surnames of Peru with rough weights, as a registry would show them: a few names are very common.
GIVEN = "María José Luis Juan Carlos Rosa Ana Jorge Carmen Julio Víctor Miguel Luz César Manuel Elena Pedro Sofía Gloria Raúl Diego Paula".split()
SURNAMES = "Quispe Flores Sánchez Rodríguez García Rojas Díaz Mamani Torres Chávez Ramos Vásquez Huamán Castillo Mendoza Gutiérrez Salazar Paredes Silva Cárdenas Ticona Apaza Guzmán Zevallos Luna".split()


def skewed(values, rng):
    """A value by a falling weight: the first is chosen some ten times as often as the last."""
    return values[min(int(rng.expovariate(4 / len(values))), len(values) - 1)]


def phone(number):
    return f"9{(number * 7919 + 12345) % 100_000_000:08d}"


def document(number):
    return f"{(number * 104_729 + 1_000_003) % 90_000_000 + 10_000_000:08d}"


def email(number):
    return f"user{number}@{('gmail.com', 'hotmail.com', 'correo.pe')[number % 3]}"


def birth_date(number):
    return str(datetime.date(1950, 1, 1) + datetime.timedelta(days=number * 7907 % 20_000))


def person_name(number):
    """The name that goes with a number, the same in both files."""
    rng = random.Random(number)
    return skewed(GIVEN, rng), skewed(SURNAMES, rng), skewed(SURNAMES, rng)


def written_phone(value, rng):
    forms = (value, f"+51{value}", f"+51 {value[:3]} {value[3:6]} {value[6:]}", f"{value[:3]}-{value[3:6]}-{value[6:]}")
    return rng.choice(forms)


def dirty_phone(value, rng):
    forms = (f"cel: {value}", f"{value}.0", f"{value} (casa)", f"'{value}", "no tiene", "999999999", value[:-2], f"{value} / {value}")
    return rng.choice(forms)


def dirty_document(value, rng):
    return rng.choice((f"DNI {value}", f"{value}.0", f" {value[:2]}.{value[2:5]}.{value[5:]}", "00000000", "en trámite", value.lstrip("1") or value))


def generate(folder, persons, leads, dirty):
    """Writes persons.csv and leads.csv; all values are made up, 70 % of the leads are known persons."""
    rng = random.Random(7)
    with open(folder / "persons.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(PERSONS)
        for at in range(persons):
            given, first, second = person_name(at)
            number = document(at) if rng.random() < 0.9 else ""
            local = phone(at) if rng.random() < 0.93 else ""
            if local and rng.random() < dirty:
                local = dirty_phone(local, rng)
            if number and rng.random() < dirty:
                number = dirty_document(number, rng)
            rows.writerow((f"P{at:08d}", local, number, "DNI", "PE", email(at) if rng.random() < 0.7 else "",
                           f"{given} {first} {second}", birth_date(at), ""))
    with open(folder / "leads.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(LEADS)
        for at in range(leads):
            who = rng.randrange(persons) if rng.random() < 0.7 else persons + at
            given, first, second = person_name(who)
            number = document(who) if rng.random() < 0.6 else ""
            if number and rng.random() < dirty:
                number = dirty_document(number, rng)
            local = ""
            if rng.random() < 0.85:
                local = dirty_phone(phone(who), rng) if rng.random() < dirty else written_phone(phone(who), rng)
            rows.writerow((at, f"L{at:08d}", f"2026-{1 + at % 10:02d}-{1 + at % 28:02d}T08:00:00Z", local, number,
                           "DNI" if number else "", "PE" if number else "", email(who).upper() if rng.random() < 0.55 else "",
                           given, "", f"{first} {second}", birth_date(who), ""))


DUCKDB = """
CREATE TABLE leads AS SELECT *, coalesce(external_id, id) AS source_pk FROM read_csv('{folder}/leads.csv', header = true, all_varchar = true);
CREATE TABLE persons AS SELECT * FROM read_csv('{folder}/persons.csv', header = true, all_varchar = true);
-- normalise
CREATE TABLE lead_keys AS
    SELECT source_pk, CASE WHEN length(digits) = 9 THEN '51' || digits ELSE digits END AS phone, document, lower(email) AS email
    FROM (SELECT source_pk, regexp_replace(phone, '[^0-9]', '', 'g') AS digits, document, email FROM leads);
CREATE TABLE person_keys AS
    SELECT person_key, CASE WHEN length(digits) = 9 THEN '51' || digits ELSE digits END AS phone, document, lower(email) AS email
    FROM (SELECT person_key, regexp_replace(phone, '[^0-9]', '', 'g') AS digits, document, email FROM persons);
-- match
CREATE TABLE decided AS
WITH pairs AS (
    SELECT l.source_pk, p.person_key, 4 AS rule FROM lead_keys l JOIN person_keys p ON l.document = p.document
    UNION ALL SELECT l.source_pk, p.person_key, 2 FROM lead_keys l JOIN person_keys p ON l.phone = p.phone
    UNION ALL SELECT l.source_pk, p.person_key, 1 FROM lead_keys l JOIN person_keys p ON l.email = p.email
), candidates AS (
    SELECT source_pk, person_key, bit_or(rule) AS rules FROM pairs GROUP BY ALL
), found AS (
    SELECT source_pk, count(*) AS persons, min(person_key) AS person_key, max(rules) AS rules FROM candidates GROUP BY ALL
)
SELECT l.source_pk, CASE WHEN f.persons = 1 THEN 'matched' ELSE 'failed' END AS status,
       CASE WHEN f.persons = 1 THEN f.person_key END AS person_key,
       CASE WHEN f.persons = 1 THEN CASE WHEN f.rules >= 4 THEN 'DOCUMENT' WHEN f.rules >= 2 THEN 'PHONE' ELSE 'EMAIL' END END AS rule,
       CASE WHEN f.persons > 1 THEN 'CONFLICT'
            WHEN f.persons IS NULL AND coalesce(l.phone, l.document, l.email) IS NULL THEN 'MISSING'
            WHEN f.persons IS NULL THEN 'NONE' END AS reason
FROM lead_keys l LEFT JOIN found f USING (source_pk);
-- write
CREATE TABLE links AS SELECT source_pk, person_key, rule, now() AS linked_at FROM decided WHERE status = 'matched';
CREATE TABLE origins AS SELECT person_key, min(source_pk) AS source_pk FROM links GROUP BY person_key;
SELECT count(*) FROM decided d LEFT JOIN links l USING (source_pk) WHERE d.status = 'matched' AND l.source_pk IS NULL;
"""


def duckdb_job(folder):
    """One run of the script in a process of its own, so that its peak memory is its own."""
    code = f"""
import duckdb, json, resource, time
start = time.perf_counter()
connection = duckdb.connect({str(folder / 'job.duckdb')!r})
connection.execute("SET threads = 2")
for statement in {DUCKDB.format(folder=folder)!r}.split(";"):
    if statement.strip():
        connection.execute(statement)
connection.execute("COPY (SELECT source_pk, coalesce(person_key, '') AS person_key FROM decided) TO {str(folder / 'decided.csv')!r} (HEADER false)")
connection.close()
print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
    for left in folder.glob("job.duckdb*"):
        left.unlink()
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])  # some versions draw a progress bar before it


FLOOR_TABLES = """
CREATE TABLE leads ({leads});
CREATE TABLE persons ({persons});
CREATE TABLE decided (source_pk TEXT, person_key TEXT);
"""
FLOOR_SEED = """
CREATE TABLE queue (source_pk TEXT PRIMARY KEY, lead_created_at TEXT, status TEXT NOT NULL);
INSERT INTO queue SELECT coalesce(external_id, id), lead_created_at, 'pending' FROM leads;
"""
FLOOR_WRITE = """
CREATE TABLE links (source_pk TEXT PRIMARY KEY, person_key TEXT NOT NULL, evidence TEXT);
CREATE TABLE origins (person_key TEXT PRIMARY KEY, source_pk TEXT NOT NULL);
CREATE TABLE settled (source_pk TEXT PRIMARY KEY, person_key TEXT, evidence TEXT NOT NULL);
INSERT INTO links SELECT source_pk, person_key, '{evidence}' FROM decided WHERE person_key <> '';
INSERT INTO origins SELECT person_key, min(source_pk) FROM links GROUP BY person_key;
INSERT INTO settled SELECT source_pk, person_key, '{evidence}' FROM decided;
DELETE FROM queue WHERE source_pk IN (SELECT source_pk FROM settled);
"""
FLOOR_CHECK = """
SELECT count(*) FROM settled s LEFT JOIN links l ON l.source_pk = s.source_pk WHERE s.person_key <> '' AND l.source_pk IS NULL;
SELECT count(*) FROM links l LEFT JOIN origins o ON o.person_key = l.person_key WHERE o.person_key IS NULL;
SELECT count(*) FROM leads d LEFT JOIN links l ON l.source_pk = coalesce(d.external_id, d.id) WHERE l.source_pk IS NULL;
"""
# As many bytes as an average piece of evidence, which every decision keeps.
EVIDENCE = "e" * 250


def columns(names):
    return ", ".join(f"{name} TEXT" for name in names)


def timed(command, text, **options):
    start = time.perf_counter()
    done = subprocess.run(command, input=text, text=True, capture_output=True, **options)
    if done.returncode != 0 or "rror" in done.stderr:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-1000:]}")
    return time.perf_counter() - start


def floors(run, load, tables):
    run(tables)
    return {
        "import": run(load),
        "seed": run(FLOOR_SEED),
        "drain": run(FLOOR_WRITE.format(evidence=EVIDENCE)),
        "guardrails": run(FLOOR_CHECK),
    }


def sqlite_floors(folder):
    file = folder / "floor.sqlite"
    for left in folder.glob("floor.sqlite*"):
        left.unlink()
    pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;\n"
    load = f".mode csv\nBEGIN;\n.import --skip 1 {folder}/leads.csv leads\n.import --skip 1 {folder}/persons.csv persons\n.import {folder}/decided.csv decided\nCOMMIT;\n"
    tables = FLOOR_TABLES.format(leads=columns(LEADS), persons=columns(PERSONS))
    return floors(lambda text: timed(["sqlite3", "-bail", file], pragmas + text), load, tables)


def postgres_floors(folder, url):
    drop = "DROP TABLE IF EXISTS leads, persons, decided, queue, links, origins, settled;\n"
    tables = drop + FLOOR_TABLES.format(leads=columns(LEADS), persons=columns(PERSONS))
    load = "".join(
        f"\\copy {table} FROM '{folder}/{table}.csv' WITH (FORMAT csv, HEADER {header})\n"
        for table, header in (("leads", "true"), ("persons", "true"), ("decided", "false"))
    )
    run = lambda text: timed(["psql", "-qX", "-v", "ON_ERROR_STOP=1", url], text)
    found = floors(run, load, tables)
    run(drop)
    return found


NIGHT_LEADS, NIGHT_PERSONS = 5_000, 1_000


def night_files(folder, persons, leads, night):
    """Writes the files of one night: new leads, of which most are known persons, and persons with a new number."""
    rng = random.Random(night)
    with open(folder / f"leads{night}.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(LEADS)
        for at in range(leads + night * NIGHT_LEADS, leads + (night + 1) * NIGHT_LEADS):
            who = rng.randrange(persons) if rng.random() < 0.7 else persons + at
            given, first, second = person_name(who)
            rows.writerow((at, f"L{at:08d}", "2026-11-28T08:00:00Z", written_phone(phone(who), rng), "", "", "", email(who),
                           given, "", f"{first} {second}", birth_date(who), ""))
    with open(folder / f"persons{night}.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(PERSONS)
        for at in rng.sample(range(persons), NIGHT_PERSONS):
            given, first, second = person_name(at)
            rows.writerow((f"P{at:08d}", phone(2 * persons + night * persons + at), document(at), "DNI", "PE", email(at),
                           f"{given} {first} {second}", birth_date(at), ""))
    return ["--leads", folder / f"leads{night}.csv", "--persons", folder / f"persons{night}.csv"]


def nights(folder, url, workers, args):
    """Three nights on a database that holds the whole; gives the name of each with what `recovery_cycle` gives."""
    touched = ["--allow-shrink", "--guardrails", "touched"]
    first = night_files(folder, args.persons, args.leads, 0)
    second = night_files(folder, args.persons, args.leads, 1)
    return [
        ("first night", recovery_cycle(folder, url, workers, [*first, *touched])),
        ("next night", recovery_cycle(folder, url, workers, [*second, *touched])),
        ("nothing changed", recovery_cycle(folder, url, workers, touched)),
        ("full guardrails", recovery_cycle(folder, url, workers, ["--guardrails", "full"])),
    ]


def recovery_cycle(folder, url, workers, more=None):
    """The whole job as a user runs it; its stages come from `--json`, its peak memory from the system."""
    if more is None:
        more = ["--leads", folder / "leads.csv", "--persons", folder / "persons.csv"]
    command = [RUNNER, *more, "--region", "PE", "--quiet",
               "--database-url", url, "--workers", str(workers), "--report", folder / "report.html", "--json", folder / "job.json"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    # 5: done, but rows were refused.
    if os.waitstatus_to_exitcode(status) not in (0, 5):
        raise SystemExit(f"recovery_cycle failed: {error.decode()[-2000:]}")
    told = json.loads((folder / "job.json").read_text())
    stages = {row["stage"]: row["seconds"] for row in told["stages"] + told["recover"]["stages"]}
    return seconds, usage.ru_maxrss / 1024, stages, told


def median_of(rows):
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def report(name, seconds, peak, stages, floor, duck):
    print(f"\n{name}: {seconds:.1f} s whole, {seconds / duck:.1f} x the DuckDB script, peak {peak:.0f} MiB")
    for stage, value in stages.items():
        if stage == "recover":
            continue  # wake, index and drain are its parts
        least = floor.get(stage)
        print(f"  {stage:<11} {value:7.2f} s" + (f"   floor {least:6.2f} s   {value / least:5.1f} x" if least else ""))


def database_bytes(folder, url):
    """The size of the database: the file and its log, or what the server says."""
    if isinstance(url, pathlib.Path):
        return sum(file.stat().st_size for file in folder.glob("job.sqlite*"))
    asked = ["psql", "-qXAt", "-c", "SELECT pg_database_size(current_database())", url]
    return int(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)


def curve(folder, server, sizes, args):
    """Prints what the whole costs by its size: each row ten times the one before shows what grows faster than the rows do."""
    for name, workers in (("SQLite", 1), ("PostgreSQL, two workers", 2)):
        if args.only == ("postgres" if workers == 1 else "sqlite"):
            continue
        print(f"\n{name}\n{'leads':>12} {'seconds':>9} {'us/lead':>8} {'bytes/lead':>10} {'peak MiB':>9}   us/lead by stage")
        for size in sizes:
            generate(folder, size, size, args.dirty)
            if workers == 1:
                for left in folder.glob("job.sqlite*"):
                    left.unlink()
                url = folder / "job.sqlite"
            else:
                subprocess.run(["psql", "-qX", "-c", f"CREATE DATABASE curve_{size}", server], check=True)
                url = server.rsplit("/", 1)[0] + f"/curve_{size}"
            seconds, peak, stages, _ = recovery_cycle(folder, url, workers)
            parts = ", ".join(f"{stage} {value / size * 1e6:.1f}" for stage, value in stages.items() if stage != "recover")
            row = f"{size:>12,} {seconds:>9.1f} {seconds / size * 1e6:>8.1f} {database_bytes(folder, url) / size:>10.0f} {peak:>9.0f}"
            print(f"{row}   {parts}", flush=True)


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--persons", type=int, default=500_000)
    flags.add_argument("--leads", type=int, default=500_000)
    flags.add_argument("--turns", type=int, default=3)
    flags.add_argument("--dirty", type=float, default=0.05)
    flags.add_argument("--only", choices=("sqlite", "postgres"))
    flags.add_argument("--nights", action="store_true")
    flags.add_argument("--curve", type=lambda text: [int(size) for size in text.split(",")], metavar="N,N,…")
    args = flags.parse_args()
    if not RUNNER.exists():
        raise SystemExit(f"{RUNNER.name} is not built: see the head of this file")
    missing = [name for name in ("sqlite3", "psql") if shutil.which(name) is None]
    if missing:
        raise SystemExit(f"{', '.join(missing)} not installed: see the head of this file")
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)  # psql reads as another user than the server writes
        if args.curve:
            curve(folder, server, args.curve, args)
            return
        generate(folder, args.persons, args.leads, args.dirty)
        duck, ours, least, after = [], {}, {}, {}
        # In turn, so that a noisy minute of the machine meets all; the median counts.
        for turn in range(args.turns):
            duck.append(duckdb_job(folder))
            if args.only != "postgres":
                for left in folder.glob("job.sqlite*"):
                    left.unlink()
                least.setdefault("SQLite", []).append(sqlite_floors(folder))
                ours.setdefault("SQLite", []).append(recovery_cycle(folder, folder / "job.sqlite", 1))
                if args.nights:
                    after["SQLite"] = nights(folder, folder / "job.sqlite", 1, args)
            if args.only != "sqlite":
                subprocess.run(["psql", "-qX", "-c", f"CREATE DATABASE job_{turn}", server], check=True)
                fresh = server.rsplit("/", 1)[0] + f"/job_{turn}"
                least.setdefault("PostgreSQL, two workers", []).append(postgres_floors(folder, fresh))
                ours.setdefault("PostgreSQL, two workers", []).append(recovery_cycle(folder, fresh, 2))
                if args.nights:
                    after["PostgreSQL, two workers"] = nights(folder, fresh, 2, args)
        whole = statistics.median(seconds for seconds, _ in duck)
        print(f"{args.leads:,} leads, {args.persons:,} persons, {args.dirty:.0%} dirty values, median of {args.turns} turns")
        print(f"DuckDB script: {whole:.2f} s, peak {max(peak for _, peak in duck):.0f} MiB")
        for name, runs in ours.items():
            seconds = statistics.median(run[0] for run in runs)
            peak = max(run[1] for run in runs)
            report(name, seconds, peak, median_of([run[2] for run in runs]), median_of(least[name]), whole)
            print(f"  memory      {peak / (args.leads + args.persons) * 1e6:7.0f} MiB per million leads and persons")
            for night, (took, _, stages, _) in after.get(name, []):
                parts = ", ".join(f"{stage} {value:.2f}" for stage, value in stages.items() if stage != "recover")
                print(f"  {night:<15} {took:6.2f} s   {parts}")


if __name__ == "__main__":
    main()
