"""Fills cells of a workbook's first sheet as a program does: usage: fill_workbook.py FILE.xlsx < ANSWERS.json

The answers are an object: by key of the second column, the texts to write by the name of the column in the header's order:
{"header": ["packet", "lead", ...], "rows": {"L-00": {"decision": "link"}}}
"""

import json
import shutil
import sys
import xml.etree.ElementTree as ET
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
NS = {"m": MAIN}


def letters(at):
    text = ""
    while at >= 0:
        text, at = chr(ord("A") + at % 26) + text, at // 26 - 1
    return text


def main():
    path, answers = sys.argv[1], json.load(sys.stdin)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    shared = []
    if "xl/sharedStrings.xml" in parts:
        for item in ET.fromstring(parts["xl/sharedStrings.xml"]).findall("m:si", NS):
            shared.append("".join(text.text or "" for text in item.iter(f"{{{MAIN}}}t")))
    ET.register_namespace("", MAIN)
    ET.register_namespace("r", "http://schemas.openxmlformats.org/officeDocument/2006/relationships")
    sheet = ET.fromstring(parts["xl/worksheets/sheet1.xml"])

    def text(cell):
        if cell.get("t") == "s":
            return shared[int(cell.find("m:v", NS).text)]
        return "".join(part.text or "" for part in cell.iter() if part.tag.endswith(("}t", "}v")))

    filled = 0
    for row in sheet.find("m:sheetData", NS).findall("m:row", NS):
        cells = {cell.get("r").rstrip("0123456789"): cell for cell in row.findall("m:c", NS)}
        key = text(cells["B"]) if "B" in cells else ""
        for column, value in answers["rows"].get(key, {}).items():
            name = letters(answers["header"].index(column))
            if name not in cells:
                sys.exit(f"row {row.get('r')} has no cell {name}")
            cell = cells[name]
            for child in list(cell):
                cell.remove(child)
            cell.set("t", "inlineStr")
            inline = ET.SubElement(ET.SubElement(cell, f"{{{MAIN}}}is"), f"{{{MAIN}}}t")
            inline.text = value
            filled += 1
    if filled != sum(len(row) for row in answers["rows"].values()):
        sys.exit(f"only {filled} cells were found")
    parts["xl/worksheets/sheet1.xml"] = ET.tostring(sheet, xml_declaration=True, encoding="UTF-8")
    with zipfile.ZipFile(path + ".new", "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in parts.items():
            book.writestr(name, data)
    shutil.move(path + ".new", path)


main()
