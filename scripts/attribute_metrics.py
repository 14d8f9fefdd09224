"""Which metrics have sharp curves, what changing the metric does to a curve, and what the variation in sharpness goes with."""

from emergence import attribution, metrics, pairs, summaries, tables, variation
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
    everywhere = attribution.over(curves, params.answers_over["entries"])
    swaps = pairs.swaps(everywhere, catalogue)
    tables.write(swaps, "metric_swaps", snakemake.output.swaps)
    sizes = {"resamples": params.resamples, "seed": params.seed, "level": params.level}
    compared = summaries.swap_comparisons(swaps, catalogue, params.emergence["threshold"], **sizes)
    tables.write(compared, "swap_comparisons", snakemake.output.comparisons)
    ranked = everywhere.assign(emergence_score=summaries.with_infinite(everywhere["emergence_score"], everywhere["status"]))
    shares = variation.variation_shares(ranked, permutations=params.resamples, seed=params.seed)
    tables.write(shares, "variation", snakemake.output.variation)


run(main, snakemake.log[0])
