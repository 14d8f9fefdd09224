"""Draw the figures of a benchmark: those of every question that is asked of it."""

import gc

# looking for garbage takes a tenth of this job's time, most of it while libraries are loaded, and the job ends soon
gc.disable()

from emergence import questions
from emergence.io.logs import run
from emergence.questions import drawing
from emergence.questions.given import Given


def main():
    params, output = snakemake.params, snakemake.output
    given = Given(snakemake.input, params.study, params.block, params.metrics)
    drawing.style()
    for question in map(questions.every_question().get, params.questions):
        for name, (figure, data) in question.module("figure").draw(given.only(question, "figure")).items():
            drawing.save(figure, data, output[f"{name}_svg"], output[f"{name}_png"], output[f"{name}_csv"], params.dpi)


run(main, snakemake.log[0])
