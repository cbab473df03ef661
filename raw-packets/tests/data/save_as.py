#!/usr/bin/env python3
"""Opens issued packets in LibreOffice, fills them in as a person types, and saves them in many forms.

usage: python3 save_as.py ISSUED_DIR OUT_DIR LOCALE      (LOCALE: en-US or es-ES)

Needs `libreoffice-calc` and `python3-uno`. README.md says how the issued packets are made.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uno
from com.sun.star.beans import PropertyValue

# What a person types into the cells of row 2, by column, in the way of the country.
TYPED = {
    "en-US": {4: "2025-03-31", 6: "1200", 7: "300", 8: "60", 9: "182.5"},
    "es-ES": {4: "31/03/2025", 6: "1200", 7: "300", 8: "60", 9: "182,5"},
}
QUOTE = "En el año 2024 se presentaron 1.200 recursos; se estimaron 300."

# Saved form: extension, filter, options of the filter (delimiter, quote, character set, first line,
# columns, language, quote all, detect numbers, as shown).
FORMS = {
    "xlsx": ("xlsx", "Calc MS Excel 2007 XML", ""),
    "ods": ("ods", "calc8", ""),
    "comma-utf8": ("csv", "Text - txt - csv (StarCalc)", "44,34,76,1,,0,false,true,true"),
    "semicolon-utf8": ("csv", "Text - txt - csv (StarCalc)", "59,34,76,1,,0,false,true,true"),
    "semicolon-win1252": ("csv", "Text - txt - csv (StarCalc)", "59,34,1,1,,0,false,true,true"),
    "tab-utf16": ("csv", "Text - txt - csv (StarCalc)", "9,34,65535,1,,0,false,true,true"),
    "quoted-utf8": ("csv", "Text - txt - csv (StarCalc)", "44,34,76,1,,0,true,true,true"),
}

SYSTEM_LOCALE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale"><value>{}</value></prop></item>
</oor:items>"""


def properties(**values):
    return tuple(PropertyValue(Name=name, Value=value) for name, value in values.items())


def connect(profile, pipe):
    office = subprocess.Popen(
        ["soffice", "--headless", "--norestore", "--nologo", f"-env:UserInstallation=file://{profile}",
         f"--accept=pipe,name={pipe};urp;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext(
        "com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(120):
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return office, context.ServiceManager.createInstanceWithContext(
                "com.sun.star.frame.Desktop", context)
        except Exception:
            time.sleep(0.5)
    sys.exit("the office program did not start")


def main():
    issued, out, locale = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
    profile = Path(tempfile.mkdtemp())
    (profile / "user").mkdir()
    (profile / "user" / "registrymodifications.xcu").write_text(SYSTEM_LOCALE.format(locale))
    office, desktop = connect(profile, f"packets-{locale}")
    try:
        for path in sorted(issued.iterdir()):
            delimiter = "59" if path.stem == "excel-eu" else "44"
            # As the import dialogue proposes it: UTF-8, standard columns, special numbers detected.
            load = properties(Hidden=True) if path.suffix == ".xlsx" else properties(
                Hidden=True, FilterName="Text - txt - csv (StarCalc)",
                FilterOptions=f"{delimiter},34,76,1,,0,false,true")
            document = desktop.loadComponentFromURL(path.as_uri(), "_blank", 0, load)
            sheet = document.Sheets.getByIndex(0)
            for column, typed in TYPED[locale].items():
                sheet.getCellByPosition(column, 1).setPropertyValue("FormulaLocal", typed)
            sheet.getCellByPosition(5, 1).setString(QUOTE)
            for form, (extension, filter_name, options) in FORMS.items():
                target = out / f"{path.stem}__{locale}__{form}.{extension}"
                document.storeToURL(target.as_uri(), properties(
                    FilterName=filter_name, FilterOptions=options))
            document.close(True)
    finally:
        try:
            desktop.terminate()
        except Exception:
            pass
        office.wait(60)


main()
