"""Target length, the chain of metrics and flags: simulations of known truth, hand-worked cases, and real logs."""

import numpy as np
import pytest
from scipy import stats

from emergence.outputs import chain, flags, pipeline, target_length
from emergence.outputs.rescoring import Settings, Task, tasks
from emergence.statistics import proportions
from emergence.study import configuration
from invented_outputs import SCALES, copied_digits, examples, sums, token_accuracy
from samples import sample


def test_the_exact_interval_is_that_of_scipy():
    for right, n in ((0, 5), (3, 7), (7, 7), (250, 1000)):
        expected = stats.binomtest(right, n).proportion_ci(0.95, "exact")
        assert proportions.exact_interval(right, n, 0.95) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_independent_tokens_are_inside_the_interval():
    # truth: independent tokens with p known; 8 models x 6 lengths x 25 families. Exact intervals hold p^L in at least 95 % of cases
    inside, n = 0, 0
    generator = np.random.default_rng(1)
    for _ in range(25):
        for p in token_accuracy(SCALES):
            length = np.repeat([1, 2, 3, 4, 6, 8], 60)
            right = generator.random(len(length)) < p**length
            table = target_length.accuracy_by_length(length, right.astype(float), p, None, 0.95)
            inside, n = inside + table["inside"].sum(), n + len(table)
    assert 0.95 <= inside / n <= 0.995


def test_dependent_tokens_are_not():
    # the same p, but all tokens of a target are right together
    generator = np.random.default_rng(1)
    length = np.repeat([1, 4, 8], 200)
    right = (generator.random(len(length)) < 0.7).astype(float)
    table = target_length.accuracy_by_length(length, right, 0.7, None, 0.95)
    assert list(table["inside"]) == [True, False, False]


def test_outputs_by_target_length():
    task = Task(examples(copied_digits(1000, [1, 2, 3, 4, 5])), Settings())
    table = target_length.by_target_length(task, 0.95)
    assert len(table) == 8 * 5 and set(table["n"]) == {200}
    assert table["inside"].mean() >= 0.85
    assert (table["edit_distance"] <= table["predicted_edit_distance"] * 1.35 + 0.05).all()
    assert table["token_accuracy"].unique() == pytest.approx(token_accuracy(SCALES), abs=0.03)
    # every position is equally difficult here, so both predictions are nearly the same
    np.testing.assert_allclose(table["predicted_by_position"], table["predicted"], atol=0.05)
    # fewer than 3 right answers predicted of 200
    assert (table["below_resolution"] == (200 * table["predicted"] < 3)).all()
    assert table["below_resolution"].any()


def test_product_over_positions_by_hand():
    # targets "ab", "ab", "abc" and answers "ab", "x", "aby": the first token is right in 2 of 3, the second in 2 of 3 (the second
    # answer has none), the third in 0 of 1
    same, starts = np.array([True, True, False, True, True, False]), np.array([0, 2, 3, 6])
    found = target_length.product_over_positions(np.array([2, 2, 3]), same, starts, np.arange(3))
    np.testing.assert_allclose(found, [4 / 9, 4 / 9, 0])
    # of the last two alone: 1 of 2, 1 of 2, 0 of 1
    np.testing.assert_allclose(target_length.product_over_positions(np.array([2, 3]), same, starts, np.array([1, 2])), [1 / 4, 0])


def test_positions_of_unequal_difficulty_follow_the_product_and_not_the_power():
    # the truth: the first digit is always right, the second with p; p^2 with the mean of both is ((1 + p) / 2)^2
    generator = np.random.default_rng(3)
    p = 0.4
    right = np.stack([np.ones(4000, bool), generator.random(4000) < p], axis=1)
    length = np.full(4000, 2)
    product = target_length.product_over_positions(length, right.ravel(), np.arange(4001) * 2, np.arange(4000))
    (row,) = target_length.accuracy_by_length(length, right.all(axis=1).astype(float), right.mean(), None, 0.95, product).to_dict(
        "records"
    )
    assert row["predicted_by_position"] == pytest.approx(p, abs=0.03)
    assert row["low"] <= row["predicted_by_position"] <= row["high"]
    assert row["predicted"] == pytest.approx(0.49, abs=0.03) and not row["inside"]


