"""The same metrics across benchmarks, against a table written by hand."""

import pandas as pd

from emergence.questions.metrics_across_benchmarks.tables import COLUMNS, across_benchmarks


def test_across_benchmarks():
    def by_metric(**largest):
        rows = [{"metric": metric, "max": value} for metric, value in largest.items()]
        return pd.DataFrame(rows).reindex(columns=["metric", *COLUMNS])

    table = across_benchmarks({"second": by_metric(b=2.0, a=1.0), "first": by_metric(b=4.0, c=3.0)})
    # what both have comes first; within a metric, benchmarks keep the order of the study
    assert table[["metric", "benchmark", "n_benchmarks", "max"]].to_numpy().tolist() == [
        ["b", "second", 2, 2.0],
        ["b", "first", 2, 4.0],
        ["a", "second", 1, 1.0],
        ["c", "first", 1, 3.0],
    ]
