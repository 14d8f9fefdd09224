"""Fetch the score files of a git repository at one commit, and check every one against it."""

from emergence.ingest import checkouts
from emergence.io.logs import run


def main():
    git = snakemake.params.git
    checkouts.fetch(git["url"], git["commit"], snakemake.params.checkout, snakemake.output.record)


run(main, snakemake.log[0])
