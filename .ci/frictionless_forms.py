#!/usr/bin/env python3
"""Validates issued packets of any template and form with a stock `frictionless[excel]`.

usage: frictionless_forms.py DIR [--fill]

DIR holds packets as `export_packets` issued them, as CSV or as workbooks. They are filled in as a person
would (with --fill in DIR itself), and each kind of damage is done to a copy. Exit 0 when everything
sound is valid and every damage is found, else 1.
"""

import csv
import datetime
import json
import shutil
import sys
import tempfile
from pathlib import Path

import openpyxl
from frictionless import Package, system

# What a person writes, by column; columns that a template does not have are left out.
FILLED = {
    "evidence_date": datetime.date(2025, 12, 1),
    "evidence_quote": "En 2025 se presentaron 1200 recursos y se estimaron 300.",
    "recurso_presentado_count": 1200,
    "recurso_estimado_count": 300,
    "anulaciones_formales_count": 60,
    "resolution_delay_p90_days": 182.5,
    "operator": "public",
    "water_supplied_m3": 12500.5,
    "water_lost_m3": 2500.1,
    "households_total": 1000,
    "households_connected": 990,
    "temperature_min_celsius": -3.5,
    "remarks": "Frost in the second week",
    "signed_on": datetime.date(2026, 3, 4),
    "evidence": "Meter book, page 12",
}


class Folder:
    """Packets that can be read, changed and written, whatever their form."""

    def __init__(self, path):
        self.path = Path(path)
        descriptor = json.loads((self.path / "datapackage.json").read_text("utf-8"))
        self.resources = [r for r in descriptor["resources"]
                          if isinstance(r.get("path"), str) and not r["path"].startswith("package/")]
        self.packets = [r["path"] for r in self.resources]

    def copy(self):
        target = Path(tempfile.mkdtemp(prefix="packets-"))
        shutil.copytree(self.path, target, dirs_exist_ok=True)
        return Folder(target)

    def read(self, name):
        path = self.path / name
        if path.suffix == ".xlsx":
            return [[cell.value for cell in row] for row in openpyxl.load_workbook(path)["packet"].iter_rows()]
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file, delimiter=self.resources[0]["dialect"]["delimiter"]))

    def write(self, name, table):
        path = self.path / name
        if path.suffix == ".xlsx":
            book = openpyxl.load_workbook(path)
            sheet = book["packet"]
            sheet.delete_rows(1, sheet.max_row + 1)
            for row, cells in enumerate(table, 1):
                for column, value in enumerate(cells, 1):
                    sheet.cell(row, column).value = value
            book.save(path)
            return
        mark = "," if self.resources[0]["dialect"]["delimiter"] == ";" else "."
        text = lambda v: str(v).replace(".", mark) if isinstance(v, float) else v
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=self.resources[0]["dialect"]["delimiter"])
            writer.writerows([[text(value) for value in row] for row in table])

    def fill(self):
        for name in self.packets:
            header, row = self.read(name)
            self.write(name, [header, [FILLED.get(label, value) for label, value in zip(header, row)]])

    def change(self, damage):
        table = self.read(self.packets[0])
        self.write(self.packets[0], damage(table) or table)

    def validate(self, descriptor="return.datapackage.json"):
        with system.use_context(trusted=False):
            report = Package(str(self.path / descriptor)).validate()
        return sorted({error.type for task in report.tasks for error in task.errors}
                      | {error.type for error in report.errors})


def field(folder, wanted):
    """Returns the first field of the first packet for which `wanted` holds, of the return's schema."""
    descriptor = json.loads((folder.path / "return.datapackage.json").read_text("utf-8"))
    resource = next(r for r in descriptor["resources"] if r.get("path") == folder.packets[0])
    keys = resource["schema"]["primaryKey"]
    return next(f["name"] for f in resource["schema"]["fields"] if wanted(f, keys))


def main():
    given = Folder(sys.argv[1])
    issued = given.copy()
    failed = []

    def expect(name, found, wanted):
        right = bool(found) == wanted
        if not right:
            failed.append(name)
        print(f"{'ok  ' if right else 'FAIL'} {name}: {', '.join(found) or 'valid'}")

    expect("as issued", issued.validate("datapackage.json"), False)
    filled = issued.copy()
    filled.fill()
    expect("filled in", filled.validate(), False)
    expect("filled in, by its hash", filled.validate("datapackage.json"), True)

    key = field(filled, lambda f, keys: f["name"] in keys)
    number = field(filled, lambda f, _: f["type"] in ("integer", "number") and f.get("constraints", {}).get("required"))
    date = field(filled, lambda f, keys: f["type"] == "date" and f["name"] not in keys)
    context = field(filled, lambda f, keys: "enum" in f.get("constraints", {}) and f["name"] not in keys
                    and f["type"] == "string" and len(f["constraints"]["enum"]) == 1)

    def cell(column, value):
        return lambda table: table[1].__setitem__(table[0].index(column), value)

    other = filled.read(filled.packets[1])[1]
    damages = {
        "key altered": cell(key, "another"),
        "key of another packet": lambda table: cell(key, other[table[0].index(key)])(table),
        "key cleared": cell(key, ""),
        "context altered": cell(context, "Somebody else"),
        "row deleted": lambda table: table[:1],
        "row doubled": lambda table: table + [table[1]],
        "column deleted": lambda table: [row[:-1] for row in table],
        "column renamed": lambda table: table[0].__setitem__(table[0].index(number), "Number"),
        "number with text": cell(number, "1200 of them"),
        "number negative": cell(number, -1),
        "number blank": cell(number, ""),
        "date of another country": cell(date, "31/03/2025"),
        "date blank": cell(date, ""),
    }
    for name, damage in damages.items():
        folder = filled.copy()
        folder.change(damage)
        expect(name, folder.validate(), True)
        shutil.rmtree(folder.path)
    folder = filled.copy()
    (folder.path / folder.packets[0]).unlink()
    expect("file missing", folder.validate(), True)
    if "--fill" in sys.argv:
        given.fill()
    print(f"{len(damages) + 2} kinds of damage, {len(failed)} wrong")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
