"""What results files of the harness say of groups, versions, limits, models and dates, over its versions 0.2 to 0.4.

The fixtures are in the form of real files; every expected number is worked by hand from them.
"""

import json
import math

import pandas as pd
import pytest

from emergence.ingest import foreign, pipeline
from emergence.ingest.groups import members_digest
from emergence.ingest.readers.lm_eval import reader
from emergence.io.errors import InputError
from emergence.study import configuration
from emergence.study.configuration import DEFAULT_METRICS

SMALL, LARGE = "org/m-1b", "org/m-2b"
MODELS = {SMALL: {"family": "F", "scale": 1.0e9}, LARGE: {"family": "F", "scale": 2.0e9}}


def old(model, results, **changes):
    """A file of the harness before 0.4."""
    config = {"model": "hf-causal", "model_args": f"pretrained={model}", "num_fewshot": 0, "limit": None}
    return {"results": results, "versions": dict.fromkeys(results, 0), "config": config | changes.pop("config", {})} | changes


def groups_by_alias(model="org/m-1b"):
    """A file of 0.4.0: two groups in a group, which `groups` and the depth of the aliases say; 0 shots for groups is a filler."""

    def entry(alias, acc, stderr):
        return {"acc,none": acc, "acc_stderr,none": stderr, "alias": alias}

    results = {
        "exam": entry("exam", 0.4, 0.11),
        "exam_law": entry(" - exam_law", 0.5, 0.2),
        "law_a": entry("  - law_a", 0.6, 0.02),
        "law_b": entry("  - law_b", 0.4, 0.02),
        "exam_art": entry(" - exam_art", 0.3, 0.2),
        "art_a": entry("  - art_a", 0.3, 0.02),
        "piqa": entry("piqa", 0.7, 0.01),
    }
    named = ("exam", "exam_law", "exam_art")
    leaves = [name for name in results if name not in named]
    return {
        "results": results,
        "groups": {name: results[name] for name in named},
        "configs": {name: {"num_fewshot": 5} for name in leaves},
        "versions": dict.fromkeys(named, "N/A") | dict.fromkeys(leaves, "Yaml"),
        "n-shot": dict.fromkeys(named, 0) | dict.fromkeys(leaves, 5),
        "config": {"model": "hf", "model_args": f"pretrained={model}", "limit": None},
    }


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def ingest(written, **keys):
        for path, content in written.items():
            target = tmp_path / "out" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(content))
        block = {"format": "lm_eval", "files": ["out"], "models": MODELS} | keys
        block = {key: value for key, value in block.items() if value is not None}
        block = configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"]
        scores, account, _ = pipeline.ingest("mine", block, DEFAULT_METRICS)
        names = ["task", "subtask", "metric", "model"]
        return scores.astype(dict.fromkeys(names, "str")).set_index(names), account

    return ingest


def reasons(account, outcome):
    return account.loc[account["outcome"] == outcome].groupby("reason")["n"].sum().to_dict()


def test_groups_by_alias(read):
    scores, _ = read({"a.json": groups_by_alias()})
    index = scores.droplevel(["metric", "model"]).index
    assert set(index) == {("exam", name) for name in ("", "exam_law", "law_a", "law_b", "exam_art", "art_a")} | {("piqa", "")}
    # shots of the members, not the filler; no standard error, since that layout wrote the spread of the members
    assert set(scores["shots"]) == {5}
    aggregate = scores["aggregate"].to_numpy(dtype=bool)
    assert scores.loc[aggregate, "stderr"].isna().all() and scores.loc[~aggregate, "stderr"].notna().all()
    assert sorted(name for _, name in index[aggregate]) == ["", "exam_art", "exam_law"]
    members = scores["members"].droplevel(["metric", "model"])
    assert members["exam", "exam_law"] == members_digest(["law_b", "law_a"])
    assert members["exam", ""] == members_digest(["law_a", "law_b", "art_a"])


