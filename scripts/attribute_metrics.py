"""Which metrics have sharp curves, and what changing the metric does to a curve."""

from emergence import attribution, metrics, pairs, tables
from emergence.logs import run


def main():
    params = snakemake.params
    catalogue = metrics.load(snakemake.input.metrics)
    curves = tables.read("curves", snakemake.input.curves)
    chosen = attribution.over(curves, **params.answers_over)
    by_metric = attribution.by_metric(chosen, catalogue, params.emergence["threshold"], params.level)
    over_thresholds = attribution.over_thresholds(chosen, params.emergence["thresholds"], params.level)
    tables.write(by_metric, "emergence_by_metric", snakemake.output.by_metric)
    tables.write(over_thresholds, "emergence_thresholds", snakemake.output.thresholds)
    tables.write(
        pairs.swaps(attribution.over(curves, params.answers_over["entries"]), catalogue), "metric_swaps", snakemake.output.swaps
    )


run(main, snakemake.log[0])
