"""Addition of two 4-digit numbers by small transformers, the sum written with its least significant digit first.

Written this way, each digit depends on two digits of the problem and a carry that was written one digit before (Lee et al. 2023).
After Figure 3 of the paper, whose models were too large to train here.
"""

from emergence.training import arithmetic
from emergence.training.arithmetic import N_TEST, SIZES


def train(seed):
    """One row per width and test problem; see sequences.train."""
    return arithmetic.train("addition_4_digits", 1000, 10_000, _texts, SIZES, N_TEST, seed)


def _texts(pairs):
    """Problems such as `1234+5678=` and answers such as `21960`, which is 6912 read from its end and filled up with a zero."""
    return [f"{a}+{b}=" for a, b in pairs], [f"{a + b:05d}"[::-1] for a, b in pairs]
