"""The questions that a run answers, one folder each.

A folder holds

    question.yaml   the title; what is read: tables, keys of the study and of the block, fields of the metric catalogue; the tables
                    that it makes, with every column; its figures; which tables the report shows
    tables.py       compute(given) -> {table: data frame}
    figure.py       draw(given) -> {figure: (Matplotlib figure, data frame of what it shows)}, where there are figures
    <figure>.rst    the caption of each figure: what is shown, the estimator, and its limits
    answer.py       answer(given) -> list of emergence.questions.answers.Answer

`given` is an emergence.questions.given.Given: the tables, keys and fields that question.yaml names, and nothing else. The rules, the
report, the summary, results/README.md and the tests of whole runs read the folders: a new question is a new folder.

The Snakefile reads this module, so nothing heavier than YAML is needed here.
"""

import dataclasses
import functools
import graphlib
import importlib
from pathlib import Path

from emergence.io.documents import SCHEMAS, find_problems, load_schema, message
from emergence.io.errors import InputError

FOLDER = Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Question:
    """What question.yaml says; workflow/schemas/question.schema.yaml explains every key.

    `figures` is {name: title}; `shown` is {table: {"title": str, "columns": {column: header}}}.
    """

    name: str
    title: str
    order: float
    scope: str = "benchmark"
    job: str = "curves"
    needs: tuple = ()
    files: tuple = ()
    settings: tuple = ()
    block: tuple = ()
    catalogue: tuple = ()
    inputs: tuple = ()
    said: tuple = ()
    tables: dict = dataclasses.field(default_factory=dict)
    figures: dict = dataclasses.field(default_factory=dict)
    drawn: dict = dataclasses.field(default_factory=dict)
    shown: dict = dataclasses.field(default_factory=dict)
    unasked: str = ""
    column: str = ""
    column_means: str = ""

    def is_asked(self, block):
        """Whether a benchmark with this block has what the question needs."""
        return all(key in block for key in self.needs)

    def module(self, part):
        """One of its modules: `tables`, `figure` or `answer`."""
        return importlib.import_module(f"emergence.questions.{self.name}.{part}")

    def caption(self, figure):
        """The caption of one of its figures, on one line."""
        return " ".join((FOLDER / self.name / f"{figure}.rst").read_text(encoding="utf-8").split())

    def path(self, part):
        """The path of one of its modules below scripts/, or None where there is no such module."""
        return f"scripts/emergence/questions/{self.name}/{part}.py" if (FOLDER / self.name / f"{part}.py").is_file() else None


def check():
    """Raise InputError where a question.yaml is not what its schema allows, with all that is wrong."""
    schema = load_schema(SCHEMAS / "question.schema.yaml")
    problems = [
        message(path, *problem)
        for path in sorted(FOLDER.glob("*/question.yaml"))
        for problem in find_problems(load_schema(path), schema, ())
    ]
    if problems:
        raise InputError(problems)


@functools.cache
def every_question():
    """Return the questions in the order in which they are answered and shown, {name: Question}; `check` has seen their files."""
    found = []
    for path in sorted(FOLDER.glob("*/question.yaml")):
        keys = {key: tuple(value) if isinstance(value, list) else value for key, value in load_schema(path).items()}
        found.append(Question(path.parent.name, **keys))
    return {question.name: question for question in sorted(found, key=lambda question: (question.order, question.name))}


def of_benchmark(block):
    """Return the questions that are asked of a benchmark with this block, in order."""
    return [question for question in every_question().values() if question.scope == "benchmark" and question.is_asked(block)]


def of_study():
    """Return the questions that are asked of all benchmarks together, in order."""
    return [question for question in every_question().values() if question.scope == "study"]


def jobs():
    """Return the questions of each job, in an order in which each finds the tables of the others ready: {job: list of Question}."""
    maker = {table: question.name for question in every_question().values() for table in question.tables}
    found = {}
    for question in every_question().values():
        if question.scope == "benchmark" and question.tables:
            found.setdefault(question.job, {})[question.name] = question
    for job, members in found.items():
        needs = {
            name: {maker[table] for table in question.inputs if maker.get(table) in members} for name, question in members.items()
        }
        found[job] = [members[name] for name in graphlib.TopologicalSorter(needs).static_order()]
    return found
