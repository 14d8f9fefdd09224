"""Fetch the score files of a git repository at one commit, and check every one against it."""

from pathlib import Path

from emergence.ingest import checkouts
from emergence.io.logs import run


def main():
    git, record = snakemake.params.git, snakemake.output.record
    # not an output: what has been fetched must outlive a failure, so that the next try goes on from there
    checkouts.fetch(git["url"], git["commit"], Path(record).with_name("checkout"), record)


run(main, snakemake.log[0])
