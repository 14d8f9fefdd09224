"""Addition of two 4-digit numbers by small transformers, the sum written with its least significant digit first.

Written this way, each digit depends on two digits of the problem and a carry that was written one digit before (Lee et al. 2023).
After Figure 3 of the paper, whose models were too large to train here.
"""

import numpy as np

from emergence.training import sequences

# as even in their logarithm as even numbers can be
SIZES = (4, 6, 8, 10, 14, 18, 24, 32)
N_TEST = 500
_TEST_SEED = 0
_LOW, _HIGH = 1000, 10_000


def train(seed):
    """One row per width and test problem; see sequences.train."""
    pairs = np.random.default_rng(_TEST_SEED).integers(_LOW, _HIGH, (N_TEST, 2))
    held_out = {*map(tuple, pairs.tolist()), *map(tuple, pairs[:, ::-1].tolist())}

    def draw(generator, n):
        drawn = generator.integers(_LOW, _HIGH, (2 * n, 2)).tolist()
        return _texts([pair for pair in drawn if tuple(pair) not in held_out][:n])

    return sequences.train("addition_4_digits", *_texts(pairs.tolist()), draw, SIZES, seed)


def _texts(pairs):
    """Problems such as `1234+5678=` and answers such as `21960`, which is 6912 read from its end and filled up with a zero."""
    return [f"{a}+{b}=" for a, b in pairs], [f"{a + b:05d}"[::-1] for a, b in pairs]
