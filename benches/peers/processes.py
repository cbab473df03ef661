"""Drains one queue on PostgreSQL by several processes of `recover_leads`, and tells speed, waits and work done twice.

1 and 2 processes tell the speed; 4 and 8, more than there are cores, what sessions wait for and whether work is done twice. Each count of
processes drains a copy of the same queue, in turns; every process reads the persons first, which is not counted. Work done twice shows as
rows of `queue_link` and `queue_settled` written beyond one for each lead, as claims beyond the leads, as rolled back transactions and as attempts
that were counted for a batch that had to be taken again.

    cargo build --release -p reference-runners --example recovery_cycle --example recover_leads
    python3 benches/peers/processes.py [--leads N] [--persons N] [--processes 1,2,4,8] [--turns N] [--batch-size N]

Needs the server binaries of PostgreSQL and psql (Debian: postgresql).
"""

import argparse
import collections
import json
import pathlib
import statistics
import subprocess
import tempfile

from main_job import generate
from queues import TARGET, Server

PROGRAMS = TARGET / "release" / "examples"

# Ten times a second: what the active sessions do, and of those that wait for a lock which statement does, by its first line.
WATCH = """SELECT coalesce(wait_event_type || ': ' || wait_event, 'running') FROM pg_stat_activity
           WHERE datname = 'drained' AND state = 'active'
           UNION ALL SELECT 'waiting ' || l.locktype || ' ' || l.mode || ' in ' || left(split_part(a.query, chr(10), 1), 60)
           FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted \\watch 0.1
"""
TABLES = ["queue_link", "queue_settled", "queue_pending", "queue_person"]


def database(url, name):
    return f"{url.rsplit('/', 1)[0]}/{name}"


def psql(url, sql):
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql, url], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"psql: {done.stderr.strip()}")
    return done.stdout.strip()


def figures(url):
    """What the server counts: rows inserted and deleted by table, rolled back transactions, deadlocks, attempts beyond the first."""
    psql(url, "SELECT pg_stat_force_next_flush()")
    counted = collections.Counter()
    for table in TABLES:
        sql = f"SELECT n_tup_ins, n_tup_del FROM pg_stat_user_tables WHERE schemaname = 'recovery' AND relname = '{table}'"
        counted[f"{table} inserted"], counted[f"{table} deleted"] = map(int, psql(url, sql).split("|"))
    sql = "SELECT xact_rollback, deadlocks FROM pg_stat_database WHERE datname = 'drained'"
    counted["rolled back"], counted["deadlocks"] = map(int, psql(url, sql).split("|"))
    counted["settled"] = int(psql(url, "SELECT count(*) FROM recovery.queue_settled"))
    counted["pending"] = int(psql(url, "SELECT (SELECT count(*) FROM recovery.queue_pending) + (SELECT count(*) FROM recovery.queue_parked)"))
    counted["attempts"] = int(psql(url, "SELECT coalesce(sum(attempts), 0) FROM recovery.queue_settled"))
    return counted


def drained(url, folder, processes, more):
    """Lets so many processes drain a copy of the queue; returns what each reported, what sessions waited for, and the server's figures."""
    psql(url, "DROP DATABASE IF EXISTS drained")
    psql(url, "CREATE DATABASE drained TEMPLATE filled")
    copy = database(url, "drained")
    psql(copy, "ANALYZE")
    psql(copy, "CHECKPOINT")
    before = figures(copy)
    watch = subprocess.Popen(["psql", "-XqAt", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    watch.stdin.write(WATCH)
    watch.stdin.flush()
    runs = []
    for number in range(processes):
        command = [PROGRAMS / "recover_leads", "--quiet", "--database-url", copy, "--json", folder / f"{number}.json", *more]
        runs.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder))
    said = [run.communicate()[1] for run in runs]
    watch.terminate()
    waits = collections.Counter(line for line in watch.communicate()[0].splitlines() if line)
    if any(run.returncode for run in runs):
        raise SystemExit(f"recover_leads ended with {[run.returncode for run in runs]}: {said}")
    told = [json.loads((folder / f"{number}.json").read_text()) for number in range(processes)]
    after = figures(copy)
    return told, waits, {name: after[name] - before[name] for name in after}, after["pending"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=200_000)
    parser.add_argument("--persons", type=int, default=200_000)
    parser.add_argument("--processes", default="1,2,4,8")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--batch-size", type=int)
    args = parser.parse_args()
    more = ["--batch-size", str(args.batch_size)] if args.batch_size else []
    counts = [int(count) for count in args.processes.split(",")]
    with tempfile.TemporaryDirectory() as folder, Server() as url:
        folder = pathlib.Path(folder)
        generate(folder, args.persons, args.leads, 0.05)
        psql(url, "CREATE DATABASE filled")
        # One lead is recovered, so that what is made once is made before the copies.
        filled = [PROGRAMS / "recovery_cycle", "--quiet", "--database-url", database(url, "filled"), "--leads", "leads.csv", "--persons",
                  "persons.csv", "--limit", "1", "--report", "report.html"]
        ran = subprocess.run(filled, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder)
        if not (folder / "report.html").exists():
            raise SystemExit(f"recovery_cycle ended with {ran.returncode}: {ran.stderr}")
        print(f"{args.leads:,} leads, {args.persons:,} persons, one server, {args.turns} turns")
        speeds = collections.defaultdict(list)
        for turn in range(args.turns):
            for processes in counts:
                told, waits, counted, left = drained(url, folder, processes, more)
                claimed = sum(run["claimed"] for run in told)
                seconds = max(next(stage["seconds"] for stage in run["stages"] if stage["stage"] == "drain") for run in told)
                speeds[processes].append(claimed / seconds)
                shares = " ".join(str(run["claimed"]) for run in told)
                print(f"turn {turn + 1}, {processes} processes: {claimed / seconds:8,.0f} leads/s in {seconds:.1f} s; claimed {claimed:,} ({shares}), left {left}")
                twice = {
                    "claims": claimed - counted["settled"],
                    "settled rows": counted["queue_settled inserted"] - counted["settled"],
                    "attempts counted": counted["attempts"],
                    "rolled back": counted["rolled back"],
                    "deadlocks": counted["deadlocks"],
                }
                print("    twice: " + ", ".join(f"{name} {count}" for name, count in twice.items()))
                active = sum(count for event, count in waits.items() if not event.startswith("waiting "))
                print("    sessions at work: " + ", ".join(f"{event} {count / max(active, 1):.1%}" for event, count in waits.most_common(8)))
        one = statistics.median(speeds[counts[0]])
        for processes, found in speeds.items():
            print(f"{processes} processes: {statistics.median(found):8,.0f} leads/s, {statistics.median(found) / one:.2f} of {counts[0]}")


if __name__ == "__main__":
    main()
