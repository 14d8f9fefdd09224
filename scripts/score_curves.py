"""Group the scores into curves and compute the emergence score and its companions for each."""

from emergence.curves import frames
from emergence.io import tables
from emergence.io.logs import logger, run
from emergence.study import metric_catalogue


def main():
    catalogue = metric_catalogue.load(snakemake.input.metrics)
    scores = tables.read("scores", snakemake.input.scores, categories=True)
    measured = frames.measure(frames.from_scores(scores, catalogue), catalogue)
    tables.write(measured, "curves", snakemake.output.curves)
    counts = ", ".join(f"{n:,} {status}" for status, n in measured["status"].value_counts().sort_index().items())
    logger.info("%s: %s curves: %s", snakemake.wildcards.benchmark, f"{len(measured):,}", counts or "none")


run(main, snakemake.log[0])
