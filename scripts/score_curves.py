"""Group the scores into curves and compute the emergence score and its companions for each."""

from emergence import curves, metrics, tables
from emergence.logs import logger, run


def main():
    catalogue = metrics.load(snakemake.input.metrics)
    scores = tables.read("scores", snakemake.input.scores, categories=True)
    measured = curves.measure(curves.from_scores(scores, catalogue), catalogue)
    tables.write(measured, "curves", snakemake.output.curves)
    counts = ", ".join(f"{n:,} {status}" for status, n in measured["status"].value_counts().sort_index().items())
    logger.info("%s: %s curves: %s", snakemake.wildcards.benchmark, f"{len(measured):,}", counts or "none")


run(main, snakemake.log[0])
