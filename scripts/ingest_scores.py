"""Read a benchmark's files into the score table, with an account of everything that was read."""

from pathlib import Path

from emergence.ingest import accounts, pipeline, trees
from emergence.io import tables
from emergence.io.logs import logger, run
from emergence.study import metric_catalogue


def main():
    given, params, output = snakemake.input, snakemake.params, snakemake.output
    # the files that the block names are the inputs, under the same paths
    block = dict(params.block)
    if given.get("checkout"):
        block["directory"] = str(Path(given.checkout[0]).with_name("checkout"))
    catalogue = metric_catalogue.frame(params.metrics)
    part = trees.part(snakemake.wildcards.get("scatteritem"))
    scores, account, inputs = pipeline.ingest(snakemake.wildcards.benchmark, block, params.catalogue, part, catalogue)
    if part is None:
        pipeline.stop_without_scores(snakemake.wildcards.benchmark, [account])
    tables.write(scores, "scores", output.scores)
    tables.write(account, "ingest_account", output.ingest_account)
    tables.write(inputs, "inputs", output.inputs)
    logger.info("%s: scores: %s", snakemake.wildcards.benchmark, accounts.in_words(account))


run(main, snakemake.log[0])
