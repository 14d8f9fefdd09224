"""Claims by preferred metric, and against the base rate."""

from emergence.questions import figures


def draw(given):
    """See emergence.questions."""
    claims = given.table("claims_by_metric")
    return {"claims_by_metric": figures.claims_by_metric(claims), "base_rates": figures.base_rates(claims)}
