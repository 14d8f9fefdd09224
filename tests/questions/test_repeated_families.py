"""Which families repeat another's scores: counts by hand."""

import pandas as pd
import pytest

from emergence.questions.repeated_families.answer import answer
from emergence.questions.repeated_families.figure import copies_by_family
from emergence.questions.repeated_families.tables import repeated_families

LABELS = pd.DataFrame({"label": {"acc": "Accuracy"}})


def curves(*rows):
    return pd.DataFrame(rows, columns=["model_family", "metric", "status", "repeats_family"])


def test_copies_are_counted_among_the_curves_that_can_be_compared():
    table = repeated_families(
        curves(
            ("A", "acc", "ok", None),
            ("B", "acc", "ok", "A"),
            ("B", "acc", "zero_median_step", "A"),
            ("B", "acc", "ok", None),
            # neither can be compared
            ("B", "acc", "constant", None),
            ("B", "acc", "too_few_scales", None),
            ("B", "bleu", "ok", None),
        )
    )
    assert table.to_dict("records") == [
        {"model_family": "B", "repeats_family": "A", "metric": "acc", "n_copies": 2, "n_compared": 3, "share": 2 / 3}
    ]
    figure, shown = copies_by_family(table, LABELS)
    assert [bar.get_width() for bar in figure.axes[0].patches] == pytest.approx([200 / 3])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["B = A, Accuracy"]
    assert len(shown) == 1


class Given:
    def __init__(self, table):
        self._table = table

    def table(self, name):
        assert name == "repeated_families"
        return self._table


def test_the_sentence_names_families_and_counts():
    table = repeated_families(curves(("A", "acc", "ok", None), ("B", "acc", "ok", "A"), ("B", "f1", "ok", "A")))
    (said,) = answer(Given(table))
    assert said.text.startswith("B repeats A (2 curves). ")
    assert said.short == "2 copies of another family's curves"


def test_without_a_copy_there_is_an_empty_table_and_a_sentence():
    for rows in ([], [("A", "acc", "ok", None)]):
        table = repeated_families(curves(*rows))
        assert table.empty
        assert answer(Given(table))[0].short == "none"
        figure, shown = copies_by_family(table, LABELS)
        assert shown.empty
        assert "No family" in figure.axes[0].texts[0].get_text()
