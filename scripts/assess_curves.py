"""Group the scores into curves, measure how sharp each is, and test it: null models, hidden scales, size of the test set."""

from emergence.curves import frames
from emergence.ingest import trees
from emergence.io import tables
from emergence.io.logs import logger, run
from emergence.statistics import curve_tests, false_discovery
from emergence.study import metric_catalogue


def main():
    settings, seed = snakemake.params.study["null_models"], snakemake.params.study["seed"]
    draws, shared_questions = settings["draws"], settings["shared_questions"]
    output, catalogue = snakemake.output, metric_catalogue.frame(snakemake.params.metrics)
    scores = tables.read("scores", snakemake.input.scores, categories=True)
    curves = frames.measure(frames.from_scores(scores, catalogue), catalogue)
    tables.write(curves, "curves", output.curves)
    counts = ", ".join(f"{n:,} {status}" for status, n in curves["status"].value_counts().sort_index().items())
    logger.info("%s: %s curves: %s", snakemake.wildcards.benchmark, f"{len(curves):,}", counts or "none")

    # before the draws, which can take long. Shards are about equally large: the first speaks for all
    shard, n_shards = trees.part(snakemake.wildcards.get("scatteritem")) or (1, 1)
    n_family = n_shards * int(frames.counted(curves)["in_family"].sum())
    too_few = false_discovery.warn_floor(draws, n_family, about=n_shards > 1)
    if too_few and shard == 1:
        logger.warning("%s: %s", snakemake.wildcards.benchmark, too_few)

    curves = frames.attach_scatter(curves, scores)
    covariances = snakemake.input.get("score_covariance")
    if covariances:
        curves = frames.attach_covariance(curves, tables.read("score_covariance", covariances))
    for name, table in curve_tests.assess(curves, catalogue, draws, seed, shared_questions).items():
        tables.write(table, name, output[name])
    tables.write(curve_tests.above_chance(scores, catalogue), "above_chance", output.above_chance)
    logger.info("%s: %s draws for each curve", snakemake.wildcards.benchmark, f"{draws:,}")


run(main, snakemake.log[0])