def test_groups_by_alias_out_of_order_are_still_one_task(read):
    # all groups first, as a later version sorts them: what is in which group is not known, whose task all are is
    content = groups_by_alias()
    names = ["exam", "exam_law", "exam_art", "law_a", "law_b", "art_a", "piqa"]
    content["results"] = {name: content["results"][name] for name in names}
    scores, _ = read({"a.json": content})
    assert set(scores.index.get_level_values("task")) == {"exam", "piqa"}
    # without any group above it, an indented task says nothing: the groups are left out, or their questions would count twice
    content["results"] = {name: content["results"][name] for name in ["law_a", *names[:3], *names[4:]]}
    scores, account = read({"a.json": content})
    assert set(scores.index.get_level_values("task")) == {"law_a", "law_b", "art_a", "piqa"}
    ((reason, n),) = reasons(account, "left_out").items()
    assert n == 3 and "the order of the aliases" in reason
    # the block says what is in one of them
    scores, account = read({"a.json": content}, groups={"exam": ["law_*", "art_a"]})
    assert set(scores.index.get_level_values("task")) == {"exam", "piqa"}
    assert reasons(account, "left_out") == {reason: 2}


def group(score, stderr):
    """A file of 0.4.3 and later, with a group of 100, 300 and 600 examples."""
    counts, values, errors = (100, 300, 600), (0.5, 0.4, 0.2), (0.05, 0.03, 0.016)
    results = {
        f"g_{i}": {"acc,none": value, "acc_stderr,none": error}
        for i, (value, error) in enumerate(zip(values, errors, strict=True))
    }
    return {
        "results": {"g": {"acc,none": score, "acc_stderr,none": stderr}} | results,
        "group_subtasks": {"g": list(results)},
        "n-samples": {name: {"original": n, "effective": n} for name, n in zip(results, counts, strict=True)},
        "config": {"model_args": f"pretrained={SMALL}"},
    }


# by hand: (100 * 0.5 + 300 * 0.4 + 600 * 0.2) / 1000 = 0.29, and the plain mean is 0.366667
POOLED = math.sqrt((99 * 100 * 0.05**2 + 299 * 300 * 0.03**2 + 599 * 600 * 0.016**2) / 997 / 1000)


@pytest.mark.parametrize(
    ("score", "stderr", "n_examples", "kept"),
    [
        (0.29, POOLED, 1000, True),
        # the formula of a weighted sum, too: sqrt((100 * .05)^2 + (300 * .03)^2 + (600 * .016)^2) / 1000 = 0.014071...
        (0.29, math.sqrt(5**2 + 9**2 + 9.6**2) / 1000, 1000, True),
        # a spread of the members is not a standard error
        (0.29, 0.11, 1000, False),
        (0.29, "N/A", 1000, False),
        # the plain mean is not an average over 1000 examples
        ((0.5 + 0.4 + 0.2) / 3, POOLED, None, False),
    ],
)
def test_a_groups_examples_and_error_are_used_if_they_are_what_they_seem(read, score, stderr, n_examples, kept):
    scores, _ = read({"a.json": group(score, stderr)})
    row = scores.loc[("g", "", "acc", SMALL)]
    assert pd.isna(row["n_examples"]) if n_examples is None else row["n_examples"] == n_examples
    assert math.isnan(row["stderr"]) != kept


def test_two_metrics_of_a_group_with_unlike_members(read):
    results = {"top": {"acc,none": 0.2, "exact_match,none": 0.1}, "a": {"acc,none": 0.2}, "b": {"exact_match,none": 0.1}}
    content = {"results": results, "group_subtasks": {"top": ["a", "b"]}, "config": {"model_args": f"pretrained={SMALL}"}}
    scores, _ = read({"a.json": content})
    members = scores["members"].to_dict()
    assert members["top", "", "acc", SMALL] == members_digest(["a"])
    assert members["top", "", "exact_match", SMALL] == members_digest(["b"])
    # taken apart, its members stand for themselves
    scores, account = read({"a.json": content}, groups={"top": []})
    assert set(scores.index.droplevel(["metric", "model"])) == {("a", ""), ("b", "")}
    assert reasons(account, "left_out") == {"the score of a group that `groups` takes apart": 2}


