"""Which metrics have sharp curves, before and after control; what a change of metric does; what was predictable."""

from emergence.curves import frames, metric_pairs
from emergence.io import tables
from emergence.io.logs import run
from emergence.questions import attribution, summaries
from emergence.statistics import variation
from emergence.study import metric_catalogue


def main():
    params, given, output = snakemake.params, snakemake.input, snakemake.output
    catalogue = metric_catalogue.load(given.metrics)
    every = tables.read("curves", given.curves)
    curves = frames.over(every, **params.answers_over)
    threshold, thresholds = params.emergence["threshold"], params.emergence["thresholds"]
    tables.write(attribution.by_metric(curves, catalogue, threshold, params.level), "emergence_by_metric", output.by_metric)
    tables.write(attribution.over_thresholds(curves, thresholds, params.level), "emergence_thresholds", output.thresholds)

    # swaps are between all metrics, also those that the other answers leave out
    of_entries = frames.over(every, params.answers_over["entries"])
    swaps = metric_pairs.swaps(of_entries, catalogue)
    tables.write(swaps, "metric_swaps", output.swaps)
    sizes = {"resamples": params.resamples, "seed": params.seed, "level": params.level}
    tables.write(summaries.swap_comparisons(swaps, catalogue, threshold, **sizes), "swap_comparisons", output.comparisons)
    ranked = of_entries.assign(emergence_score=summaries.with_infinite(of_entries["emergence_score"], of_entries["status"]))
    shares = variation.variation_shares(ranked, permutations=params.resamples, seed=params.seed)
    tables.write(shares, "variation", output.variation)

    rate = params.null_models["false_discovery_rate"]
    q_values = summaries.q_values(curves, tables.read("null_models", given.null_models))
    tables.write(q_values, "q_values", output.q_values)
    tables.write(summaries.discoveries_by_metric(q_values, rate), "discoveries_by_metric", output.discoveries)
    after = summaries.thresholds_after_control(curves, q_values, thresholds, rate)
    tables.write(after, "thresholds_after_control", output.thresholds_after)
    predictions = summaries.only(tables.read("predictions", given.predictions), curves)
    tables.write(summaries.predictability_by_group(predictions, catalogue), "predictability", output.predictability)
    needed = summaries.only(tables.read("examples_needed", given.examples_needed), curves)
    above = summaries.only(tables.read("above_chance", given.above_chance), curves)
    tables.write(summaries.resolution_by_metric(above, needed), "resolution", output.resolution)


run(main, snakemake.log[0])
