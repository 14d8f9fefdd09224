"""The sampling noise of a curve: how far its scores would move, together, if the test set were drawn again.

Models of one family answer the same questions, and a question that one size gets right the next size tends to get right. So the
noise of a curve is a covariance matrix over its scales. Where the outputs are known it is estimated from them. Where only scores
are known it is not, and an assumption takes its place: the correlation of the scores at scales i and j is rho^|i - j|.

Few questions estimate many correlations badly, and tests that take the estimate for the truth reject too often: with 40 questions
and 12 correlated scales the test of the stated class rejects 12 to 17 % of flat curves. So an estimated matrix is shrunk towards
rho^|i - j|, with rho the mean correlation of neighbours, by the weight that would make the expected squared error least if rho
were known (Schäfer and Strimmer 2005, Stat Appl Genet Mol Biol 4). With many questions that weight goes to zero, unless the matrix
has that shape.
"""

from typing import NamedTuple

import numpy as np

BINOMIAL = "binomial"
STDERR = "stderr"
COVARIANCE = "covariance"
RESIDUAL = "residual"
NONE = "none"
KINDS = sorted((BINOMIAL, STDERR, COVARIANCE, RESIDUAL, NONE))

WORDS = {
    BINOMIAL: "the sampling noise of a test set of known size",
    STDERR: "the published standard errors",
    COVARIANCE: "the sampling noise estimated from the outputs, question by question",
    RESIDUAL: "noise of unknown size, taken from the scatter of the scores about a smooth curve",
    NONE: "no noise, because a score is missing",
}

# Published proportions are rounded to four decimals; a count of right answers is recognised through that rounding.
PUBLISHED_ROUNDING = 0.5e-4

# A share of right answers with an unknown number of examples still has binomial-shaped noise, p(1 - p). At p = 0 and 1 the
# shape would vanish and a single right answer would count as infinitely surprising; it is held at its value for 2 %.
_FLOOR = 0.02
# No score of a curve is taken as more than this much more certain than its least certain one. Such a score holds the fit in
# place as well as an exact one would, and least squares can still be solved.
_RELATIVE_SD_FLOOR = 1e-4
# Two models that give the same answers have correlation 1, which cannot be inverted. Eigenvalues are held above this.
_EIGENVALUE_FLOOR = 1e-3


class Noise(NamedTuple):
    """What is known of the noise of c curves of n scores.

    Attributes
    ----------
    kind : (c,) of str
        `binomial` (share of right answers among a known number of examples), `stderr` (published standard errors),
        `covariance` (estimated from outputs), `residual` (size unknown, taken from the scatter about a fit) or `none` (a score is
        missing).
    trials : (c, n)
        Examples behind each score, times the models averaged; NaN where the noise is not that of a count.
    stderr : (c, n)
        Standard error of each score, in its units; NaN unless the kind is `stderr` or `covariance`.
    n_models : (c, n)
        Models averaged at each scale.
    proportion : (c,) of bool
        Whether the score is a share of right answers (0-1).
    effect : (c,)
        Variance over that of independent examples (the design effect); 1 unless the kind is `covariance`.
    correlation : (c, n, n) or None
        Correlation of the noise of each pair of scales; None where it is the identity for every curve.
    questions : (c,) or None
        Independent questions that the covariance is estimated from, infinite where it is not known to be an estimate.
    shrinkage : (c,) or None
        Weight of rho^|i - j| in the correlation, 0 to 1; None where no curve has a covariance.
    """

    kind: np.ndarray
    trials: np.ndarray
    stderr: np.ndarray
    n_models: np.ndarray
    proportion: np.ndarray
    effect: np.ndarray
    correlation: np.ndarray | None = None
    questions: np.ndarray | None = None
    shrinkage: np.ndarray | None = None

    @property
    def counts(self):
        """(c,) of bool, whether the scores are counts of right answers over `trials`."""
        return np.isfinite(self.trials).all(axis=1)

    @property
    def correlated(self):
        """(c,) of bool, whether the noise of some pair of scales is correlated."""
        if self.correlation is None:
            return np.zeros(len(self.kind), dtype=bool)
        return (self.correlation != np.eye(self.trials.shape[1])).any(axis=(1, 2))

    def take(self, index):
        """The noise of the curves at `index` (an index array or a mask over curves)."""
        return Noise(*(None if field is None else field[index] for field in self))

    def at_scales(self, index):
        """The same curves at the scales `index` (a slice) only."""
        correlation = None if self.correlation is None else self.correlation[:, index, index]
        along = {name: getattr(self, name)[:, index] for name in ("trials", "stderr", "n_models")}
        return self._replace(**along, correlation=correlation)

    def in_order(self, order):
        """The same curves with their scales in another order. order: (c, n) of int, positions of the scales."""
        correlation = None
        if self.correlation is not None:
            correlation = np.take_along_axis(self.correlation, order[:, :, None], axis=1)
            correlation = np.take_along_axis(correlation, order[:, None, :], axis=2)
        along = {name: np.take_along_axis(getattr(self, name), order, axis=1) for name in ("trials", "stderr", "n_models")}
        return self._replace(**along, correlation=correlation)

    def with_shared_questions(self, shared):
        """The same noise under another assumption about shared questions; noise that is estimated or of unknown size stays."""
        assumed = np.isin(self.kind, (BINOMIAL, STDERR))
        if self.correlation is None and (shared == 0 or not assumed.any()):
            return self
        n_curves, n_scales = self.trials.shape
        between = np.eye(n_scales) if shared == 0 else neighbour_correlation(n_scales, shared)
        own = np.broadcast_to(np.eye(n_scales), (n_curves, n_scales, n_scales)) if self.correlation is None else self.correlation
        return self._replace(correlation=np.where(assumed[:, None, None], between, own))


