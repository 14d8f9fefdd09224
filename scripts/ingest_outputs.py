"""Read what the models of a benchmark answered into its table of outputs, with an account of every example."""

from emergence.ingest import accounts, trees
from emergence.io import tables
from emergence.io.logs import logger, run
from emergence.outputs import pipeline


def main():
    params, output = snakemake.params, snakemake.output
    # the files that the block names are the inputs, under the same paths
    block = dict(params.block)
    part = trees.part(snakemake.wildcards.get("scatteritem"))
    account, inputs = pipeline.ingest(snakemake.wildcards.benchmark, block, output.outputs, part)
    tables.write(account, "ingest_account", output.ingest_account)
    tables.write(inputs, "inputs", output.inputs)
    logger.info("%s: examples: %s", snakemake.wildcards.benchmark, accounts.in_words(account))


run(main, snakemake.log[0])
