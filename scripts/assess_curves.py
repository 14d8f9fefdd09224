"""Assess every curve: null models, predictions of hidden scales, examples needed; and every score against guessing."""

from emergence.curves import frames
from emergence.io import tables
from emergence.io.logs import logger, run
from emergence.statistics import curve_tests
from emergence.study import metric_catalogue


def main():
    params, output = snakemake.params, snakemake.output
    catalogue = metric_catalogue.load(snakemake.input.metrics)
    scores = tables.read("scores", snakemake.input.scores)
    # made anew from the scores rather than read from the scoring job, so that the two can run at once
    made = frames.from_scores(scores, catalogue)
    tables.write(curve_tests.null_model_tests(made, catalogue, params.draws, params.seed), "null_models", output.null_models)
    tables.write(curve_tests.hidden_scale_predictions(made, catalogue), "predictions", output.predictions)
    tables.write(curve_tests.examples_needed(made, catalogue), "examples_needed", output.examples_needed)
    tables.write(curve_tests.above_chance(scores, catalogue), "above_chance", output.above_chance)
    logger.info("%s: %s curves tested, %s draws each", snakemake.wildcards.benchmark, f"{len(made):,}", f"{params.draws:,}")


run(main, snakemake.log[0])
