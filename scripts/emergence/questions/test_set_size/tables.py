"""Whether the test sets are large enough to see what smaller models can do."""

import pandas as pd

from emergence.curves import frames
from emergence.statistics import power

LEVEL = 0.05
ALL = "all"


def compute(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    above, needed = (frames.rows_of(given.table(name), curves) for name in ("above_chance", "examples_needed"))
    return {"resolution": resolution_by_metric(above, needed)}


def resolution_by_metric(above_chance, examples_needed):
    """Whether the test sets are large enough, one row per metric, `all` first."""
    records = []
    for metric in [ALL, *sorted(set(above_chance["metric"]) | set(examples_needed["metric"]))]:
        scores = above_chance[(above_chance["metric"] == metric) | (metric == ALL)]
        curves = examples_needed[(examples_needed["metric"] == metric) | (metric == ALL)]
        known = curves[(curves["status"] == power.OK) & curves["examples_at_hand"].notna()]
        records.append(
            {
                "metric": metric,
                "n_scores": len(scores),
                "n_tested": int(scores["p_value"].notna().sum()),
                "n_above_chance": int((scores["p_value"] <= LEVEL).sum()),
                "n_curves": len(curves),
                "n_at_or_below_chance": int((curves["status"] == power.AT_OR_BELOW_CHANCE).sum()),
                "n_known": len(known),
                "n_under_resolved": int((known["examples_needed"] > known["examples_at_hand"]).sum()),
                "median_needed": known["examples_needed"].median(),
                "median_at_hand": known["examples_at_hand"].median(),
            }
        )
    return pd.DataFrame(records)