def test_unequal_questions_lie_above_the_power_and_at_the_mean_of_probabilities():
    # half of the targets have tokens of probability .9, half of .3: the mean of p_i^5 is .296, (.6)^5 is .078
    generator = np.random.default_rng(2)
    length = np.full(2000, 5)
    p = np.repeat([0.9, 0.3], 1000)
    right = (generator.random(2000) < p**5).astype(float)
    (row,) = target_length.accuracy_by_length(length, right, 0.6, p**5, 0.95).to_dict("records")
    assert row["predicted_by_example"] == pytest.approx((0.9**5 + 0.3**5) / 2)
    assert row["low"] < row["predicted_by_example"] < row["high"]
    assert row["predicted"] < row["low"]


def test_many_lengths_are_grouped():
    group = target_length.groups(np.arange(1, 101))
    assert len(set(group)) == target_length.MOST_GROUPS
    assert (np.diff(group) >= 0).all()
    assert np.bincount(group).min() >= 7


def test_rank_correlation_is_that_of_scipy():
    values = np.random.default_rng(3).integers(4, size=(20, 6)).astype(float)
    found = chain.rank_correlation(values, SCALES[:6])
    for row, value in zip(values, found, strict=True):
        if len(set(row)) > 1:
            assert value == pytest.approx(stats.spearmanr(row, SCALES[:6]).statistic, abs=1e-12)
        else:
            assert np.isnan(value)


def test_the_chain_loses_what_each_link_throws_away():
    # the right choice gains log-probability with scale, the wrong ones wander: the log follows scale best, accuracy least
    rows = sums(300)
    for row in rows:
        gold = row["credits"].index(1)
        row["log_probs"][gold] = -8 + 2 * np.log10(row["scale"] / 1e8)
    table = chain.correlations(Task(examples(rows), Settings()), 0.95).sort_values("order")
    found = dict(zip(table["metric"], table["correlation"], strict=True))
    assert found["logprob"] == pytest.approx(1) == found["target_probability"]
    assert found["choice_probability"] < 1
    assert found["acc"] < found["brier_score"] < found["logprob"]
    # an example whose grade never changes counts as 0
    constant = table.set_index("metric").loc["acc", "n_constant"]
    assert constant > 0


def test_the_double_logarithm_of_the_stated_law_is_a_line():
    # p = exp(-(N / c)^-a) gives F = -a log N + a log c, exactly
    rows = [
        {
            "kind": "loglikelihood",
            "model": f"m{scale:.3g}",
            "scale": float(scale),
            "example": str(i),
            "log_probs": [-((scale / 1e9) ** -0.5)],
            "is_greedy": False,
        }
        for scale in SCALES
        for i in range(3)
    ]
    table = chain.double_logarithm(Task(examples(rows), Settings()))
    assert table["slope"].to_numpy() == pytest.approx(np.full(8, -0.5))
    assert table["rmse"].to_numpy() == pytest.approx(np.zeros(8), abs=1e-9)
    assert table["f"].to_numpy() == pytest.approx(-0.5 * np.log(SCALES / 1e9))


def rambling(lengths, n=60, target=8, seed=4):
    """Models that write random letters, each of its own length, and are never right."""
    generator = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    targets = ["".join(generator.choice(letters, target)) for _ in range(n)]
    return [
        {
            "model": f"m{k}",
            "scale": 10.0**k,
            "example": f"{i:03d}",
            "output": "".join(generator.choice(letters, length)),
            "targets": [targets[i]],
        }
        for k, length in enumerate(lengths)
        for i in range(n)
    ]


def test_a_jump_made_by_the_length_of_outputs_is_flagged():
    # as in word_unscrambling of BIG-bench's n-gram models, 0 shots: never right; two of nine models stop after 6 letters, the others
    # after about 40
    task = Task(
        examples(rambling([40, 39, 40, 41, 40, 39, 41, 6, 6])), Settings(("exact_match", "edit_distance", "edit_similarity"))
    )
    table = flags.curve_flags(task).set_index("metric")
    assert table.loc["exact_match", "relative_emergence"] == 0 and not table.loc["exact_match", "length_made"]
    assert table.loc["edit_distance", "relative_emergence"] > 2
    assert table.loc["edit_distance", "length_made"]
    assert table.loc["edit_distance", "range_cut"] < 0.1 * table.loc["edit_distance", "range"]
    lengths = flags.output_lengths(task).set_index("model")
    assert lengths["answer_length"].to_list() == [40, 39, 40, 41, 40, 39, 41, 6, 6]
    assert (lengths["insertions"] >= lengths["answer_length"] - 8).all()
    assert (lengths["insertions"] - lengths["deletions"]).to_numpy() == pytest.approx(lengths["answer_length"] - 8)


