"""The first screen of the report has each answer once, linked to its section, and counts abilities, not curves."""

import pandas as pd
import pytest

from emergence.questions.answers import Answer
from emergence.report import overview


def section(name, **answers):
    heads = {"sharp": "Sharp?", "claims": "Claims?", "silent": "Silent?"}
    questions = [{"name": key, "column": heads.get(key, ""), "answers": found} for key, found in answers.items()]
    return {"name": name, "title": name.title(), "questions": questions, "lacking": {"claims": "no list of claims"}}


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
    assert table["columns"] == ["Sharp?", "Claims?"]
    assert [row["benchmark"] for row in table["rows"]] == ["One", "Two"]
    assert table["rows"][0]["cells"] == [
        {"text": "219 curves, highest E 31.0", "title": "219 curves, highest E 31.0; at 100: none", "href": "#one-sharp"},
        {"text": "no list of claims", "title": "", "href": ""},
    ]
    assert table["rows"][1]["cells"][0]["text"] == "not asked"
    assert table["rows"][1]["cells"][1] == {"text": "62 of 67; 9.89", "title": "short. Metrics: 9.89", "href": "#two-claims"}


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


def test_verdicts_count_abilities_claimed_and_not():
    rows = [
        # one ability under two metrics, claimed; the same task of another family; a task without a list of claims
        ("a", "One", "acc", "metric", True),
        ("a", "One", "brier_score", "metric", True),
        ("a", "Two", "acc", "gradual", False),
        ("b", "One", "acc", "a_new_word", None),
    ]
    frame = pd.DataFrame(rows, columns=["task", "model_family", "metric", "verdict", "claimed"])
    frame = frame.assign(benchmark="x", subtask="", shots=pd.array([pd.NA] * 4, dtype="Int64"))
    counted = overview.verdicts(frame)
    assert [(row["verdict"], row["claimed"], row["unclaimed"], row["unlisted"], row["total"]) for row in counted["rows"]] == [
        ("metric", 1, 0, 0, 1),
        ("gradual", 0, 1, 0, 1),
        ("a_new_word", 0, 0, 1, 1),
    ]
    assert counted["total"] == {"claimed": 1, "unclaimed": 1, "unlisted": 1, "total": 3}
    assert overview.verdicts(None) is overview.verdicts(frame.iloc[:0]) is None
