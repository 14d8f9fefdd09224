"""What runs again after an edit: exactly the jobs that depend on it."""

import re

import pytest
import yaml

from conftest import snakemake


@pytest.fixture
def rerun(again):
    """A copy of the finished study that a test may edit; calling it gives the jobs that Snakemake would run again."""

    def jobs():
        done = snakemake(again, "--dry-run", "--quiet", "reason")
        assert done.returncode == 0, done.stdout + done.stderr
        named = re.findall(r"^(?:local)?rule (\w+):((?:\n    .*)*)", done.stdout + done.stderr, re.MULTILINE)
        return {(rule.removesuffix("_claims"), *re.findall(r"benchmark=(\w+)", text)) for rule, text in named} - {("all",)}

    jobs.folder = again
    return jobs


PROVENANCE = {("record_provenance",)}
REPORT = {("write_report",)}
EXPLORER = {("write_explorer",)}
STUDY = {("answer_study",)}


def of(rules, *benchmarks):
    return {(rule, benchmark) for rule in rules.split() for benchmark in benchmarks or ("first", "second")}


ANSWERED = of("answer_curves draw_figures")
ASSESSED = of("assess_curves") | ANSWERED
INGESTED = of("ingest_scores") | ASSESSED
EVERYTHING = INGESTED | STUDY | PROVENANCE | REPORT | EXPLORER


def block(**keys):
    """An edit of the first block."""
    return lambda folder: change(folder, lambda study: study["benchmarks"]["first"].update(keys))


def study(**keys):
    """An edit of the study's own keys."""
    return lambda folder: change(folder, lambda study: study.update(keys))


def change(folder, edit):
    path = folder / "config/config.yaml"
    content = yaml.safe_load(path.read_text())
    edit(content)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def line(path, text="\n# an edit\n"):
    """A line more at the end of a file."""
    return lambda folder: (folder / path).write_text((folder / path).read_text() + text)


def instead(path, old, new):
    """Another text in a file."""

    def edit(folder):
        text = (folder / path).read_text()
        assert old in text
        (folder / path).write_text(text.replace(old, new, 1))

    return edit


def metric(name, old, new):
    """Another value in the entry of one metric of the catalogue."""

    def edit(folder):
        path = folder / "config/metrics.yaml"
        before, name_line, after = path.read_text().partition(f"\n  {name}:\n")
        assert old in after
        path.write_text(before + name_line + after.replace(old, new, 1))

    return edit


LIBRARY = "scripts/emergence"

# What a user or a developer edits, and the jobs that run again for it: these and no others.
EDITS = {
    "nothing": (lambda folder: None, set()),
    "the text of config/README.md": (line("config/README.md"), set()),
    "title of a block": (block(title="Another"), PROVENANCE | REPORT | EXPLORER),
    "description of a block": (block(description="Another."), PROVENANCE | REPORT),
    "scale_label of a block": (block(scale_label="Tokens"), of("draw_figures", "first") | PROVENANCE | REPORT | EXPLORER),
    "on_error of a block": (
        block(on_error="skip"),
        of("ingest_scores assess_curves answer_curves draw_figures", "first") | STUDY | PROVENANCE | REPORT | EXPLORER,
    ),
    "answers_over of a block": (
        block(answers_over={"entries": "tasks"}),
        of("answer_curves draw_figures", "first") | STUDY | PROVENANCE | REPORT | EXPLORER,
    ),
    "threshold": (study(emergence={"threshold": 5}), ANSWERED | STUDY | PROVENANCE | REPORT | EXPLORER),
    "false_discovery_rate": (
        study(null_models={"draws": 100, "false_discovery_rate": 0.1}),
        ANSWERED | STUDY | PROVENANCE | REPORT | EXPLORER,
    ),
    "draws": (study(null_models={"draws": 99}), ASSESSED | STUDY | PROVENANCE | REPORT | EXPLORER),
    "resamples": (study(resamples=150), ANSWERED | STUDY | PROVENANCE | REPORT | EXPLORER),
    "dpi": (study(figures={"sharpest_curves": 2, "dpi": 60}), of("draw_figures") | PROVENANCE | REPORT),
    "label in the catalogue": (
        metric("exact_match", "label: Exact match\n", "label: Exact matches\n"),
        ANSWERED | STUDY | PROVENANCE | REPORT | EXPLORER,
    ),
    "reason in the catalogue": (metric("exact_match", "reason: >-\n", "reason: >-\n      Also:\n"), PROVENANCE | REPORT),
    "range in the catalogue": (metric("exact_match", "range: [0, 1]", "range: [0, 2]"), EVERYTHING),
    "the list of claims": (
        line("claims.csv", "other,f1\n"),
        of("answer_curves draw_figures", "first") | STUDY | PROVENANCE | REPORT | EXPLORER,
    ),
    "a module of figures": (line(f"{LIBRARY}/questions/drawing.py"), of("draw_figures") | REPORT),
    "a figure of one question": (line(f"{LIBRARY}/questions/variation/figure.py"), of("draw_figures") | REPORT),
    "the computation of one question": (
        line(f"{LIBRARY}/questions/variation/tables.py"),
        ANSWERED | STUDY | PROVENANCE | REPORT | EXPLORER,
    ),
    "the sentence of one question": (line(f"{LIBRARY}/questions/variation/answer.py"), REPORT),
    "the caption of a figure": (line(f"{LIBRARY}/questions/variation/variation.rst", " More.\n"), REPORT),
    "the script that draws": (line("scripts/draw_figures.py"), of("draw_figures") | REPORT),
    "the null models": (line(f"{LIBRARY}/statistics/null_models.py"), ASSESSED | STUDY | PROVENANCE | REPORT | EXPLORER),
    "a reader that no block uses": (line(f"{LIBRARY}/ingest/readers/bigbench/reader.py"), set()),
    "the template of the report": (instead("workflow/report/report.html.j2", "<h1>", "<h1> "), REPORT),
    "a script of the explorer": (line("workflow/report/explorer/explorer.js", "// an edit\n"), EXPLORER),
    "what is said of a column": (
        instead("workflow/schemas/tables.yaml", "Highest score minus lowest", "Highest minus lowest score"),
        REPORT,
    ),
}


@pytest.mark.parametrize("edited", EDITS)
def test_an_edit_reruns_what_depends_on_it_and_nothing_else(rerun, edited):
    edit, expected = EDITS[edited]
    edit(rerun.folder)
    assert rerun() == expected


def test_removing_a_block_removes_it_from_the_report(rerun):
    change(rerun.folder, lambda study: study["benchmarks"].pop("second"))
    assert rerun() == STUDY | PROVENANCE | REPORT | EXPLORER
    done = snakemake(rerun.folder, "--cores", "1")
    assert done.returncode == 0, done.stderr
    assert "The second" not in (rerun.folder / "results/report.html").read_text()
