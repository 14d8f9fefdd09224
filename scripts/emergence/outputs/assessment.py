"""Everything that is asked of outputs beyond their scores, one task at a time."""

from emergence.outputs import chain, flags, paired_answers, target_length
from emergence.outputs.rescoring import STORED, Task, as_table, settings, tasks

TABLES = (
    "same_outputs",
    "output_steps",
    "target_length",
    "metric_chain",
    "double_logarithm",
    "output_length",
    "output_flags",
)


def tables_of(benchmark, block, path, catalogue, seed, resamples, level):
    """The tables of TABLES from a table of outputs: {table: frame}.

    benchmark: its name. block: its configuration with defaults. path: file of the table `outputs`. catalogue: frame of
    metric_catalogue.load. seed, resamples, level: of the study.
    """
    chosen = settings(block)
    made = {table: [] for table in TABLES}
    for examples in tasks(path, STORED):
        task = Task(examples, chosen)
        frames = (
            paired_answers.differences(task, catalogue, seed, resamples, level),
            paired_answers.steps(task),
            target_length.by_target_length(task, level),
            chain.correlations(task, level),
            chain.double_logarithm(task),
            flags.output_lengths(task),
            flags.curve_flags(task),
        )
        for table, frame in zip(TABLES, frames, strict=True):
            made[table].append(frame)
        # before the next task is read
        del task, examples
    return {table: as_table(frames, table, benchmark) for table, frames in made.items()}
