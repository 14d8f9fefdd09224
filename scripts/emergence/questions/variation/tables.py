"""How much of the variation in sharpness goes with the metric, the task and the model family."""

from emergence.curves import frames
from emergence.statistics import variation


def compute(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), given.block["answers_over"]["entries"])
    curves = curves[frames.counted(curves)["in_counts"].to_numpy(dtype=bool)]
    # curves of a family with more models are longer: what is ranked is the score relative to a straight line
    score = curves["relative_emergence_score_resolved"].fillna(curves["relative_emergence_score"])
    settings = {
        "permutations": given.study["resamples"],
        "seed": given.study["seed"],
        "confidence": given.study["confidence_level"],
    }
    return {"variation": variation.variation_shares(curves.assign(emergence_score=score), **settings)}
