"""Results of lm-evaluation-harness: both layouts on small files in the harness's form, and the published results of Pythia."""

import json
import math

import pytest

from emergence.curves import frames, metric_pairs
from emergence.ingest import pipeline
from emergence.io import tables
from emergence.io.errors import InputError
from emergence.study import configuration, metric_catalogue
from emergence.study.configuration import DEFAULT_METRICS
from samples import sample

OLD = {
    "results": {
        "lambada": {"ppl": 12.5, "ppl_stderr": 0.5, "acc": 0.25, "acc_stderr": 0.01},
        "piqa": {"acc": 0.5, "acc_stderr": 0.02, "acc_norm": 0.625, "acc_norm_stderr": "N/A"},
    },
    "versions": {"lambada": 0, "piqa": 0},
    "config": {"model": "hf-causal", "model_args": "pretrained=org/small,revision=step3000", "num_fewshot": 5, "limit": None},
}


def current(model="org/small", **changes):
    """A results file of the current harness: a group in a group, a collection without a score, a task under two filters."""
    content = {
        "results": {
            "mmlu": {"alias": "mmlu", "acc,none": 0.45, "acc_stderr,none": 0.01},
            "mmlu_stem": {"alias": " - stem", "acc,none": 0.5, "acc_stderr,none": "N/A"},
            "mmlu_algebra": {"alias": "  - algebra", "acc,none": 0.5, "acc_stderr,none": 0.0563},
            "mmlu_law": {"alias": " - law", "acc,none": 0.25, "acc_stderr,none": 0.0993},
            "collection": {" ": " ", "alias": "collection"},
            "gsm8k": {
                "alias": "gsm8k",
                "sample_len": 200,
                "exact_match,strict-match": 0.125,
                "exact_match_stderr,strict-match": 0.0234,
                "exact_match,flexible-extract": 0.25,
                "exact_match_stderr,flexible-extract": 0.0307,
            },
            "triviaqa": {
                "alias": "triviaqa",
                "exact_match,remove_whitespace": 0.75,
                "exact_match_stderr,remove_whitespace": 0.0693,
            },
        },
        "groups": {"mmlu": {"alias": "mmlu", "acc,none": 0.45}},
        "group_subtasks": {
            "collection": ["mmlu", "gsm8k"],
            "mmlu": ["mmlu_stem", "mmlu_law"],
            "mmlu_stem": ["mmlu_algebra"],
            "triviaqa": [],
        },
        "n-shot": {"mmlu_algebra": 5, "mmlu_law": 5, "gsm8k": 8, "triviaqa": 0},
        "higher_is_better": {
            "mmlu": {"acc": True, "exact_match": None},
            "mmlu_algebra": {"acc": True},
            "mmlu_law": {"acc": True},
            "gsm8k": {"exact_match": True},
            "triviaqa": {"exact_match": True},
        },
        "n-samples": {
            "mmlu_algebra": {"original": 100, "effective": 80},
            "mmlu_law": {"original": 50, "effective": 20},
            "gsm8k": {"original": 200, "effective": 200},
            "triviaqa": {"original": 40, "effective": 40},
        },
        "config": {"model": "hf", "model_args": f"pretrained={model},dtype=float16", "model_num_parameters": 7000},
        "date": 1700000000.0,
        "model_name": model,
        "model_name_sanitized": model.replace("/", "__"),
    }
    return content | changes


@pytest.fixture
def read(tmp_path):
    """A reader of results: writes {path: content} into a folder, ingests it, gives (scores by key, account)."""

    def ingest(files, **keys):
        for path, content in files.items():
            target = tmp_path / "out" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content if isinstance(content, str) else json.dumps(content))
        keys = {"models": {"org/small": {"family": "F", "scale": 1.0e6}}} | keys
        block = {"format": "lm_eval", "files": [str(tmp_path / "out")]} | keys
        block = configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"]
        scores, account, _ = pipeline.ingest("mine", block, DEFAULT_METRICS)
        return scores.set_index(["task", "subtask", "metric"]), account

    return ingest


PATH = "org__small/results_2023-11-14T22-13-20.000000.json"


