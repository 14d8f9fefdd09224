"""Inputs against themselves: sizes, standard errors, group means and constant answers, made so that the truth is known."""

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT, default_scores
from emergence.curves import frames
from emergence.ingest import input_checks, pipeline
from emergence.io.errors import InputError
from emergence.questions.test_set_size.tables import resolution_by_metric
from emergence.statistics import curve_tests
from sentences import too_long

CATALOGUE = str(ROOT / "config/metrics.yaml")
HEAD = "task,metric,model_family,model,scale,score,n_examples,stderr"
MAPPED = {column: column for column in HEAD.split(",")}


def made(counts, size, said, digits=4, task="t", family="f"):
    """Lines of a table: counts of right answers over `size`, rounded, and the size that is said."""
    return [f"{task},acc,{family},m{i},{10.0**i},{count / size:.{digits}f},{said}," for i, count in enumerate(counts)]


def ingest(table_block, lines, **keys):
    block = table_block([HEAD, *lines], columns=keys.pop("columns", MAPPED), **keys)
    return pipeline.ingest("mine", block, CATALOGUE)


def noted(account):
    return account[account["outcome"] == "noted"]


COUNTS = (101, 300, 411, 777, 1000)


def test_a_size_that_the_scores_contradict_is_not_used(table_block):
    scores, account, _ = ingest(table_block, [*made(COUNTS, 1024, 2000), *made(COUNTS, 1024, 1024, task="u")])
    assert scores.groupby("task", observed=True)["n_examples"].apply(lambda n: n.tolist()).to_dict() == {
        "t": [pd.NA] * 5,
        "u": [1024] * 5,
    }
    (row,) = noted(account).to_dict("records")
    assert (row["n"], row["reason"]) == (5, f"{input_checks.SIZE}; taken as unknown")
    # the first that misses, by hand: 101 / 1024 = 0.0986, and 0.0986 * 2000 = 197.2 is off by more than its rounding of 0.1
    assert "0.0986 with n_examples 2000; the scores of f are whole numbers over 1024" in row["example"]


def test_the_user_decides_about_contradicted_sizes(table_block):
    lines = made(COUNTS, 1024, 2000)
    scores, account, _ = ingest(table_block, lines, contradicted_inputs="accept")
    assert (scores["n_examples"] == 2000).all()
    assert noted(account)["reason"].tolist() == [f"{input_checks.SIZE}; accepted"]
    with pytest.raises(InputError, match=r"data row 1, column `score`: n_examples is contradicted(.|\n)*found: score 0.0986"):
        ingest(table_block, lines, contradicted_inputs="refuse")
    scores, account, _ = ingest(table_block, lines, contradicted_inputs="refuse", on_error="skip")
    assert len(scores) == 0
    assert account.set_index("outcome").at["refused", "n"] == 5


@pytest.mark.parametrize("size", [7, 100, 1000, 1024, 4999])
@pytest.mark.parametrize("digits", [4, 6, 17])
def test_true_sizes_are_never_contradicted(table_block, size, digits):
    """Counts over a known size, however they were rounded: no finding, whatever the chance in the scores."""
    random = np.random.default_rng(size)
    lines = [line for task in range(20) for line in made(random.integers(0, size + 1, 8), size, size, digits, f"t{task}")]
    scores, account, _ = ingest(table_block, lines)
    assert noted(account).empty
    assert (scores["n_examples"] == size).all()


def test_wrong_sizes_are_found(table_block):
    """Power: of 200 runs of 8 scores whose size is said to be a fifth more than it is, all are found."""
    random = np.random.default_rng(1)
    lines = [line for t in range(200) for line in made(random.integers(1, 510, 8), 511, 613, 4, f"t{t:03d}")]
    scores, _, _ = ingest(table_block, lines)
    assert scores["n_examples"].isna().all()


def test_four_digits_that_are_all_counts_over_fewer_examples(table_block):
    # over 54,668 examples any four digits are a count; twelve counts over 1,024 are no accident, three could be
    random = np.random.default_rng(2)
    lines = made(random.integers(200, 900, 12), 1024, 54668) + made([311, 402, 577], 1024, 54668, task="few")
    scores, _, _ = ingest(table_block, lines)
    assert scores.groupby("task", observed=True)["n_examples"].apply(lambda n: n.isna().all()).to_dict() == {
        "few": False,
        "t": True,
    }


