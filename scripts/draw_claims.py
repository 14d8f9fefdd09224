"""Draw the figures of a benchmark with claims: claims by metric, and the same against the base rate."""

from emergence import figures, tables
from emergence.logs import run


def main():
    claims = tables.read("claims_by_metric", snakemake.input.by_metric)
    figures.style()
    drawn = {"claims_by_metric": figures.claims_by_metric(claims), "base_rates": figures.base_rates(claims)}
    for name, (figure, data) in drawn.items():
        output = snakemake.output
        figures.save(figure, data, output[f"{name}_svg"], output[f"{name}_png"], output[f"{name}_csv"], snakemake.params.dpi)


run(main, snakemake.log[0])
