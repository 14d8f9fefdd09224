"""Put the tests of all shards together, sorted as if they had been made at once."""

from emergence.io import tables
from emergence.io.logs import run


def main():
    for name in (table for table, _ in snakemake.output.items()):
        tables.gather(name, snakemake.input[name], snakemake.output[name])


run(main, snakemake.log[0])
