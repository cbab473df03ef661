#!/usr/bin/env python3
"""Matches leads to persons on a Spark cluster: Spark joins, `keys` and `decide` run as its workers' programs.

    spark-submit --master spark://HOST:7077 spark_match.py --leads leads.csv --persons persons.csv --out decisions \\
        --secret-file secret

Each worker needs `keys` and `decide`, built with Arrow, and the secret's file at the same place. Whatever one of them
refuses fails its task, and with it the job: nothing is half decided.
"""

import argparse
import os
import pathlib
import subprocess
import threading

import pyarrow as pa
from pyspark.sql import SparkSession

HERE = pathlib.Path(__file__).resolve().parent
STEPS = {step: (HERE / "sql" / name).read_text() for step, name in [
    ("holders", "1_holders.sql"), ("candidates", "2_candidates.sql"), ("groups", "3_groups.sql")]}
KEYS = ("record string, part bigint, kind string, form string, hi bigint, lo bigint, list_up_to bigint, "
        "sealed string, stamp string")
DECISIONS = ("source_pk string, status string, person_key string, match_rule string, confidence string, "
             "fail_reason string, evidence string, record_digest string, stamp string")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", required=True, help="the leads, as leads.csv; a folder or pattern too")
    parser.add_argument("--persons", required=True, help="the persons, as persons.csv; a folder or pattern too")
    parser.add_argument("--out", required=True, help="the folder of the decisions, as CSV")
    parser.add_argument("--secret-file", required=True, help="32 hexadecimal digits")
    parser.add_argument("--region", default="PE")
    parser.add_argument("--policy")
    parser.add_argument("--programs", default=".", help="the folder of `keys` and `decide` on each worker")
    return parser.parse_args()


def through(command):
    """Makes a function that pipes the record batches of a partition through a program, as Arrow streams."""
    def run(batches):
        first = next(batches, None)
        if first is None:
            return
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            said, broken = [], []

            def feed():
                try:
                    with process.stdin, pa.ipc.new_stream(process.stdin, first.schema) as stream:
                        stream.write_batch(first)
                        for batch in batches:
                            stream.write_batch(batch)
                except BrokenPipeError:
                    pass  # the program has ended; its exit code says why
                except BaseException as error:  # goes on in the task's own thread
                    broken.append(error)
                    process.kill()

            threads = [threading.Thread(target=feed),
                       threading.Thread(target=lambda: said.append(process.stderr.read()))]
            for thread in threads:
                thread.start()
            try:
                yield from pa.ipc.open_stream(process.stdout)
            except pa.ArrowInvalid:
                pass  # as above
            for thread in threads:
                thread.join()
            ended = process.wait()
        if broken:
            raise broken[0]
        if ended:
            name, message = os.path.basename(command[0]), b"".join(said).decode(errors="replace").strip()
            raise RuntimeError(f"{name} ended with {ended}: {message}")
    return run


def main():
    args = arguments()
    options = ["--quiet", "--format", "arrow", "--region", args.region, "--secret-file", args.secret_file]
    options += ["--policy", args.policy] if args.policy else []
    keys, decide = (os.path.join(args.programs, name) for name in ["keys", "decide"])
    spark = SparkSession.builder.appName("identity matching").getOrCreate()
    for what, one, source in [("leads", "lead", args.leads), ("persons", "person", args.persons)]:
        records = spark.read.csv(source, header=True, multiLine=True, escape='"')
        rows = records.mapInArrow(through([keys, "--of", what, *options]), KEYS).cache()
        rows.where("part = 0").createOrReplaceTempView(what)
        rows.where("part = 1").createOrReplaceTempView(f"{one}_keys")
    for step in ["holders", "candidates", "groups"]:
        joined = spark.sql(STEPS[step])
        (joined if step == "groups" else joined.cache()).createOrReplaceTempView(step)
    groups = spark.table("groups").repartition("lead").sortWithinPartitions("lead", "part", "person")
    decisions = groups.mapInArrow(through([decide, *options]), DECISIONS)
    decisions.write.csv(args.out, header=True, mode="error", escape='"')
    spark.stop()


if __name__ == "__main__":
    main()
