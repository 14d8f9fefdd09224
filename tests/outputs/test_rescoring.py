"""Scores from outputs, their standard errors and covariances: against samples' own variance, and under changes of the outputs."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from emergence.io import tables
from emergence.io.errors import InputError
from emergence.outputs import metrics, rescoring
from emergence.outputs.rescoring import Settings, Task
from emergence.study import configuration, metric_catalogue
from invented_outputs import SCALES, arrow, copied_digits, examples, sums

CATALOGUE = configuration.DEFAULT_METRICS
FORMAT = {"format": "outputs_table"}


def rescored(rows, **settings):
    """Scores, covariances and account of rows of one task."""
    return rescoring.rescore(Task(examples(rows), Settings(**settings)), "b", "invented")


def matrix(covariances, metric):
    own = covariances["metric"] == covariances["metric_b"]
    part = covariances[own & (covariances["metric"] == metric)].pivot_table(
        index="scale_a", columns="scale_b", values="covariance"
    )
    full = part.to_numpy()
    return np.where(np.isnan(full), full.T, full)


def test_covariance_of_a_mean_is_the_samples_own():
    # an independent computation: numpy's covariance of right and wrong answers, over the number of questions
    rows = copied_digits(300, [2], shared=0.6)
    scores, covariances, _ = rescored(rows)
    right = pd.DataFrame(rows).assign(right=[float(row["output"] == row["targets"][0]) for row in rows])
    right = right.pivot_table(index="example", columns="scale", values="right")
    assert matrix(covariances, "exact_match") == pytest.approx(np.cov(right.to_numpy().T) / 300, abs=1e-15)
    own = scores[scores["metric"] == "exact_match"]
    assert own["stderr"].to_numpy() == pytest.approx(right.std(ddof=1).to_numpy() / np.sqrt(300), abs=1e-15)
    assert (own["n_examples"] == 300).all()
    # questions are shared, so scores move together
    assert matrix(covariances, "exact_match")[3, 4] > 0


def test_covariance_of_two_metrics_is_the_samples_own(catalogue):
    # an independent computation: numpy's covariance of grades with probabilities among the choices, over the number of questions
    rows = sums(120)
    task = Task(examples(rows), Settings(("acc", "choice_probability", "mrr")))
    _, covariances, _ = rescoring.rescore(task, "b", "invented", catalogue=catalogue)
    of_choices = np.array([row["log_probs"] for row in rows])
    gold = np.array([row["credits"] for row in rows]).argmax(axis=1)
    probability = softmax(of_choices, axis=1)[np.arange(len(rows)), gold].reshape(len(SCALES), 120)
    grade = (of_choices.argmax(axis=1) == gold).astype(float).reshape(len(SCALES), 120)
    expected = np.cov(grade, probability)[: len(SCALES), len(SCALES) :] / 120
    pairs = covariances[(covariances["metric"] == "acc") & (covariances["metric_b"] == "choice_probability")]
    found = pairs.pivot_table(index="scale_a", columns="scale_b", values="covariance").to_numpy()
    assert found == pytest.approx(expected, abs=1e-15)
    assert not np.allclose(found, found.T, rtol=0.01)
    # the continuous metric has no other beside it
    assert set(covariances.loc[covariances["metric"] == "choice_probability", "metric_b"]) == {"choice_probability"}


@pytest.mark.parametrize(("dialect", "weights"), [(metrics.BIGBENCH, (1 / 2, 1 / 2)), (metrics.HARNESS, (1 / 3, 2 / 3))])
def test_covariance_of_two_metrics_over_subtasks(catalogue, dialect, weights):
    # hand-derived: subtasks are independent, so the covariance of their mean is the sum over them, each with its weight squared
    rows = [row | {"subtask": name} for name, n in (("a", 40), ("b", 80)) for row in sums(n, scales=SCALES[:5], seed=n)]
    task = Task(examples(rows), Settings(("acc", "choice_probability"), dialect=dialect))
    _, covariances, _ = rescoring.rescore(task, "b", "invented", catalogue=catalogue)
    cross = covariances[covariances["metric_b"] != covariances["metric"]].set_index(["subtask", "scale_a", "scale_b"])[
        "covariance"
    ]
    expected = cross["a"] * weights[0] ** 2 + cross["b"] * weights[1] ** 2
    pd.testing.assert_series_equal(cross[""].sort_index(), expected.sort_index(), rtol=1e-12)


def test_covariance_of_a_ratio_is_that_of_the_bootstrap():
    # token accuracy over targets of 1 to 9 tokens is no mean; 4,000 bootstrap draws know its covariance to about 6e-6
    rows = copied_digits(200, range(1, 10), shared=0.5, scales=SCALES[::2])
    _, covariances, _ = rescored(rows, names=("token_accuracy",))
    task = Task(examples(rows), Settings(("token_accuracy",)))
    _, metric, sums_ = task.measured[0]
    weights = np.random.default_rng(1).multinomial(200, np.full(200, 1 / 200), size=4000)
    drawn = metric.aggregate(np.einsum("bu,muk->bmk", weights, np.asarray(sums_)))
    assert matrix(covariances, "token_accuracy") == pytest.approx(np.cov(drawn.T), rel=0.1, abs=2e-5)


def test_the_order_of_outputs_changes_nothing():
    rows = copied_digits(60, [1, 2, 3]) + sums(50)
    shuffled = [rows[i] for i in np.random.default_rng(2).permutation(len(rows))]
    chosen = [row["kind"] == "choices" for row in rows if "kind" in row]
    assert chosen
    for a, b in zip(rescored(rows), rescored(shuffled), strict=True):
        key = [column for column in ("metric", "metric_b", "model", "scale_a", "scale_b") if column in a]
        a, b = (frame.sort_values(key, ignore_index=True) for frame in (a, b))
        pd.testing.assert_frame_equal(a, b, check_exact=False, rtol=0, atol=1e-14)


def test_doubled_examples_leave_scores_and_as_clusters_their_covariance():
    rows = [row | {"cluster": row["example"]} for row in copied_digits(80, [1, 2, 3, 4], shared=0.4)]
    doubled = rows + [row | {"example": "again " + row["example"]} for row in rows]
    loose = [row | {"cluster": None} for row in doubled]
    once, twice, as_new = rescored(rows), rescored(doubled), rescored(loose)
    for metric in ("exact_match", "token_accuracy", "edit_similarity"):
        scores = [frame[frame["metric"] == metric].set_index("model")["score"] for frame, *_ in (once, twice, as_new)]
        assert scores[0].to_numpy() == pytest.approx(scores[1].to_numpy(), abs=1e-14)
        assert scores[0].to_numpy() == pytest.approx(scores[2].to_numpy(), abs=1e-14)
        assert matrix(once[1], metric) == pytest.approx(matrix(twice[1], metric), abs=1e-15)
        # taken for new questions, they would seem to know twice as much
        assert np.diag(matrix(as_new[1], metric)) == pytest.approx(np.diag(matrix(once[1], metric)) / 2, rel=0.01)
    assert set(twice[2]["n_units"]) == {80}


def test_identical_questions_are_one_unit():
    rows = copied_digits(40, [2])
    same = [row | {"input_hash": "asked twice"} for row in rows if row["example"] in ("0003", "0017")]
    target = same[0]["targets"]
    rows = [
        row | ({"input_hash": "asked twice", "targets": target} if row["example"] in ("0003", "0017") else {}) for row in rows
    ]
    found = examples(rows)
    assert len(set(found.units)) == 39
    other_answer = [row | ({"targets": ["no"]} if row["example"] == "0017" else {}) for row in rows]
    assert len(set(examples(other_answer).units)) == 40


def test_repeats_of_a_question_are_one_unit():
    rows = copied_digits(40, [2])
    repeated = rows + [row | {"repeat": 1} for row in rows]
    once, twice = rescored(rows), rescored(repeated)
    assert matrix(once[1], "exact_match") == pytest.approx(matrix(twice[1], "exact_match"), abs=1e-15)


def test_models_of_one_scale_are_averaged():
    rows = copied_digits(100, [1], scales=SCALES[:4])
    for row in rows:
        row["scale"] = float(SCALES[0]) if row["model"] == f"m{SCALES[1]:.3g}" else row["scale"]
    scores, covariances, _ = rescored(rows, names=("exact_match",))
    assert len(scores) == 4 and len(covariances) == 6
    task = Task(examples(rows), Settings(("exact_match",)))
    _, _, sums_ = task.measured[0]
    mean = sums_.statistic(0)[:2].mean(axis=0)
    assert matrix(covariances, "exact_match")[0, 0] == pytest.approx(mean.var(ddof=1) / 100)


def test_questions_without_an_output_of_every_model_are_left_out_and_counted():
    rows = copied_digits(30, [2], scales=SCALES[:4])
    rows = [row for row in rows if not (row["example"] == "0004" and row["scale"] == SCALES[2])]
    scores, _, account = rescored(rows, names=("exact_match",))
    assert set(scores["n_examples"]) == {29}
    assert set(account["n_left_out"]) == {3}


def test_what_is_not_scored_is_counted():
    rows = sums(20, scales=SCALES[:4])
    rows[0]["log_probs"][rows[0]["credits"].index(1)] = -np.inf
    rows[1]["credits"] = [0.0] * 4
    scores, covariances, account = rescored(rows)
    account = account.set_index(["metric", "model"])
    first = rows[0]["model"]
    assert account.loc[("logprob", first), "outcome"] == "infinite"
    assert ("logprob", first) not in scores.set_index(["metric", "model"]).index
    assert account.loc[("mrr", first), "n_undefined"] == 1
    assert np.isfinite(covariances["covariance"]).all()
    # the chance of guessing is the mean credit of a choice
    assert scores.loc[scores["metric"] == "acc", "chance"].to_numpy() == pytest.approx((0.25 * 79) / 80)


def write(path, rows):
    table = arrow(sorted(rows, key=lambda row: (row.get("task", ""), row["model"], row.get("filter", ""), row["example"])))
    frame = table.to_pandas().drop(columns=[])
    tables.write(rescoring.as_table([frame], "outputs", "b"), "outputs", path)
    return path


def made(tmp_path, rows, catalogue, **keys):
    path = write(tmp_path / "outputs.parquet", rows)
    return rescoring.tables_of("b", FORMAT | keys, path, catalogue, CATALOGUE)


def test_a_metric_that_the_outputs_cannot_give_is_refused_with_those_that_they_can(tmp_path, catalogue):
    with pytest.raises(InputError) as error:
        made(tmp_path, copied_digits(10, [2]), catalogue, metrics=["exact_match", "brier_score", "perplexity"])
    text = str(error.value)
    assert (
        "benchmarks.b: metrics" in text
        and "`brier_score`, `perplexity`" in text
        and "`exact_match`" not in text.split("found")[1].split("allowed")[0]
    )
    for name in metrics.names_of("text"):
        assert name in text


def test_filters_are_metrics_of_their_own(tmp_path, catalogue):
    rows = copied_digits(10, [2])
    both = [row | {"filter": "strict-match", "output": ""} for row in rows] + [
        row | {"filter": "flexible-extract"} for row in rows
    ]
    scores = made(tmp_path, both, catalogue, metrics=["exact_match", "token_accuracy"])["scores"]
    assert set(scores["metric"]) == {
        f"{m},{f}" for m in ("exact_match", "token_accuracy") for f in ("strict-match", "flexible-extract")
    }
    assert (scores.loc[scores["metric"] == "exact_match,strict-match", "score"] == 0).all()
    with pytest.raises(InputError, match="filters"):
        made(tmp_path, [row | {"filter": "my_own"} for row in rows], catalogue)


def test_two_kinds_that_give_the_same_metric_are_refused(tmp_path, catalogue):
    rows = sums(10, scales=SCALES[:3])
    more = [
        row | {"kind": "loglikelihood", "log_probs": [-1.0], "is_greedy": True, "example": "l" + row["example"]} for row in rows
    ]
    with pytest.raises(InputError, match="two kinds of outputs"):
        made(tmp_path, rows + more, catalogue)


def test_no_outputs(tmp_path, catalogue):
    found = made(tmp_path, [], catalogue)
    assert all(frame.empty for frame in found.values())


def test_rows_are_those_of_the_score_table(tmp_path, catalogue):
    rows = [row | {"task": task} for task in ("b", "a") for row in copied_digits(20, [3])]
    found = made(tmp_path, rows, catalogue)
    for name, frame in found.items():
        assert not tables.faults(frame, name)
    assert list(found["scores"]["task"].unique()) == ["a", "b"]
    assert set(found["scores"]["metric"]) <= set(catalogue.index)


def test_keys_of_outputs_are_checked_before_the_run(tmp_path):
    path = tmp_path / "outputs.csv"
    path.write_text("task,model,answer,target\n")
    block = {
        "format": "outputs_table",
        "files": [str(path)],
        "columns": {"task": "task", "model": "model", "output": "answer", "targets": "target"},
    }
    with pytest.raises(InputError) as error:
        configuration.check({"benchmarks": {"b": block | {"answer": {"regex": "("}, "tokens": "[", "metrics": ["excat_match"]}}})
    assert "exact_match" in str(error.value)
    with pytest.raises(InputError) as error:
        configuration.check({"benchmarks": {"b": block | {"answer": {"regex": "("}, "tokens": "x*"}}})
    assert "benchmarks.b.answer.regex" in str(error.value) and "benchmarks.b.tokens" in str(error.value)
    with pytest.raises(InputError, match=r"(?s)by_task\.n_examples.*the examples of outputs are counted"):
        configuration.check({"benchmarks": {"b": block | {"by_task": {"n_examples": {"t": 3}}}}})
    with pytest.raises(InputError):
        configuration.check({"benchmarks": {"b": block | {"answer": {"cut": "targt"}}}})


def test_by_task_speaks_of_shares_of_right_answers():
    catalogue = metric_catalogue.load(CATALOGUE)
    scores, _, _ = rescored(copied_digits(40, [1, 2]), names=("exact_match", "edit_distance"))
    task = scores["task"].iat[0]
    said = {"chance": {task: 0.1}, "constant_scores": {task: [0.0, 1.0]}, "higher_is_better": {task: {"exact_match": False}}}
    found = rescoring.add_by_task(scores, said, catalogue)
    share = found["metric"] == "exact_match"
    assert (found.loc[share, "chance"] == 0.1).all() and found.loc[~share, "chance"].isna().all()
    nearest = found.loc[share, "constant_answer"].to_numpy()
    assert (nearest == np.round(found.loc[share, "score"].to_numpy())).all() and found.loc[~share, "constant_answer"].isna().all()
    assert (found.loc[share, "higher_is_better"] == False).all()  # noqa: E712
    assert found.loc[~share, "higher_is_better"].isna().all()
    other = rescoring.add_by_task(scores, {"chance": {"another": 0.1}}, catalogue)
    assert other["chance"].isna().all()


def test_the_mean_over_subtasks_is_a_curve_of_the_whole_task():
    rows = [row | {"subtask": name} for name, n in (("a", 30), ("b", 60)) for row in copied_digits(n, [2])]
    scores, covariances, _ = rescored(rows, names=("exact_match",), dialect=metrics.BIGBENCH)
    whole, parts = scores[scores["subtask"] == ""], scores[scores["subtask"] != ""]
    assert whole["aggregate"].all() and not parts["aggregate"].any()
    by_model = parts.pivot_table(index="model", columns="subtask", values=["score", "stderr", "n_examples"]).loc[whole["model"]]
    # the plain mean, as BIG-bench has it; subtasks are independent samples of questions
    assert whole["score"].to_numpy() == pytest.approx(by_model["score"].mean(axis=1).to_numpy(), abs=1e-12)
    assert whole["stderr"].to_numpy() == pytest.approx(np.sqrt(np.square(by_model["stderr"]).sum(axis=1).to_numpy()) / 2)
    assert (whole["n_examples"] == by_model["n_examples"].sum(axis=1).to_numpy()).all()
    own = covariances[covariances["subtask"] == ""]
    diagonal = own[own["scale_a"] == own["scale_b"]].sort_values("scale_a")["covariance"]
    assert diagonal.to_numpy() == pytest.approx(np.square(whole.sort_values("scale")["stderr"].to_numpy()))
    # the harness weighs its subtasks by their examples
    scores, *_ = rescored(rows, names=("exact_match",), dialect=metrics.HARNESS)
    whole = scores[scores["subtask"] == ""]
    assert whole["score"].to_numpy() == pytest.approx((by_model["score"]["a"] + 2 * by_model["score"]["b"]).to_numpy() / 3)


def test_no_mean_over_subtasks_where_the_task_has_outputs_of_its_own_or_a_model_lacks_a_subtask():
    rows = [row | {"subtask": name} for name in ("", "a") for row in copied_digits(20, [2])]
    scores, *_ = rescored(rows, names=("exact_match",))
    assert not scores["aggregate"].any()
    rows = [row | {"subtask": name} for name in ("a", "b") for row in copied_digits(20, [2])]
    lacking = max(row["model"] for row in rows)
    rows = [row for row in rows if row["subtask"] == "a" or row["model"] != lacking]
    scores, *_ = rescored(rows, names=("exact_match",))
    assert lacking not in set(scores.loc[scores["subtask"] == "", "model"])
