"""Write the report, the terminal's summary and the description of every table, from the results of all benchmarks."""

import json
from pathlib import Path

from emergence.io import tables
from emergence.io.logs import run
from emergence.report import page
from emergence.study import documentation


def by_benchmark(names, paths):
    """{benchmark: {name: path}} from names (benchmark, name) and as many paths."""
    found = {}
    for (benchmark, name), path in zip(names, paths, strict=True):
        found.setdefault(benchmark, {})[name] = path
    return found


def main():
    given, params, output = snakemake.input, snakemake.params, snakemake.output
    inputs = page.Inputs(
        tables=by_benchmark(params.tables, given.tables),
        figures=by_benchmark(params.figures, given.figures),
        lists=by_benchmark(params.lists, given.get("lists", [])),
        study_tables=dict(zip(params.study_tables, given.study_tables, strict=True)),
        provenance=json.loads(Path(given.provenance).read_text(encoding="utf-8")),
    )
    html, summary = page.study_report(params.study, params.metrics, inputs, Path(output.report).parent)
    for path, text in ((output.report, html), (output.summary, summary), (output.tables, documentation.tables())):
        with tables.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


run(main, snakemake.log[0])
