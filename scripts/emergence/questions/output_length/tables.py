"""Curves that are made by the length of outputs or by a few examples, by metric."""

import pandas as pd

from emergence.outputs.flags import SHARP


def compute(given):
    """See emergence.questions."""
    return {"output_flags_by_metric": by_metric(given.table("output_flags"))}


def by_metric(flags):
    """Count the flags of each metric. flags: the table `output_flags`. Returns a data frame."""
    if flags.empty:
        return pd.DataFrame()
    flags = flags.assign(sharp=flags["relative_emergence"] >= SHARP)
    counts = flags.groupby("metric", sort=True).agg(
        n_curves=("sharp", "size"),
        n_sharp=("sharp", "sum"),
        n_length_made=("length_made", "sum"),
        n_few_examples=("few_examples", "sum"),
        median_effective_examples=("effective_examples", "median"),
    )
    return counts.reset_index()
