"""Put the outputs, the account and the list of files of all shards together, sorted as if they had been read at once."""

from emergence.io import tables
from emergence.io.logs import run


def main():
    tables.gather("outputs", snakemake.input.outputs, snakemake.output.outputs)
    tables.join("outputs_account", snakemake.input.accounts, snakemake.output.account)
    tables.join("outputs_inputs", snakemake.input.inputs, snakemake.output.inputs)


run(main, snakemake.log[0])
