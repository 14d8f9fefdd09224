"""Put the tables of all shards together, sorted as if they had been made at once."""

from emergence.ingest import pipeline
from emergence.io import tables
from emergence.io.logs import run


def main():
    if snakemake.output.get("ingest_account"):
        # a shard may well be empty, all of them together not
        accounts = [tables.read("ingest_account", path) for path in snakemake.input.ingest_account]
        pipeline.stop_without_scores(snakemake.wildcards.benchmark, accounts)
    for name, path in snakemake.output.items():
        tables.gather(name, snakemake.input[name], path)


run(main, snakemake.log[0])