def neighbour_correlation(n_scales, shared):
    """The assumed correlation of n scores of one family, shared^|i - j|: (n, n)."""
    place = np.arange(n_scales)
    return float(shared) ** np.abs(place[:, None] - place)


def sampling_noise(scores, n_examples, n_models, stderr, proportion, covariance=None, shared_questions=0.0, n_units=None):
    """Which noise applies to each curve.

    A covariance matrix comes first, then binomial noise, then published standard errors. A kind applies to a curve only when it
    is known for all its scores; a standard error of zero is not knowledge.

    Parameters
    ----------
    scores : (c, n)
        Oriented scores.
    n_examples, stderr : (c, n)
        NaN where unknown.
    n_models : (c, n)
        At least 1; independent models averaged at one scale divide the binomial variance.
    proportion : (c,) of bool
        Whether the score is a share of right answers.
    covariance : (c, n, n), optional
        Covariance of the noise, in squared units of the score; NaN for curves for which it is not known.
    shared_questions : float
        Assumed correlation of neighbouring scales where only scores are known, at least 0 and below 1.
    n_units : (c,), optional
        Independent units, such as clusters of questions, that the covariance is estimated from; NaN where they are not known, and
        the smallest number of examples along the curve is taken for them.

    Returns
    -------
    Noise

    Raises
    ------
    ValueError
        If shapes differ, or the assumption is outside its range.
    """
    scores = np.asarray(scores, dtype=float)
    n_examples, n_models, stderr = (np.asarray(array, dtype=float) for array in (n_examples, n_models, stderr))
    proportion = np.asarray(proportion, dtype=bool)
    if not (scores.ndim == 2 and scores.shape == n_examples.shape == n_models.shape == stderr.shape):
        raise ValueError("scores, n_examples, n_models and stderr must have the same shape (curves, scales)")
    if proportion.shape != scores.shape[:1]:
        raise ValueError("proportion must have one entry per curve")
    if not 0 <= shared_questions < 1:
        raise ValueError(f"shared_questions must be at least 0 and below 1, got {shared_questions}")
    n_curves, n_scales = scores.shape
    finite = np.isfinite(scores).all(axis=1)
    is_share = proportion & ((scores >= 0) & (scores <= 1)).all(axis=1)
    sized = is_share & (n_examples >= 1).all(axis=1) & (n_models >= 1).all(axis=1)
    kind = np.full(n_curves, RESIDUAL, dtype=object)
    kind[(np.isfinite(stderr) & (stderr > 0)).all(axis=1)] = STDERR
    kind[sized] = BINOMIAL
    effect = np.ones(n_curves)
    correlation = questions = shrinkage = None
    trials = np.where(sized[:, None], np.round(n_examples) * np.fmax(n_models, 1), np.nan)
    stderr = np.where((kind == STDERR)[:, None], stderr, np.nan)
    if covariance is not None:
        covariance = np.asarray(covariance, dtype=float)
        if covariance.shape != (n_curves, n_scales, n_scales):
            raise ValueError("covariance must have shape (curves, scales, scales)")
        own = np.diagonal(covariance, axis1=1, axis2=2)
        known = finite & np.isfinite(covariance).all(axis=(1, 2)) & (own >= 0).all(axis=1) & (own > 0).any(axis=1)
        if known.any():
            kind[known] = COVARIANCE
            correlation = np.broadcast_to(np.eye(n_scales), covariance.shape).copy()
            questions, shrinkage = np.full(n_curves, np.inf), np.zeros(n_curves)
            fewest = n_examples[known].min(axis=1)
            if n_units is not None:
                fewest = np.where(np.isnan(n_units[known]), fewest, n_units[known])
            questions[known] = np.where(np.isfinite(fewest), fewest, np.inf)
            correlation[known], shrinkage[known] = _correlation(covariance[known], questions[known])
            stderr[known] = np.sqrt(own[known])
            counted = known & sized
            effect[counted] = own[counted].sum(axis=1) / _count_variance(scores[counted], trials[counted]).sum(axis=1)
    kind[~finite] = NONE
    noise = Noise(kind, trials, stderr, np.fmax(n_models, 1), is_share, effect, correlation, questions, shrinkage)
    return noise.with_shared_questions(shared_questions) if shared_questions else noise


