"""Metrics on outputs against hand-worked cases, against other implementations, and against what two harnesses stored."""

import json
import math

import numpy as np
import pytest
import sacrebleu

from emergence.curves import sharpness
from emergence.io.documents import load_yaml
from emergence.io.errors import InputError
from emergence.outputs import answers, metrics, pipeline, rescoring
from emergence.outputs.examples import CHOICES, LOGLIKELIHOOD, TEXT
from emergence.outputs.rescoring import Settings, Task
from emergence.study import configuration, metric_catalogue
from invented_outputs import SCALES, copied_digits, examples, sums, token_accuracy
from samples import sample

ROOT = configuration.ROOT


def scores(rows, kind, dialect=metrics.HARNESS, **settings):
    """Every metric of a kind on all rows together: {name: score}."""
    task = Task(examples(rows), Settings(tuple(metrics.names_of(kind)), dialect=dialect, **settings))
    return {
        metric.name: float(metric.aggregate(task.statistics_of(metric).sum(axis=0)))
        for metric in metrics.METRICS
        if metric.kind == kind
    }


def text(output, *targets, **more):
    return {"output": output, "targets": list(targets)} | more


def choices(log_probs, credits, **more):
    return {"kind": CHOICES, "log_probs": list(log_probs), "credits": list(credits)} | more


def numbered(rows):
    return [row | {"example": str(number)} for number, row in enumerate(rows)]


def test_edit_distance_of_the_textbook():
    # kitten -> sitting takes three steps (Wikipedia, Levenshtein distance): two letters replaced, one inserted
    found = scores([text("sitting", "kitten")], TEXT)
    assert found["edit_distance"] == 3
    assert found["edit_similarity"] == pytest.approx(1 - 3 / 7)
    # s-i-t-t-i-n over k-i-t-t-e-n: positions 2, 3, 4 and 6 agree, of 6
    assert found["token_accuracy"] == pytest.approx(4 / 6)


def test_characters_are_code_points():
    # one letter of three differs, though in bytes of UTF-8 these are 2, 4 and 3 of them
    found = scores([text("é😀€", "é😀x")], TEXT)
    assert found["edit_distance"] == 1
    assert found["token_accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("tokens", "distance", "accuracy"),
    # 12 cats / 13 dogs: one of two digits and three of four letters; both words; the second digit; digits and letters as runs
    [("characters", 4, 3 / 7), ("words", 2, 0), ("digits", 1, 1 / 2), (r"[0-9]+|[a-z]+", 2, 0)],
)
def test_tokens(tokens, distance, accuracy):
    found = scores([text("12 cats", "13 dogs")], TEXT, tokens=tokens)
    assert found["edit_distance"] == distance
    assert found["token_accuracy"] == pytest.approx(accuracy)


def test_distance_is_at_least_the_difference_of_lengths_and_at_most_the_longer():
    generator = np.random.default_rng(1)
    rows = numbered(
        [
            text("".join(generator.choice(list("abc"), n)), "".join(generator.choice(list("abc"), m)))
            for n, m in generator.integers(12, size=(300, 2))
        ]
    )
    seen = metrics.Texts(examples(rows))
    said, wanted = seen.lengths
    assert (seen.distances >= np.abs(said - wanted)).all()
    assert (seen.distances <= np.maximum(said, wanted)).all()
    assert (seen.right_positions <= np.maximum(said, wanted) - seen.distances).all()


def test_the_best_of_several_targets_counts():
    found = scores([text("Paris", "London", "paris", "Paris")], TEXT)
    assert found["exact_match"] == 1 and found["edit_distance"] == 0 and found["token_accuracy"] == 1
    found = scores([text("PARIS", "London", "Paris")], TEXT)
    assert found["exact_match"] == 0 and found["case_insensitive_str_match"] == 1 and found["edit_distance"] == 4


def test_numbers_within_a_tenth():
    rows = numbered([text("11", "10"), text("11.1", "10"), text("ten", "10"), text("-9", "-10"), text("3", "three")])
    # 11 is within a tenth of 10, 11.1 is not, a word is not a number, -9 is within a tenth of -10; `three` asks for no number
    assert scores(rows, TEXT)["numeric_match_with_0_1_relative_error"] == pytest.approx(2 / 4)


def test_rouge_by_hand():
    # `the cat sat` and `the cat was here`: 2 words in common of 3 and 4, F = 2 * 2 / 7
    assert scores([text("The cat sat.", "the cat was here")], TEXT)["rougeL"] == pytest.approx(100 * 4 / 7)