def test_the_smallest_size_by_hand():
    assert input_checks.smallest_size([0.25, 0.5, 0.75], [0, 0, 0]) == 4
    assert input_checks.smallest_size(np.round(np.array([10, 33, 52, 71]) / 83, 4), [1e-4] * 4) == 83
    # nothing, 0 and 1, and two digits that fit some size by accident, show no size
    for shares, rounding in (([], []), ([0, 1, 1], [0, 0, 0]), ([0.13, 0.57], [0.01, 0.01])):
        assert input_checks.smallest_size(shares, rounding) is None


def test_standard_errors_follow_from_score_and_size(table_block):
    def lines(error, n=399, digits=17, said=399):
        shares = [round(count / n, digits) for count in (100, 200, 300, n)]
        return [f"t,acc,f,m{i},{10.0**i},{p:.17g},{said},{error(p, n):.17g}" for i, p in enumerate(shares)]

    for right in (lambda p, n: np.sqrt(p * (1 - p) / n), lambda p, n: np.sqrt(p * (1 - p) / (n - 1))):
        scores, account, _ = ingest(table_block, lines(right))
        assert noted(account).empty
        assert (scores["n_examples"] == 399).all()
    # twice as large: said, and since the shares are counts over 399 to the last digit, the size stays
    scores, account, _ = ingest(table_block, lines(lambda p, n: 2 * np.sqrt(p * (1 - p) / n)))
    assert noted(account)[["reason", "n"]].to_numpy().tolist() == [[input_checks.ERROR, 3]]
    # by hand: sqrt(100 / 399 * 299 / 399 / 399) = 0.0217
    assert "0.0433917, where score and n_examples give 0.0216958" in noted(account)["example"].item()
    assert (scores["n_examples"] == 399).all()
    # four digits fit 14,000 whatever they are: here the standard error, of 399 examples, is what contradicts the size
    scores, _, _ = ingest(table_block, lines(right, digits=4, said=14000))
    assert scores["n_examples"].isna().all()


def test_the_score_of_a_group_is_the_mean_of_its_members(table_block):
    def lines(score):
        rows = [("", score, 400), ("a", 0.2, 100), ("b", 0.6, 300)]
        return [f"t,{subtask},acc,f,m,1e6,{value},{n}" for subtask, value, n in rows]

    columns = {
        column: column for column in ("task", "subtask", "metric", "model_family", "model", "scale", "score", "n_examples")
    }

    def account_of(score):
        block = table_block([",".join(columns), *lines(score)], columns=columns)
        return noted(pipeline.ingest("mine", block, CATALOGUE)[1])

    # by hand: (0.2 * 100 + 0.6 * 300) / 400 = 0.5, and unweighted 0.4
    assert account_of(0.5).empty
    assert account_of(0.4).empty
    assert account_of(0.45)[["reason", "n"]].to_numpy().tolist() == [[input_checks.GROUP, 1]]


# OPT and GPT-Neo/J on navigate of BIG-Bench Hard, direct prompting (ryoungj/ObsScaling): 105 of 250 answers are Yes, 145 No
NAVIGATE = [0.42, 0.42, 0.42, 0.42, 0.588, 0.584, 0.492, 0.436]


def test_flips_between_constant_answers_are_flagged(table_block, catalogue):
    def lines(task, values):
        return [f"{task},acc,OPT,{i},{10.0 ** (8 + i)},{value},250," for i, value in enumerate(values)]

    curves = {
        "flip": NAVIGATE,
        # the largest step ends at a score that no constant answer has; is between scores that are near two; stays with one answer
        "gain": [0.42, 0.42, 0.424, 0.42, 0.72, 0.58],
        "near": [0.416, 0.416, 0.416, 0.588],
        "same": [0.42, 0.428, 0.42, 0.42],
        "unknown": [0.42, 0.58, 0.6],
    }
    shares = {task: [0.42, 0.58] for task in curves if task != "unknown"}
    rows = [line for task, values in curves.items() for line in lines(task, values)]
    scores, account, _ = ingest(table_block, rows, by_task={"constant_scores": shares})
    assert scores["constant_answer"].isna().tolist() == (scores["task"] == "unknown").tolist()
    # by hand: 4 of flip, 4 of gain, none of near, 3 of same
    assert noted(account)[["reason", "n"]].to_numpy().tolist() == [[input_checks.CONSTANT, 11]]
    found = frames.from_scores(scores, catalogue).set_index("task")["constant_answers"].astype(object).fillna("empty")
    assert found.to_dict() == {"flip": True, "gain": False, "near": False, "same": False, "unknown": "empty"}


