"""The same metrics of all benchmarks side by side."""

import pandas as pd

COLUMNS = ("label", "kind", "n_tasks", "n_curves", "n_ok", "median", "max", "n_above", "share_above", "share_low", "share_high")


def compute(given):
    """See emergence.questions."""
    return {"metrics_across_benchmarks": across_benchmarks(given.table("emergence_by_metric"))}


def across_benchmarks(by_metric):
    """How sharp each metric's curves are in each benchmark that has it: one row per metric and benchmark.

    by_metric: {benchmark: frame of `emergence_by_metric`}, in the order of the study. Metrics that more benchmarks have
    come first, then by name. Columns: see question.yaml.
    """
    parts = [table.assign(benchmark=name, place=place) for place, (name, table) in enumerate(by_metric.items())]
    rows = pd.concat(parts, ignore_index=True)
    rows["n_benchmarks"] = rows.groupby("metric")["benchmark"].transform("size")
    rows = rows.sort_values(["n_benchmarks", "metric", "place"], ascending=[False, True, True], ignore_index=True)
    return rows[["metric", "benchmark", "n_benchmarks", *COLUMNS]]
