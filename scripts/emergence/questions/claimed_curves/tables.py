"""What was found about the curves on which abilities were claimed."""

import pandas as pd

from emergence.study import registries


def compute(given):
    """See emergence.questions."""
    claims = registries.checked_claims(given.files, given.catalogue)
    table = claimed_curves(claims, given.table("curves"), given.table("verdicts"), given.block["claimed_families"])
    return {"claimed_curves": table}


def claimed_curves(claims, curves, verdicts, families):
    """Return one row per claim, with the curve of its task and family that says most.

    Parameters
    ----------
    claims : DataFrame
        One row per claim, with columns task, preferred_metric and, if the list has it, model_family.
    curves, verdicts : DataFrame
        The tables of those names.
    families : dict
        {family of the claim: family of the files}, where the names differ.

    Returns
    -------
    DataFrame
        The columns of question.yaml: claims with a curve first, each part in the order of the claims.
    """
    key = ["task", "subtask", "metric", "model_family", "shots"]
    whole = curves.loc[curves["subtask"] == "", [*key, "n_scales", "emergence_score", "relative_emergence_score_resolved"]]
    whole = whole.merge(verdicts[[*key, "word", "verdict"]], on=key, how="left")
    by_task = dict(tuple(whole.groupby("task")))
    of_subtasks = curves.loc[curves["subtask"] != "", ["task", "model_family"]].value_counts()
    records = []
    said = claims["model_family"] if "model_family" in claims else pd.Series("", index=claims.index)
    for number, (task, metric, family) in enumerate(zip(claims["task"], claims["preferred_metric"], said, strict=True), start=1):
        here = families.get(family, family)
        found = by_task.get(task)
        found = found[found["model_family"] == here] if found is not None else whole.iloc[:0]
        record = {
            "claim": number,
            "task": task,
            "preferred_metric": metric,
            "claimed_family": family or None,
            "n_curves": len(found),
            "n_subtask_curves": int(of_subtasks.get((task, here), 0)),
        }
        if len(found):
            order = found.assign(other=found["metric"] != metric).sort_values(
                ["other", "n_scales", "shots", "metric"], ascending=[True, False, True, True], kind="stable"
            )
            record |= order.iloc[0].drop(["task", "subtask", "other"]).to_dict()
        records.append(record)
    return pd.DataFrame(sorted(records, key=lambda record: record["n_curves"] == 0))
