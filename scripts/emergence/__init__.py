"""The library of the workflow: plain functions of arrays and data frames, with no Snakemake in it."""

__version__ = "0.9.0"
