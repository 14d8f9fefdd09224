"""The sampling noise of a score: how far it would move if the test set were drawn again."""

from typing import NamedTuple

import numpy as np

BINOMIAL = "binomial"
STDERR = "stderr"
RESIDUAL = "residual"
NONE = "none"

# Published proportions are rounded to four decimals; a count of right answers is recognised through that rounding.
PUBLISHED_ROUNDING = 0.5e-4

# A share of right answers with an unknown number of examples still has binomial-shaped noise, p(1 - p). At p = 0 and 1 the
# shape would vanish and a single right answer would count as infinitely surprising; it is held at its value for 2 %.
_FLOOR = 0.02


class Noise(NamedTuple):
    """What is known of the noise of c curves of n scores.

    kind: (c,) of strings: `binomial` (share of right answers among a known number of examples), `stderr` (published standard
        error), `residual` (size unknown, taken from the scatter about a fit) or `none` (a score is missing).
    trials: (c, n) examples behind each score, times the models averaged; NaN unless binomial.
    stderr: (c, n) standard error of each score, in its units; NaN unless `stderr`.
    n_models: (c, n) models averaged at each scale.
    proportion: (c,) whether the score is a share of right answers (0-1).
    """

    kind: np.ndarray
    trials: np.ndarray
    stderr: np.ndarray
    n_models: np.ndarray
    proportion: np.ndarray

    def take(self, index):
        """The noise of the curves at `index` (an index array or a mask over curves)."""
        return Noise(*(field[index] for field in self))

    def at_scales(self, index):
        """The same curves at the scales `index` (a slice or an index array) only."""
        return self._replace(trials=self.trials[:, index], stderr=self.stderr[:, index], n_models=self.n_models[:, index])


def sampling_noise(scores, n_examples, n_models, stderr, proportion):
    """Which noise applies to each curve: binomial where it is known, else the published standard error, else residual.

    scores: (c, n), oriented. n_examples, stderr: (c, n), NaN where unknown. n_models: (c, n), at least 1; independent models
    averaged at one scale divide the binomial variance. proportion: (c,) bool. A kind applies to a curve only when it is known
    for all its scores; a standard error of zero is not knowledge.

    Returns Noise. Raises ValueError if the shapes differ.
    """
    scores = np.asarray(scores, dtype=float)
    n_examples, n_models, stderr = (np.asarray(array, dtype=float) for array in (n_examples, n_models, stderr))
    proportion = np.asarray(proportion, dtype=bool)
    if not (scores.ndim == 2 and scores.shape == n_examples.shape == n_models.shape == stderr.shape):
        raise ValueError("scores, n_examples, n_models and stderr must have the same shape (curves, scales)")
    if proportion.shape != scores.shape[:1]:
        raise ValueError("proportion must have one entry a curve")
    is_share = proportion & ((scores >= 0) & (scores <= 1)).all(axis=1)
    binomial = is_share & (n_examples >= 1).all(axis=1) & (n_models >= 1).all(axis=1)
    known = (np.isfinite(stderr) & (stderr > 0)).all(axis=1) & ~binomial
    kind = np.where(binomial, BINOMIAL, np.where(known, STDERR, RESIDUAL)).astype(object)
    kind[~np.isfinite(scores).all(axis=1)] = NONE
    trials = np.where((kind == BINOMIAL)[:, None], np.round(n_examples) * np.fmax(n_models, 1), np.nan)
    return Noise(kind, trials, np.where((kind == STDERR)[:, None], stderr, np.nan), np.fmax(n_models, 1), is_share)


def variance(noise, expected):
    """Variance of each score about its expected value, in squared units of the score.

    noise: Noise of c curves of n scores. expected: (c, n) expected scores; only binomial-shaped noise depends on them, and
    half a right and half a wrong answer are added so that it does not vanish at 0 and 1 (Agresti & Coull's device).

    Returns (c, n); for `residual` noise up to a factor for each curve, which the scatter about a fit has to supply.
    """
    expected = np.clip(expected, 0, 1)
    held = np.clip(expected, _FLOOR, 1 - _FLOOR)
    shape = np.where(noise.proportion[:, None], held * (1 - held), 1.0) / noise.n_models
    with np.errstate(invalid="ignore"):
        share = (expected * noise.trials + 0.5) / (noise.trials + 1)
        binomial = share * (1 - share) / noise.trials
    kind = noise.kind[:, None]
    return np.where(kind == BINOMIAL, binomial, np.where(kind == STDERR, np.square(noise.stderr), shape))


def snap_to_counts(scores, trials):
    """Scores as exact counts of right answers over trials, where they are such counts up to published rounding.

    scores: (c, n) shares, 0-1. trials: (c, n), NaN where unknown. A score that is no such count (an average over subtasks, or
    partial credit) is left as it is. Returns (c, n).
    """
    with np.errstate(invalid="ignore"):
        nearest = np.round(scores * trials) / trials
        return np.where(np.abs(scores - nearest) <= PUBLISHED_ROUNDING * 1.01, nearest, scores)
