"""The Adam optimizer with a learning rate that rises, then falls to zero. It takes arrays of NumPy and of JAX alike."""

WARM_UP = 50


def learning_rate(step, n_steps, highest):
    """Learning rate at a step (from 0): rises over the first WARM_UP steps, and falls along a line to zero at n_steps."""
    rising = (step + 1) / WARM_UP
    falling = 1 - step / n_steps
    # the smaller of the two without a comparison, which JAX would have to trace
    return highest * (rising + falling - abs(rising - falling)) / 2


def start(parameters):
    """The state before the first step: first and second moments of every gradient.

    parameters: {name: array}. Returns a pair of {name: array}.
    """
    return {name: 0 * values for name, values in parameters.items()}, {name: 0 * values for name, values in parameters.items()}


def update(parameters, gradients, moments, step, rate):
    """One step of Adam (Kingma & Ba 2015), with their constants.

    Parameters
    ----------
    parameters, gradients : dict of str to array
        Of the same names and shapes.
    moments : pair of dict
        As `start` and `update` return them.
    step : int
        Number of the step, from 0.
    rate : float
        Learning rate.

    Returns
    -------
    parameters, moments
        After the step.

    References
    ----------
    Kingma, D. P. & Ba, J. (2015). Adam: A method for stochastic optimization. ICLR.
    """
    first = {name: 0.9 * moments[0][name] + 0.1 * gradient for name, gradient in gradients.items()}
    second = {name: 0.999 * moments[1][name] + 0.001 * gradient**2 for name, gradient in gradients.items()}
    correct_first, correct_second = 1 - 0.9 ** (step + 1), 1 - 0.999 ** (step + 1)
    moved = {
        name: values - rate * (first[name] / correct_first) / ((second[name] / correct_second) ** 0.5 + 1e-8)
        for name, values in parameters.items()
    }
    return moved, (first, second)
