"""What the families of arithmetic share: test problems that stay the same, and training problems that are none of them."""

import numpy as np

from emergence.training import sequences

# as even in their logarithm as even numbers can be
SIZES = (4, 6, 8, 10, 14, 18, 24, 32)
N_TEST = 500
_TEST_SEED = 0


def train(task, low, high, texts, sizes, n_test, seed):
    """One row per width and test problem; see sequences.train.

    Parameters
    ----------
    task : str
        Name of the task.
    low, high : int
        The numbers of a problem are drawn from low to high - 1.
    texts : function of pairs of numbers
        Gives the problems and the answers, lists of str.
    sizes : sequence of int
        Widths of the models.
    n_test : int
        How many problems the test has. Their pairs, in either order, are never trained on.
    seed : int
    """
    pairs = np.random.default_rng(_TEST_SEED).integers(low, high, (n_test, 2))
    held_out = {*map(tuple, pairs.tolist()), *map(tuple, pairs[:, ::-1].tolist())}

    def draw(generator, n):
        drawn = generator.integers(low, high, (2 * n, 2)).tolist()
        return texts([pair for pair in drawn if tuple(pair) not in held_out][:n])

    return sequences.train(task, *texts(pairs.tolist()), draw, sizes, seed)
