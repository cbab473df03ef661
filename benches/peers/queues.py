"""Drains the recovery queue and two job queues on one PostgreSQL server with fsync on, and prints the ratios.

The recovery queue writes whole leads: claim, link, person with origin, settled row and ledger entry. The job queues run
jobs that do nothing: graphile-worker 0.18 with batching on, and apalis-postgres 1.0 in batches of 1,000.
All of them take turns on the same private server; the median of the turns counts.

    (cd benches/peers/graphile_worker && npm install)
    cargo build --release --manifest-path benches/peers/apalis/Cargo.toml
    cargo bench -p benchmarks --bench queue_ratios --no-run
    python3 benches/peers/queues.py [--jobs N] [--turns N]

Needs the server binaries of PostgreSQL (Debian: postgresql) with its extension hstore, which apalis uses.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[1] / "target"))
GRAPHILE = HERE / "graphile_worker"
APALIS = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "apalis" / "target")) / "release" / "apalis-peer"


def newest(pattern):
    """The newest built bench: Cargo puts a digest behind its name."""
    found = [path for path in (TARGET / "release" / "deps").glob(pattern) if not path.suffix]
    if not found:
        raise SystemExit(f"{pattern} is not built: see the head of this file")
    return max(found, key=lambda path: path.stat().st_mtime)


class Server:
    """A private server on a free loopback port, with the settings that it comes with."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="queues-"))
        data = self.folder / "data"
        versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        found = shutil.which("initdb")
        binaries = versions[-1] if versions else pathlib.Path(found).parent if found else None
        if binaries is None:
            raise SystemExit("initdb is not installed (Debian: postgresql)")
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": self.folder}
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            options |= {"user": "postgres", "group": "postgres", "extra_groups": []}
        initdb = [binaries / "initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D", data]
        subprocess.run(initdb, check=True, **options)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-p", str(port), "-k", "", "-c", "listen_addresses=127.0.0.1"],
            **options,
        )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"postgres://postgres@127.0.0.1:{port}/postgres"
            time.sleep(0.05)
        raise SystemExit("the server did not come up")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def output(command, **environment):
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-2000:]}")
    return done.stdout


def figure(text, pattern):
    return float(re.search(pattern, text).group(1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=200_000)
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    ratios = newest("queue_ratios-*")
    node = GRAPHILE / "node_modules" / "node" / "bin" / "node"
    found = {"bare SQL": [], "one worker": [], "two workers": [], "graphile-worker": [], "apalis": []}
    with Server() as url:
        for _ in range(args.turns):
            text = output(
                [ratios],
                TEST_POSTGRES_URL=url, QUEUE_BACKEND="postgres", QUEUE_LEADS=str(args.jobs), QUEUE_TURNS="1",
            )
            found["bare SQL"].append(figure(text, r"bare SQL (\d+)"))
            found["one worker"].append(figure(text, r"whole lead (\d+)"))
            found["two workers"].append(figure(text, r"two workers (\d+)"))
            # Which number of processes is best depends on the machine: it gets the better one.
            runs = [
                output([node, GRAPHILE / "drain.mjs", str(args.jobs), processes], DATABASE_URL=url)
                for processes in ("2", "4")
            ]
            found["graphile-worker"].append(max(json.loads(run)["per_second"] for run in runs))
            run = output([APALIS, str(args.jobs), "2"], DATABASE_URL=url)
            found["apalis"].append(json.loads(run)["per_second"])
    median = {name: statistics.median(figures) for name, figures in found.items()}
    print(f"{args.jobs} leads or jobs, median of {args.turns} turns, per second")
    for name, value in median.items():
        print(f"{name:<16} {value:>9.0f}")
    print(f"whole lead, one worker: {median['one worker'] / median['bare SQL']:.2f} of bare SQL")
    print(f"two workers: {median['two workers'] / median['one worker']:.2f} of one")
    for peer in ("graphile-worker", "apalis"):
        print(f"two workers: {median['two workers'] / median[peer]:.2f} of {peer}")


if __name__ == "__main__":
    main()
