"""Read what the models of a benchmark answered into its table of outputs, with an account of every example."""

from emergence.ingest import trees
from emergence.io import tables
from emergence.io.logs import logger, run
from emergence.outputs import pipeline


def main():
    part = trees.part(snakemake.wildcards.get("scatteritem"))
    block = dict(snakemake.params.block)
    account, inputs = pipeline.ingest(snakemake.wildcards.benchmark, block, snakemake.output.outputs, part)
    tables.write(account, "outputs_account", snakemake.output.account)
    tables.write(inputs, "outputs_inputs", snakemake.output.inputs)
    counts = account.groupby("outcome")["n"].sum()
    outcomes = ("read", "kept", "merged", "empty", "left_out", "refused")
    shown = ", ".join(f"{counts[outcome]:,} {outcome.replace('_', ' ')}" for outcome in outcomes if counts.get(outcome))
    logger.info("%s: examples: %s", snakemake.wildcards.benchmark, shown)


run(main, snakemake.log[0])
