"""The seeds of a trained family together, as rows of the table `outputs`."""

import pandas as pd

from emergence.io.logs import run
from emergence.training import shipping


def main():
    files = zip(snakemake.params.seeds, snakemake.input.answers, strict=True)
    answers = {seed: pd.read_parquet(file) for seed, file in files}
    shipping.write(shipping.outputs(snakemake.wildcards.family, answers), snakemake.output.rows)


run(main, snakemake.log[0])
