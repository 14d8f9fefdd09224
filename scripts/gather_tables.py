"""Put the tables of all shards together, sorted as if they had been made at once."""

from emergence.io import tables
from emergence.io.logs import run


def main():
    for name, path in snakemake.output.items():
        tables.gather(name, snakemake.input[name], path)


run(main, snakemake.log[0])
