"""The recipes of the trained families: gradients, the optimizer, what a model may see, and how examples are drawn."""

import numpy as np
import pytest

from emergence.training import FAMILIES, autoencoder, digits, optimizer


def test_gradients_against_finite_differences():
    generator = np.random.default_rng(1)
    shapes = {"encoder": (5, 3), "encoder_bias": (3,), "decoder": (3, 5), "decoder_bias": (5,)}
    parameters = {name: generator.normal(0, 0.5, shape) for name, shape in shapes.items()}
    images = generator.normal(size=(4, 5))

    def loss():
        return np.square(autoencoder._rebuild(parameters, images)[0] - images).sum(axis=1).mean()

    gradients = autoencoder._gradients(parameters, images)
    for name, values in parameters.items():
        for place in np.ndindex(values.shape):
            middle = values[place]
            values[place] = middle + 1e-6
            above = loss()
            values[place] = middle - 1e-6
            below = loss()
            values[place] = middle
            assert gradients[name][place] == pytest.approx((above - below) / 2e-6, abs=1e-6)


def test_every_image_is_rebuilt_once_by_a_network_that_never_saw_it(monkeypatch):
    images = np.random.default_rng(1).normal(size=(10, 4))
    trained_on = []

    def fit(centred, width, generator):
        trained_on.append(centred)
        return {"x": np.zeros(width)}

    def rebuild(parameters, centred):
        # the mean image for every image, which is 0 here
        return np.zeros_like(centred), None

    monkeypatch.setattr(digits, "shuffled", lambda: (images, None))
    monkeypatch.setattr(autoencoder, "SIZES", (2,))
    monkeypatch.setattr(autoencoder, "_fit", fit)
    monkeypatch.setattr(autoencoder, "_rebuild", rebuild)
    frame = autoencoder.train(1)
    assert frame["example"].tolist() == list(range(10))
    assert [len(centred) for centred in trained_on] == [6, 7, 7]
    for number, image in enumerate(images):
        others = np.delete(images, np.arange(number % 3, 10, 3), axis=0)
        by_hand = np.square(image - others.mean(axis=0)).sum() / np.square(others - others.mean(axis=0)).sum(axis=1).mean()
        assert frame["squared_error"][number] == pytest.approx(by_hand)
        np.testing.assert_allclose(trained_on[number % 3], others - others.mean(axis=0))


def test_adam_as_in_its_paper():
    # algorithm 1 of Kingma & Ba (2015), for one number
    value, first, second = 0.7, 0.0, 0.0
    parameters = {"x": np.array([value])}
    moments = optimizer.start(parameters)
    for step in range(5):
        gradient = np.cos(value)
        parameters, moments = optimizer.update(parameters, {"x": np.array([gradient])}, moments, step, 0.1)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        value -= 0.1 * (first / (1 - 0.9 ** (step + 1))) / (np.sqrt(second / (1 - 0.999 ** (step + 1))) + 1e-8)
        assert parameters["x"][0] == pytest.approx(value, rel=1e-12)


def test_learning_rate_rises_then_falls_to_zero():
    rates = [optimizer.learning_rate(step, 1000, 0.5) for step in range(1000)]
    assert rates[0] == pytest.approx(0.5 / optimizer.WARM_UP)
    peak = int(np.argmax(rates))
    assert peak in range(optimizer.WARM_UP - 4, optimizer.WARM_UP)
    assert (np.diff(rates[: peak + 1]) > 0).all() and (np.diff(rates[peak:]) < 0).all()
    assert rates[-1] == pytest.approx(0.5 / 1000)


@pytest.mark.parametrize("family", FAMILIES)
def test_sizes_are_even_in_their_logarithm(family):
    if family != "autoencoder":
        pytest.importorskip("jax", reason="training needs what workflow/envs/train.txt installs")
    sizes = np.array(__import__(f"emergence.training.{family}", fromlist=["SIZES"]).SIZES)
    even = np.geomspace(sizes[0], sizes[-1], len(sizes))
    # whole numbers, and even ones where two attention heads share the width
    assert np.abs(sizes - even).max() <= 1


def test_no_network_sees_what_it_is_to_write():
    pytest.importorskip("jax", reason="training needs what workflow/envs/train.txt installs")
    from emergence.training import sequences

    weights = sequences._first_weights(np.random.default_rng(1), 8, 10)
    one = sequences.tokens(["12+34=6412"])
    other = sequences.tokens(["12+34=6999"])
    before, after = (np.asarray(sequences._log_probs(weights, sequence)) for sequence in (one, other))
    np.testing.assert_allclose(np.exp(before).sum(axis=-1), 1, rtol=1e-5)
    # up to the first digit in which they differ, the predictions are the same
    np.testing.assert_array_equal(before[:, :7], after[:, :7])
    assert (before[:, 7:] != after[:, 7:]).any()
    characters = sequences._target_log_probs(weights, one, 4)
    by_hand = [before[0, 6 + place - 1, token] for place, token in enumerate([6, 4, 1, 2])]
    np.testing.assert_allclose(characters[0], by_hand, rtol=1e-5)


@pytest.mark.parametrize(
    ("family", "problem", "answer"), [("addition", "1234+5678=", "21960"), ("multiplication", "12*34=", "8040")]
)
def test_problems_and_held_out_pairs(family, problem, answer, monkeypatch):
    pytest.importorskip("jax", reason="training needs what workflow/envs/train.txt installs")
    from emergence.training import addition, multiplication, sequences

    module = {"addition": addition, "multiplication": multiplication}[family]
    numbers = [int(number) for number in problem.rstrip("=").replace("*", "+").split("+")]
    assert module._texts([numbers]) == ([problem], [answer])
    seen = {}
    monkeypatch.setattr(
        sequences, "train", lambda *given: seen.update(zip(["task", "problems", "answers", "draw"], given, strict=False))
    )
    module.train(1)
    assert len(seen["problems"]) == len(seen["answers"]) == module.N_TEST
    test = {frozenset(problem.rstrip("=").replace("*", "+").split("+")) for problem in seen["problems"]}
    for _ in range(20):
        problems, _ = seen["draw"](np.random.default_rng(2), 256)
        assert len(problems) == 256
        assert not test & {frozenset(problem.rstrip("=").replace("*", "+").split("+")) for problem in problems}
