"""The p-values under both null models."""

from emergence.questions import figures


def draw(given):
    """See emergence.questions."""
    rate = given.study["null_models"]["false_discovery_rate"]
    q_values, by_metric = given.table("q_values"), given.table("discoveries_by_metric")
    return {"null_models": figures.null_models(q_values, by_metric, given.catalogue, rate)}
