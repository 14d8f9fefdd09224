"""Claimed abilities against the base rate: how often the metrics that hold the claims are preferred in the first place."""

from emergence.statistics import proportions


def against_base_rate(members, claims, tasks, level):
    """Return one record on the claims and tasks that prefer one of some metrics, against all others.

    Parameters
    ----------
    members : set of str
        The metrics.
    claims : DataFrame
        One row per claim, with columns task and preferred_metric.
    tasks : DataFrame
        One row per task that is compared, with the same columns; empty where there is no list of tasks.
    level : float
        Coverage of the intervals.

    Returns
    -------
    dict
        n_claims, of_claims, share, share_low, share_high, n_claimed_tasks; with a list of tasks also n_tasks, of_tasks, task_share
        and, where the two by two table has an odds ratio, odds_ratio, odds_ratio_low, odds_ratio_high and p_value.
    """
    inside = claims["preferred_metric"].isin(members)
    record = {"n_claims": int(inside.sum()), "of_claims": len(claims), "share": inside.mean()}
    low, high = proportions.exact_interval([inside.sum()], [len(claims)], level)
    record |= {"share_low": low[0], "share_high": high[0], "n_claimed_tasks": claims.loc[inside, "task"].nunique()}
    if tasks.empty:
        return record
    prefers = tasks["preferred_metric"].isin(members)
    is_claimed = tasks["task"].isin(claims["task"])
    record |= {"n_tasks": int(prefers.sum()), "of_tasks": len(tasks), "task_share": prefers.mean()}
    counts = [[int((is_claimed == claimed)[prefers == member].sum()) for member in (True, False)] for claimed in (True, False)]
    return record | proportions.odds_ratio(*counts, level)
