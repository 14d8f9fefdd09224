"""Write the page of all curves, and beside it the files of their points."""

from pathlib import Path

import pandas as pd

from emergence.io import contents, tables
from emergence.io.logs import run
from emergence.report import explorer
from emergence.study import metric_catalogue


def main():
    given, params = snakemake.input, snakemake.params
    curves, verdicts = (
        pd.concat([tables.read(name, path) for path in given[name]], ignore_index=True) for name in ("curves", "verdicts")
    )
    folder = Path(snakemake.output.page).parent
    explorer.write(curves, verdicts, metric_catalogue.frame(params.metrics), params.blocks, folder, **params.thresholds)
    contents.note_written(snakemake.output.points)


run(main, snakemake.log[0])
