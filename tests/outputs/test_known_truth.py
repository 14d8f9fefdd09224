"""Outputs drawn from the paper's model: what they score is what the closed forms say, by plain counting."""

import numpy as np
import pandas as pd
import pytest

from emergence.curves import sharpness
from emergence.ingest.accounts import Account
from emergence.ingest.readers.model import reader
from emergence.outputs import known_truth, paper_model
from emergence.study import configuration

RANGES = {"wide": np.geomspace(3.5e8, 2e11, 8).tolist(), "low": np.geomspace(1e8, 1e10, 8).tolist()}


def block_of(**keys):
    return configuration.check({"benchmarks": {"m": {"format": "model"} | keys}})["benchmarks"]["m"]


def drawn(block):
    return {frame["task"].iat[0]: frame for frame in reader.read(block, Account())}


def counted(frame):
    """Scores of text outputs by counting: exact match and share of right tokens at each scale."""
    outputs, targets = frame["output"].tolist(), [targets[0] for targets in frame["targets"]]
    right = pd.Series([output == target for output, target in zip(outputs, targets, strict=True)])
    tokens = pd.Series([np.mean([a == b for a, b in zip(o, t, strict=True)]) for o, t in zip(outputs, targets, strict=True)])
    return right.groupby(frame["scale"]).mean().to_numpy(), tokens.groupby(frame["scale"]).mean().to_numpy()


@pytest.mark.parametrize(("sizes", "within"), [("wide", 0.05), ("low", 0.15)])
def test_measured_emergence_score_with_many_examples(sizes, within):
    # eight tokens fewer to count than in a plain loop: all characters of a task at once
    block = block_of(sizes=RANGES[sizes], target_lengths=[5], n_examples=100_000)
    frame = next(reader.read(block, Account()))
    characters = np.array(frame["output"].tolist()).astype("U5").view("U1").reshape(8, -1, 5)
    target = np.array([targets[0] for targets in frame["targets"]]).astype("U5").view("U1").reshape(8, -1, 5)
    right = (characters == target).all(axis=2).mean(axis=1)
    truth = sharpness.emergence_score(paper_model.exact_match(paper_model.token_probability("power_law", RANGES[sizes]), 5))
    assert sharpness.emergence_score(right) == pytest.approx(float(truth), rel=within)


def test_a_curve_that_rises_at_its_end_only_has_the_resolution_of_the_test_set():
    # the truth is 1,872; what a finite test set shows is the number of examples times the range
    p = paper_model.token_probability("power_law", RANGES["low"])
    for n_examples, known in {1_000: 11, 10_000: 114, 100_000: 1_134}.items():
        generator = np.random.default_rng(n_examples)
        scores = generator.binomial(n_examples, paper_model.exact_match(p, 10), (200, 8)) / n_examples
        steps = np.maximum(np.abs(np.diff(scores, axis=1)), 1 / n_examples)
        limited = np.ptp(scores, axis=1) / np.median(steps, axis=1)
        # in nearly every draw the median step is one example
        assert np.isclose(limited, n_examples * np.ptp(scores, axis=1)).mean() > 0.8
        assert np.median(limited) == pytest.approx(known, rel=0.1)


def test_scores_are_those_expected():
    block = block_of(n_examples=20_000, target_lengths=[1, 3], choices=4, item_spread=1.5, world="break")
    expected = known_truth.expected_scores(block)
    frames = drawn(block)
    noise = 5 * 0.5 / np.sqrt(20_000)
    for length in (1, 3):
        task = reader.text_task(length)
        right, tokens = counted(frames[task])
        np.testing.assert_allclose(right, expected[task, "exact_match"], atol=noise)
        np.testing.assert_allclose(tokens, expected[task, "token_accuracy"], atol=noise)
    frame = frames[reader.CHOICES_TASK]
    log_probs, credits = np.stack(frame["log_probs"]), np.stack(frame["credits"])
    probabilities = np.exp(log_probs)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    by_hand = {
        "acc": credits[np.arange(len(frame)), log_probs.argmax(axis=1)],
        "brier_score": np.square(probabilities - credits).sum(axis=1),
        "choice_probability": (probabilities * credits).sum(axis=1),
        "logprob": (log_probs * credits).sum(axis=1),
    }
    for metric, values in by_hand.items():
        means, spread = (getattr(pd.Series(values).groupby(frame["scale"]), what)().to_numpy() for what in ("mean", "std"))
        # items have their own difficulty, so the noise is that of their spread
        assert (np.abs(means - expected[reader.CHOICES_TASK, metric]) <= 5 * spread / np.sqrt(20_000) + 1e-12).all(), metric