def test_old_layout(read):
    # by hand from OLD above; the revision is part of the name, since checkpoints of one model share everything else
    name = "org/small@step3000"
    scores, _ = read({"old.json": OLD}, models={name: {"family": "F", "scale": 3000}})
    assert scores["score"].to_dict() == {
        ("lambada", "", "acc"): 0.25,
        ("lambada", "", "ppl"): 12.5,
        ("piqa", "", "acc"): 0.5,
        ("piqa", "", "acc_norm"): 0.625,
    }
    assert scores["stderr"]["lambada", "", "ppl"] == 0.5
    # a standard error that the harness could not give is unknown, not 0
    assert math.isnan(scores["stderr"]["piqa", "", "acc_norm"])
    assert set(scores["shots"]) == {5}
    assert scores["n_examples"].isna().all()
    assert set(scores["model"]) == {name}
    assert set(scores["scale"]) == {3000}


def test_current_layout_tells_groups_from_subtasks(read):
    # by hand from current() above: a leaf belongs to the smallest group with a score; `collection` has none
    scores, account = read({PATH: current()})
    assert sorted(scores.index) == [
        ("gsm8k", "", "exact_match,flexible-extract"),
        ("gsm8k", "", "exact_match,strict-match"),
        ("mmlu", "", "acc"),
        ("mmlu", "mmlu_law", "acc"),
        ("mmlu_stem", "", "acc"),
        ("mmlu_stem", "mmlu_algebra", "acc"),
        ("triviaqa", "", "exact_match"),
    ]
    assert scores["shots"].to_dict() == {key: {"gsm8k": 8, "triviaqa": 0}.get(key[0], 5) for key in scores.index}
    # effective counts; those of a group are the sum over its tasks
    assert scores["n_examples"]["mmlu", "", "acc"] == 80 + 20
    assert scores["n_examples"]["mmlu_stem", "", "acc"] == 80
    assert scores["n_examples"]["mmlu", "mmlu_law", "acc"] == 20
    assert math.isnan(scores["stderr"]["mmlu_stem", "", "acc"])
    assert account.groupby("outcome")["n"].sum().to_dict() == {"read": 7, "kept": 7}


def test_a_run_of_one_task_falls_in_with_runs_of_the_whole_group(read):
    alone = current("org/other", results={"mmlu_law": {"acc,none": 0.5}}, group_subtasks={"mmlu_law": []}, groups={})
    models = {name: {"family": "F", "scale": scale} for name, scale in {"org/small": 1, "org/other": 2}.items()}
    scores, _ = read({PATH: current(), "org__other/results_b.json": alone}, models=models)
    assert scores.loc[("mmlu", "mmlu_law", "acc"), "model"].to_list() == ["org/other", "org/small"]


def test_filters_are_kept_apart_or_chosen(read):
    # the one filter that is left needs no suffix
    scores, account = read({PATH: current()}, filters=["strict-match", "none"])
    assert scores["score"]["gsm8k", "", "exact_match"] == 0.125
    assert "triviaqa" not in scores.index.get_level_values("task")
    left_out = account[account["outcome"] == "left_out"]
    assert left_out["n"].to_list() == [2]
    assert "filters" in left_out["reason"].iloc[0]


def test_an_unknown_filter_of_a_known_metric_comes_with_lines_to_add(read):
    results = {"task": {"exact_match,first": 0.1, "exact_match,vote": 0.2}}
    with pytest.raises(InputError) as error:
        read({PATH: current(results=results)})
    text = str(error.value)
    assert "`exact_match,vote` is not in the metric catalogue" in text
    assert "label: Exact match (vote)" in text
    assert "higher_is_better: true" in text


def test_lines_to_add_make_a_valid_catalogue(tmp_path):
    lines = metric_catalogue.lines_to_add("exact_match,vote", metric_catalogue.load(DEFAULT_METRICS))
    path = tmp_path / "metrics.yaml"
    path.write_text(DEFAULT_METRICS.read_text() + "\n" + lines + "\n")
    assert metric_catalogue.load(path).loc["exact_match,vote", "kind"] == "discontinuous"


def test_direction_against_the_catalogue_is_an_error(read):
    content = current()
    content["higher_is_better"]["mmlu_law"]["acc"] = False
    with pytest.raises(InputError) as error:
        read({PATH: content})
    text = str(error.value)
    for part in (PATH, "mmlu_law", "`acc`", "found: lower is better", "allowed: higher is better", "metrics.yaml"):
        assert part in text


