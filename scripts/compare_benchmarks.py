"""Set the same metrics of all benchmarks side by side."""

from emergence.io import tables
from emergence.io.logs import run
from emergence.questions import comparison


def main():
    by_metric = {
        benchmark: tables.read("emergence_by_metric", path)
        for benchmark, path in zip(snakemake.params.benchmarks, snakemake.input.by_metric, strict=True)
    }
    tables.write(comparison.across_benchmarks(by_metric), "metrics_across_benchmarks", snakemake.output.table)


run(main, snakemake.log[0])
