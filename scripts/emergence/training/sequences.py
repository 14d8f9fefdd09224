"""Small transformers that read a problem in arithmetic, one character per token, and write the answer.

A decoder of N_LAYERS layers (pre-norm, learned positions, causal attention with N_HEADS heads, a GELU layer four times as wide),
trained by Adam on the cross-entropy of the answer's characters. Answers are decoded greedily.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from emergence.io.logs import logger
from emergence.training import optimizer

CHARACTERS = "0123456789+*="
N_LAYERS = 2
N_HEADS = 2
N_STEPS = 1500
BATCH = 256
LEARNING_RATE = 0.005


def tokens(texts):
    """Texts of equal length as numbers: (n, length) int32."""
    codes = np.array([text.encode("ascii") for text in texts]).view(np.uint8).reshape(len(texts), -1)
    number = np.zeros(128, dtype=np.int32)
    number[[ord(character) for character in CHARACTERS]] = np.arange(len(CHARACTERS))
    return number[codes]


def train(task, problems, answers, draw, widths, seed):
    """Train one model per width and let each answer the test problems.

    Parameters
    ----------
    task : str
        Name of the task.
    problems, answers : list of str
        The test: texts of one length each.
    draw : function of (numpy.random.Generator, n)
        Gives n training problems and their answers.
    widths : sequence of int
        Model dimensions, multiples of N_HEADS.
    seed : int
        Of the training examples and the first weights.

    Returns
    -------
    pandas.DataFrame
        One row per width and test problem: the answer, the target, and the log-probability (natural log) of the whole target,
        summed over its characters, each given the right characters before it.
    """
    n_answer = len(answers[0])
    test, targets = tokens(problems), tokens(answers)
    parts = []
    for width in widths:
        generator = np.random.default_rng([seed, width])
        drawn = [draw(generator, BATCH) for _ in range(N_STEPS)]
        batches = np.stack([tokens([problem + answer for problem, answer in zip(*batch, strict=True)]) for batch in drawn])
        parameters, losses = _fit(_first_weights(generator, width, batches.shape[-1]), batches, n_answer)
        written, log_probs = _answer(parameters, test, targets)
        written = ["".join(CHARACTERS[token] for token in row) for row in written]
        right = np.mean([text == target for text, target in zip(written, answers, strict=True)])
        n_parameters = sum(values.size for values in parameters.values())
        logger.info("%s, seed %d, width %d: loss %.4f, exact match %.3f", task, seed, width, losses[-50:].mean(), right)
        parts.append(
            pd.DataFrame(
                {
                    "task": task,
                    "model": f"width {width}",
                    "scale": n_parameters,
                    "example": np.arange(len(problems)),
                    "output": written,
                    "target": answers,
                    "log_prob": np.asarray(log_probs, dtype=float),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _first_weights(generator, width, length):
    def normal(rows, columns, spread):
        return generator.normal(0, spread, (rows, columns)).astype(np.float32)

    weights = {"embedding": normal(len(CHARACTERS), width, 0.5), "positions": normal(length, width, 0.5)}
    for layer in range(N_LAYERS):
        weights |= {
            f"attention_norm_{layer}": np.ones(width, np.float32),
            f"attention_in_{layer}": normal(width, 3 * width, width**-0.5),
            f"attention_out_{layer}": normal(width, width, width**-0.5 / N_LAYERS),
            f"mlp_norm_{layer}": np.ones(width, np.float32),
            f"mlp_in_{layer}": normal(width, 4 * width, width**-0.5),
            f"mlp_in_bias_{layer}": np.zeros(4 * width, np.float32),
            f"mlp_out_{layer}": normal(4 * width, width, (4 * width) ** -0.5 / N_LAYERS),
            f"mlp_out_bias_{layer}": np.zeros(width, np.float32),
        }
    weights |= {"norm": np.ones(width, np.float32), "unembedding": normal(width, len(CHARACTERS), width**-0.5)}
    return weights


def _normed(values, scale):
    values = values - values.mean(axis=-1, keepdims=True)
    return scale * values / jnp.sqrt(jnp.square(values).mean(axis=-1, keepdims=True) + 1e-5)


def _log_probs(weights, sequence):
    """Log-probabilities of the next character: (n, length, characters) for sequences (n, length)."""
    n, length = sequence.shape
    state = weights["embedding"][sequence] + weights["positions"][:length]
    width = state.shape[-1]
    is_later = jnp.triu(jnp.ones((length, length), bool), k=1)
    for layer in range(N_LAYERS):
        inward = _normed(state, weights[f"attention_norm_{layer}"]) @ weights[f"attention_in_{layer}"]
        query, key, value = (part.reshape(n, length, N_HEADS, -1) for part in jnp.split(inward, 3, axis=-1))
        match = jnp.einsum("nqhd,nkhd->nhqk", query, key) * (width // N_HEADS) ** -0.5
        attention = jax.nn.softmax(jnp.where(is_later, -jnp.inf, match), axis=-1)
        seen = jnp.einsum("nhqk,nkhd->nqhd", attention, value).reshape(n, length, width)
        state = state + seen @ weights[f"attention_out_{layer}"]
        inside = _normed(state, weights[f"mlp_norm_{layer}"]) @ weights[f"mlp_in_{layer}"] + weights[f"mlp_in_bias_{layer}"]
        state = state + jax.nn.gelu(inside) @ weights[f"mlp_out_{layer}"] + weights[f"mlp_out_bias_{layer}"]
    return jax.nn.log_softmax(_normed(state, weights["norm"]) @ weights["unembedding"], axis=-1)


def _target_log_probs(weights, sequence, n_answer):
    """Log-probability of each character of the answer, which ends the sequence: (n, n_answer)."""
    log_probs = _log_probs(weights, sequence[:, :-1])[:, -n_answer:]
    return jnp.take_along_axis(log_probs, sequence[:, -n_answer:, None], axis=-1)[..., 0]


def _fit(weights, batches, n_answer):
    """The weights after one step per batch (steps, BATCH, length), and the loss at each step."""

    def loss(weights, batch):
        return -_target_log_probs(weights, batch, n_answer).mean()

    def step(state, given):
        (weights, moments), (number, batch) = state, given
        value, gradients = jax.value_and_grad(loss)(weights, batch)
        rate = optimizer.learning_rate(number, N_STEPS, LEARNING_RATE)
        return optimizer.update(weights, gradients, moments, number, rate), value

    weights = {name: jnp.asarray(values) for name, values in weights.items()}
    numbers = jnp.arange(len(batches), dtype=jnp.float32)
    (weights, _), losses = jax.jit(lambda *start: jax.lax.scan(step, start, (numbers, batches)))(
        weights, optimizer.start(weights)
    )
    return weights, np.asarray(losses)


def _answer(weights, problems, targets):
    """Greedy answers (n, n_answer) to problems (n, length), and the log-probability of each whole target (n,)."""
    n_answer = targets.shape[1]
    sequence = jnp.concatenate([problems, jnp.zeros_like(targets)], axis=1)

    @jax.jit
    def write(place, sequence):
        # what comes later is not seen, so one shape does for every place
        best = _log_probs(weights, sequence[:, :-1]).argmax(axis=-1)
        return sequence.at[:, place].set(jnp.take(best, place - 1, axis=1).astype(sequence.dtype))

    for place in range(problems.shape[1], sequence.shape[1]):
        sequence = write(place, sequence)
    log_probs = _target_log_probs(weights, jnp.concatenate([problems, targets], axis=1), n_answer).sum(axis=1)
    return np.asarray(sequence[:, -n_answer:]), log_probs
