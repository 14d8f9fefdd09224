"""How often the accuracy of targets of one length is what independent tokens would give."""

CURVE = ["task", "subtask", "metric", "model_family", "shots"]


def compute(given):
    """See emergence.questions."""
    return {"target_length_by_curve": by_curve(given.table("target_length"))}


def by_curve(groups):
    """Count the groups of each curve by where their accuracy lies. groups: the table `target_length`. Returns a data frame."""
    tested = ~groups["below_resolution"].astype(bool)
    inside = groups["inside"].astype(bool)
    above = groups["accuracy"] > groups["predicted"]
    counts = groups[CURVE].assign(
        n_groups=1,
        n_below_resolution=~tested,
        n_tested=tested,
        n_inside=tested & inside,
        n_above=tested & ~inside & above,
        n_below=tested & ~inside & ~above,
    )
    return counts.groupby(CURVE, dropna=False, sort=True).sum().reset_index()