def test_a_group_by_a_key_for_the_old_layout(read):
    results = {f"hendrycksTest-{name}": {"acc": 0.5, "acc_stderr": 0.1} for name in ("law", "art")}
    scores, _ = read({"a.json": old(SMALL, results)}, groups={"mmlu": "hendrycksTest-*"})
    assert {key[:2] for key in scores.index} == {("mmlu", "hendrycksTest-law"), ("mmlu", "hendrycksTest-art")}


def versioned(model, version, score):
    return old(model, {"triviaqa": {"em": score}}, versions={"triviaqa": version})


def test_versions_are_different_curves(read):
    files = {"a.json": versioned(SMALL, 0, 0.1), "b.json": versioned(LARGE, 2, 0.5)}
    scores, account = read(files)
    assert scores["score"].droplevel(["subtask", "metric"]).to_dict() == {
        ("triviaqa (version 0)", SMALL): 0.1,
        ("triviaqa (version 2)", LARGE): 0.5,
    }
    assert sum(reasons(account, "noted").values()) == 2
    with pytest.raises(InputError, match="found: version 0, and another in other files"):
        read(files, versions="refuse")
    # the block can join what it knows to be the same
    scores, _ = read(files, rename={"tasks": {"triviaqa (version *": "triviaqa"}})
    assert len(scores) == 2 and set(scores.index.get_level_values("task")) == {"triviaqa"}


@pytest.mark.parametrize("other", [0.0, "0", "Yaml", None, "N/A"])
def test_the_same_version_in_other_words_or_none_at_all(read, other):
    scores, account = read({"a.json": versioned(SMALL, 0, 0.1), "b.json": versioned(LARGE, other, 0.5)})
    assert set(scores.index.get_level_values("task")) == {"triviaqa"}
    assert not reasons(account, "noted")


def test_a_group_is_in_as_many_versions_as_its_members(read):
    def content(model, version):
        results = {"g": {"acc,none": 0.2}, "g_a": {"acc,none": 0.2}, "g_b": {"acc,none": 0.2}}
        config = {"model_args": f"pretrained={model}"}
        return {
            "results": results,
            "group_subtasks": {"g": ["g_a", "g_b"]},
            "config": config,
            "versions": {"g_a": version, "g_b": 1},
        }

    scores, _ = read({"a.json": content(SMALL, 1), "b.json": content(LARGE, 2)})
    # all stay one task, since they share questions; the group and the member that changed have two curves
    assert set(scores.index.get_level_values("task")) == {"g"}
    assert {(subtask, model) for _, subtask, _, model in scores.index} == {
        ("g (version 1)", SMALL),
        ("g (version 2)", LARGE),
        ("g_a (version 1)", SMALL),
        ("g_a (version 2)", LARGE),
        ("g_b", SMALL),
        ("g_b", LARGE),
    }


def nested(model, without=()):
    """A file with three groups in one another, of which the outer two hold the same tasks; without some of its results."""
    score = {"acc,none": 0.5, "acc_stderr,none": 0.02}
    results = {name: dict(score) for name in ("zone", "area", "part", "a", "b", "c") if name not in without}
    return {
        "results": results,
        "group_subtasks": {"zone": ["area"], "area": ["part", "c"], "part": ["a", "b"]},
        "n-shot": dict.fromkeys([name for name in "abc" if name not in without], 5),
        "config": {"model_args": f"pretrained={model}"},
    }


def test_the_outermost_of_groups_with_the_same_tasks_is_the_task(read):
    scores, _ = read({"a.json": nested(SMALL)})
    assert set(scores.index.get_level_values("task")) == {"zone"}
    assert set(scores.index.get_level_values("subtask")) == {"", "area", "part", "a", "b", "c"}
    assert scores["aggregate"].sum() == 3


