"""Scores of models that answer the same questions: each question is right or wrong by a threshold on correlated normal numbers."""

import numpy as np
from scipy.special import ndtri


def answers(truth, n_examples, correlation, generator):
    """Right and wrong answers of one family, (n_examples, n). truth: (n,) expected shares; correlation: of neighbours' latents."""
    place = np.arange(len(truth))
    root = np.linalg.cholesky(correlation ** np.abs(place[:, None] - place) + 1e-12 * np.eye(len(truth)))
    latent = generator.standard_normal((n_examples, len(truth))) @ root.T
    return (latent < ndtri(np.asarray(truth, dtype=float))).astype(float)


def curves(truth, n_examples, correlation, n_curves, seed):
    """Scores (c, n) of curves with one truth, and the covariance (c, n, n) estimated from their answers."""
    generator = np.random.default_rng(seed)
    scores, covariances = np.empty((n_curves, len(truth))), np.empty((n_curves, len(truth), len(truth)))
    for curve in range(n_curves):
        right = answers(truth, n_examples, correlation, generator)
        scores[curve], covariances[curve] = right.mean(axis=0), np.cov(right.T) / n_examples
    return scores, covariances
