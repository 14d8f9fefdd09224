"""Multiplication of two 2-digit numbers by small transformers, in all else as the addition. After Figure 3 of the paper."""

from emergence.training import arithmetic
from emergence.training.arithmetic import N_TEST, SIZES


def train(seed):
    """One row per width and test problem; see sequences.train."""
    return arithmetic.train("multiplication_2_digits", 10, 100, _texts, SIZES, N_TEST, seed)


def _texts(pairs):
    """Problems such as `12*34=` and answers such as `8040`, which is 0408 read from its end."""
    return [f"{a}*{b}=" for a, b in pairs], [f"{a * b:04d}"[::-1] for a, b in pairs]
