#!/usr/bin/env python3
"""Validates issued packets with a stock `frictionless`, and proves that it finds damage.

usage: frictionless_packets.py DIR

DIR holds packets as `export_packets` issued them, with `datapackage.json` and
`return.datapackage.json`. The packets are filled in here as a person would, and each kind of damage is
done to a copy. Exit 0 when everything sound is valid and every damage is found, else 1.
"""

import csv
import io
import json
import shutil
import sys
import tempfile
from pathlib import Path

from frictionless import Package, system

FILLED = {
    "evidence_date": "2025-03-31",
    "evidence_quote": "En 2024 se presentaron 1200 recursos y se estimaron 300.",
    "recurso_presentado_count": "1200",
    "recurso_estimado_count": "300",
    "anulaciones_formales_count": "60",
    "resolution_delay_p90_days": "182.5",
}
KEY = "sanction_source_id"


class Folder:
    """A copy of the packets, filled in, that can be damaged."""

    def __init__(self, issued, fill=True):
        self.path = Path(tempfile.mkdtemp(prefix="packets-"))
        shutil.copytree(issued, self.path, dirs_exist_ok=True)
        descriptor = json.loads((self.path / "datapackage.json").read_text("utf-8"))
        self.packets = [
            r["path"] for r in descriptor["resources"]
            if isinstance(r["path"], str) and not r["path"].startswith("package/")
        ]
        resource = next(r for r in descriptor["resources"] if r["path"] == self.packets[0])
        self.delimiter = resource["dialect"]["delimiter"]
        self.mark = "," if self.delimiter == ";" else "."
        if fill:
            for name in self.packets:
                header, row = self.read(name)
                for column, value in FILLED.items():
                    number = value.replace(".", self.mark) if column.endswith("_days") else value
                    row[header.index(column)] = number
                if not row[header.index("period_date")]:
                    row[header.index("period_date")] = "2024-01-01"
                self.write(name, [header, row])

    def read(self, name=None):
        text = (self.path / (name or self.packets[0])).read_text("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter))

    def write(self, name, rows, delimiter=None, encoding="utf-8"):
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=delimiter or self.delimiter, lineterminator="\r\n").writerows(rows)
        (self.path / name).write_bytes(out.getvalue().encode(encoding))

    def cell(self, column, value, name=None):
        name = name or self.packets[0]
        header, row = self.read(name)
        row[header.index(column)] = value
        self.write(name, [header, row])

    def columns(self, change):
        rows = self.read()
        for row in rows:
            change(row)
        self.write(self.packets[0], rows)

    def validate(self, descriptor="return.datapackage.json"):
        with system.use_context(trusted=False):
            report = Package(str(self.path / descriptor)).validate()
        return sorted({error.type for task in report.tasks for error in task.errors}
                      | {error.type for error in report.errors})


def rows(change):
    """Damages the list of rows of the first packet."""
    def damage(folder):
        table = folder.read()
        change(table)
        folder.write(folder.packets[0], table)
    return damage


def cell(column, value):
    return lambda folder: folder.cell(column, value)


def columns(change):
    return lambda folder: folder.columns(change)


def another_key(folder):
    """Turns the first packet's keys into those of the second."""
    header, other = folder.read(folder.packets[1])
    _, row = folder.read()
    for column in (KEY, "source_record_id", "period_date", "period_granularity"):
        row[header.index(column)] = other[header.index(column)]
    folder.write(folder.packets[0], [header, row])


def swap_files(folder):
    first, second = (folder.path / name for name in folder.packets[:2])
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)


DAMAGE = {
    "key altered": cell(KEY, "es:sanctions:other"),
    "key cleared": cell(KEY, ""),
    "keys of another packet": another_key,
    "files swapped": swap_files,
    "record altered": cell("source_record_id", "official_review_raw:x:na:year"),
    "granularity altered": cell("period_granularity", "month"),
    "context altered": cell("organismo", "Somebody else"),
    "row deleted": rows(lambda table: table.pop()),
    "row doubled": rows(lambda table: table.append(table[-1])),
    "blank row": rows(lambda table: table.append([""] * len(table[0]))),
    "column deleted": columns(lambda row: row.pop(4)),
    "column added": columns(lambda row: row.append("x")),
    "column doubled": columns(lambda row: row.append(row[4])),
    "column renamed": rows(lambda table: table[0].__setitem__(4, "Evidence Date")),
    "cell beyond the last": rows(lambda table: table[1].append("x")),
    "number with text": cell("recurso_presentado_count", "1200 recursos"),
    "number blank": cell("recurso_presentado_count", ""),
    "number in scientific notation": cell("recurso_presentado_count", "1.2E+03"),
    "number not positive": cell("recurso_presentado_count", "0"),
    "number negative": cell("recurso_estimado_count", "-1"),
    "number a formula": cell("recurso_estimado_count", "=1+1"),
    "decimal of another country": lambda f: f.cell(
        "resolution_delay_p90_days", "182.5" if f.mark == "," else "182,5"),
    "delay not positive": cell("resolution_delay_p90_days", "0"),
    "date of another country": cell("evidence_date", "31/03/2025"),
    "date as a serial number": cell("evidence_date", "45747"),
    "date blank": cell("evidence_date", ""),
    "quotation too short": cell("evidence_quote", "short"),
    "address is none": cell("source_url", "see the web"),
    "another delimiter": lambda f: f.write(
        f.packets[0], f.read(), delimiter="," if f.delimiter == ";" else ";"),
    "another encoding": lambda f: (
        f.cell("evidence_quote", "Se estimó el recurso en 300 casos de 1200."),
        f.write(f.packets[0], f.read(), encoding="windows-1252")),
    "file missing": lambda f: (f.path / f.packets[0]).unlink(),
    "file empty": lambda f: (f.path / f.packets[0]).write_bytes(b""),
    "expected rows altered": lambda f: (f.path / "package/expected-rows.csv").write_bytes(
        (f.path / "package/expected-rows.csv").read_bytes().replace(b"sanctions", b"sanction")),
}


def main():
    issued = Path(sys.argv[1])
    failed = []

    def expect(name, found, wanted):
        if bool(found) != wanted:
            failed.append(name)
        print(f"{'ok  ' if bool(found) == wanted else 'FAIL'} {name}: {', '.join(found) or 'valid'}")

    as_issued = Folder(issued, fill=False)
    expect("as issued", as_issued.validate("datapackage.json"), False)
    expect("filled in", Folder(issued).validate(), False)
    touched = Folder(issued, fill=False)
    touched.cell("evidence_quote", "Filled in.")
    expect("touched, by its hash", touched.validate("datapackage.json"), True)
    for name, damage in DAMAGE.items():
        folder = Folder(issued)
        damage(folder)
        expect(name, folder.validate(), True)
        shutil.rmtree(folder.path)
    print(f"{len(DAMAGE) + 1} kinds of damage, {len(failed)} wrong")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
