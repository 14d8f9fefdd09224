"""What is left after false-discovery control, what was predictable, how fine the test sets see."""

from emergence import attribution, metrics, summaries, tables
from emergence.logs import run


def main():
    params, given, output = snakemake.params, snakemake.input, snakemake.output
    catalogue = metrics.load(given.metrics)
    curves = attribution.over(tables.read("curves", given.curves), **params.answers_over)
    rate = params.null_models["false_discovery_rate"]
    q_values = summaries.q_values(curves, tables.read("null_models", given.null_models))
    tables.write(q_values, "q_values", output.q_values)
    tables.write(summaries.discoveries_by_metric(q_values, rate), "discoveries_by_metric", output.discoveries)
    after = summaries.thresholds_after_control(curves, q_values, params.thresholds, rate)
    tables.write(after, "thresholds_after_control", output.thresholds)
    predictions = summaries.only(tables.read("predictions", given.predictions), curves)
    tables.write(summaries.predictability_by_group(predictions, catalogue), "predictability", output.predictability)
    needed = summaries.only(tables.read("examples_needed", given.examples_needed), curves)
    above = summaries.only(tables.read("above_chance", given.above_chance), curves)
    tables.write(summaries.resolution_by_metric(above, needed), "resolution", output.resolution)


run(main, snakemake.log[0])