def test_empty_outputs_and_targets():
    found = scores([text("", "")], TEXT)
    assert found["exact_match"] == 1 and found["edit_distance"] == 0
    # no position of an empty target can be right or wrong
    assert math.isnan(found["token_accuracy"])
    assert scores([text("", "ab")], TEXT)["edit_similarity"] == 0
    assert math.isnan(scores([text(None, "ab"), text("a", example="1")], TEXT)["exact_match"])


def corpus():
    generator = np.random.default_rng(5)
    words = np.array(["the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat", ".", ",", "quickly"])
    rows = []
    for number in range(60):
        target = generator.choice(words, generator.integers(1, 14))
        said = np.where(generator.random(len(target)) < 0.75, target, generator.choice(words, len(target)))
        other = [" ".join(generator.choice(words, 6))] if number % 3 == 0 else []
        rows.append(text(" ".join(said), " ".join(target), *other, example=str(number)))
    return rows


@pytest.mark.parametrize("dialect", [metrics.HARNESS, metrics.BIGBENCH])
def test_bleu_and_chrf_are_those_of_sacrebleu(dialect):
    rows = corpus()
    for chosen in (rows, rows[:7], rows[3:4]):
        said = [row["output"] for row in chosen]
        most = max(len(row["targets"]) for row in chosen)
        references = [[row["targets"][i] if i < len(row["targets"]) else None for row in chosen] for i in range(most)]
        tokenizer = "intl" if dialect == metrics.BIGBENCH else "13a"
        found = scores(chosen, TEXT, dialect)
        assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(said, references, tokenize=tokenizer).score, abs=1e-10)
        assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(said, references).score, abs=1e-10)


def test_bleu_of_answers_without_a_word_in_common_is_zero():
    found = scores([text("x y z", "a b c d")], TEXT)
    assert found["bleu"] == 0 == sacrebleu.corpus_bleu(["x y z"], [["a b c d"]]).score
    assert found["chrf"] == 0


def test_multiple_choice_by_hand():
    # probabilities 1/8, 1/2, 1/4 in the vocabulary; 1/7, 4/7, 2/7 among the choices; the last is right
    row = choices(np.log([1 / 8, 1 / 2, 1 / 4]), [0, 0, 1], n_characters=[1, 10, 1], n_bytes=[1, 1, 2])
    found = scores([row | {"mutual_log_probs": np.log([1 / 8, 1 / 2, 1 / 16]).tolist()}], CHOICES)
    assert found["acc"] == 0
    # by length: log(1/2) / 10 is the largest per character and per byte log(1/2) / 1 against log(1/4) / 2: a tie, the first counts
    assert found["acc_norm"] == 0 and found["acc_bytes"] == 0
    assert found["acc_mutual_info"] == 1
    assert found["brier_score"] == pytest.approx((1 + 16 + 25) / 49)
    assert found["calibration_multiple_choice_brier_score"] == pytest.approx((1 + 16 + 25) / 49 / 3)
    assert found["choice_probability"] == pytest.approx(2 / 7)
    assert found["choice_logprob"] == pytest.approx(math.log(2 / 7))
    assert found["target_probability"] == pytest.approx(1 / 4)
    assert found["logprob"] == pytest.approx(math.log(1 / 4))
    assert found["bpb"] == pytest.approx(2 / 2)
    assert found["choice_margin"] == pytest.approx(-2 / 7)
    assert found["mrr"] == pytest.approx(1 / 2)
    assert found["expected_calibration_error"] == pytest.approx(4 / 7)


def test_calibration_error_by_hand():
    # confidence .6 twice with one right, .9 once and right: (2 * |.5 - .6| + 1 * |1 - .9|) / 3
    rows = numbered(
        [choices(np.log([0.6, 0.4]), [1, 0]), choices(np.log([0.6, 0.4]), [0, 1]), choices(np.log([0.9, 0.1]), [1, 0])]
    )
    assert scores(rows, CHOICES)["expected_calibration_error"] == pytest.approx((2 * 0.1 + 0.1) / 3)


