"""What trained models answered, as rows of the table `outputs`: the form in which a family comes with the repository."""

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

SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("subtask", pa.string()),
        ("model_family", pa.string()),
        ("model", pa.string()),
        ("scale", pa.float64()),
        ("example", pa.string()),
        ("kind", pa.string()),
        ("output", pa.string()),
        ("targets", pa.list_(pa.string())),
        ("log_probs", pa.list_(pa.float64())),
        ("credits", pa.list_(pa.float64())),
        ("is_greedy", pa.bool_()),
        ("stored_metrics", pa.list_(pa.string())),
        ("stored_values", pa.list_(pa.float64())),
    ]
)


def _rebuilt(answers):
    """Reconstructions: the log-density of the image under a normal density around its reconstruction, without its constant.

    That is minus half the squared error; the unit of both is the training variance.
    """
    error = _rounded(answers["squared_error"].to_numpy())
    return answers.assign(
        kind="loglikelihood",
        log_probs=[[-value / 2] for value in error.tolist()],
        is_greedy=error < REBUILT_BELOW,
        stored_metrics=[["squared_error"]] * len(answers),
        stored_values=[[value] for value in error.tolist()],
    )


def _written(answers):
    """Written answers, and as subtasks the first 1, 2, ... characters of the same answers beside those of their targets."""
    length = len(answers["target"].iat[0])
    log_prob = _rounded(answers["log_prob"].to_numpy()).tolist()
    parts = [
        answers.assign(
            subtask="" if n == length else f"first {n} of {length}",
            kind="text",
            output=answers["output"].str[:n],
            targets=[[target[:n]] for target in answers["target"]],
            # of the whole target alone
            stored_metrics=[["log_likelihood"] if n == length else []] * len(answers),
            stored_values=[[value] if n == length else [] for value in log_prob],
        )
        for n in range(1, length + 1)
    ]
    return pd.concat(parts, ignore_index=True)


def _classified(answers):
    """Log-probabilities of the classes, of which one is right."""
    log_probs = np.round(np.stack(answers["log_probs"].to_numpy()), _DECIMALS) + 0.0
    is_right = np.arange(log_probs.shape[1]) == answers["label"].to_numpy()[:, None]
    return answers.assign(kind="choices", log_probs=list(log_probs), credits=list(is_right.astype(float)))


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
        Those columns of SCHEMA that the family has; they are columns of the table `outputs`. Every seed is a model family, and all of them together are one
        more, whose score at each size is the mean over the seeds.
    """
    parts = []
    for seed, frame in sorted(answers.items()):
        models = frame["model"] + f", seed {seed}"
        examples = frame["example"].map(f"{{:0{len(str(frame['example'].max()))}d}}".format)
        own = _FORMS[family](frame.assign(model=models, example=examples, model_family=f"seed {seed}"))
        parts.append(own[[name for name in SCHEMA.names if name in own]])
    single = pd.concat(parts, ignore_index=True)
    return pd.concat([single, single.assign(model_family=POOLED)], ignore_index=True)


def write(frame, path):
    """Write the rows of `outputs` as a small Parquet file, whole or not at all."""
    schema = pa.schema([field for field in SCHEMA if field.name in frame])
    lists = [f"{field.name}.list.element" for field in schema if pa.types.is_list(field.type)]
    plain = [field.name for field in schema if not pa.types.is_list(field.type) and field.type != pa.bool_()]
    table = pa.Table.from_pandas(frame, schema, preserve_index=False).replace_schema_metadata(None)
    with tables.replacing(path) as temporary:
        pq.write_table(
            table, temporary, compression="zstd", compression_level=19, use_dictionary=[*plain, *lists], store_schema=False
        )


def read(path):
    """The rows of a family as `write` left them, as an Arrow table."""
    return pq.read_table(path)