def test_a_jump_of_ability_is_not():
    rows = copied_digits(100, [8], scales=SCALES)
    for row in rows:
        row["output"] = row["targets"][0] if row["scale"] >= SCALES[6] else row["output"][::-1]
    table = flags.curve_flags(Task(examples(rows), Settings(("exact_match", "edit_distance"))))
    assert (table["relative_emergence"] > 2).all()
    assert not table["length_made"].any() and not table["few_examples"].any()


def test_edit_operations_by_hand():
    # kitten -> sitting: k to s, e to i, a g more; abc -> a: two letters missing
    rows = [
        {"example": "0", "output": "sitting", "targets": ["kitten"]},
        {"example": "1", "output": "a", "targets": ["abc"]},
    ]
    (row,) = flags.output_lengths(Task(examples(rows), Settings())).to_dict("records")
    assert (row["substitutions"], row["insertions"], row["deletions"]) == (1, 0.5, 1)
    assert (row["answer_length"], row["target_length"]) == (4, 4.5)


def test_effective_examples_by_hand():
    assert flags.effective_examples(np.full(30, 0.2)) == pytest.approx(30)
    assert flags.effective_examples(np.array([0.0] * 29 + [0.7])) == 1
    assert flags.effective_examples(np.array([3.0, -1.0])) == pytest.approx(16 / 10)
    assert np.isnan(flags.effective_examples(np.zeros(3)))


def test_a_curve_of_one_example_is_flagged():
    rows = [
        {
            "kind": "choices",
            "model": f"m{k}",
            "scale": 10.0**k,
            "example": f"{i:02d}",
            "credits": [1.0, 0.0],
            "log_probs": [np.log(0.9) if i == 7 and k == 5 else -20 + 0.01 * k, -1.0],
        }
        for k in range(6)
        for i in range(30)
    ]
    table = flags.curve_flags(Task(examples(rows), Settings(("target_probability", "logprob")))).set_index("metric")
    assert table.loc["target_probability", "few_examples"]
    assert table.loc["target_probability", "effective_examples"] == pytest.approx(1, abs=0.01)
    assert table.loc["logprob", "effective_examples"] < 30


def test_periodic_elements_hangs_on_one_question(tmp_path):
    # n-gram models over 118 choices and 30 questions, 2 shots: E of the probability is -632, and one question makes it
    block = {"format": "bigbench_logs", "directory": str(sample("bigbench_tree"))}
    block = configuration.check({"benchmarks": {"b": block}})["benchmarks"]["b"]
    pipeline.ingest("b", block, tmp_path / "outputs.parquet")
    (found,) = [part for part in tasks(tmp_path / "outputs.parquet") if part.frame["task"].iat[0] == "periodic_elements"]
    table = flags.curve_flags(Task(found, Settings(("choice_probability", "multiple_choice_grade"), dialect="bigbench")))
    chosen = table[(table["model_family"] == "NGram") & (table["shots"] == 2)].set_index("metric")
    assert chosen.loc["choice_probability", "relative_emergence"] * 3 == pytest.approx(632, abs=1)
    assert chosen.loc["choice_probability", "few_examples"]
    assert chosen.loc["choice_probability", "effective_examples"] < 2
    assert chosen.loc["multiple_choice_grade", "relative_emergence"] == 0
    assert not chosen.loc["multiple_choice_grade", "few_examples"]


def test_nothing_to_assess():
    empty = Task(examples([]), Settings())
    for function in (flags.output_lengths, flags.curve_flags, chain.double_logarithm):
        assert function(empty).empty
    assert target_length.by_target_length(empty, 0.95).empty
    assert chain.correlations(empty, 0.95).empty