def test_several_right_choices_soft_credits_and_none():
    several = choices(np.log([0.5, 0.3, 0.2]), [0, 1, 1])
    found = scores([several], CHOICES)
    assert found["choice_probability"] == pytest.approx(0.5)
    assert found["mrr"] == pytest.approx(1 / 2)
    # one of the two is drawn: half of .25 + (1 - .3)^2 + .04 and half of .25 + .09 + (1 - .2)^2, over 3 choices
    expected = (0.25 + 0.49 + 0.04) / 2 + (0.25 + 0.09 + 0.64) / 2
    assert found["calibration_multiple_choice_brier_score"] == pytest.approx(expected / 3)
    assert scores([choices(np.log([0.7, 0.3]), [0.25, 1])], CHOICES)["acc"] == 0.25
    found = scores([choices(np.log([0.7, 0.3]), [0, 0])], CHOICES)
    assert found["acc"] == 0
    assert all(math.isnan(found[name]) for name in ("choice_probability", "choice_logprob", "mrr", "choice_margin", "logprob"))


def test_a_probability_of_zero():
    found = scores(numbered([choices([-math.inf, 0.0], [1, 0]), choices([-1.0, -1.0], [1, 0])]), CHOICES)
    assert found["logprob"] == -math.inf and found["choice_logprob"] == -math.inf
    assert found["choice_probability"] == pytest.approx((0 + 0.5) / 2)
    # no choice has a probability: nothing is defined
    assert math.isnan(scores([choices([-math.inf, -math.inf], [1, 0])], CHOICES)["acc"])


def test_ties_are_broken_as_each_harness_does():
    rows = [choices([-1.0, -1.0, -2.0], [0, 1, 0])]
    assert scores(rows, CHOICES)["acc"] == 0
    # BIG-bench: SHA-256 of the float64 bytes of the log-probabilities among the choices, modulo the number of ties
    values = np.array([-1.0, -1.0, -2.0])
    normalised = values - np.log(np.exp(values).sum())
    grades = set()
    for shift in range(8):
        stored = (normalised - shift / 8).tolist()
        tied = [row | {"normalised_log_probs": stored} for row in rows]
        import hashlib

        expected = int(hashlib.sha256(np.array(stored).tobytes()).hexdigest(), 16) % 2
        grade = scores(tied, CHOICES, metrics.BIGBENCH)["multiple_choice_grade"]
        assert grade == expected
        grades.add(grade)
    assert grades == {0, 1}


def test_likelihoods_by_hand():
    rows = numbered(
        [
            {"kind": LOGLIKELIHOOD, "log_probs": [math.log(0.5)], "is_greedy": True, "n_bytes": [2], "n_words": [1]},
            {"kind": LOGLIKELIHOOD, "log_probs": [math.log(0.125)], "is_greedy": False, "n_bytes": [6], "n_words": [3]},
        ]
    )
    found = scores(rows, LOGLIKELIHOOD)
    assert found["acc"] == 0.5
    assert found["target_probability"] == pytest.approx(0.3125)
    assert found["log_likelihood"] == found["logprob"] == pytest.approx(math.log(0.0625) / 2)
    assert found["perplexity"] == pytest.approx(4)
    assert found["bits_per_byte"] == pytest.approx(4 / 8)
    assert found["byte_perplexity"] == pytest.approx(2**0.5)
    assert found["word_perplexity"] == pytest.approx(2)


def test_a_document_has_no_accuracy():
    found = scores([{"kind": LOGLIKELIHOOD, "log_probs": [-70.0], "n_bytes": [51], "n_words": [11]}], LOGLIKELIHOOD)
    assert math.isnan(found["acc"]) and math.isnan(found["perplexity"])
    assert found["bits_per_byte"] == pytest.approx(70 / 51 / math.log(2))


def test_one_metric_equals_a_loop_over_rows():
    # the vectorised multiple-choice metrics against one example at a time, with 1 to 9 choices
    generator = np.random.default_rng(3)
    rows = []
    for number in range(200):
        n = int(generator.integers(1, 10))
        credits = (np.arange(n) == generator.integers(n)).astype(float)
        rows.append(choices(generator.normal(-5, 2, n), credits, example=str(number)))
    brier, probability, rank = [], [], []
    for row in rows:
        p = np.exp(row["log_probs"]) / np.exp(row["log_probs"]).sum()
        gold = row["credits"].index(1)
        brier.append(((p - row["credits"]) ** 2).sum())
        probability.append(p[gold])
        rank.append(1 / (1 + sum(value > row["log_probs"][gold] for value in row["log_probs"])))
    found = scores(rows, CHOICES)
    assert found["brier_score"] == pytest.approx(np.mean(brier), abs=1e-14)
    assert found["choice_probability"] == pytest.approx(np.mean(probability), abs=1e-14)
    assert found["mrr"] == pytest.approx(np.mean(rank), abs=1e-14)


