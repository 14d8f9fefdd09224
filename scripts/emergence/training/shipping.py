"""What trained models answered, in the form in which a family comes with the repository: a table for `format: outputs_table`."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from emergence.io import tables
from emergence.training import POOLED

# What counts as rebuilt, as a share of the training variance. Chosen before any result was seen; the whole sweep is shown as well.
REBUILT_BELOW = 0.05

# Digits that are kept of each value: more would double the size of the files and change no emergence score by a thousandth.
_SIGNIFICANT = 3
_DECIMALS = 2

# Columns that every family has, then those of each.
COMMON = ("task", "subtask", "model_family", "model", "scale", "example")
COLUMNS = {
    "autoencoder": ("squared_error", "log_density", "is_rebuilt"),
    "addition": ("output", "target", "log_likelihood"),
    "multiplication": ("output", "target", "log_likelihood"),
    "digits_cnn": ("log_probs", "gold"),
}


def _rebuilt(answers):
    """Reconstructions: the squared error, and whether it is small enough to call the image rebuilt.

    The log-density of the image under a normal density around its reconstruction, without its constant, is minus half the squared
    error; the unit is the training variance.
    """
    error = _rounded(answers["squared_error"].to_numpy())
    return answers.assign(subtask="", squared_error=error, log_density=-error / 2, is_rebuilt=error < REBUILT_BELOW)


def _written(answers):
    """Written answers, and as subtasks the first 1, 2, ... characters of the same answers beside those of their targets."""
    length = len(answers["target"].iat[0])
    log_likelihood = _rounded(answers["log_prob"].to_numpy())
    parts = [
        answers.assign(
            subtask="" if n == length else f"first {n} of {length}",
            output=answers["output"].str[:n],
            target=answers["target"].str[:n],
            # of the whole target alone
            log_likelihood=log_likelihood if n == length else np.nan,
        )
        for n in range(1, length + 1)
    ]
    return pd.concat(parts, ignore_index=True)


def _classified(answers):
    """Log-probabilities of the classes, and which of them is right."""
    log_probs = np.round(np.stack(answers["log_probs"].to_numpy()), _DECIMALS) + 0.0
    return answers.assign(subtask="", log_probs=list(log_probs), gold=answers["label"])


_FORMS = {"autoencoder": _rebuilt, "addition": _written, "multiplication": _written, "digits_cnn": _classified}


def _rounded(values):
    """Values to so many significant digits."""
    return np.array([float(f"{value:.{_SIGNIFICANT}g}") for value in values.tolist()]) + 0.0


def outputs(family, answers):
    """The rows of a family that come with the repository.

    Parameters
    ----------
    family : str
        One of emergence.training.FAMILIES.
    answers : dict of int to DataFrame
        By seed, as the `train` of the family's module returns it.

    Returns
    -------
    DataFrame
        The columns COMMON and those of COLUMNS for the family. Every seed is a model family, and all of them together are one
        more, whose score at each size is the mean over the seeds. Sorted by example.
    """
    parts = []
    for seed, frame in sorted(answers.items()):
        models = frame["model"] + f", seed {seed}"
        examples = frame["example"].map(f"{{:0{len(str(frame['example'].max()))}d}}".format)
        own = _FORMS[family](frame.assign(model=models, example=examples, model_family=f"seed {seed}"))
        parts.append(own[[*COMMON, *COLUMNS[family]]])
    single = pd.concat(parts, ignore_index=True)
    both = pd.concat([single, single.assign(model_family=POOLED)], ignore_index=True)
    # with all that was said of an example in one place the files are a third smaller
    return both.sort_values("example", kind="stable", ignore_index=True)


def write(frame, path):
    """Write the rows that `outputs` gives as a small Parquet file, whole or not at all."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    numbers_and_texts = [f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name for field in table.schema]
    encoded = [name for name in numbers_and_texts if name != "is_rebuilt"]
    with tables.replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=19, use_dictionary=encoded, store_schema=False)


def read(path):
    """The rows of a family as `write` left them, as an Arrow table."""
    return pq.read_table(path)
