"""Reads every format of a guardrails report with a third party's parser or schema.

usage: validate_guardrails.py DIRECTORY [SCHEMA]

DIRECTORY holds report.json, report.xml, report.sarif, report.om, report.md and report.html, and
optionally facet.json. Ends with 1 and says why where a parser refuses one or the figures differ.
"""

import json
import pathlib
import sys

import html5lib
import jsonschema
from junitparser import JUnitXml
from markdown_it import MarkdownIt
from openlineage.client.facet_v2 import data_quality_assertions_dataset as facets
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from sarif import loader


def main(directory, schema):
    read = lambda name: (directory / name).read_text(encoding="utf-8")

    report = json.loads(read("report.json"))
    rules = json.loads(schema.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(rules)
    jsonschema.Draft202012Validator(rules).validate(report)
    verdicts = {check["assertion"]: check["verdict"] for check in report["checks"]}
    count = lambda *which: sum(verdict in which for verdict in verdicts.values())

    junit = JUnitXml.fromfile(str(directory / "report.xml"))
    junit.update_statistics()
    assert junit.tests == len(verdicts), "junit: tests"
    assert junit.failures == count("fail"), "junit: failures"
    assert junit.errors == count("error"), "junit: errors"
    assert junit.skipped == count("inconclusive"), "junit: skipped"

    sarif = loader.load_sarif_file(str(directory / "report.sarif"))
    found = sarif.get_results()
    assert len(found) == len(verdicts) - count("error"), "sarif: results"
    assert sum(r["level"] == "error" for r in found) == count("fail"), "sarif: errors"

    families = {f.name: f for f in text_string_to_metric_families(read("report.om"))}
    states = {
        s.labels["check"]: s.labels["guardrail_verdict"]
        for s in families["guardrail_verdict"].samples
        if s.value == 1
    }
    assert states == verdicts, "openmetrics: verdicts"

    tokens = MarkdownIt("commonmark").enable("table").parse(read("report.md"))
    first = next(i for i, t in enumerate(tokens) if t.type == "tbody_open")
    last = next(i for i, t in enumerate(tokens) if t.type == "tbody_close")
    rows = sum(t.type == "tr_open" for t in tokens[first:last])
    assert rows == len(verdicts), "markdown: rows"

    # Strict: the first deviation from the HTML standard's syntax raises.
    page = html5lib.HTMLParser(strict=True).parse(read("report.html"))
    space = "{http://www.w3.org/1999/xhtml}"
    assert not list(page.iter(f"{space}script")), "html: scripts"
    assert len(list(page.iter(f"{space}h1"))) == 1, "html: one heading"

    facet = directory / "facet.json"
    if facet.exists():
        for record in json.loads(facet.read_text(encoding="utf-8"))["assertions"]:
            facets.Assertion(**record)
    print(f"{directory}: {len(verdicts)} checks read back from every format")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    here = pathlib.Path(__file__).resolve().parent
    default = here.parent / "guardrails" / "schema" / "suite-report.schema.json"
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else default)
