"""Reader that reads nothing: outputs drawn from the paper's model, whose scores and emergence scores are known.

See emergence.outputs.paper_model for what the outputs are expected to score under each metric.
"""

import numpy as np
import pandas as pd

from emergence.ingest import trees
from emergence.outputs import paper_model
from emergence.statistics.random_streams import random_stream

CHOICES_TASK = "choices"

_RIGHT = np.frombuffer(b"0123456789", dtype=np.uint8)
# no target has this character: an edit distance is then the number of wrong tokens, with no shorter way round
_WRONG = ord("x")


def text_task(length):
    """Name of the task whose answers have so many tokens."""
    return f"answers_of_{length}_tokens"


def tasks(block):
    """The tasks of a block and the length of their answers, None for the task with choices: {task: length}."""
    lengths = {text_task(length): length for length in block["target_lengths"]} | {CHOICES_TASK: None}
    # in the order of the table
    return dict(sorted(lengths.items()))


def families(block):
    """Names of the model families of a block."""
    return [f"{block['world']} {number}" for number in range(1, block["families"] + 1)]


def source(block):
    """Where the outputs come from, in words."""
    law = f", c {block['c']:g}, alpha {block['alpha']:g}" if block["world"] == "power_law" else ""
    return f"format: model, world {block['world']}{law}, seed {block['seed']}"


def read(block, account, part=None):
    """The outputs of every model on each task: yields one frame per task; see emergence.ingest.readers.

    Every model draws from a stream of its own, so nothing depends on shards, or on other tasks and models.
    """
    p = paper_model.token_probability(block["world"], block["sizes"], block["c"], block["alpha"])
    for task, length in tasks(block).items():
        if not trees.is_in_shard(task, part):
            continue
        draw = _choices if length is None else _texts
        frame = pd.concat([draw(block, task, length, family, p) for family in families(block)], ignore_index=True)
        yield frame


def _models(block, task, family):
    """The columns that all kinds of outputs have: one row per model and example, models in the order of their size."""
    n, sizes = block["n_examples"], block["sizes"]
    names = np.array([f"{family}, size {size:g}" for size in sizes], dtype=object)
    examples = np.array([f"{number:0{len(str(n))}d}" for number in range(1, n + 1)], dtype=object)
    return {
        "task": task,
        "subtask": "",
        "model_family": family,
        "model": np.repeat(names, n),
        "scale": np.repeat(np.asarray(sizes, dtype=float), n),
        "shots": pd.array([pd.NA] * (n * len(sizes)), dtype="Int64"),
        "filter": "",
        "example": np.tile(examples, len(sizes)),
        "repeat": 0,
        "source": source(block),
    }


def _stream(block, task, *names):
    return random_stream(block["seed"], "model", "\x1f".join([block["world"], task, *names]))


def _as_texts(codes):
    """Rows of character codes (n, length) as n texts."""
    return codes.astype(np.uint32).view(f"U{codes.shape[1]}")[:, 0].astype(object)


def _texts(block, task, length, family, p):
    n = block["n_examples"]
    target = _RIGHT[_stream(block, task).integers(0, len(_RIGHT), (n, length))]
    outputs = []
    for size, probability in zip(block["sizes"], p, strict=True):
        is_right = _stream(block, task, family, f"{size!r}").random((n, length)) < probability
        outputs.append(_as_texts(np.where(is_right, target, _WRONG)))
    targets = [[text] for text in _as_texts(target)]
    return pd.DataFrame(
        _models(block, task, family) | {"kind": "text", "output": np.concatenate(outputs), "targets": targets * len(p)}
    )


def _choices(block, task, length, family, p):
    n, n_choices = block["n_examples"], block["choices"]
    # the difficulty of an item is half its own and half the family's: together a standard normal deviate, for every family another
    shared, own = _stream(block, task), _stream(block, task, family)
    deviates = (shared.standard_normal(n) + own.standard_normal(n)) / np.sqrt(2)
    right = paper_model.item_probabilities(p, block["item_spread"], deviates).reshape(-1)
    is_right = np.arange(n_choices) == (np.arange(n) % n_choices)[:, None]
    log_right, log_wrong = np.log(right), np.log1p(-right) - np.log(n_choices - 1)
    log_probs = np.where(np.tile(is_right, (len(p), 1)), log_right[:, None], log_wrong[:, None])
    credits = list(is_right.astype(float))
    # of equal length, so that grades by length are the plain grade
    names = [f"choice {number:0{len(str(n_choices))}d}" for number in range(1, n_choices + 1)]
    lengths = [len(names[0])] * n_choices
    rows = len(right)
    return pd.DataFrame(
        _models(block, task, family)
        | {
            "kind": "choices",
            "targets": [names] * rows,
            "log_probs": list(log_probs),
            "credits": credits * len(p),
            "n_characters": [lengths] * rows,
            "n_bytes": [lengths] * rows,
            "n_words": [[2] * n_choices] * rows,
        }
    )
