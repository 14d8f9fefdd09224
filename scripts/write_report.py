"""Write the report and the terminal's summary from the tables and figures of all benchmarks."""

import json
from pathlib import Path

from emergence.io import tables
from emergence.io.logs import run
from emergence.report import page


def main():
    params, output = snakemake.params, snakemake.output
    provenance = json.loads(Path(snakemake.input.provenance).read_text(encoding="utf-8"))
    html, summary = page.study_report(params.study, Path(output.report).parent, params.figures, params.titles, provenance)
    for path, text in ((output.report, html), (output.summary, summary)):
        with tables.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


run(main, snakemake.log[0])