def test_no_outputs_at_all():
    for kind in (CHOICES, TEXT, LOGLIKELIHOOD):
        seen = metrics.view(kind, examples([]))
        for metric in metrics.METRICS:
            if metric.kind == kind:
                statistics = metric.statistics(seen)
                assert len(statistics) == 0
                assert math.isnan(metric.aggregate(statistics.sum(axis=0)))


def test_the_answer_is_taken_once_before_every_metric():
    outputs = ["  Answer: 42\nQ: next", "no number"]
    assert answers.extract(outputs, {"stop": ["\n"], "strip": True}) == (["Answer: 42", "no number"], 0)
    assert answers.extract(outputs, {"regex": r"Answer: (\d+)"}) == (["42", ""], 1)
    assert answers.extract(outputs, {"regex": r"\d+", "cut": 1}) == (["4", ""], 1)
    assert answers.extract(["abcdef", "ab"], {"cut": "target"}, [3, 3]) == (["abc", "ab"], 0)
    rows = numbered([text(" 42 apples", "42")])
    assert scores(rows, TEXT)["exact_match"] == 0
    found = scores(rows, TEXT, answer={"strip": True, "cut": "target"})
    assert found["exact_match"] == found["token_accuracy"] == 1 and found["edit_distance"] == 0


def test_a_regular_expression_that_does_not_end_is_one_message(monkeypatch):
    monkeypatch.setattr(answers, "LIMIT", 0.1)
    endless = r"(x+x+)+y"
    with pytest.raises(InputError, match=r"(?s)answer\.regex.*more than 0\.1 s for a text of 5,000 characters"):
        answers.extract(["x" * 5000], {"regex": endless})
    with pytest.raises(InputError, match=r"(?s)`tokens`.*more than 0\.1 s"):
        answers.encode([["x" * 5000]], endless)


def test_the_answer_is_said():
    sentence = answers.described({"stop": ["\n"], "regex": "[0-9]+", "strip": True, "cut": 3}, "words")
    assert sentence == (
        "Answers end before '\\n', are the first match of `[0-9]+`, lose the white space at both ends, are cut to 3 characters; "
        "a token is a word between white space."
    )
    assert answers.described({}, "characters") == "Answers are the outputs as they are; a token is a character."


# E of p = exp(-(N / 1e9)^-0.5) over 8 even log sizes without noise, from the prototypes of the design: accuracy p^L, and edit
# distance, which is the same for every L.
E_OF_LENGTH = {1: "7.17", 2: "6.01", 3: "5.74", 4: "5.77", 5: "7.24", 10: "31.7", 20: "890"}


@pytest.mark.parametrize("length", E_OF_LENGTH)
def test_emergence_by_target_length(length):
    p = token_accuracy(SCALES)
    value = E_OF_LENGTH[length]
    decimals = len(value.partition(".")[2])
    assert f"{sharpness.emergence_score(p**length):.{decimals}f}" == value
    assert f"{sharpness.emergence_score(-length * (1 - p)):.2f}" == "7.17"


def test_token_accuracy_of_many_outputs_is_that_of_the_truth():
    # 4,000 targets of 5 tokens: the standard error of a share is at most .0036
    rows = copied_digits(4000, [5], scales=SCALES[::3])
    task = Task(examples(rows), Settings(("token_accuracy", "edit_distance")))
    for part, metric, sums_ in task.measured:
        score = metric.aggregate(sums_.total())
        p = token_accuracy(part.scales)
        if metric.name == "token_accuracy":
            assert score == pytest.approx(p, abs=4 * 0.0036)
        else:
            # a shifted digit can save a step: the distance is a little below the number of wrong tokens
            assert (score <= 5 * (1 - p) + 0.07).all() and (score >= 0.85 * 5 * (1 - p) - 0.07).all()


def test_the_schema_names_every_metric(catalogue):
    schema = load_yaml(ROOT / "workflow" / "schemas" / "outputs.schema.yaml")
    assert schema["properties"]["metrics"]["items"]["enum"] == metrics.everything()
    assert set(metrics.everything()) <= set(catalogue.index)
    assert {f"{name},strict-match" for name in metrics.names_of(TEXT) if name != "exact_str_match"} <= set(catalogue.index)


