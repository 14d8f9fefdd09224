"""The handwritten digits that come with scikit-learn, and how they are split.

1,797 images of 8 by 8 pixels, the test part of the Optical Recognition of Handwritten Digits data set (E. Alpaydin & C. Kaynak
1998, UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, CC BY 4.0). They are read from the installed package: the
images are not part of this project.
"""

import numpy as np

N_TEST = 500
_SPLIT_SEED = 0


def shuffled():
    """All images (1797, 64) from 0 to 1 and their labels (1797,) from 0 to 9, in an order that is the same for every seed."""
    # installed with what training needs alone (workflow/envs/train.txt)
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(images))
    return images[order] / 16, labels[order]


def split():
    """Images and labels for training and for the test, the same for every seed.

    Returns
    -------
    train_images, train_labels, test_images, test_labels
        As `shuffled` gives them: 1,297 for training and 500 for the test.
    """
    images, labels = shuffled()
    return images[N_TEST:], labels[N_TEST:], images[:N_TEST], labels[:N_TEST]
