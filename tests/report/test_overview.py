"""The first screen of the report has each answer once, linked to its section, and counts abilities, not curves."""

import pandas as pd
import pytest

from emergence.questions.answers import Answer
from emergence.report import overview


def section(name, **answers):
    heads = {"sharp": "Sharp?", "claims": "Claims?", "silent": "Silent?"}
    questions = [
        {"name": key, "column": heads.get(key, ""), "column_means": f"About {key}.", "answers": found}
        for key, found in answers.items()
    ]
    return {
        "name": name,
        "title": name.title(),
        "origin": "trained" if name == "one" else "language_models",
        "questions": questions,
        "lacking": {"claims": "no list of claims"},
    }


def test_a_row_for_each_benchmark_and_a_column_for_each_question():
    table = overview.table(
        [
            section(
                "one",
                sharp=[Answer("?", "long", "219 curves, highest E 31.0; at 100: none")],
                silent=[Answer("?", "long", "")],
                headless=[Answer("?", "long", "9")],
            ),
            section("two", claims=[Answer("?", "long", "short", cell="62 of 67"), Answer("?", "long", "Metrics: 9.89")]),
        ]
    )
    assert [column["head"] for column in table["columns"]] == ["Sharp?", "Claims?"]
    assert [column["means"] for column in table["columns"]] == ["About sharp.", "About claims."]
    # language models first, whatever the order of the study
    assert [group["title"] for group in table["groups"]] == ["Language models", "Trained for this study"]
    (two,), (one,) = (group["rows"] for group in table["groups"])
    assert (one["benchmark"], two["benchmark"]) == ("One", "Two")
    assert one["cells"] == [
        {"text": "219 curves, highest E 31.0", "title": "219 curves, highest E 31.0; at 100: none", "href": "#one-sharp"},
        {"text": "", "title": "no list of claims", "href": "#one-not-asked"},
    ]
    assert two["cells"][0]["title"] == "not asked"
    assert two["cells"][1] == {"text": "62 of 67; 9.89", "title": "short. Metrics: 9.89", "href": "#two-claims"}


def test_an_answer_without_a_number_is_a_dash_that_says_why():
    table = overview.table([section("one", sharp=[Answer("?", "long", "no curve", cell="no curve can be tested")])])
    assert table["groups"][0]["rows"][0]["cells"] == [{"text": "", "title": "no curve can be tested", "href": "#one-sharp"}]


@pytest.mark.parametrize(
    ("short", "expected"),
    [
        ("Multiple choice grade and Exact string match: 62 of 67 claims (92.5 %)", "62 of 67 claims (92.5 %)"),
        ("flat null model: 65 of 216 curves; smooth null model: 12", "65 of 216 curves"),
        ("A to B: |E| changes by -3.2", "A to B: |E| changes by -3.2"),
        ("none", "none"),
    ],
)
def test_the_leading_part_of_a_short_answer(short, expected):
    assert overview.leading(short) == expected


def test_verdicts_count_abilities_of_each_benchmark_claimed_and_not():
    rows = [
        # one ability under two metrics, claimed; the same task of another family; a task without a list of claims
        ("a", "One", "acc", "metric", True),
        ("a", "One", "brier_score", "metric", True),
        ("a", "Two", "acc", "gradual", False),
        ("b", "One", "acc", "a_new_word", None),
    ]
    frame = pd.DataFrame(rows, columns=["task", "model_family", "metric", "verdict", "claimed"])
    frame = frame.assign(benchmark="x", subtask="", shots=pd.array([pd.NA] * 4, dtype="Int64"))
    other = frame.iloc[2:3].assign(claimed=None)
    counted = overview.verdicts([section("one"), section("two")], {"one": frame, "two": other})
    assert counted["verdicts"] == ["metric", "gradual", "a_new_word"]
    assert [[(row["benchmark"], row["claims"], row["counts"]) for row in group["rows"]] for group in counted["groups"]] == [
        [("Two", "", [0, 1, 0])],
        [("One", "claimed", [1, 0, 0]), ("One", "not claimed", [0, 1, 0]), ("One", "", [0, 0, 1])],
    ]
    assert overview.verdicts([section("one")], {}) is overview.verdicts([section("one")], {"one": frame.iloc[:0]}) is None
