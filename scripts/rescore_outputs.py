"""Score the outputs of a benchmark under every metric, and answer what is asked of single examples."""

from emergence.io import tables
from emergence.io.logs import logger, run
from emergence.outputs import assessment, parity, rescoring
from emergence.study import metric_catalogue


def main():
    name, params = snakemake.wildcards.benchmark, snakemake.params
    catalogue = metric_catalogue.frame(params.metrics)
    whole = snakemake.wildcards.get("scatteritem") is None
    path, study = snakemake.input.outputs, params.study
    made = rescoring.tables_of(name, params.block, path, catalogue, params.catalogue, whole)
    made |= assessment.tables_of(
        name, params.block, path, catalogue, study["seed"], study["resamples"], study["confidence_level"]
    )
    for table, frame in made.items():
        tables.write(frame, table, snakemake.output[table])
    outcomes = ", ".join(f"{n:,} {outcome}" for outcome, n in made["rescoring_account"]["outcome"].value_counts().items())
    differ = int((made["metric_parity"]["status"] == parity.DIFFERENT).sum())
    logger.info("%s: scores from outputs: %s; %s of the files' own values differ", name, outcomes or "none", f"{differ:,}")
    flagged = made["output_flags"][["few_examples", "length_made"]].sum()
    text = "%s: %s pairs of metrics on the same outputs; %s curves of few examples, %s made by the length of outputs"
    logger.info(text, name, *(f"{n:,}" for n in (len(made["same_outputs"]), *flagged)))


run(main, snakemake.log[0])
