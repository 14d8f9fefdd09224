"""What can be wrong about the configuration besides its keys: the file itself, where inputs are, addresses that hold secrets."""

import os

import pytest
import yaml

from conftest import COLUMNS, copy_of_workflow, snakemake
from emergence.io import documents
from emergence.io.errors import InputError
from emergence.study import configuration, configuration_checks

COMMIT = "0123456789" * 4


def block(file, **more):
    return {"format": "table", "files": [str(file)], "columns": {column: column for column in COLUMNS}} | more


def said_of(block):
    with pytest.raises(InputError) as error:
        configuration.check({"benchmarks": {"mine": block}})
    return str(error.value)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in which a study runs, with results, and a file of scores."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/mine").mkdir(parents=True)
    (tmp_path / "results/mine/inputs.csv").write_text("x\n")
    (tmp_path / "scores.csv").write_text("x\n")
    return tmp_path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "there is no such file"),
        ("", "found: nothing\n    allowed: keys and values"),
        ("# only a comment\n", "found: nothing"),
        ("- a\n- b\n", "found: a list"),
        ("seed\n", "found: the text 'seed'"),
        ("3\n", "found: 3"),
        ("a: [\n", "line 2: not valid YAML"),
        ("a: 1\na: 2\n", "line 2: not valid YAML: the key 'a' stands here and on line 1"),
        (b"\xff\xfea: 1", "cannot be read as text"),
        ("folder", "found: a folder"),
        ("pipe", "found: neither a file nor a folder, but a pipe or a device"),
    ],
)
def test_every_way_to_be_no_configuration_file(folder, content, expected):
    path = folder / "config.yaml"
    if content == "folder":
        path.mkdir()
    elif content == "pipe":
        os.mkfifo(path)
    elif content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as error:
        configuration_checks.check_file(path)
    assert str(error.value).startswith(str(path))
    assert expected in str(error.value)


def test_snakemake_says_it_in_our_words(tiny_workflow):
    """The message comes before Snakemake's own, whichever way the file is wrong."""
    path = tiny_workflow / "config/config.yaml"
    for content, expected in (("- a\n", "found: a list"), (None, "there is no such file")):
        path.unlink()
        if content:
            path.write_text(content)
        done = snakemake(tiny_workflow, "--dry-run")
        assert done.returncode == 1
        assert "The configuration cannot be used.\nconfig/config.yaml" in done.stderr
        assert expected in done.stderr
        assert "Traceback" not in done.stderr
        path.touch()


def test_a_clone_whose_path_has_braces_is_told_so(tmp_path, tiny_study):
    folder = copy_of_workflow(tmp_path / "my {study}", tiny_study)
    done = snakemake(folder, "--dry-run")
    assert done.returncode == 1
    assert "a path with `{` or `}`, which Snakemake takes for wildcards" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "number"),
    [("010", "8"), ("-0777", "-511"), ("1:30:00", "5400"), ("1:30", "90"), ("0_10", "8"), ("20:30.5", "1230.5")],
)
def test_numbers_that_yaml_reads_in_its_own_way_are_refused(folder, text, number):
    path = folder / "config.yaml"
    for line in (f"seed: {text}", f"{text}: 1", f"a: [{text}]"):
        path.write_text(f"# a study\n{line}\n")
        with pytest.raises(
            InputError, match=rf"config\.yaml: line 2: not valid YAML: YAML reads `{text}` as the number {number}"
        ):
            documents.load_yaml(path)
    path.write_text(f"title: '{text}'\n")
    assert documents.load_yaml(path) == {"title": text}


def test_other_numbers_are_read_as_ever(folder):
    path = folder / "config.yaml"
    path.write_text("[0, 10, 1_000, 0x10, 0.5, -0.0, 1.0e+9, 00.5]\n")
    assert documents.load_yaml(path) == [0, 10, 1000, 16, 0.5, 0.0, 1e9, 0.5]


@pytest.mark.parametrize("name", ["mine\n", "a b", "logs"])
def test_names_of_blocks_end_where_they_seem_to(folder, name):
    with pytest.raises(InputError, match="this name"):
        configuration.check({"benchmarks": {name: block("scores.csv")}})


@pytest.mark.parametrize(
    "name",
    [
        "results/mine/inputs.csv",
        "./results/../results/mine/inputs.csv",
        "{here}/results/mine/inputs.csv",
        "link.csv",
        "linked/inputs.csv",
    ],
)
@pytest.mark.parametrize("key", ["files", "tasks", "claims", "models_file", "paper_figures"])
def test_inputs_inside_results_are_a_mistake(folder, name, key):
    (folder / "link.csv").symlink_to("results/mine/inputs.csv")
    (folder / "linked").symlink_to("results/mine")
    name = name.replace("{here}", str(folder))
    said = said_of(block(name) if key == "files" else block("scores.csv", **{key: name}))
    assert f"benchmarks.mine.{key}" in said
    assert "it is inside results/, which the run writes and may delete" in said


