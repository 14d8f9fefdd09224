"""Draw the figures of the tests: null models, predictability, resolution, comparisons of metrics, variation."""

from emergence import figures, metrics, tables
from emergence.logs import run


def main():
    params, given, output = snakemake.params, snakemake.input, snakemake.output
    catalogue = metrics.load(given.metrics)
    q_values, discoveries = tables.read("q_values", given.q_values), tables.read("discoveries_by_metric", given.discoveries)
    swaps, comparisons = tables.read("metric_swaps", given.swaps), tables.read("swap_comparisons", given.comparisons)
    figures.style()
    drawn = {
        "null_models": figures.null_models(q_values, discoveries, catalogue, params.rate),
        "predictability": figures.predictability(tables.read("predictability", given.predictability), catalogue),
        "resolution": figures.resolution(tables.read("examples_needed", given.examples_needed)),
        "swap_comparisons": figures.swap_comparisons(swaps, comparisons, catalogue),
        "variation": figures.variation(tables.read("variation", given.variation)),
    }
    for name, (figure, data) in drawn.items():
        figures.save(figure, data, output[f"{name}_svg"], output[f"{name}_png"], output[f"{name}_csv"], params.dpi)


run(main, snakemake.log[0])
