"""Answer some questions about a benchmark, or about the whole study: the tables of each, from those of the stages before."""

from emergence import questions
from emergence.io import tables
from emergence.io.logs import run
from emergence.questions.given import Given


def main():
    given, params = snakemake.input, snakemake.params
    files = dict(zip(params.files, given.get("files", []), strict=True))
    paths = {name: given[name] for name in params.tables}
    if params.benchmarks:
        paths = {name: dict(zip(params.benchmarks, path, strict=True)) for name, path in paths.items()}
    known = Given(paths, params.study, params.block, params.metrics, files)
    for question in map(questions.every_question().get, params.questions):
        made = question.module("tables").compute(known.only(question, "tables"))
        for name in question.tables:
            tables.write(made[name], name, snakemake.output[name])
            known.put(name, made[name])


run(main, snakemake.log[0])
