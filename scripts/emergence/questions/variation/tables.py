"""How much of the variation in sharpness goes with the metric, the task and the model family."""

from emergence.curves import frames
from emergence.statistics import variation


def compute(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), given.block["answers_over"]["entries"])
    ranked = curves.assign(emergence_score=frames.with_infinite(curves["emergence_score"], curves["status"]))
    return {"variation": variation.variation_shares(ranked, permutations=given.study["resamples"], seed=given.study["seed"])}
