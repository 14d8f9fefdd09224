"""The handwritten digits that come with scikit-learn, and how they are split.

1,797 images of 8 by 8 pixels, the test part of the Optical Recognition of Handwritten Digits data set (E. Alpaydin & C. Kaynak
1998, UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, CC BY 4.0). They are read from the installed package: the
images are not part of this project.
"""

import numpy as np

N_TEST = 500
_SPLIT_SEED = 0


def load():
    """Images and labels for training and for the test, the same for every seed of every family.

    Returns
    -------
    train_images, train_labels, test_images, test_labels
        Images (n, 64) from 0 to 1; labels (n,) from 0 to 9. n is 1,297 for training and 500 for the test.
    """
    # installed with what training needs alone (workflow/envs/train.txt)
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(images))
    test, train = order[:N_TEST], order[N_TEST:]
    images = images / 16
    return images[train], labels[train], images[test], labels[test]