def test_the_findings_in_words(table_block):
    _, account, _ = ingest(table_block, [*made(COUNTS, 1024, 2000), *made(COUNTS, 1024, 2000, task="u")])
    (sentence,) = input_checks.sentences(account)
    assert sentence.startswith(f"For 10 scores, {input_checks.SIZE}; taken as unknown. First: ")
    assert not too_long(sentence)
    _, account, _ = ingest(table_block, made(COUNTS, 1024, 1024))
    assert input_checks.sentences(account) == []


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("score", "1e300", "0, or a size between 1e-150 and 1e+150"),
        ("score", "1.7e308", "0, or a size between 1e-150 and 1e+150"),
        ("score", "1e-200", "give the logarithm"),
        ("stderr", "1e308", "0, or a size between 1e-150 and 1e+150"),
        ("stderr", "3", "at most 1, the width of the metric's range"),
        ("chance", "25", "0 to 1, the range of `acc`"),
        ("chance", "-1", "0 to 1, the range of `acc`"),
        ("chance", "1e308", "0, or a size between 1e-150 and 1e+150"),
    ],
)
def test_numbers_that_cannot_be_are_refused(table_block, field, value, allowed):
    columns = ("task", "metric", "model_family", "model", "scale", "score", "stderr", "chance")
    row = dict(zip(columns, ("t", "acc", "f", "m", "1e6", "0.5", "0.01", "0.25"), strict=True)) | {field: value}
    block = table_block([",".join(columns), ",".join(row.values())], columns={column: column for column in columns})
    with pytest.raises(InputError) as raised:
        pipeline.ingest("mine", block, CATALOGUE)
    assert f"data row 1, column `{field}`" in str(raised.value)
    assert allowed in str(raised.value)


def test_no_scores_have_no_findings(catalogue):
    columns = [*input_checks.RUN, "model", "score", "n_examples", "stderr", "source"]
    assert input_checks.findings(pd.DataFrame(columns=columns), catalogue).empty


def test_published_sizes_are_those_of_the_runs():
    """The corrected table against the plain statement: 28 curves over 1,024 and 12 over 1,000, and all their scores fit."""
    table = pd.read_csv(ROOT / "workflow/resources/bigbench/scores.csv").query("source != 'D'")
    for families, size, n_curves in ((r"BIG-G", 1024, 28), (r"GPT|PaLM", 1000, 12)):
        rows = table[table["model_family"].str.match(families)]
        corrected = rows[rows["n_examples"] == size]
        # logic_grid_puzzle and sports_understanding have 1,000 questions: their numbers were right
        corrected = corrected[~corrected["task"].isin(["logic_grid_puzzle", "sports_understanding"])]
        assert not (rows["n_examples"] > size).any()
        counts = corrected["score"] * size
        assert (np.abs(counts - np.round(counts)) <= 0.5e-4 * size * 1.01).all()
        assert corrected.groupby(["task", "metric", "model_family", "shots"], dropna=False).ngroups == n_curves


def test_published_test_sets_after_the_correction(catalogue):
    # the project's audit, with independent code: 64 of 83 curves are under-resolved, 478 of 1,587 scores above chance
    scores, _ = default_scores("big_bench", contradicted_inputs="accept")
    curves = frames.from_scores(scores, catalogue)
    above = curve_tests.above_chance(scores, catalogue)
    needed = curve_tests.assess(curves, catalogue, draws=0, seed=1)["examples_needed"]
    every = resolution_by_metric(above, needed).iloc[0]
    assert (every["n_under_resolved"], every["n_known"]) == (64, 83)
    assert (every["n_above_chance"], every["n_tested"]) == (478, 1587)


def test_published_scores_that_are_those_of_constant_answers(catalogue):
    # the project's audit, with independent code: 302 of 1,800 scores of BIG-Bench Hard, asked directly and graded flexibly; among
    # the jumps between two such scores are navigate of OPT and formal_fallacies of Pythia
    scores, _ = default_scores("big_bench_hard")
    chosen = (scores["subtask"] == "direct") & (scores["metric"] == "exact_match,flexible-extract")
    direct = scores[chosen & scores["constant_answer"].notna()]
    numbers = (direct[column].to_numpy(dtype=float, na_value=np.nan) for column in ("score", "constant_answer", "n_examples"))
    assert (int(input_checks.is_same_count(*numbers).sum()), len(direct)) == (302, 1800)
    flips = frames.from_scores(direct, catalogue).set_index(["task", "model_family"])["constant_answers"]
    assert flips["navigate", "OPT"] and flips["formal_fallacies", "Pythia"]