def test_a_group_over_other_members_is_another_curve(read):
    files = {"a.json": nested(SMALL, without=["b"]), "b.json": nested(LARGE)}
    scores, account = read(files)
    of_groups = {(subtask, model) for _, subtask, _, model in scores.index[scores["aggregate"].to_numpy(dtype=bool)]}
    assert of_groups == {
        ("zone (over 2 tasks)", SMALL),
        ("area (over 2 tasks)", SMALL),
        ("part (over 1 task)", SMALL),
        ("zone (over 3 tasks)", LARGE),
        ("area (over 3 tasks)", LARGE),
        ("part (over 2 tasks)", LARGE),
    }
    ((reason, n),) = reasons(account, "noted").items()
    assert n == 6 and "averages other members" in reason
    # the number of shots is that of the members that have one
    assert set(scores["shots"]) == {5}
    with pytest.raises(InputError, match="a group over 2 tasks, and another in other files"):
        read(files, versions="refuse")
    # two sets of as many tasks are told apart, too
    scores, _ = read({"a.json": nested(SMALL, without=["a"]), "b.json": nested(LARGE, without=["b"])})
    parts = [name for name in scores.index.get_level_values("subtask") if name.startswith("part")]
    assert len(set(parts)) == 2


def test_a_group_whose_members_are_not_in_the_file_keeps_its_name(read):
    scores, account = read({"a.json": nested(SMALL, without="abc"), "b.json": nested(LARGE)})
    assert len(scores.loc["zone"].loc[""]) == 2 and not reasons(account, "noted")


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ((10, 100), [LARGE]),
        ((100, 10), [SMALL]),
        ((10, 10), [SMALL, LARGE]),
        # a share of unknown size beside a number
        ((0.5, 10), [LARGE]),
        ((0.1, 0.1), [SMALL, LARGE]),
    ],
)
def test_runs_with_unlike_limits_do_not_join(read, limits, left):
    files = {
        f"{model[-2:]}.json": old(model, {"piqa": {"acc": 0.5}}, config={"limit": limit, "model_args": f"pretrained={model}"})
        for model, limit in zip((SMALL, LARGE), limits, strict=True)
    }
    scores, account = read(files)
    assert sorted(scores.index.get_level_values("model")) == left
    assert sum(reasons(account, "left_out").values()) == 2 - len(left)
    assert len(read(files, limited_runs="keep")[0]) == 2


@pytest.mark.parametrize(
    ("limit", "n_samples", "n_examples"),
    [
        (10, None, 10),
        ("10", None, 10),
        (0.1, None, None),
        (10, {"original": 1838, "effective": 10}, 10),
        (None, {"original": 90, "effective": 10}, 10),
    ],
)
def test_a_limited_run_does_not_join_whole_ones(read, limit, n_samples, n_examples):
    limited = old(LARGE, {"piqa": {"acc": 0.9}}, config={"limit": limit, "model_args": f"pretrained={LARGE}"})
    if n_samples:
        limited["n-samples"] = {"piqa": n_samples}
    files = {"a.json": old(SMALL, {"piqa": {"acc": 0.5}}), "b.json": limited}
    scores, account = read(files)
    assert set(scores.index.get_level_values("model")) == {SMALL}
    (reason,) = reasons(account, "left_out")
    assert "a run with --limit" in reason
    # kept, it has the examples that it was run on, whatever the block says of whole runs
    scores, account = read(files, limited_runs="keep", by_task={"n_examples": {"piqa": 1838}})
    assert scores.loc[("piqa", "", "acc", SMALL), "n_examples"] == 1838
    found = scores["n_examples"].astype(float)["piqa", "", "acc", LARGE]
    assert (found == n_examples) if n_examples else math.isnan(found)
    # where no run is whole, they are read, and noted
    scores, account = read({"a.json": limited, "b.json": limited})
    assert len(scores) == 1 and sum(reasons(account, "noted").values()) == 2


def test_a_limited_run_does_not_replace_a_whole_one(read):
    whole = old(SMALL, {"piqa": {"acc": 0.5}}, date=1.7e9)
    later = old(SMALL, {"piqa": {"acc": 0.9}}, date=1.8e9, config={"limit": 10, "model_args": f"pretrained={SMALL}"})
    scores, _ = read({"a.json": whole, "b.json": later}, repeated_runs="latest")
    assert scores["score"].tolist() == [0.5]


def test_the_latest_run_of_a_model_is_that_of_any_of_its_names(read):
    files = {
        "a.json": old("other/name", {"piqa": {"acc": 0.5}}, date=1.7e9),
        "b.json": old(SMALL, {"piqa": {"acc": 0.9}}, date=1.8e9),
    }
    scores, account = read(files, rename={"models": {"other/*": SMALL}}, repeated_runs="latest")
    assert scores["score"].tolist() == [0.9]
    assert reasons(account, "left_out") == {"a later run has this score": 1}


