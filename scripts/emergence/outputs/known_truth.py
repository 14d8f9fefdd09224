"""Measured curves beside the truth, for outputs of `format: model`: the end-to-end test of everything between outputs and curves."""

import numpy as np

from emergence.curves import sharpness
from emergence.ingest.readers.model import reader
from emergence.outputs import paper_model

COLUMNS = ("true_status", "true_emergence_score", "largest_error")


def expected_scores(block):
    """What every metric with a known expectation is expected to score at every size.

    Parameters
    ----------
    block : dict
        A block of `format: model`, with defaults.

    Returns
    -------
    dict of (task, metric) to (sizes,) ndarray
        In the metric's own units and direction, under the metric's name in the catalogue.
    """
    p = paper_model.token_probability(block["world"], block["sizes"], block["c"], block["alpha"])
    n_choices, spread = block["choices"], block["item_spread"]
    expected = {}
    for task, length in reader.tasks(block).items():
        if length is None:
            found = _of_choices(p, n_choices, spread)
        else:
            right = paper_model.exact_match(p, length)
            found = {
                "exact_match": right,
                "case_insensitive_str_match": right,
                # an answer is one word, which is the target or is not
                "rougeL": 100 * right,
                "token_accuracy": paper_model.token_accuracy(p),
                "edit_similarity": paper_model.token_accuracy(p),
                "edit_distance": length * (1 - paper_model.token_accuracy(p)),
            }
        expected |= {(task, metric): scores for metric, scores in found.items()}
    return expected


def _of_choices(p, n_choices, spread):
    grade = paper_model.multiple_choice_grade(p, n_choices, spread)
    probability = paper_model.correct_probability(p, spread)
    log_probability = paper_model.log_probability(p, spread)
    brier = paper_model.brier_score(p, n_choices, spread)
    n_bytes = len("choice ") + len(str(n_choices))
    found = dict.fromkeys(("acc", "acc_norm", "acc_bytes", "multiple_choice_grade"), grade)
    found |= dict.fromkeys(("choice_probability", "target_probability"), probability)
    found |= dict.fromkeys(("choice_logprob", "logprob"), log_probability)
    return found | {
        "calibration_multiple_choice_brier_score": brier,
        # the harness sums over the choices
        "brier_score": n_choices * brier,
        "choice_margin": probability - (1 - probability) / (n_choices - 1),
        "bpb": -log_probability / (n_bytes * np.log(2)),
    }


def compare(curves, catalogue, block):
    """Measured and true emergence score of every curve whose expectation is known.

    Parameters
    ----------
    curves : frame of curves, measured
    catalogue : frame of metric_catalogue.load
    block : dict
        The block of `format: model` that the curves come from, with defaults.

    Returns
    -------
    DataFrame
        The table `known_truth`: the columns of `curves` that are its own, and COLUMNS. `largest_error` is the largest absolute
        difference between a score and its expectation, in units of the metric.
    """
    own = ["task", "metric", "model_family", "n_scales", "status", "emergence_score", "emergence_score_resolved"]
    expected = expected_scores(block)
    rows = [row for row, key in enumerate(zip(curves["task"], curves["metric"], strict=True)) if key in expected]
    table = curves[own].iloc[rows].reset_index(drop=True)
    truths = [expected[key] for key in zip(table["task"], table["metric"], strict=True)]
    table = table.assign(true_status=None, true_emergence_score=np.nan, largest_error=np.nan)
    for row, (truth, scores) in enumerate(zip(truths, curves["scores"].iloc[rows], strict=True)):
        sign = 1 if catalogue.at[table["metric"].iat[row], "higher_is_better"] else -1
        table.loc[row, "true_status"] = str(sharpness.status(sign * truth))
        table.loc[row, "true_emergence_score"] = float(sharpness.emergence_score(sign * truth))
        table.loc[row, "largest_error"] = np.abs(scores - truth).max()
    return table