def harness_block():
    models = {f"toy/Toy-{n}M": {"family": "Toy", "scale": n * 1e6} for n in (1, 3, 10, 30, 100, 300, 1000)}
    return {"format": "lm_eval_samples", "files": [str(sample("lm_eval_samples") / "out")], "models": models}


def read(block, tmp_path, **keys):
    block = configuration.check({"benchmarks": {"mine": block | keys}})["benchmarks"]["mine"]
    pipeline.ingest("mine", block, tmp_path / "outputs.parquet")
    path = ROOT / "config" / "metrics.yaml"
    return rescoring.tables_of("mine", block, tmp_path / "outputs.parquet", metric_catalogue.load(path), path)


def test_parity_with_the_harness(tmp_path):
    wanted = ["acc", "acc_norm", "brier_score", "exact_match", "bleu", "chrf"]
    wanted += ["perplexity", "bits_per_byte", "byte_perplexity", "word_perplexity"]
    found = read(harness_block(), tmp_path, metrics=wanted)["scores"].set_index(["task", "metric", "model"])["score"]
    checked = 0
    for path in (sample("lm_eval_samples") / "out").glob("*/results_*.json"):
        content = json.loads(path.read_text())
        for task, results in content["results"].items():
            for label, stored in results.items():
                name, _, chosen = label.partition(",")
                if name not in wanted:
                    continue
                own = name if chosen == "none" else label
                assert found[task, own, content["model_name"]] == pytest.approx(stored, abs=1e-12, rel=1e-12)
                checked += 1
    # 3 metrics of choices, 3 of texts under 2 filters, 2 of likelihoods, 3 of documents; 7 models
    assert checked == 7 * (3 + 6 + 2 + 3)


def test_parity_with_bigbench(tmp_path):
    tree = sample("bigbench_tree")
    wanted = [
        "multiple_choice_grade",
        "calibration_multiple_choice_brier_score",
        "expected_calibration_error",
        "exact_str_match",
        "bleu",
    ]
    made = read({"format": "bigbench_logs", "directory": str(tree)}, tmp_path, metrics=wanted)
    found = (
        made["scores"].astype({"shots": int}).set_index(["task", "subtask", "metric", "model_family", "model", "shots"])["score"]
    )
    checked = dict.fromkeys(wanted, 0)
    for path in tree.glob("*/results/full-log_*.json"):
        log = json.loads(path.read_text())
        task, model = log["task"]["task_name"], log["model"]
        leaves = {query["task"] for query in log["queries"]}
        for entry in log["scores"]:
            if entry["subtask_description"] not in leaves:
                continue
            subtask = "" if entry["subtask_description"] == task else entry["subtask_description"]
            for metric in set(wanted) & set(entry["score_dict"]):
                key = task, subtask, metric, model["model_family"], model["model_name"], entry["number_of_shots"]
                # a model that gives every choice the probability 0 is stored as NaN by BIG-bench
                if key in found and math.isfinite(entry["score_dict"][metric]):
                    assert found[key] == pytest.approx(entry["score_dict"][metric], abs=1e-12, rel=1e-12), key
                    checked[metric] += 1
    assert checked == {
        "multiple_choice_grade": 40,
        "calibration_multiple_choice_brier_score": 40,
        "expected_calibration_error": 40,
        "exact_str_match": 40,
        "bleu": 20,
    }
    # what the logs say of single examples, too
    assert (made["metric_parity"]["status"] == "equal").all()


def test_parity_is_seen_and_so_is_its_absence(catalogue):
    from emergence.outputs import parity

    rows = sums(30, scales=SCALES[:4])
    for row in rows:
        right = float(np.argmax(row["log_probs"]) == row["credits"].index(1))
        row |= {"stored_metrics": ["acc", "made_up"], "stored_values": [right, 0.5]}
    rows[7]["stored_values"][0] = 1 - rows[7]["stored_values"][0]
    table = parity.compare(Task(examples(rows), Settings())).set_index(["metric", "model"])
    first = rows[0]["model"]
    assert table.loc[("acc", first), "status"] == "different"
    assert table.loc[("acc", first), "n_different"] == 1 == table.loc[("acc", first), "largest_difference"]
    assert (table.loc["acc"]["status"].drop(first) == "equal").all()
    assert (table.loc["made_up"]["status"] == "not_computed").all()
