"""Random numbers that depend on what they are for, and on nothing else."""

import hashlib

import numpy as np


def random_stream(seed, purpose, key):
    """The random generator of one curve or comparison: a function of its arguments alone, so order, shards and cores do not matter.

    seed: int. purpose: string that says what is drawn. key: string that names the curve or comparison. Returns
    numpy.random.Generator.
    """
    digest = hashlib.blake2b(f"{seed}\x1f{purpose}\x1f{key}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))