def test_one_edit_for_each_wrong_token():
    distance = pytest.importorskip("rapidfuzz.distance").Levenshtein.distance
    frame = drawn(block_of(n_examples=300, target_lengths=[6]))[reader.text_task(6)]
    for output, targets in zip(frame["output"], frame["targets"], strict=True):
        assert distance(output, targets[0]) == sum(a != b for a, b in zip(output, targets[0], strict=True))


def test_every_model_answers_the_same_questions_and_nothing_depends_on_the_rest():
    block = block_of(n_examples=50, families=2)
    frames = drawn(block)
    for frame in frames.values():
        assert not frame.duplicated(["model_family", "model", "example"]).any()
        assert frame.groupby("example")["targets"].agg(lambda targets: len(set(map(tuple, targets)))).eq(1).all()
    # one task, one family and fewer sizes give the same outputs
    alone = drawn(block_of(n_examples=50, target_lengths=[3], sizes=block["sizes"][2:]))[reader.text_task(3)]
    whole = frames[reader.text_task(3)]
    same = whole[(whole["model_family"] == "power_law 1") & (whole["scale"] >= block["sizes"][2])]
    assert same["output"].tolist() == alone["output"].tolist()
    assert drawn(block_of(n_examples=50, seed=2))[reader.text_task(3)]["output"].tolist() != same["output"].tolist()


def test_shards_hold_each_task_once():
    block = block_of(n_examples=5)
    parts = [frame["task"].iat[0] for number in (1, 2, 3) for frame in reader.read(block, Account(), (number, 3))]
    assert sorted(parts) == sorted(drawn(block))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"sizes": [3, 2, 1]}, "sizes that do not increase"),
        ({"sizes": [1, 2e9, 3e9]}, "below 1e-13"),
        ({"sizes": [1e9, 2e9, 1e40]}, "above 1 - 1e-12"),
        ({"alpha": 0.5}, "alpha"),
        ({"choices": 1}, "choices"),
    ],
)
def test_worlds_that_cannot_be_drawn(keys, words):
    from emergence.io.errors import InputError

    with pytest.raises(InputError, match=words):
        block_of(**keys)


def test_measured_beside_true(catalogue):
    block = block_of(target_lengths=[2])
    truth = known_truth.expected_scores(block)
    task = reader.text_task(2)
    curves = pd.DataFrame(
        {
            "task": [task, task, "choices", task],
            "metric": ["exact_match", "bleu", "brier_score", "exact_match"],
            "model_family": ["f", "f", "f", "g"],
            "n_scales": 8,
            "status": "ok",
            "emergence_score": [6.7, 5.0, 8.0, 6.0],
            "emergence_score_resolved": [6.7, 5.0, 8.0, 6.0],
            "scores": [
                truth[task, "exact_match"],
                np.zeros(8),
                truth["choices", "brier_score"],
                truth[task, "exact_match"] + 0.01,
            ],
        }
    )
    found = known_truth.compare(curves, catalogue, block)
    # BLEU has no closed form here
    assert found["metric"].tolist() == ["exact_match", "brier_score", "exact_match"]
    assert found["true_emergence_score"].iat[0] == pytest.approx(6.719, abs=2e-3)
    np.testing.assert_allclose(found["largest_error"], [0, 0, 0.01], atol=1e-15)
    assert (found["true_status"] == "ok").all()
    assert known_truth.compare(curves.iloc[:0], catalogue, block).empty
