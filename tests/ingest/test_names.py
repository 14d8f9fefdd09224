"""What names say: sizes, steps, quantised models, patterns of paths. Cases are names as model hubs and trainers write them."""

import pytest

from emergence.ingest import names


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("EleutherAI/pythia-160m", 1.6e8),
        ("org/m-1.3B-base", 1.3e9),
        ("Llama-2-7b-hf", 7e9),
        ("opt_125m", 1.25e8),
        ("cerebras-GPT 13B", 1.3e10),
        ("bigscience/bloom-7b1", 7.1e9),
        # neither a mixture's size, nor bits, nor two sizes, nor a number alone
        ("Mixtral-8x7B", None),
        ("model-4bit", None),
        ("m-1b-300b", None),
        # tokens seen, and the length of a context, are not the size
        ("m-1b-300b-tokens", 1e9),
        ("m-step1000-tokens4B", None),
        ("Yi-34B-32K", 3.4e10),
        ("Phi-3-mini-4k-instruct", None),
        ("pythia-1b-sft-50k", 1e9),
        ("ngram-10k", 1e4),
        ("gpt2-xl", None),
        ("v1.5", None),
    ],
)
def test_sizes(name, size):
    assert names.size_in_name(name) == (size and pytest.approx(size))


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("step3000", 3000),
        ("pythia-70m@step0", 0),
        ("run/global_step143000_eval", 143000),
        ("checkpoint-500", 500),
        ("iter_0001000", 1000),
        ("two-step-7b", None),
        ("main", None),
    ],
)
def test_steps(name, step):
    assert names.step_in_name(name) == step


@pytest.mark.parametrize(
    ("name", "arguments", "recorded", "doubts"),
    [
        ("org/m-8b-GPTQ", "pretrained=org/m-8b-GPTQ", 2e9, True),
        ("org/m-8b", "pretrained=org/m-8b,load_in_4bit=True", 8e9, True),
        ("org/m-8b", '{"pretrained": "org/m-8b", "load_in_8bit": true}', 8e9, True),
        ("org/m-8b", "pretrained=org/m-8b,load_in_4bit=False", 8e9, False),
        ("org/m-8b", "pretrained=org/m-8b,peft=org/adapter", 8e9, True),
        ("org/m-8b", "pretrained=org/m-8b,peft=None", 8.03e9, False),
        ("org/m-8b", "", 2e9, True),
        # without embeddings, or with rounding in the name, a count is another one and not wrong
        ("org/m-70m", "", 70426624, False),
        ("org/m", "", 2e9, False),
        ("org/m.Q4_K_M.gguf", "", None, True),
    ],
)
def test_recorded_numbers_of_parameters_are_doubted(name, arguments, recorded, doubts):
    assert bool(names.doubt(name, arguments, recorded)) == doubts


@pytest.mark.parametrize(
    ("pattern", "path", "fields"),
    [
        ("{model}/zero-shot/*", "out/m-1b/zero-shot/r.json", {"model": "m-1b"}),
        ("{model}/zero-shot/*", "out/m-1b/five-shot/r.json", None),
        ("{model}/step{step}/*.json", "runs/a/step143000/r.json", {"model": "a", "step": "143000"}),
        ("*step{step}*.json", "x_step143000_y.json", {"step": "143000"}),
        ("{family}-{scale}/**", "runs/pythia-1.4b/deep/er/r.json", {"family": "pythia", "scale": "1.4b", "model": "pythia-1.4b"}),
        ("{model}.json", "out/m.1b.json", {"model": "m.1b"}),
        ("{model}/{model}_*.json", "a/a_1.json", {"model": "a"}),
        ("{model}/{model}_*.json", "a/b_1.json", None),
    ],
)
def test_patterns_of_paths(pattern, path, fields):
    assert names.path_fields(pattern, path) == fields


def test_numbers_with_units():
    assert [names.number_with_unit(text) for text in ("160m", "1.3B", "3e9", "70000000", "x")] == [1.6e8, 1.3e9, 3e9, 7e7, None]


@pytest.mark.parametrize(
    ("files", "pattern"),
    [
        (["b/m1/zero/r1.json", "b/m2/zero/r2.json"], "{model}/zero/*.json"),
        (["b/m1/zero/r.json", "b/m1/five/r.json", "b/m2/zero/r.json", "b/m2/five/r.json"], "{model}/*/*.json"),
        (["b/step10/r.json", "b/step20/r.json"], "{model}/step{step}/*.json"),
        (["b/run/step10/r.json", "b/run/step20/r.json"], "{model}/step{step}/*.json"),
        (["b/m1/step10/r.json", "b/m1/step20/r.json", "b/m2/step10/r.json", "b/m2/step20/r.json"], "{model}/step{step}/*.json"),
        (["b/160m-step10/r.json", "b/70m-step10/r.json", "b/70m-step20/r.json"], "{model}-step{step}/*.json"),
        (["b/m1.json", "b/m2.json"], "{model}.json"),
        (["b/m1/x_global_step10_r.json", "b/m1/x_global_step20_r.json"], "{model}/*global_step{step}_*.json"),
        (["b/m1/r.json", "b/m1/x/r.json"], None),
    ],
)
def test_a_pattern_is_suggested_that_fits_every_file(files, pattern):
    found = names.suggested_pattern("b", files)
    assert found == pattern
    if found:
        assert all(names.path_fields(found, file) for file in files)


def test_averages_by_name():
    assert all(map(names.is_average, ("Average ⬆️", "avg", "Overall", "macro_avg", "mean_acc", "mmlu:_average", "Average (5)")))
    assert not any(map(names.is_average, ("date_understanding", "mean_reversion_task", "averaging", "bbh")))
