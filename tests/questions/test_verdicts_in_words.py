"""The verdicts in words and as a figure: every number is that of the tables."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from emergence.io import tables
from emergence.questions.verdicts import answer, figure
from emergence.questions.verdicts.tables import claimed_tasks
from emergence.statistics import verdicts


def made(rows):
    """The two tables, from (task, verdict, claimed, reason, power)."""
    frame = pd.DataFrame(rows, columns=["task", "verdict", "claimed", "reason", "power"])
    frame = frame.assign(
        benchmark="b",
        subtask="",
        metric="multiple_choice_grade",
        model_family="f",
        shots=pd.NA,
        word="sharp",
        kind="discontinuous",
        continuous=False,
        n_scales=12,
    )
    return tables.typed(frame, "verdicts"), tables.typed(verdicts.verdicts_by_claim(frame), "verdicts_by_claim")


ROWS = [
    ("a", "sharp_undecided", True, "sharp under x; no continuous or linear metric on these outputs: ...", None),
    ("b", "sharp_undecided", False, "sharp under x; y could not have shown such a jump (power 0.30)", 0.3),
    ("c", "metric", True, "sharp under x, not under y", 0.9),
    ("d", "gradual", False, "performance changes", None),
    ("e", "cannot_tell", True, "fewer than 4 scales", None),
]


def test_the_answer_counts_abilities():
    found = answer.on_verdicts(*made(ROWS))
    assert "Of 5 abilities (a task in a model family), something can be said of 4." in found.text
    assert "1 is sharp under a discontinuous or nonlinear metric alone (`metric`)." in found.text
    assert "2 are sharp, but not decided (`sharp_undecided`)." in found.text
    # of those that can be told: a and c of the claimed, b of the others
    assert "2 of 2 abilities on claimed tasks (100.0 %) and 1 of 2 abilities on other tasks (50.0 %)" in found.text
    assert "1 sharp ability has no continuous or linear metric on the same outputs; one would decide." in found.text
    assert "For 1 sharp ability the continuous metric has less than 80 % power" in found.text
    assert "could not be tested" not in found.text
    assert found.short == "5 abilities: 1 metric; 2 sharp_undecided; 1 gradual; 1 cannot_tell"


def test_a_continuous_metric_without_a_test_is_not_said_to_lack_power():
    rows = [("b", "sharp_undecided", False, "sharp under x; y could not be tested for such a jump", None), *ROWS[:1]]
    text = answer.on_verdicts(*made(rows)).text
    assert "For 1 sharp ability the continuous metric could not be tested for such a jump." in text
    assert "power" not in text


def test_abilities_that_rest_on_the_largest_model_are_counted():
    tables_ = made(ROWS)
    assert "largest scale" not in answer.on_verdicts(*tables_).text
    # two sharp curves of one ability, one of which has another reason; and an ability with one curve
    frame = pd.concat([tables_[0], tables_[0].assign(metric="exact_str_match")], ignore_index=True)
    frame["word"] = frame["word"].where(frame["task"].isin(["a", "b", "c"]), "gradual")
    of_b = frame["task"] == "b"
    frame["flags"] = (of_b | ((frame["task"] == "a") & (frame["metric"] == "exact_str_match"))).map({True: "copy|largest_alone"})
    assert answer.resting_on_largest(frame) == 1
    assert "1 sharp ability rests on the largest scale alone" in answer.on_verdicts(frame, tables_[1]).text


def test_one_ability_of_which_nothing_can_be_said():
    found = answer.on_verdicts(*made(ROWS[4:]))
    assert found.short == "1 ability: 1 cannot_tell"
    assert "Nothing can be said of 1: fewer than 4 scales." in found.text
    # none was looked at, so none was found not to be sharp
    assert "None is shown to be sharp" not in found.text


def test_sharp_falls_and_copies_are_counted():
    frame, by_claim = made(ROWS)
    assert "falls" not in answer.on_verdicts(frame, by_claim).text
    # of c one curve of two falls, so that the other still speaks for an ability
    frame = pd.concat([frame, frame[frame["task"] == "c"].assign(metric="exact_str_match")], ignore_index=True)
    frame["flags"] = pd.Series(["falls", None, "falls", "copy", "copy", None], dtype=object)
    text = answer.on_verdicts(frame, by_claim).text
    assert "1 sharp ability falls: the lowest score comes after the highest, so no ability appears there." in text
    assert "2 abilities repeat another family's scores and count again here." in text


def test_no_list_of_claims_and_no_curves():
    unknown = [(task, verdict, pd.NA, *rest) for task, verdict, _, *rest in ROWS]
    assert "claimed" not in answer.on_verdicts(*made(unknown)).text
    assert answer.on_verdicts(*made([])).short == "there is no curve"
    assert claimed_tasks({}, None) is None


@pytest.mark.parametrize("rows", [ROWS, []])
def test_the_figure_shows_every_ability_once(rows):
    _, by_claim = made(rows)
    drawn, data = figure.verdicts(by_claim)
    for group in set(data["claims"]):
        shares = data.loc[data["claims"] == group, "share"].astype(float)
        assert shares.sum() == pytest.approx(1)
    if rows:
        widths = pd.Series([bar.get_width() for bar in drawn.axes[0].patches]).groupby(
            [round(bar.get_y(), 3) for bar in drawn.axes[0].patches]
        )
        assert widths.sum().tolist() == pytest.approx([100] * len(set(data["claims"])))
    plt.close(drawn)
