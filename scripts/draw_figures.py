"""Draw the figures of a benchmark: from its curves, its metrics, the tests of its curves and, where there are any, its claims."""

from emergence.curves import frames
from emergence.io import tables
from emergence.io.logs import run
from emergence.questions import figures
from emergence.study import metric_catalogue


def main():
    params, output = snakemake.params, snakemake.output

    def table(name):
        return tables.read(name, snakemake.input[name])

    catalogue = metric_catalogue.load(snakemake.input.metrics)
    every, swaps = table("curves"), table("metric_swaps")
    curves = frames.over(every, **params.answers_over)
    figures.style()
    drawn = {
        "emergence_by_metric": figures.emergence_by_metric(curves, table("emergence_by_metric"), params.threshold),
        "emergence_thresholds": figures.emergence_thresholds(table("emergence_thresholds")),
        # a swap may lead to a metric that the other answers leave out
        "metric_swaps": figures.metric_swaps(every, swaps, catalogue, params.scale_label),
        "sharpest_curves": figures.sharpest_curves(curves, catalogue, params.scale_label, params.sharpest_curves),
        "null_models": figures.null_models(table("q_values"), table("discoveries_by_metric"), catalogue, params.rate),
        "swap_comparisons": figures.swap_comparisons(swaps, table("swap_comparisons"), catalogue),
        "predictability": figures.predictability(table("predictability"), catalogue),
        "resolution": figures.resolution(table("examples_needed")),
        "variation": figures.variation(table("variation")),
    }
    if snakemake.input.get("claims_by_metric"):
        claims = table("claims_by_metric")
        drawn |= {"claims_by_metric": figures.claims_by_metric(claims), "base_rates": figures.base_rates(claims)}
    for name, (figure, data) in drawn.items():
        figures.save(figure, data, output[f"{name}_svg"], output[f"{name}_png"], output[f"{name}_csv"], params.dpi)


run(main, snakemake.log[0])
