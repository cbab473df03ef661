#!/bin/sh
# The way of leads that people decide, on sample data: recover, give out, fill in, load, look, undo.
#
#   examples/review_trip.sh [DATABASE_URL]
#
# Runs in a folder of its own. The runners are called by their names where they are installed, else by cargo.
set -eu
database=${1:-review_trip.sqlite}

runner() {
    name=$1
    shift
    if command -v "$name" >/dev/null; then
        "$name" --database-url "$database" "$@"
    else
        cargo run --quiet --release -p reference-runners --example "$name" -- --database-url "$database" "$@"
    fi
}

# Prints what stands at a place of a JSON file.
read_json() { python3 -c 'import functools, json, sys
print(functools.reduce(lambda found, key: found[key], sys.argv[2:], json.load(open(sys.argv[1]))))' "$@"; }

# Looks at the whole with the guardrails, which must hold, and prints how many leads are left.
left() {
    runner verify_guardrails --allow-inconclusive --format json --output "$1" >/dev/null
    read_json "$1" kpi left
}

# Everything that is known of the leads, but for when somebody looked.
picture() {
    python3 -c 'import csv; print("\n".join(row["lead"] for row in csv.DictReader(open("leads-of-the-trip.csv"))))' |
        while read -r lead; do
            runner queue_admin lead show "$lead" --json shown.json >/dev/null
            python3 -c 'import json; lead = json.load(open("shown.json"))
print(*(lead[key] for key in ("source_pk", "status", "fail_reason", "person_key")))'
        done
}

runner recovery_cycle --json cycle.json >/dev/null
before=$(left before.json)
echo "$before leads are left after the recovery"

runner export_review --form plain --limit 8 --out-dir review --reviewers ana --json export.json >/dev/null
# Five are the first person shown, two are nobody who is shown, one is put off.
python3 - review leads-of-the-trip.csv <<'FILL'
import csv, pathlib, sys

folder, listed = pathlib.Path(sys.argv[1]), sys.argv[2]
decisions = iter(["link"] * 5 + ["none of these"] * 2 + ["later"])
leads = []
for packet in sorted(folder.glob("*.csv")):
    with open(packet, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns, rows = reader.fieldnames, list(reader)
    for row in rows:
        row["decision"] = next(decisions, "")
        row["decided_by"] = "ana" if row["decision"] else ""
        row["person_key"] = row["candidate_1"] if row["decision"] == "link" else ""
        leads.append({"lead": row["lead"]})
    with open(packet, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
with open(listed, "w", newline="") as file:
    writer = csv.DictWriter(file, ["lead"])
    writer.writeheader()
    writer.writerows(leads)
FILL
picture >before.txt

runner load_review review --by ana --json load.json >/dev/null
decided=$(read_json load.json receipt linked)
after=$(left after.json)
[ "$((before - after))" -eq "$decided" ] || { echo "the backlog fell from $before to $after, and $decided were linked" >&2; exit 1; }
echo "the backlog fell by the $decided leads that were decided: $after are left, and the guardrails hold"

runner load_review --undo "$(read_json load.json receipt load)" >/dev/null
[ "$(left undone.json)" -eq "$before" ] || { echo "the undo did not bring the backlog back" >&2; exit 1; }
picture >undone.txt
diff before.txt undone.txt >&2
echo "undone: all is as it was before"
