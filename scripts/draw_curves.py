"""Draw the figures that every benchmark has, from its curves, its metrics and the tests of its curves."""

from emergence import attribution, figures, metrics, tables
from emergence.logs import run


def main():
    params, given, output = snakemake.params, snakemake.input, snakemake.output
    catalogue = metrics.load(given.metrics)
    every, thresholds = tables.read("curves", given.curves), tables.read("emergence_thresholds", given.thresholds)
    curves = attribution.over(every, **params.answers_over)
    by_metric, thresholds = (
        tables.read("emergence_by_metric", given.by_metric),
        tables.read("emergence_thresholds", given.thresholds),
    )
    swaps, comparisons = tables.read("metric_swaps", given.swaps), tables.read("swap_comparisons", given.comparisons)
    q_values, discoveries = tables.read("q_values", given.q_values), tables.read("discoveries_by_metric", given.discoveries)
    figures.style()
    drawn = {
        "emergence_by_metric": figures.emergence_by_metric(curves, by_metric, params.threshold),
        "emergence_thresholds": figures.emergence_thresholds(thresholds),
        # a swap may lead to a metric that the other answers leave out
        "metric_swaps": figures.metric_swaps(every, swaps, catalogue, params.scale_label),
        "sharpest_curves": figures.sharpest_curves(curves, catalogue, params.scale_label, params.sharpest_curves),
        "null_models": figures.null_models(q_values, discoveries, catalogue, params.rate),
        "swap_comparisons": figures.swap_comparisons(swaps, comparisons, catalogue),
        "predictability": figures.predictability(tables.read("predictability", given.predictability), catalogue),
        "resolution": figures.resolution(tables.read("examples_needed", given.examples_needed)),
        "variation": figures.variation(tables.read("variation", given.variation)),
    }
    for name, (figure, data) in drawn.items():
        figures.save(figure, data, output[f"{name}_svg"], output[f"{name}_png"], output[f"{name}_csv"], params.dpi)


run(main, snakemake.log[0])