def recorded(model, n, **arguments):
    text = ",".join([f"pretrained={model}", *(f"{key}={value}" for key, value in arguments.items())])
    return {"results": {"piqa": {"acc,none": 0.5}}, "config": {"model_args": text, "model_num_parameters": n}}


def test_recorded_numbers_of_parameters_are_doubted(read):
    files = {"a.json": recorded(SMALL, 1.1e9), "b.json": recorded(LARGE, 5e8, load_in_4bit=True)}
    families = {name: {"family": "F"} for name in MODELS}
    scores, account = read(files, scale_from="parameters", models=families)
    assert scores["scale"].droplevel([0, 1, 2]).to_dict() == {SMALL: 1.1e9, LARGE: 5e8}
    (example,) = account.loc[account["outcome"] == "noted", "example"]
    assert LARGE in example and "quantised" in example and "the name says 2e+09" in example
    # the size that the block gives goes before the recorded one
    scores, _ = read(files, scale_from="parameters", models=families | {LARGE: MODELS[LARGE]})
    assert scores["scale"].droplevel([0, 1, 2]).to_dict() == {SMALL: 1.1e9, LARGE: 2e9}


def by_library(score):
    return {"results": {"piqa": {"acc": score}}, "config": {"model": "neox", "model_args": {"iteration": 1000}}}


def test_the_model_is_taken_from_the_path(read):
    files = {f"{name}/zero-shot/r.json": by_library(score) for name, score in (("m-70m", 0.5), ("m-160m", 0.6))}
    models = {"m-70m": {"family": "F", "scale": 7.0e7}, "m-160m": {"family": "F", "scale": 1.6e8}}
    scores, _ = read(files, model_from="{model}/zero-shot/*", models=models)
    assert scores["score"].droplevel([0, 1, 2]).to_dict() == {"m-70m": 0.5, "m-160m": 0.6}
    with pytest.raises(InputError, match="the files name the library that ran the model, not the model: `model_from`"):
        read(files, models={"neox": {"family": "F", "scale": 1}})
    with pytest.raises(InputError, match="a path that `model_from` does not fit"):
        read(files, model_from="{model}/five-shot/*", models=models)
    # everything from the path
    # everything from the path; without a name, family and scale make one
    scores, _ = read(files, model_from="{family}-{scale}/*/*.json", models=None)
    assert scores["scale"].droplevel([0, 1, 2]).to_dict() == {"m-70m": 7e7, "m-160m": 1.6e8}
    assert set(scores["model_family"]) == {"m"}


def test_checkpoints_by_path(read):
    files = {f"run/step{step}/r.json": by_library(score) for step, score in ((0, 0.1), (10, 0.2), (200, 0.4))}
    scores, account = read(files, model_from="{model}/step{step}/*", models=None)
    assert scores["scale"].droplevel([0, 1, 2]).to_dict() == {"run@10": 10, "run@200": 200}
    assert set(scores["model_family"]) == {"run"}
    assert reasons(account, "left_out") == {"scale 0, which a logarithmic axis cannot show": 1}


def test_files_by_pattern_and_without_some(read):
    files = {
        "a/r1.json": old(SMALL, {"piqa": {"acc": 0.5}}),
        "b/r2.json": old(LARGE, {"piqa": {"acc": 0.6}}),
        "c/bad.json": {"results": 1},
    }
    scores, account = read(files, files=["out/*/*.json", "!out/c"])
    assert len(scores) == 2 and "ignored" not in set(account["outcome"])
    assert len(read(files, files=["out", "!out/b/*", "!**/bad.json"])[0]) == 1
    # `*` stays within one name in what is taken out as well
    assert len(read(files, files=["out", "!out/*.json", "!**/bad.json"])[0]) == 2
    assert len(read(files, files=["out", "!**/b", "!out/c"])[0]) == 1
    with pytest.raises(InputError, match="a pattern that no file fits"):
        read(files, files=["out/*/x*.json"])
    with pytest.raises(InputError, match="no file is left"):
        read(files, files=["out/a/*.json", "!out/a"])