def _correlation(covariance, questions):
    """Correlation matrices that can be inverted, shrunk as the module says, and the weight of the shrinkage.

    covariance: (c, n, n), finite. questions: (c,) that it is estimated from, infinite where it is exact. A score without variance
    correlates with none. Returns (c, n, n) and (c,).
    """
    covariance = (covariance + covariance.swapaxes(1, 2)) / 2
    sd = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    product = sd[:, :, None] * sd[:, None, :]
    correlation = np.divide(covariance, product, out=np.zeros_like(covariance), where=product > 0)
    place = np.arange(covariance.shape[1])
    correlation[:, place, place] = 1.0
    correlation = np.clip(correlation, -1, 1)
    correlation, weight = _shrunk(correlation, questions)
    values, vectors = np.linalg.eigh(correlation)
    clipped = (vectors * np.maximum(values, _EIGENVALUE_FLOOR)[:, None, :]) @ vectors.swapaxes(1, 2)
    size = np.sqrt(np.diagonal(clipped, axis1=1, axis2=2))
    return clipped / (size[:, :, None] * size[:, None, :]), weight


def _shrunk(correlation, questions):
    """Estimated correlations shrunk towards rho^|i - j|, and the weight of that. correlation: (c, n, n); questions: (c,)."""
    place = np.arange(correlation.shape[1])
    rho = np.clip(np.diagonal(correlation, 1, 1, 2).mean(axis=1), 0, 1) if len(place) > 1 else np.zeros(len(correlation))
    target = rho[:, None, None] ** np.abs(place[:, None] - place)
    # variance of a sample correlation of normal numbers
    error = np.square(1 - np.square(correlation)).sum(axis=(1, 2)) / np.maximum(questions - 1, 1)
    away = np.square(correlation - target).sum(axis=(1, 2))
    weight = np.where(
        error < away, np.divide(error, away, out=np.zeros_like(error), where=away > 0), np.where(error > 0, 1.0, 0.0)
    )
    return correlation + weight[:, None, None] * (target - correlation), weight


def _count_variance(expected, trials):
    """Variance of a share of right answers; half a right and half a wrong answer keep it above zero (Agresti & Coull 1998)."""
    share = (expected * trials + 0.5) / (trials + 1)
    return share * (1 - share) / trials


def variance(noise, expected):
    """Variance of each score about its expected value, in squared units of the score.

    Parameters
    ----------
    noise : Noise
        Of c curves of n scores.
    expected : (c, n)
        Expected scores; only the noise of counts depends on them.

    Returns
    -------
    (c, n)
        For `residual` noise up to a factor for each curve, which the scatter about a fit has to supply.
    """
    expected = np.clip(expected, 0, 1)
    held = np.clip(expected, _FLOOR, 1 - _FLOOR)
    shape = np.where(noise.proportion[:, None], held * (1 - held), 1.0) / noise.n_models
    with np.errstate(invalid="ignore"):
        counted = _count_variance(expected, noise.trials) * noise.effect[:, None]
    measured = np.square(noise.stderr)
    is_measured = (noise.kind == STDERR) | (noise.kind == COVARIANCE)
    found = np.where(noise.counts[:, None], counted, np.where(is_measured[:, None], measured, shape))
    return np.maximum(found, found.max(axis=1, keepdims=True, initial=0) * _RELATIVE_SD_FLOOR**2)


def covariance(noise, sd, extra=None):
    """Covariance of the noise of each curve over its scales.

    noise: Noise of c curves, for its correlation. sd: (c, n) standard deviations. extra: (c, n), variance that is added to that of
    each score, independent between scales. Returns (c, n, n).
    """
    place = np.arange(sd.shape[1])
    between = np.eye(len(place)) if noise.correlation is None else noise.correlation
    found = sd[:, :, None] * between * sd[:, None, :]
    if extra is not None:
        found[:, place, place] += extra
    return found


def snap_to_counts(scores, trials):
    """Scores as exact counts of right answers over trials, where they are such counts up to published rounding.

    scores: (c, n) shares, 0-1. trials: (c, n), NaN where unknown. A score that is not such a count (an average over subtasks, or
    partial credit) is left as it is. Returns (c, n).
    """
    with np.errstate(invalid="ignore"):
        nearest = np.round(scores * trials) / trials
        return np.where(np.abs(scores - nearest) <= PUBLISHED_ROUNDING * 1.01, nearest, scores)
