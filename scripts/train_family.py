"""Train one family of small networks from one seed, and keep what each of its models answers to the test examples."""

import importlib
import os
import time

# Before NumPy and JAX are imported: one thread, since with more a library sums in another order and the rows are not the same
# again; and no search for other devices.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

from emergence.io import tables
from emergence.io.logs import logger, run


def main():
    family = importlib.import_module(f"emergence.training.{snakemake.wildcards.family}")
    answers = family.train(int(snakemake.wildcards.seed))
    with tables.replacing(snakemake.output.answers) as temporary:
        answers.to_parquet(temporary)
    logger.info("%s, seed %s: %.0f processor seconds", *snakemake.wildcards, time.process_time())


run(main, snakemake.log[0])
