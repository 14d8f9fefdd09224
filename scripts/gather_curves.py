"""Put the curves of all shards together, sorted as if they had been computed at once."""

from emergence.io import tables
from emergence.io.logs import run


def main():
    tables.gather("curves", snakemake.input.curves, snakemake.output.curves)


run(main, snakemake.log[0])
