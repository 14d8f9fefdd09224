"""Which metrics have sharp curves, and what changing the metric does to a curve."""

from emergence import attribution, metrics, pairs, tables
from emergence.logs import run


def main():
    params = snakemake.params
    catalogue = metrics.load(snakemake.input.metrics)
    curves = tables.read("curves", snakemake.input.curves)
    by_metric = attribution.by_metric(curves, catalogue, params.emergence["threshold"], params.level)
    over_thresholds = attribution.over_thresholds(curves, params.emergence["thresholds"], params.level)
    tables.write(by_metric, "emergence_by_metric", snakemake.output.by_metric)
    tables.write(over_thresholds, "emergence_thresholds", snakemake.output.thresholds)
    tables.write(pairs.swaps(curves, catalogue), "metric_swaps", snakemake.output.swaps)


run(main, snakemake.log[0])
