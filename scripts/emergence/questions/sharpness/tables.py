"""How sharp the curves of each metric are, and how many reach each threshold."""

import pandas as pd

from emergence.curves import frames, sharpness
from emergence.statistics.proportions import exact_interval

# How a curve is judged against a threshold, and by which of the two: E by the paper's, scores relative to a straight line by theirs.
READINGS = {
    "E": lambda curves: curves["emergence_score"],
    "|E|": lambda curves: curves["emergence_score"].abs(),
    "resolution-limited E": lambda curves: curves["emergence_score_resolved"],
}
RELATIVE_READINGS = {
    "relative E": lambda curves: curves["relative_emergence_score"],
    "resolution-limited relative E": lambda curves: curves["relative_emergence_score_resolved"],
}


def compute(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    emergence, level = given.study["emergence"], given.study["confidence_level"]
    return {
        "emergence_by_metric": by_metric(curves, given.catalogue, emergence["threshold"], emergence["relative_threshold"], level),
        "emergence_thresholds": over_thresholds(curves, emergence["thresholds"], emergence["relative_thresholds"], level),
    }


def by_metric(curves, catalogue, threshold, relative_threshold, level):
    """Return the distribution of the emergence score over the curves of each metric (Figure 5A of the paper).

    Counts above a threshold are over curves with four scales or more and a finite score (frames.counted): by the paper's E, and by
    resolution-limited E relative to a straight line, which compares curves of different length. Metrics with the highest E come
    first. Columns: see question.yaml.
    """
    in_counts = frames.counted(curves)["in_counts"].to_numpy(dtype=bool)
    relative = curves["relative_emergence_score_resolved"].fillna(curves["relative_emergence_score"])
    measured = curves.assign(
        abs=curves["emergence_score"].abs(),
        counted=in_counts,
        above=in_counts & (curves["emergence_score"] >= threshold),
        above_relative=in_counts & (relative >= relative_threshold),
    )
    groups = measured.groupby("metric")
    counts = measured.groupby(["metric", "status"]).size().unstack(fill_value=0)
    table = pd.DataFrame({"n_tasks": groups["task"].nunique(), "n_curves": groups.size()})
    for status in (sharpness.OK, sharpness.CONSTANT, sharpness.ZERO_MEDIAN_STEP, sharpness.TOO_FEW_SCALES):
        table[f"n_{status}"] = counts.get(status, 0)
    scores = groups["emergence_score"]
    table["min"], table["max"], table["max_abs"] = scores.min(), scores.max(), groups["abs"].max()
    table["q25"], table["median"], table["q75"] = scores.quantile(0.25), scores.median(), scores.quantile(0.75)
    table["n_counted"], table["n_above"] = groups["counted"].sum(), groups["above"].sum()
    table["n_above_relative"] = groups["above_relative"].sum()
    table["share_above"] = (table["n_above"] / table["n_counted"].where(table["n_counted"] > 0)).astype(float)
    table["share_low"], table["share_high"] = exact_interval(table["n_above"], table["n_counted"], level)
    defined = measured.dropna(subset="emergence_score")
    sharpest = defined.loc[defined.groupby("metric")["emergence_score"].idxmax()]
    table["sharpest"] = pd.Series(frames.names(sharpest).to_numpy(), index=sharpest["metric"], dtype=object)
    table["label"], table["kind"] = catalogue["label"], catalogue["kind"]
    return table.reset_index().sort_values(["max", "metric"], ascending=[False, True], na_position="last", ignore_index=True)


def over_thresholds(curves, thresholds, relative_thresholds, level):
    """Return how many metrics and curves reach each threshold, by each reading; curves that are in no count are left out.

    `trivial` says whether a straight line of as many scales as some counted curve reaches the threshold on E: the count then says
    nothing about sharpness.
    """
    counted = curves[frames.counted(curves)["in_counts"].to_numpy(dtype=bool)]
    longest = counted["n_scales"].max() if len(counted) else 0
    records = []
    for readings, each in ((READINGS, thresholds), (RELATIVE_READINGS, relative_thresholds)):
        for reading, of in readings.items():
            scores = of(counted)
            known = scores.notna()
            for threshold in each:
                above = known & (scores >= threshold)
                names = sorted(counted.loc[above, "metric"].unique())
                records.append(
                    {
                        "reading": reading,
                        "threshold": threshold,
                        "trivial": bool(readings is READINGS and threshold <= longest - 1)
                        or (readings is RELATIVE_READINGS and threshold <= 1),
                        "n_metrics": len(names),
                        "of_metrics": counted.loc[known, "metric"].nunique(),
                        "n_curves": int(above.sum()),
                        "of_curves": int(known.sum()),
                        "metrics": "|".join(names) or None,
                    }
                )
    table = pd.DataFrame(records)
    table["share"] = table["n_curves"] / table["of_curves"].where(table["of_curves"] > 0)
    table["share_low"], table["share_high"] = exact_interval(table["n_curves"], table["of_curves"], level)
    return table
