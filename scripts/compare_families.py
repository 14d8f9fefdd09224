"""Families that were trained anew beside those that come with the repository: the same rows, or E of the means within the seeds'."""

import pandas as pd

from emergence.io import tables
from emergence.io.logs import logger, run
from emergence.training import measures, shipping


def main():
    files = zip(snakemake.params.families, snakemake.input.shipped, snakemake.input.trained, strict=True)
    parts = [measures.compare(family, shipping.read(old), shipping.read(new)) for family, old, new in files]
    comparison = pd.concat(parts, ignore_index=True)
    with tables.replacing(snakemake.output.comparison) as temporary:
        tables.write_csv(comparison, temporary)
    for family, rows in comparison.groupby("family", sort=False):
        if rows["same_rows"].all():
            logger.info("%s: the same rows as those that come with the repository", family)
            continue
        outside = rows[~rows["agrees"]]
        logger.info(
            "%s: other rows; E of the mean lies between the shipped seeds for %d of %d metrics",
            family,
            rows["agrees"].sum(),
            len(rows),
        )
        for row in outside.itertuples():
            text = "%s: %s: E %.1f, outside %.1f to %.1f of the shipped seeds"
            logger.warning(text, family, row.metric, row.trained, row.lowest_seed, row.highest_seed)


run(main, snakemake.log[0])
