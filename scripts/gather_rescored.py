"""Put what was computed from the outputs of all shards together, sorted as if it had been computed at once."""

from emergence.io import tables
from emergence.io.logs import run
from emergence.outputs import rescoring


def main():
    for table, path in snakemake.output.items():
        tables.gather(table, snakemake.input[table], path)
    # no shard by itself knows whether another has outputs of the kind that a metric needs
    kinds = set(tables.read("rescoring_account", snakemake.output.rescoring_account)["kind"])
    rescoring.check_metrics(snakemake.params.block.get("metrics"), kinds, f"benchmarks.{snakemake.wildcards.benchmark}")


run(main, snakemake.log[0])