@pytest.mark.parametrize(
    ("name", "date", "expected"),
    [
        ("results_2023-11-14T22-13-20.123456.json", None, "2023-11-14T22:13:20.123456"),
        ("results_2023-08-21T18:23:01.json", None, "2023-08-21T18:23:01"),
        ("m_eval_results_12-18-2022-18-50-41.json", None, "2022-12-18T18:50:41"),
        ("m_20230821-182301.json", None, "2023-08-21T18:23:01"),
        ("m_2023-08-21.json", None, "2023-08-21T00:00:00"),
        ("m.json", 1700000000.0, "2023-11-14T22:13:20"),
        ("m.json", "1700000000.0", "2023-11-14T22:13:20"),
        ("m.json", "2023-11-14T23:13:20+01:00", "2023-11-14T22:13:20"),
        ("m-1234567890123.json", None, None),
        ("m_13-45-2022-18-50-41.json", None, None),
        ("m.json", None, None),
    ],
)
def test_dates_of_every_layout(name, date, expected):
    assert reader.date_of(name, {"date": date}) == expected


def test_where_no_date_is_known_the_message_says_so(read):
    files = {"a.json": old(SMALL, {"piqa": {"acc": 0.5}}), "b.json": old(SMALL, {"piqa": {"acc": 0.6}})}
    with pytest.raises(InputError, match="`repeated_runs: latest` cannot choose, since neither the file"):
        read(files, repeated_runs="latest")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"results": {"arc": {"2022-01-01-00-00-01": {"acc": 0.5}}}}, "one level deeper"),
        ({"results": [{"task_name": "arc", "acc": 0.5}]}, "BigScience"),
        ({"config_general": {"model_name": "m"}, "results": {"harness|arc:challenge|25": {"acc": 0.5}}}, "lighteval"),
        ([{"name": {"name": "exact_match", "split": "test"}, "mean": 0.5}], "HELM"),
        ([{"task": "t", "score": 0.5}], "a JSON array"),
        ({"scores": [], "task": {}, "model": {}}, "BIG-bench"),
        ({"task_name": "arc", "metrics": {"acc_per_char": 0.5}}, "OLMES"),
        ({"eval": {"task": "t"}, "results": {"scores": []}}, "Inspect"),
    ],
)
def test_files_of_other_programs_are_named(tmp_path, content, what):
    assert what in foreign.document(content)[0]
    path = tmp_path / "r.json"
    path.write_text(json.dumps(content))
    block = {"format": "lm_eval", "files": [str(path)], "models": MODELS}
    block = configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"]
    with pytest.raises(InputError) as error:
        pipeline.ingest("mine", block, DEFAULT_METRICS)
    assert what in str(error.value) and "Traceback" not in str(error.value)
    # in a folder they are passed over, and the account says what they are
    (tmp_path / "good.json").write_text(json.dumps(old(SMALL, {"piqa": {"acc": 0.5}})))
    _, account, _ = pipeline.ingest("mine", block | {"files": [str(tmp_path)]}, DEFAULT_METRICS)
    assert any(what in reason for reason in reasons(account, "ignored"))


def test_groups_in_groups_are_the_mean_of_their_members_and_not_of_themselves(read):
    # by hand: top = (100 * 0.5 + 300 * 0.4 + 100 * 0.25) / 500 = 0.39, of which `inner` are the first two; with `inner` counted as a
    # member beside its own, the mean would be another
    counts, values = {"a": 100, "b": 300, "c": 100}, {"a": 0.5, "b": 0.4, "c": 0.25}
    results = {"top": 0.39, "inner": (100 * 0.5 + 300 * 0.4) / 400, **values}
    content = {
        "results": {name: {"acc,none": value} for name, value in results.items()},
        "group_subtasks": {"top": ["inner", "c"], "inner": ["a", "b"]},
        "n-samples": {name: {"original": n, "effective": n} for name, n in counts.items()},
        "config": {"model_args": f"pretrained={SMALL}"},
    }
    scores, account = read({"a.json": content})
    assert "noted" not in set(account["outcome"])
    assert scores["n_examples"].droplevel(["task", "metric", "model"]).to_dict() == {"": 500, "inner": 400, **counts}
