"""Assess every curve: null models, predictions of hidden scales, examples needed; and every score against guessing."""

from emergence import curves, metrics, tables, testing
from emergence.logs import logger, run


def main():
    params, output = snakemake.params, snakemake.output
    catalogue = metrics.load(snakemake.input.metrics)
    scores = tables.read("scores", snakemake.input.scores)
    # made anew from the scores rather than read from the scoring job, so that the two can run at once
    made = curves.from_scores(scores, catalogue)
    tables.write(testing.null_models(made, catalogue, params.draws, params.seed), "null_models", output.null_models)
    tables.write(testing.predictions(made, catalogue), "predictions", output.predictions)
    tables.write(testing.examples_needed(made, catalogue), "examples_needed", output.examples_needed)
    tables.write(testing.above_chance(scores, catalogue), "above_chance", output.above_chance)
    logger.info("%s: %s curves tested, %s draws each", snakemake.wildcards.benchmark, f"{len(made):,}", f"{params.draws:,}")


run(main, snakemake.log[0])
