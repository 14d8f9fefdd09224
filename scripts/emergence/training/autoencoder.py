"""Autoencoders of growing width on handwritten digits, after Figures 6 and 7 of the paper. NumPy alone.

One hidden layer with tanh, a linear output: the width is the number of features that a picture is squeezed through. Every image
is a test image of a network that was trained on the other folds of the digits (cross-validation): which images are the test
changes E by more than the seed does. What is kept of each image is its squared reconstruction error over the variance of the
training images, which is 1 for an autoencoder that always answers with the mean image.
"""

import numpy as np
import pandas as pd

from emergence.io.logs import logger
from emergence.training import digits, optimizer

# as even in their logarithm as whole numbers can be
SIZES = (2, 3, 4, 6, 8, 12, 17, 24, 34, 48)
N_FOLDS = 3
N_STEPS = 2000
BATCH = 128
LEARNING_RATE = 0.01


def train(seed):
    """One row per width and test image: `squared_error`, in units of the training variance (sum over the pixels)."""
    images = digits.shuffled()[0]
    fold = np.arange(len(images)) % N_FOLDS
    parts = []
    for width in SIZES:
        squared_error = np.empty(len(images))
        for number in range(N_FOLDS):
            is_test = fold == number
            centre = images[~is_test].mean(axis=0)
            parameters = _fit(images[~is_test] - centre, width, np.random.default_rng([seed, width, number]))
            squared_error[is_test] = _relative_error(parameters, images[is_test] - centre, images[~is_test] - centre)
        n_parameters = sum(values.size for values in parameters.values())
        logger.info("autoencoder, seed %d, width %d: squared error %.4f", seed, width, squared_error.mean())
        parts.append(
            pd.DataFrame(
                {
                    "task": "digits_autoencoder",
                    "model": f"width {width}",
                    "scale": n_parameters,
                    "example": np.arange(len(images)),
                    "squared_error": squared_error,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _relative_error(parameters, test_images, train_images):
    """Squared error of each test image (n,), in units of the variance of the training images; both less the mean training image."""
    squared = np.square(_rebuild(parameters, test_images)[0] - test_images).sum(axis=1)
    return squared / np.square(train_images).sum(axis=1).mean()


def _rebuild(parameters, images):
    """Reconstructions (n, 64) and hidden activations (n, width) of images (n, 64)."""
    hidden = np.tanh(images @ parameters["encoder"] + parameters["encoder_bias"])
    return hidden @ parameters["decoder"] + parameters["decoder_bias"], hidden


def _gradients(parameters, images):
    """Gradients of the mean squared error per image (sum over pixels)."""
    rebuilt, hidden = _rebuild(parameters, images)
    residual = 2 * (rebuilt - images) / len(images)
    before = (residual @ parameters["decoder"].T) * (1 - hidden**2)
    return {
        "encoder": images.T @ before,
        "encoder_bias": before.sum(axis=0),
        "decoder": hidden.T @ residual,
        "decoder_bias": residual.sum(axis=0),
    }


def _fit(images, width, generator):
    n_pixels = images.shape[1]
    parameters = {
        "encoder": generator.normal(0, n_pixels**-0.5, (n_pixels, width)),
        "encoder_bias": np.zeros(width),
        "decoder": generator.normal(0, width**-0.5, (width, n_pixels)),
        "decoder_bias": np.zeros(n_pixels),
    }
    moments = optimizer.start(parameters)
    for step in range(N_STEPS):
        gradients = _gradients(parameters, images[generator.integers(0, len(images), BATCH)])
        rate = optimizer.learning_rate(step, N_STEPS, LEARNING_RATE)
        parameters, moments = optimizer.update(parameters, gradients, moments, step, rate)
    return parameters
