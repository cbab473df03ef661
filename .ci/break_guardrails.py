"""Proves that the validator looks: breaks each format of a good report, and insists that it is refused.

usage: break_guardrails.py DIRECTORY   (as validate_guardrails.py takes it; it is not changed)
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

# What is broken in which file; each is a mistake that a writer could make.
BREAKS = [
    ("report.json", '"verdict": "', '"verdict": "x', "a verdict that the schema does not know"),
    ("report.json", '"samples_total"', '"samples_totl"', "a required field is gone"),
    ("report.xml", "</testsuite>", "", "an element is not closed"),
    ("report.xml", "<failure", "<skipped", "a failure is told as skipped"),
    ("report.sarif", '"runs"', '"run"', "a required property is gone"),
    ("report.sarif", '"level": "error"', '"level": "note"', "an error is told as a note"),
    ("report.om", "# EOF", "", "the end is missing"),
    ("report.om", "# TYPE guardrail_verdict stateset", "# TYPE guardrail_verdict counter", "a wrong type"),
    ("report.md", "|---|---|---|", "", "a table without its rule"),
    ("report.html", "</h1>", "", "an element is not closed"),
    ("report.html", "<main>", "<main><script></script>", "a script"),
]


def main(good):
    validator = pathlib.Path(__file__).with_name("validate_guardrails.py")
    for name, what, by, why in BREAKS:
        text = (good / name).read_text(encoding="utf-8")
        if what not in text:
            sys.exit(f"{name}: {what!r} is not there to be broken")
        with tempfile.TemporaryDirectory() as folder:
            broken = pathlib.Path(folder) / "broken"
            shutil.copytree(good, broken)
            (broken / name).write_text(text.replace(what, by, 1), encoding="utf-8")
            done = subprocess.run([sys.executable, validator, broken], capture_output=True)
        if done.returncode == 0:
            sys.exit(f"{name}: {why}, and the validator let it pass")
    print(f"{good}: {len(BREAKS)} broken reports were refused")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
