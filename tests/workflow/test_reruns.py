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
        return {(rule.removesuffix("_with_claims"), *re.findall(r"benchmark=(\w+)", text)) for rule, text in named} - {("all",)}

    jobs.folder = again
    return jobs


REPORT = {("record_provenance",), ("write_report",)}
ACROSS = {("compare_benchmarks",)}
DRAWN = {("draw_figures", "first"), ("draw_figures", "second")}
ATTRIBUTED = ("attribute_curves", "draw_figures")
FROM_SCORES = ("score_curves", "assess_curves", *ATTRIBUTED)


def of_benchmark(name, *rules):
    return {(rule, name) for rule in rules}


def test_again_there_is_nothing_to_do(rerun):
    assert rerun() == set()


def test_editing_a_block_reruns_its_benchmark_only(rerun):
    path = rerun.folder / "config/config.yaml"
    study = yaml.safe_load(path.read_text())
    study["benchmarks"]["second"]["on_error"] = "skip"
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    assert rerun() == of_benchmark("second", "ingest_scores", *FROM_SCORES) | ACROSS | REPORT


def test_editing_the_threshold_leaves_ingest_and_scores_alone(rerun):
    path = rerun.folder / "config/config.yaml"
    path.write_text(path.read_text() + "emergence: {threshold: 5}\n")
    both = [of_benchmark(name, *ATTRIBUTED) for name in ("first", "second")]
    assert rerun() == set().union(*both) | ACROSS | REPORT


def test_editing_a_library_module_reruns_what_imports_it(rerun):
    path = rerun.folder / "scripts/emergence/questions/figures.py"
    path.write_text(path.read_text() + "\n# an edit\n")
    assert rerun() == DRAWN | {("write_report",)}


def test_editing_a_statistic_reruns_from_the_curves_on(rerun):
    path = rerun.folder / "scripts/emergence/curves/frames.py"
    path.write_text(path.read_text() + "\n# an edit\n")
    # attribute_claims imports it through attribution, so it reruns too; ingest does not
    assert ("ingest_scores", "first") not in rerun()
    assert of_benchmark("first", *FROM_SCORES) <= rerun()


def test_editing_a_figure_script_redraws_only(rerun):
    path = rerun.folder / "scripts/draw_figures.py"
    path.write_text(path.read_text() + "\n# an edit\n")
    assert rerun() == DRAWN | {("write_report",)}


def test_editing_the_catalogue_reruns_everything(rerun):
    path = rerun.folder / "config/metrics.yaml"
    path.write_text(path.read_text().replace("label: Exact match\n", "label: Exact matches\n"))
    rules = ("ingest_scores", *FROM_SCORES)
    everything = of_benchmark("first", *rules, "attribute_claims") | of_benchmark("second", *rules)
    assert rerun() == everything | ACROSS | REPORT


def test_editing_the_readme_reruns_nothing(rerun):
    (rerun.folder / "config/README.md").write_text("another text\n")
    assert rerun() == set()


def test_removing_a_block_removes_it_from_the_report(rerun):
    path = rerun.folder / "config/config.yaml"
    study = yaml.safe_load(path.read_text())
    del study["benchmarks"]["second"]
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    assert rerun() == ACROSS | REPORT
    done = snakemake(rerun.folder, "--cores", "1")
    assert done.returncode == 0, done.stderr
    assert "The second" not in (rerun.folder / "results/report.html").read_text()


def test_editing_the_null_models_tests_the_curves_anew_but_scores_none(rerun):
    path = rerun.folder / "scripts/emergence/statistics/null_models.py"
    path.write_text(path.read_text() + "\n# an edit\n")
    jobs = rerun()
    assert of_benchmark("second", "assess_curves", *ATTRIBUTED) <= jobs
    assert ("score_curves", "second") not in jobs
    assert ("attribute_claims", "first") not in jobs