def test_scale_from_the_files(read):
    # model_num_parameters of the results file, for the models whose entry says no scale
    models = {"org/small": {"family": "F"}}
    scores, _ = read({PATH: current()}, scale_from="parameters", models=models)
    assert set(scores["scale"]) == {7000}
    # without the key it is not used, and the model is left out
    scores, account = read({PATH: current()}, models=models)
    assert scores.empty
    assert account.set_index("outcome")["n"].to_dict() == {"left_out": 7, "read": 7}
    assert "`org/small` has no scale" in account["reason"].iloc[0]


def test_scale_said_twice_differently_is_refused(read):
    with pytest.raises(InputError, match="scale 7000 in the file, 1000000 in the block"):
        read({PATH: current()}, scale_from="parameters")


def test_a_model_that_the_block_does_not_list_is_left_out_and_named(read):
    other = current("org/smal")
    scores, account = read({PATH: current(), "org__smal/results_b.json": other})
    assert set(scores["model"]) == {"org/small"}
    reason = account.set_index("outcome").loc["left_out", "reason"]
    assert "`org/smal` has no family and no scale" in reason
    assert "did you mean `org/small`?" in reason


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"model_name": "org/a", "config": {"model_args": "pretrained=org/b"}}, "org/a"),
        ({"config": {"model_args": "pretrained=org/b,peft=org/c"}}, "org/c"),
        ({"config": {"model_args": {"pretrained": "org/b", "revision": "main"}}}, "org/b"),
        ({"model_name": "org/a", "config": {"model_args": "pretrained=org/a,revision=step7"}}, "org/a@step7"),
        ({"model_name": "", "config": {"model": "dummy", "model_args": ""}}, "dummy"),
    ],
)
def test_model_names(content, name):
    # the order of lm_eval/loggers/evaluation_tracker.py of the harness
    from emergence.ingest.readers.lm_eval.reader import model_name

    assert model_name(content) == name


def test_repeated_runs(read):
    first, second = PATH, PATH.replace("22-13-20", "23-13-20")
    # the same values again are merged
    scores, account = read({first: current(), second: current(date=1700003600.0)})
    assert len(scores) == 7
    assert account.groupby("outcome")["n"].sum().to_dict() == {"kept": 7, "merged": 7, "read": 14}
    # other values are a mistake, unless the block says that the latest run counts
    later = current(date=1700003600.0, results={"gsm8k": {"exact_match,strict-match": 0.5, "exact_match,flexible-extract": 0.25}})
    with pytest.raises(InputError, match=r"score 0\.125 .* and score 0\.5|score 0\.5 .* and score 0\.125"):
        read({first: current(), second: later})
    scores, account = read({first: current(), second: later}, repeated_runs="latest")
    assert scores["score"]["gsm8k", "", "exact_match,strict-match"] == 0.5
    assert len(scores) == 7
    counts = account.groupby("outcome")["n"].sum().to_dict()
    assert counts == {"kept": 7, "left_out": 2, "read": 9}


def test_latest_run_by_file_name(read):
    # files without a date of their own are told apart by the time in their names
    first, second = (current(date=None, results={"triviaqa": {"exact_match,none": score}}) for score in (0.1, 0.2))
    names = [PATH, PATH.replace("2023-11-14T22", "2023-11-15T01")]
    scores, _ = read(dict(zip(names, (first, second), strict=True)), repeated_runs="latest")
    assert scores["score"].to_list() == [0.2]


