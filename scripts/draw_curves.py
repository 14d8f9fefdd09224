"""Draw the figures that every benchmark has: emergence by metric, thresholds, metric swaps, the sharpest curves."""

from emergence import figures, metrics, tables
from emergence.logs import run


def main():
    params, output = snakemake.params, snakemake.output
    catalogue = metrics.load(snakemake.input.metrics)
    curves = tables.read("curves", snakemake.input.curves)
    by_metric = tables.read("emergence_by_metric", snakemake.input.by_metric)
    thresholds = tables.read("emergence_thresholds", snakemake.input.thresholds)
    swaps = tables.read("metric_swaps", snakemake.input.swaps)
    figures.style()
    drawn = {
        "emergence_by_metric": figures.emergence_by_metric(curves, by_metric, params.threshold),
        "emergence_thresholds": figures.emergence_thresholds(thresholds),
        "metric_swaps": figures.metric_swaps(curves, swaps, catalogue, params.scale_label),
        "sharpest_curves": figures.sharpest_curves(curves, catalogue, params.scale_label, params.sharpest_curves),
    }
    for name, (figure, data) in drawn.items():
        figures.save(figure, data, output[f"{name}_svg"], output[f"{name}_png"], output[f"{name}_csv"], params.dpi)


run(main, snakemake.log[0])
