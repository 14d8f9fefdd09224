"""Multiplication of two 2-digit numbers by small transformers, in all else as the addition. After Figure 3 of the paper."""

import numpy as np

from emergence.training import sequences

SIZES = (4, 6, 8, 10, 14, 18, 24, 32)
N_TEST = 500
_TEST_SEED = 0
_LOW, _HIGH = 10, 100


def train(seed):
    """One row per width and test problem; see sequences.train."""
    pairs = np.random.default_rng(_TEST_SEED).integers(_LOW, _HIGH, (N_TEST, 2))
    held_out = {*map(tuple, pairs.tolist()), *map(tuple, pairs[:, ::-1].tolist())}

    def draw(generator, n):
        drawn = generator.integers(_LOW, _HIGH, (2 * n, 2)).tolist()
        return _texts([pair for pair in drawn if tuple(pair) not in held_out][:n])

    return sequences.train("multiplication_2_digits", *_texts(pairs.tolist()), draw, SIZES, seed)


def _texts(pairs):
    """Problems such as `12*34=` and answers such as `8040`, which is 0408 read from its end."""
    return [f"{a}*{b}=" for a, b in pairs], [f"{a * b:04d}"[::-1] for a, b in pairs]
