"""Convolutional networks of growing width that classify handwritten digits, after Figure 10 of the paper.

Two layers of 3 by 3 convolutions with ReLU, each followed by the mean over 2 by 2 pixels, and a linear layer: the second layer
has twice as many channels as the first.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from emergence.io.logs import logger
from emergence.training import digits, optimizer

# channels of the first layer, as even in their logarithm as whole numbers can be
SIZES = (1, 2, 3, 4, 6, 9, 13, 19)
N_STEPS = 1500
BATCH = 64
LEARNING_RATE = 0.005
N_CLASSES = 10


def train(seed):
    """One row per width and test image: the log-probability of each class, and which is right."""
    train_images, train_labels, test_images, test_labels = digits.split()
    train_images, test_images = (_pictures(images) for images in (train_images, test_images))
    parts = []
    for width in SIZES:
        generator = np.random.default_rng([seed, width])
        chosen = generator.integers(0, len(train_images), (N_STEPS, BATCH))
        weights = _fit(_first_weights(generator, width), train_images, train_labels.astype(np.int32), chosen)
        log_probs = np.asarray(_log_probs(weights, test_images), dtype=float)
        accuracy = (log_probs.argmax(axis=1) == test_labels).mean()
        logger.info("digits_cnn, seed %d, width %d: accuracy %.3f", seed, width, accuracy)
        parts.append(
            pd.DataFrame(
                {
                    "task": "digits_classification",
                    "model": f"width {width}",
                    "scale": sum(values.size for values in weights.values()),
                    "example": np.arange(len(test_labels)),
                    "label": test_labels,
                    "log_probs": list(log_probs),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _pictures(images):
    return images.reshape(-1, 8, 8, 1).astype(np.float32)


def _first_weights(generator, width):
    def normal(*shape):
        return generator.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape).astype(np.float32)

    return {
        "first": normal(3, 3, 1, width),
        "first_bias": np.zeros(width, np.float32),
        "second": normal(3, 3, width, 2 * width),
        "second_bias": np.zeros(2 * width, np.float32),
        "linear": normal(2 * 2 * 2 * width, N_CLASSES),
        "linear_bias": np.zeros(N_CLASSES, np.float32),
    }


def _log_probs(weights, images):
    """Log-probabilities (n, classes) of images (n, 8, 8, 1)."""
    state = images
    for layer in ("first", "second"):
        state = jax.lax.conv_general_dilated(state, weights[layer], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        state = jax.nn.relu(state + weights[f"{layer}_bias"])
        n, height, across, channels = state.shape
        state = state.reshape(n, height // 2, 2, across // 2, 2, channels).mean(axis=(2, 4))
    return jax.nn.log_softmax(state.reshape(len(state), -1) @ weights["linear"] + weights["linear_bias"], axis=-1)


def _fit(weights, images, labels, chosen):
    """The weights after one step per row of chosen (steps, BATCH), the numbers of the images in each batch."""

    def loss(weights, batch):
        log_probs = _log_probs(weights, images[batch])
        return -jnp.take_along_axis(log_probs, labels[batch][:, None], axis=-1).mean()

    def step(state, given):
        (weights, moments), (number, batch) = state, given
        gradients = jax.grad(loss)(weights, batch)
        rate = optimizer.learning_rate(number, N_STEPS, LEARNING_RATE)
        return optimizer.update(weights, gradients, moments, number, rate), None

    images, labels = jnp.asarray(images), jnp.asarray(labels)
    weights = {name: jnp.asarray(values) for name, values in weights.items()}
    numbers = jnp.arange(len(chosen), dtype=jnp.float32)
    (weights, _), _ = jax.jit(lambda *start: jax.lax.scan(step, start, (numbers, chosen)))(weights, optimizer.start(weights))
    return weights