@pytest.mark.parametrize("name", ["results", "results/", ".", "{here}", ".."])
@pytest.mark.parametrize("kind", ["lm_eval", "bigbench"])
def test_folders_with_results_in_them_are_a_mistake(folder, name, kind):
    (folder / "run.json").write_text("{}")
    name = name.replace("{here}", str(folder))
    models = {"m": {"family": "F", "scale": 1.0}}
    said = said_of(
        {"format": kind, "directory": name} if kind == "bigbench" else {"format": kind, "files": [name], "models": models}
    )
    assert "results/, which the run writes" in said


@pytest.mark.parametrize("pattern", ["res*/**/*.csv", "**/*.csv"])
def test_patterns_that_reach_into_results_are_a_mistake(folder, pattern):
    assert f"{pattern}: it fits results/mine/inputs.csv, inside results/" in said_of(block(pattern))


def test_a_metric_catalogue_inside_results_is_a_mistake(folder):
    (folder / "results/metrics.yaml").write_text("metrics: {}\n")
    with pytest.raises(InputError, match=r"metrics\n    found: results/metrics\.yaml: it is inside results/"):
        configuration.check({"benchmarks": {"mine": block("scores.csv")}, "metrics": "results/metrics.yaml"})


def test_a_folder_that_is_named_like_results_is_no_mistake(folder):
    (folder / "results_of_others").mkdir()
    (folder / "results_of_others/scores.csv").write_text("x\n")
    configuration.check({"benchmarks": {"mine": block("results_of_others/scores.csv")}})


def test_a_file_whose_name_ends_in_a_slash(folder):
    assert "scores.csv/: a file's name that ends in `/`\n    allowed: the name without it" in said_of(block("scores.csv/"))


@pytest.mark.parametrize("size", [1e303, 1e6, 0, -1])
def test_a_size_beyond_all_files_is_refused(folder, size):
    (folder / "tree").mkdir()
    assert "max_file_mb" in said_of({"format": "bigbench", "directory": "tree", "max_file_mb": size})


@pytest.mark.parametrize(
    "url",
    [
        "https://s3cret@github.com/google/BIG-bench",
        "http://user:s3cret@example.org/x",
        "https://user:s3/cret@example.org/x",
        "https://example.org/x?private_token=s3cret",
        "https://example.org/x#s3cret",
        "ssh://git:s3cret@example.org/x",
        "ssh://git%3As3cret@example.org/x",
        "git://user:s3cret@example.org/x",
        "file:///x?token=s3cret",
        "https://example.org/x\n",
        "https://s3cret%40example.org/x",
        "https://example.org/x%3Fprivate_token=s3cret",
        "https://example.org/x;token=s3cret",
        "https:/s3cret@example.org/x",
        "user:s3cret@example.org:x/y",
        "git@example.org:x/y?token=s3cret",
        "ghp_s3cret@github.com:x/y.git",
        "ssh://glpat-s3cret@example.org/x",
        "s3cret" * 6 + "@example.org:x/y",
    ],
)
def test_an_address_with_a_secret_is_refused_and_not_repeated(folder, url):
    said = said_of({"format": "bigbench", "git": {"url": url, "commit": COMMIT}})
    assert "benchmarks.mine.git.url" in said
    assert "no password, token or query" in said
    assert "s3" not in said


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/google/BIG-bench",
        "ssh://git@example.org/x",
        "git@example.org:x/y.git",
        "ssh://git@example.org:2222/x",
        "../clone",
    ],
)
def test_addresses_without_secrets_are_taken(folder, url):
    configuration.check({"benchmarks": {"mine": {"format": "bigbench", "git": {"url": url, "commit": COMMIT}}}})


@pytest.mark.parametrize("commit", [COMMIT + "\n", COMMIT[:-1], COMMIT.replace("a", "A") + "A", "main"])
def test_commits_are_whole_names(folder, commit):
    assert (
        "the whole name of a commit".lower()
        in said_of({"format": "bigbench", "git": {"url": "https://example.org/x", "commit": commit}}).lower()
    )


def test_a_file_of_yaml_that_snakemake_merges_is_checked_the_same(folder):
    """What Snakemake has read without our eyes is refused when it is looked at again: an octal number in a second file."""
    (folder / "more.yaml").write_text("seed: 010\n")
    with pytest.raises(InputError, match=r"more\.yaml: line 1: not valid YAML: YAML reads `010` as the number 8"):
        configuration.check({"benchmarks": {"mine": block("scores.csv")}, "seed": 8}, ["more.yaml"])
    assert yaml.safe_load("010") == 8


@pytest.mark.parametrize(
    ("name", "expected"),
    [("conig.yaml", "there is no such file; did you mean `config.yaml`?"), (".", "found: a folder"), ("pipe", "a pipe")],
)
def test_a_configuration_file_named_to_make_is_looked_at_first(folder, capsys, name, expected):
    """Snakemake meets a file that is not there with a traceback, and waits for ever at a pipe."""
    (folder / "config.yaml").write_text("seed: 1\n")
    os.mkfifo(folder / "pipe")
    assert configuration_checks.main(["config.yaml"]) == 0
    assert configuration_checks.main(["config.yaml", name]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"The configuration cannot be used.\n{name}")
    assert expected in said