def test_what_is_no_score(read):
    results = {"task": {"acc,none": None, "acc_norm,none": 0.5}, "other": {"bypass,none": 999, "bypass_stderr,none": "N/A"}}
    scores, account = read({PATH: current(results=results), "notes.json": {"about": "something else"}})
    assert scores["score"].to_dict() == {("task", "", "acc_norm"): 0.5}
    outcomes = account.groupby("outcome")["n"].sum().to_dict()
    assert outcomes == {"empty": 1, "ignored": 1, "kept": 1, "left_out": 1, "read": 3}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"model_name": "m", "results": {"t": {"acc,none": NaN}}}', "found: `NaN`"),
        ('{"model_name": "m", "results": {"t": {"acc,none": "high"}}}', "found: `high`"),
        ('{"model_name": "m", "results": {"t": {"acc,none": 1.5}}}', "allowed: 0 to 1"),
        ('{"results": ', "line 1: not valid JSON"),
    ],
)
def test_bad_files(read, content, expected):
    with pytest.raises(InputError) as error:
        read({"a.json": content}, models={"m": {"family": "F", "scale": 1}})
    assert expected in str(error.value)
    assert "a.json" in str(error.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"config": []}, "config\n    found: an empty list\n    allowed: keys and values or nothing"),
        ({"config": {"model_args": [1]}}, "config.model_args\n    found: a list"),
        ({"configs": {"t": 1}}, "configs.t\n    found: 1"),
        ({"n-shot": [5]}, "n-shot\n    found: a list"),
        ({"n-shot": {"t": [5]}}, "n-shot.t\n    found: a list"),
        ({"n-samples": {"t": 100}}, "n-samples.t\n    found: 100"),
        ({"n-samples": {"t": {"effective": "100"}}}, "n-samples.t.effective\n    found: the text '100'"),
        ({"higher_is_better": {"t": True}}, "higher_is_better.t\n    found: true"),
        ({"group_subtasks": {"t": "mmlu"}}, "group_subtasks.t\n    found: the text 'mmlu'"),
        ({"group_subtasks": {"t": [["mmlu"]]}}, "group_subtasks.t[0]\n    found: a list"),
        ({"date": 1e300}, "date\n    found: 1e+300\n    allowed: a number or text or nothing at least 0, at most 9000000000.0"),
        ({"model_name": ["m"]}, "model_name\n    found: a list"),
    ],
)
def test_what_stands_beside_the_results_must_be_of_the_harness(read, change, expected):
    with pytest.raises(InputError) as error:
        read({"a.json": current(results={"t": {"acc,none": 0.5}}) | change})
    assert f"a.json: {expected}" in str(error.value)


@pytest.mark.parametrize("score", ["true", "[0.5]", '{"mean": 0.5}', "1" + "0" * 400, "1e400"])
def test_a_score_that_is_no_number_is_refused_as_a_score(read, score):
    content = json.dumps(current(results={"t": {"acc,none": 0.25}, "u": {"acc,none": 0.5}})).replace("0.25", score)
    with pytest.raises(InputError, match=r"results\.t, `acc,none`\n    found: .*\n    allowed: a number"):
        read({"a.json": content})
    scores, account = read({"a.json": content}, on_error="skip")
    assert scores["score"].to_dict() == {("u", "", "acc"): 0.5}
    assert account.groupby("outcome")["n"].sum().to_dict() == {"read": 2, "kept": 1, "refused": 1}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"results": {"\\ud800": {"acc,none": 0.5}}}', "surrogates not allowed"),
        ('{"results": {"t": {"acc,none": ' + "9" * 5000 + "}}}", "Exceeds the limit"),
        ('{"results": ' + "[" * 100_000 + "]" * 100_000 + "}", "maximum recursion depth"),
    ],
)
def test_json_that_cannot_be_read(read, content, expected):
    with pytest.raises(InputError) as error:
        read({"a.json": content})
    assert "a.json: not valid JSON" in str(error.value)
    assert expected in str(error.value)


def test_groups_that_share_their_members_are_walked_once(read):
    """By hand: forty groups, each in the next twice over, are two to the fortieth ways from the first to the one task."""
    links = {f"g{n}": [f"g{n + 1}", f"h{n}"] for n in range(40)} | {f"h{n}": [f"g{n + 1}"] for n in range(40)}
    members = links | {"g40": ["t"], "h39": ["g40", "h39", "g0"], "empty": None}
    results = {"g0": {"acc,none": 0.25}, "t": {"acc,none": 0.5}}
    scores, _ = read({"a.json": current(results=results, group_subtasks=members)})
    assert scores["score"].to_dict() == {("g0", "", "acc"): 0.25, ("g0", "t", "acc"): 0.5}


def test_blocks_are_refused_before_any_job(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "samples_t.jsonl").write_text("{}")
    study = {"format": "lm_eval", "files": [str(tmp_path / "empty"), str(tmp_path / "absent")], "models": {"m": {"family": "F"}}}
    with pytest.raises(InputError) as error:
        configuration.check({"benchmarks": {"mine": study}})
    assert "files[0]" in str(error.value) and "named like `*.json`" in str(error.value)
    assert "files[1]" in str(error.value) and "no such file" in str(error.value)
    del study["models"]
    with pytest.raises(InputError, match=r"benchmarks\.mine\.models"):
        configuration.check({"benchmarks": {"mine": study}})


SIZES = {"70m": 7e7, "160m": 1.6e8, "410m": 4.1e8, "1.4b": 1.4e9, "2.8b": 2.8e9, "6.9b": 6.9e9, "12b": 1.2e10}


