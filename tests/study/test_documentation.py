"""What is written about the project agrees with the project."""

import re

import pytest
import yaml

import emergence
from conftest import ROOT
from emergence.io import descriptions
from emergence.io.documents import SCHEMAS, load_schema
from emergence.questions import every_question
from emergence.study import configuration, documentation
from sentences import of_markdown, too_long


def test_generated_tables_match_the_schemas():
    assert list(documentation.stale()) == []


def test_drift_is_noticed(monkeypatch):
    schema = load_schema(SCHEMAS / "config.schema.yaml")
    monkeypatch.setitem(schema["properties"]["confidence_level"], "description", "Something else.")
    assert list(documentation.stale()) == ["config/README.md"]


def every_property(schema, path=""):
    for name, part in schema.get("properties", {}).items():
        yield f"{path}{name}", part.get("description", "")
        yield from every_property(part, f"{path}{name}.")


SCHEMA_FILES = [*SCHEMAS.glob("*.schema.yaml"), *(ROOT / "scripts/emergence/ingest/readers").glob("*/schema.yaml")]


@pytest.mark.parametrize("path", SCHEMA_FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_property_has_a_description(path):
    schema = yaml.safe_load(path.read_text())
    parts = [schema, *schema.get("$defs", {}).values()]
    missing = [name for part in parts for name, text in every_property(part) if not text]
    assert missing == []


def test_every_result_that_the_rules_name_is_documented():
    text = (ROOT / "results/README.md").read_text() + documentation.tables()
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    files = set(re.findall(r'"results/(?!logs)([^"{]*(?:\{benchmark\}/)?[\w.]+\.(?:parquet|csv|html|txt|json|md))"', rules))
    assert files
    assert [file for file in files if file not in text] == []


def test_every_table_is_described_with_all_its_columns():
    text = documentation.tables()
    for name, table in descriptions.every_table().items():
        assert f"`{table['path']}`" in text
        assert [column for column in table["columns"] if f"| `{column}` |" not in text] == [], name


def test_every_key_of_a_configuration_is_read_by_a_stage_or_a_question():
    read = {key for question in every_question().values() for key in (*question.settings, *question.block, *question.files)}
    read |= {
        key for question in every_question().values() for kind in ("settings", "block") for key in question.drawn.get(kind, ())
    }

    def unread(schema, path=()):
        for key, part in schema.get("properties", {}).items():
            place = ".".join((*path, key))
            if not part.get("x-stages") and not read & {place, *(".".join(path[:n]) for n in range(1, len(path) + 1))}:
                below = list(unread(part, (*path, key)))
                yield from below if part.get("properties") else [place]

    # `benchmarks` holds the blocks; the path of the catalogue is in messages
    assert set(unread(configuration.study_schema())) == {"benchmarks", "metrics"}
    for name in configuration.formats():
        assert list(unread(configuration.benchmark_schema(name))) == []


def test_conda_environment_has_the_locked_versions():
    locked = dict(re.findall(r"^([\w-]+)==([\w.]+)", (ROOT / "workflow/envs/run.txt").read_text(), re.MULTILINE))
    wanted = yaml.safe_load((ROOT / "workflow/envs/environment.yaml").read_text())["dependencies"]
    pinned = dict(re.findall(r"([\w-]+) ==([\w.]+)", "\n".join(wanted)))
    assert pinned
    assert {name: locked[re.sub("-(minimal|base)$", "", name)] for name in pinned} == pinned


def test_locks_name_no_package_index():
    for name in ("run.txt", "dev.txt", "cluster.txt"):
        text = (ROOT / "workflow/envs" / name).read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text


def test_the_readme_names_every_question_and_table_and_format():
    text = (ROOT / "README.md").read_text()
    questions = every_question().values()
    assert [question.title for question in questions if f"| {question.title} |" not in text] == []
    named = {f"`{table['path'].rsplit('/', 1)[1]}`" for question in questions for table in question.tables.values()}
    assert [table for table in sorted(named) if table not in text] == []
    assert [name for name in configuration.formats() if f"| `{name}` |" not in text] == []


def test_the_readme_names_every_block_of_the_study_and_every_command():
    text = (ROOT / "README.md").read_text()
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert [name for name in study["benchmarks"] if f"| `{name}` |" not in text] == []
    commands = re.findall(r'echo "(make [\w-]+)', (ROOT / "Makefile").read_text())
    assert commands
    assert [command for command in commands if command not in text] == []


WRITTEN = [
    path
    for folder in (".github", "benchmarks", "config", "docs", "profiles", "results", "scripts", "tests", "workflow")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".md", ".py", ".yaml", ".yml", ".rst", ".j2", ".smk"} and ROOT / "results" not in path.parents
]
WRITTEN += [*ROOT.glob("*.md"), ROOT / "results/README.md", ROOT / "Makefile", ROOT / "Snakefile", ROOT / "workflow/Snakefile"]


