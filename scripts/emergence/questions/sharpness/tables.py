"""How sharp the curves of each metric are, and how many reach each threshold."""

import pandas as pd

from emergence.curves import frames, sharpness
from emergence.statistics.proportions import exact_interval

READINGS = {
    "E": lambda curves: curves["emergence_score"],
    "|E|": lambda curves: curves["emergence_score"].abs(),
    "resolved E": lambda curves: curves["emergence_score_resolved"],
}


def compute(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    emergence, level = given.study["emergence"], given.study["confidence_level"]
    return {
        "emergence_by_metric": by_metric(curves, given.catalogue, emergence["threshold"], level),
        "emergence_thresholds": over_thresholds(curves, emergence["thresholds"], level),
    }


def by_metric(curves, catalogue, threshold, level):
    """The distribution of the emergence score over the curves of each metric (Figure 5A of the paper).

    Columns: see question.yaml. Metrics with the highest E come first.
    """
    measured = curves.assign(abs=curves["emergence_score"].abs(), above=curves["emergence_score"] >= threshold)
    groups = measured.groupby("metric")
    counts = measured.groupby(["metric", "status"]).size().unstack(fill_value=0)
    table = pd.DataFrame({"n_tasks": groups["task"].nunique(), "n_curves": groups.size()})
    for status in (sharpness.OK, sharpness.CONSTANT, sharpness.ZERO_MEDIAN_STEP, sharpness.TOO_FEW_SCALES):
        table[f"n_{status}"] = counts.get(status, 0)
    scores = groups["emergence_score"]
    table["min"], table["max"], table["max_abs"] = scores.min(), scores.max(), groups["abs"].max()
    table["q25"], table["median"], table["q75"] = scores.quantile(0.25), scores.median(), scores.quantile(0.75)
    table["n_above"] = groups["above"].sum()
    scored = table[f"n_{sharpness.OK}"] + table[f"n_{sharpness.CONSTANT}"]
    table["share_above"] = (table["n_above"] / scored.where(scored > 0)).astype(float)
    table["share_low"], table["share_high"] = exact_interval(table["n_above"], scored, level)
    defined = measured.dropna(subset="emergence_score")
    sharpest = defined.loc[defined.groupby("metric")["emergence_score"].idxmax()]
    table["sharpest"] = pd.Series(frames.names(sharpest).to_numpy(), index=sharpest["metric"], dtype=object)
    table["label"], table["kind"] = catalogue["label"], catalogue["kind"]
    return table.reset_index().sort_values(["max", "metric"], ascending=[False, True], na_position="last", ignore_index=True)


def over_thresholds(curves, thresholds, level):
    """How many metrics and curves reach each threshold, by each of READINGS. One row a reading and threshold."""
    records = []
    for reading, of in READINGS.items():
        scores = of(curves)
        known = scores.notna()
        for threshold in thresholds:
            above = known & (scores >= threshold)
            names = sorted(curves.loc[above, "metric"].unique())
            records.append(
                {
                    "reading": reading,
                    "threshold": threshold,
                    "n_metrics": len(names),
                    "of_metrics": curves.loc[known, "metric"].nunique(),
                    "n_curves": int(above.sum()),
                    "of_curves": int(known.sum()),
                    "metrics": "|".join(names) or None,
                }
            )
    table = pd.DataFrame(records)
    table["share"] = table["n_curves"] / table["of_curves"].where(table["of_curves"] > 0)
    table["share_low"], table["share_high"] = exact_interval(table["n_curves"], table["of_curves"], level)
    return table