@pytest.fixture(scope="module")
def pythia():
    """Score table and metric swaps of the published Pythia results."""
    models = {f"EleutherAI/pythia-v1.1-{size}@step143000": {"family": "Pythia", "scale": n} for size, n in SIZES.items()}
    block = {"format": "lm_eval", "files": [str(sample("lm_eval_pythia"))], "models": models}
    block = configuration.check({"benchmarks": {"pythia": block}})["benchmarks"]["pythia"]
    scores, _, _ = pipeline.ingest("pythia", block, DEFAULT_METRICS)
    catalogue = metric_catalogue.load(DEFAULT_METRICS)
    measured = frames.measure(frames.from_scores(tables.typed(scores, "scores"), catalogue), catalogue)
    return scores, metric_pairs.swaps(measured, catalogue)


def test_pythia_is_read_whole(pythia):
    # 7 models x (65 tasks five-shot with 128 scores + 87 tasks zero-shot with 172), counted in the files with another program
    scores, _ = pythia
    assert len(scores) == 7 * (128 + 172)
    assert scores.groupby("shots")["task"].nunique().to_dict() == {0: 87, 5: 65}
    assert scores["stderr"].notna().all()


@pytest.mark.parametrize(
    ("task", "metric", "shots", "values"),
    [
        # zero-shot, copied from the seven files, smallest model first
        ("lambada_openai", "acc", 0, [0.184553, 0.328352, 0.516204, 0.616146, 0.647196, 0.672812, 0.704638]),
        ("lambada_openai", "ppl", 0, [142.42891, 38.064877, 10.828203, 6.085715, 5.036126, 4.449108, 3.923642]),
        ("arc_easy", "acc", 0, [0.373737, 0.435185, 0.521044, 0.606481, 0.643939, 0.673401, 0.702441]),
        ("arc_easy", "acc_norm", 0, [0.350168, 0.396465, 0.457912, 0.539141, 0.589646, 0.613636, 0.635943]),
        ("piqa", "acc", 0, [0.594668, 0.627312, 0.667573, 0.708923, 0.738847, 0.752448, 0.760065]),
    ],
)
def test_pythia_scores_by_hand(pythia, task, metric, shots, values):
    scores, _ = pythia
    rows = scores[(scores["task"] == task) & (scores["metric"] == metric) & (scores["shots"] == shots)].sort_values("scale")
    assert rows["score"].to_list() == pytest.approx(values, abs=5e-7)


@pytest.mark.parametrize(
    ("task", "metric_a", "metric_b", "a", "b"),
    [
        # by hand from the values above: range over the median step. acc of lambada: steps .143799 .187852 .099942 .031050 .025616
        # .031826, so the median square is the mean of .031826^2 and .099942^2; (.704638 - .184553) / its root = 7.0124.
        # ppl, negated: steps 104.364 27.2367 4.7425 1.0496 .58702 .52547; 138.50527 / sqrt((1.0496^2 + 4.7425^2) / 2) = 40.327
        ("lambada_openai", "acc", "ppl", 7.0124, 40.327),
        # steps of acc .061448 .085859 .085437 .037458 .029462 .029040: .328704 / sqrt((.037458^2 + .061448^2) / 2) = 6.4595
        # of acc_norm .046297 .061447 .081229 .050505 .023990 .022307: .285775 / sqrt((.046297^2 + .050505^2) / 2) = 5.8988
        ("arc_easy", "acc", "acc_norm", 6.4595, 5.8988),
    ],
)
def test_pythia_metric_swaps(pythia, task, metric_a, metric_b, a, b):
    _, swaps = pythia
    row = swaps[(swaps["task"] == task) & (swaps["shots"] == 0)].iloc[0]
    assert (row["metric_a"], row["metric_b"], row["n_scales"]) == (metric_a, metric_b, 7)
    assert row["emergence_score_a"] == pytest.approx(a, abs=2e-3)
    assert row["emergence_score_b"] == pytest.approx(b, abs=2e-3)


def test_pythia_swaps_at_both_shots(pythia):
    _, swaps = pythia
    found = set(zip(swaps["task"], swaps["shots"], swaps["metric_a"], swaps["metric_b"], strict=True))
    assert {("lambada_openai", shots, "acc", "ppl") for shots in (0, 5)} <= found
    assert {("piqa", shots, "acc", "acc_norm") for shots in (0, 5)} <= found
