"""Put the scores, the account and the list of files of all shards together, sorted as if they had been read at once."""

from emergence.io import tables
from emergence.io.logs import run


def main():
    tables.gather("scores", snakemake.input.scores, snakemake.output.scores)
    tables.join("ingest_account", snakemake.input.accounts, snakemake.output.account)
    tables.join("inputs", snakemake.input.inputs, snakemake.output.inputs)


run(main, snakemake.log[0])
