"""Are the metrics that hold the claims preferred more often among claimed tasks than among comparable ones?"""

import pandas as pd

from emergence.statistics.base_rates import against_base_rate
from emergence.study import registries

ALL = "all tasks"
EACH_OTHER = "one against the other"


def compute(given):
    """See emergence.questions."""
    claims, tasks = registries.load_lists(given.files, given.catalogue, lambda: given.table("scores", categories=True))
    return {"base_rates": base_rates(claims, tasks, given.block["strata"], given.study["confidence_level"])}


def base_rates(claims, tasks, strata, level):
    """Return the odds of being claimed over all tasks and over those of each stratum.

    Parameters
    ----------
    claims, tasks : DataFrame
        See registries.load_lists.
    strata : dict
        {column of the list of tasks: value}: the tasks with that value are compared with one another. The last one leads.
    level : float
        Coverage of the exact intervals.

    Returns
    -------
    DataFrame
        The columns of question.yaml; without a row where there is no list of tasks.

    Raises
    ------
    InputError
        Where the list of tasks has no such column, or no task with the value.
    """
    if tasks.empty:
        return pd.DataFrame()
    counts = claims["preferred_metric"].value_counts()
    top = sorted(counts.index, key=lambda metric: (-counts[metric], metric))[:2]
    compared = {ALL: tasks}
    for column, value in strata.items():
        compared[f"{column} = {value}"] = tasks[registries.has_value(tasks, column, value)]
    records = []
    for comparison, some in compared.items():
        theirs = claims[claims["task"].isin(some["task"])]
        for members in dict.fromkeys([tuple(top), tuple(top[:1])]):
            found = against_base_rate(set(members), theirs, some, level) if len(theirs) else {}
            records.append({"comparison": comparison, "metrics": "|".join(members), "leads": False, **found})
    leading = [record for record in records if record["metrics"] == "|".join(top)][-1]
    leading["leads"] = True
    if len(top) == 2:
        either = tasks[tasks["preferred_metric"].isin(top)]
        found = against_base_rate({top[0]}, claims[claims["task"].isin(either["task"])], either, level)
        records.append({"comparison": EACH_OTHER, "metrics": top[0], "leads": False, **found})
    columns = ["comparison", "metrics", "n_claims", "of_claims", "n_tasks", "of_tasks", "task_share"]
    columns += ["odds_ratio", "odds_ratio_low", "odds_ratio_high", "p_value", "leads"]
    table = pd.DataFrame(records).reindex(columns=columns)
    whole = ["n_claims", "of_claims", "n_tasks", "of_tasks"]
    return table.assign(**{column: table[column].fillna(0).astype(int) for column in whole})
