"""Read a benchmark's files into the score table, with an account of everything that was read."""

from emergence.ingest import pipeline, trees
from emergence.io import tables
from emergence.io.logs import logger, run


def main():
    block = dict(snakemake.params.block)
    if "git" in block:
        block["directory"] = f"results/{snakemake.wildcards.benchmark}/checkout"
    part = trees.part(snakemake.wildcards.get("scatteritem"))
    scores, account, inputs = pipeline.ingest(snakemake.wildcards.benchmark, block, snakemake.input.metrics, part)
    tables.write(scores, "scores", snakemake.output.scores)
    tables.write(account, "ingest_account", snakemake.output.account)
    tables.write(inputs, "inputs", snakemake.output.inputs)
    counts = account.groupby("outcome")["n"].sum()
    outcomes = ("read", "kept", "merged", "empty", "left_out", "refused")
    shown = ", ".join(f"{counts[outcome]:,} {outcome.replace('_', ' ')}" for outcome in outcomes if counts.get(outcome))
    logger.info("%s: scores: %s", snakemake.wildcards.benchmark, shown)


run(main, snakemake.log[0])