@pytest.mark.parametrize("path", [path for path in WRITTEN if path.suffix in {".yaml", ".yml"}], ids=lambda path: path.name)
def test_files_of_yaml_are_read_by_the_reader_in_python_too(path):
    # libyaml, which reads them in a run, takes more than YAML allows
    assert yaml.load(path.read_text(), yaml.SafeLoader)


def test_links_between_files_lead_somewhere():
    broken = []
    for path in WRITTEN:
        if path.suffix == ".md":
            links = re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", path.read_text())
            broken += [f"{path.relative_to(ROOT)}: {link}" for link in links if not (path.parent / link).exists()]
    assert broken == []


def test_the_version_is_said_once():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == emergence.__version__
    assert re.search(r"^## (\S+?),? ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == emergence.__version__


# phrases that stop a reader, in forms that plain English does not have
AVOIDED = re.compile(
    r"\bone (?:row|line|file|job|folder) an? \w"
    r"|, a row an? \w"
    r"|, one an? (?:row|line)\b"
    r"|(?<!there )\bis no (?:number|multiple|whole number|mapping|text|regular|valid)\b"
    r"|\bfor want of\b"
    r"|\brefused unread\b"
    r"|\bso (?:it|this) flatters\b"
    r"|\bturns every answer round\b"
    r"|\bfeed any bytes\b"
    r"|\bHow fine can\b"
    r"|\bexamples at hand\b"
    r"|\bcame (?:higher|lower) than\b"
    r"|\bstands? (?:in|beside) (?:`|(?:the|a|another) (?:file|table|block|folder|tree)\b)"
)


@pytest.mark.parametrize(
    "text", ["one row a curve", "that is no number", "examples at hand", "it stands in the file", ", a row a score"]
)
def test_what_is_avoided_is_found(text):
    assert AVOIDED.search(text)


@pytest.mark.parametrize("text", ["one row per curve", "there is no number", "gives a row a name", "in one file and another"])
def test_plain_english_is_left_alone(text):
    assert not AVOIDED.search(text)


def test_no_text_has_a_phrase_to_avoid():
    found = []
    for path in WRITTEN:
        if path.name != "test_documentation.py":
            # a phrase may go over the end of a line, also of a comment
            text = re.sub(r"\s*\n\s*(?:# )?", " ", path.read_text())
            found += [f"{path.relative_to(ROOT)}: ...{match[0]}..." for match in AVOIDED.finditer(text)]
    assert found == []


PAGES = [path for path in WRITTEN if path.suffix == ".md"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_of_a_page_is_long(path):
    assert too_long(of_markdown(path.read_text())) == []


LONG = "word " * 26


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG}\n",
        f"A heading\n\n{LONG}",
        f"- short\n- {LONG[:60]}\n  {LONG[60:]}\n- short",
        f"| a | {LONG} |",
        f"# {LONG}",
        f"**Bold.** {LONG}",
    ],
)
def test_a_long_sentence_of_a_page_is_found(text):
    assert [sentence.split() for sentence in too_long(of_markdown(text))] == [LONG.split()]


@pytest.mark.parametrize(
    "text",
    [
        f"    {LONG}",
        f"Short.\n\n```yaml\n{LONG}\n\n{LONG}\n```\n",
        f"| {LONG[:100]} | {LONG[:100]} |\n| {LONG[:100]} |",
        f"- {LONG[:100]}\n- {LONG[:100]}",
        f"# {LONG[:100]}\n{LONG[:50]}[words](an address)",
    ],
)
def test_code_and_short_parts_of_a_page_are_left_alone(text):
    assert too_long(of_markdown(text)) == []
