"""The paper's mathematical model of scale: what every metric is expected to score, in closed form.

Section 2 of Schaeffer, Miranda & Koyejo (2023): the probability of a right token rises smoothly with size, and each metric makes
of it what it makes. Two worlds are known here: `power_law` is the paper's, `break` has a true jump, which no change of metric may
explain away. Everything is a function of the probability of a right token at each size, p, an array of shape (sizes,).
"""

import numpy as np
from scipy import special

# Recovered from the drawing of the paper's Figure 2; its text names no numbers.
C = 2e9
ALPHA = -0.5

# The world `break`: from the first size to the last, and how much of that is drift rather than jump.
BREAK_LOW, BREAK_HIGH = 0.1, 0.9
BREAK_DRIFT = 0.02

# Where the expectation over items is summed, as standard normal deviates: the trapezoidal rule is exact to rounding for smooth
# functions that fall off as a normal density does.
_NODES = np.linspace(-9, 9, 2001)
_WEIGHTS = np.exp(-np.square(_NODES) / 2) / np.exp(-np.square(_NODES) / 2).sum()


def token_probability(world, sizes, c=C, alpha=ALPHA):
    """Probability that a token is right, at each size.

    Parameters
    ----------
    world : {"power_law", "break"}
        `power_law`: exp(-L) with the cross-entropy L = (N / c)^alpha. `break`: from 0.1 to 0.9, with a drift of 0.02 along the log
        of the size, and all the rest in the one step between the lower and the upper half of the sizes.
    sizes : (sizes,) array_like
        Sizes N of the models, increasing.
    c, alpha : float
        Of the power law; alpha is negative. Not used by `break`.

    Returns
    -------
    (sizes,) ndarray

    References
    ----------
    Schaeffer, R., Miranda, B. & Koyejo, S. (2023), section 2 and Figure 2.
    """
    sizes = np.asarray(sizes, dtype=float)
    if world == "power_law":
        return np.exp(-((sizes / c) ** alpha))
    place = np.log(sizes / sizes[0]) / np.log(sizes[-1] / sizes[0])
    is_lower = np.arange(len(sizes)) < len(sizes) // 2
    return np.where(is_lower, BREAK_LOW + BREAK_DRIFT * place, BREAK_HIGH - BREAK_DRIFT * (1 - place))


def exact_match(p, length):
    """Expected share of answers of so many tokens with every token right."""
    return p**length


def token_accuracy(p):
    """Expected share of right tokens; the token edit distance is length * (1 - p), so E is the same."""
    return p


def item_probabilities(p, item_spread, deviates):
    """Probability of the right choice for items of different difficulty: (sizes, items).

    The log-odds of the items at one size are spread normally around those of p.

    Parameters
    ----------
    p : (sizes,) ndarray
    item_spread : float
        Standard deviation of the log-odds over items, in logits.
    deviates : (items,) array_like
        The difficulty of each item, as standard normal deviates; higher is easier.
    """
    log_odds = np.log(p) - np.log1p(-p)
    return 1 / (1 + np.exp(-(log_odds[:, None] + item_spread * np.asarray(deviates)[None, :])))


def _mean_over_items(p, item_spread, score):
    """Expectation of score(probability of the right choice) over items: (sizes,)."""
    return score(item_probabilities(p, item_spread, _NODES)) @ _WEIGHTS


def multiple_choice_grade(p, n_choices, item_spread):
    """Expected share of items whose right choice is the most likely; the other choices are equally likely.

    The right choice wins where its probability is above 1 / n_choices: for two choices above one half, as in the paper.
    """
    excess = np.log(p) - np.log1p(-p) + np.log(n_choices - 1)
    if item_spread == 0:
        return (excess > 0).astype(float)
    return special.ndtr(excess / item_spread)


def brier_score(p, n_choices, item_spread):
    """Expected Brier score as BIG-bench defines it, mean over the choices of the squared error; lower is better.

    Of two choices and items alike it is the paper's, (1 - p)^2.
    """
    return _mean_over_items(p, item_spread, lambda right: (1 - right) ** 2 / (n_choices - 1))


def correct_probability(p, item_spread):
    """Expected probability of the right choice."""
    return _mean_over_items(p, item_spread, lambda right: right)


def log_probability(p, item_spread):
    """Expected log-probability (natural log) of the right choice: the negative cross-entropy."""
    return _mean_over_items(p, item_spread, np.log)
