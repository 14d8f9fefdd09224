"""One word for each curve, and one verdict for each ability: emergent, or the metric?

An ability is one task, subtask, model family and number of shots; its curves are its metrics on the same outputs. The words and
verdicts, and when each applies, are in docs/verdicts.md with the rate at which each is wrong.

Nothing here loops over curves.
"""

import numpy as np
import pandas as pd
import scipy

from emergence.curves import frames, metric_pairs, sharpness
from emergence.io import descriptions, tables
from emergence.statistics import curve_tests
from emergence.statistics.change import MIN_SCATTER_DEGREES, pooled_scatter
from emergence.statistics.noise import RESIDUAL, covariance, sampling_noise, variance
from emergence.statistics.smooth_curves import N_PARAMETERS, fit_smooth, logistic_shapes, slopes, standard_logistic, whitening
from emergence.statuses import (
    CANNOT_TELL,
    CONSTANT,
    CONSTANT_ANSWERS,
    FUNCTION_OF_OTHER,
    GRADUAL,
    METRIC,
    NO_CHANGE,
    SHARP,
    SHARP_UNDECIDED,
    SHARP_UNDER_ALL,
    WITHIN_NOISE,
)
from emergence.study import metric_catalogue

ABILITY = ["benchmark", "task", "subtask", "model_family", "shots"]
# From the weakest to the strongest: where no curve of an ability is sharp, the strongest word is the verdict.
WORDS = (CANNOT_TELL, NO_CHANGE, GRADUAL, WITHIN_NOISE, SHARP)
VERDICTS = (*WORDS[:-1], SHARP_UNDECIDED, CONSTANT_ANSWERS, METRIC, SHARP_UNDER_ALL)

# Why nothing can be told of an ability.
TOO_FEW = f"fewer than {sharpness.MIN_SCALES_COUNTED} scales"
STEEP_UNTESTED = "a curve is steep and was not compared with a smooth curve"
NO_NOISE = "no noise to compare with"

# The tests of statistics/curve_tests that the words rest on; each gives a column p_ and a column q_.
CHANGE, TREND, SHARPER, STEEPER, LARGEST = "homogeneity", "trend", "smooth", "class", "largest"

# The flag of a curve that is sharp only because its largest model was not foreseeable: so is one that has begun to rise steeply.
LARGEST_ALONE = "largest_alone"
# The flag of a sharp curve whose lowest score comes after its highest: what appears there is not an ability.
FALLS = "falls"

# A metric that is not sharp says something only if it could have shown the jump.
POWER = 0.8
# A link between two metrics is smooth if its rise takes at least this share of the range of the continuous metric.
LINK_SHARE = 0.25
_LINK_DECADES = 1.5 / LINK_SHARE
_LINK_ROUNDS = 3


def steepest_step(scores):
    """The largest step of each curve, relative to that of a straight line of the same range, and where it is.

    Parameters
    ----------
    scores : (c, n), oriented.

    Returns
    -------
    share : (c,) the step over the range; 0 for a constant curve.
    relative : (c,) the same times n - 1: 1 for a straight line.
    place : (c,) of int, the scale at which the step arrives.
    """
    size = np.abs(np.diff(scores, axis=1))
    place = size.argmax(axis=1)
    span = scores.max(axis=1) - scores.min(axis=1)
    share = np.divide(size.max(axis=1), span, out=np.zeros(len(scores)), where=span > 0)
    return share, share * (scores.shape[1] - 1), place + 1


def _relative_score(table):
    """Size of the relative E of each curve: limited by resolution where one is known, else plain. Returns (curves,)."""
    plain, resolved = (table[f"relative_emergence_score{end}"].to_numpy(dtype=float) for end in ("", "_resolved"))
    return np.abs(np.where(np.isnan(resolved), plain, resolved))


def curve_words(table, relative_threshold, rate):
    """The word for each curve; see docs/verdicts.md.

    Parameters
    ----------
    table : frame, one row per curve
        n_scales, status, relative_emergence_score and the same limited by resolution, relative_step (steepest_step), and
        q_homogeneity, q_trend, q_smooth, q_class and q_largest, NaN where undefined.
    relative_threshold : float
        Times as steep as a straight line.
    rate : float
        False discovery rate.

    Returns
    -------
    words : (curves,) of str, one of WORDS.
    steep_untested : (curves,) of bool
        Whether nothing can be told because the curve is steep and was not compared with a smooth curve.
    """
    q = {name: table[f"q_{name}"].to_numpy(dtype=float) for name in (CHANGE, TREND)}
    relative = _relative_score(table)
    # where the size of the noise is not known, whether there is a trend is all that can be asked about change
    change = np.where(np.isnan(q[CHANGE]), q[TREND], q[CHANGE])
    enough = table["n_scales"].to_numpy(dtype=int) >= sharpness.MIN_SCALES_COUNTED
    constant = enough & (table["status"] == CONSTANT).to_numpy(dtype=bool)
    by_shape, by_largest = _is_sharp(table, relative_threshold, rate)
    sharp = by_shape | by_largest
    with np.errstate(invalid="ignore"):
        steep = table["relative_step"].to_numpy(dtype=float) >= relative_threshold
        smooth = np.where(np.isnan(relative), ~steep, relative < relative_threshold)
    unknown = ~enough | (np.isnan(change) & ~constant)
    # what was not compared with a smooth curve cannot be said to be as sharp as one
    compared = table[[f"q_{SHARPER}", f"q_{STEEPER}"]].notna().any(axis=1).to_numpy()
    words = np.select(
        [unknown & ~(sharp & enough), sharp, constant | (change > rate), smooth, compared],
        [CANNOT_TELL, SHARP, NO_CHANGE, GRADUAL, WITHIN_NOISE],
        default=CANNOT_TELL,
    ).astype(object)
    return words, (words == CANNOT_TELL) & ~unknown


def _is_sharp(table, relative_threshold, rate):
    """Which curves are sharp beyond noise: by their whole shape, and because the largest model was not foreseeable.

    See curve_words for the arguments. Returns two (c,) of bool.
    """
    q = {name: table[f"q_{name}"].to_numpy(dtype=float) for name in (SHARPER, STEEPER, LARGEST)}
    with np.errstate(invalid="ignore"):
        steep = table["relative_step"].to_numpy(dtype=float) >= relative_threshold
        # with many scales, the noise of the small steps keeps E down whatever the curve does. So what the other tests find need
        # not be sharp by E: its largest step must be
        by_shape = (q[SHARPER] <= rate) & (_relative_score(table) >= relative_threshold) | (q[STEEPER] <= rate) & steep
        return by_shape, (q[LARGEST] <= rate) & steep


def power_to_show_jump(scores, scales, noise, place, share, level, *, scatter=None, excess=None):
    """The chance that a curve would have been called sharp, had it made a jump of a given relative size at a given place.

    The curve that is looked for has the range of the smooth curve through the observed one: at `place` it jumps by `share` of that
    range, and the rest is a straight line in log scale. (The range of the scores themselves is widened by their noise.) Its
    distance from the nearest logistic curve that is no steeper than smooth curves are (smooth_curves.logistic_shapes), in units of
    the noise, is the noncentrality of the likelihood ratio of "smooth, and a step somewhere" against "smooth". The ratio is
    referred to chi-squared with one degree of freedom at level / (n - 1), since the step could be at any of n - 1 places
    (Bonferroni); with noise of unknown size, to F with n - 5 degrees of freedom. The tests hold it against simulated curves.

    The noise is that of the test set, correlated where that is known or assumed, and on top of it, independent between scales, what
    models differ beyond it: by the scatter of several models at one scale, or, where there is none, by the excess.

    Parameters
    ----------
    scores, scales : (c, n)
        Oriented scores, and scales that are positive and increasing.
    noise : Noise
        Of the same curves.
    place : (c,) of int
        The scale at which the jump arrives, 1 to n - 1.
    share : (c,)
        Of the range, 0 to 1.
    level : float
        Level of the test after control.
    scatter : (c, n), optional
        As change.change_tests takes it.
    excess : (c,), optional
        Variance of the scores in units of the sampling noise (largest_model.moderated_excess); NaN and numbers below 1 count as 1.

    Returns
    -------
    (c,) NaN with fewer than five scales, six with noise of unknown size, or where a score is missing.
    """
    scores, scales = np.asarray(scores, dtype=float), np.asarray(scales, dtype=float)
    n_curves, n_scales = scores.shape
    power = np.full(n_curves, np.nan)
    usable = np.flatnonzero(
        np.isfinite(scores).all(axis=1) & (n_scales >= N_PARAMETERS + 1 + (noise.kind == RESIDUAL).astype(int))
    )
    if len(usable) == 0:
        return power
    noise = noise.take(usable)
    residual = noise.kind == RESIDUAL
    own = fit_smooth(scores[usable], scales[usable], noise)
    # the noise of the observed curve about its smooth fit, whatever kind it is
    sampling = own.variance
    exact = ~(sampling > 0).all(axis=1)
    sampling = np.where(exact[:, None], 1.0, sampling)
    beyond = np.maximum(np.nan_to_num(np.ones(n_curves) if excess is None else np.asarray(excess, dtype=float), nan=1.0), 1.0)
    extra = np.where(residual, 0.0, beyond[usable] - 1)[:, None] * sampling
    if scatter is not None:
        pooled, degrees = pooled_scatter(np.asarray(scatter, dtype=float)[usable], noise.n_models)
        measured = np.maximum(pooled[:, None] / noise.n_models - sampling, 0)
        extra = np.where((degrees >= MIN_SCATTER_DEGREES)[:, None], measured, extra)
    x = np.log10(scales[usable])
    along = (x - x[:, :1]) / (x[:, -1:] - x[:, :1])
    up = np.arange(n_scales) >= np.asarray(place)[usable, None]
    share = np.asarray(share, dtype=float)[usable, None]
    span = np.ptp(own.fitted, axis=1)[:, None]
    jump = span * ((1 - share) * along + share * up)
    distance = _distance_from_smooth(jump, x, whitening(noise, np.sqrt(sampling), extra)[0])
    tail = level / (n_scales - 1)
    free = max(n_scales - N_PARAMETERS - 1, 1)
    # a square of one normal deviate; where the size of the noise is estimated, a ratio of squares
    critical, shift = -scipy.special.ndtri(tail / 2), np.sqrt(distance)
    sized = scipy.special.ndtr(shift - critical) + scipy.special.ndtr(-shift - critical)
    estimated = 1 - scipy.special.ncfdtr(1, free, distance, scipy.special.fdtri(1, free, 1 - tail))
    found = np.where(residual, estimated, sized)
    power[usable] = np.where(exact, 1.0, found)
    return power


def _distance_from_smooth(curves, log_scales, white):
    """Squared distance of each curve, in noise units, from the nearest logistic of smooth_curves.logistic_shapes, of any height.

    curves, log_scales: (c, n). white: (c, n, n), which makes the noise independent and of unit size. Returns (c,).
    """
    distance = np.empty(len(curves))
    designs, design = np.unique(log_scales, axis=0, return_inverse=True)
    for number, x in enumerate(designs):
        rows = np.flatnonzero(design.ravel() == number)
        midpoint, rise = logistic_shapes(x)
        turned = white[rows]
        level = turned.sum(axis=2)
        level /= np.linalg.norm(level, axis=1, keepdims=True)
        centred = (turned @ curves[rows][..., None])[..., 0]
        centred -= level * (level * centred).sum(axis=1, keepdims=True)
        shapes = turned @ standard_logistic(x[:, None], midpoint, rise)
        before = np.square(shapes).sum(axis=1)
        shapes -= level[..., None] * (level[:, None, :] @ shapes)
        spread = np.square(shapes).sum(axis=1)
        product = (centred[:, None, :] @ shapes)[:, 0]
        # a shape that is flat over the scales fits a level and nothing else
        gain = np.divide(np.square(product), spread, out=np.zeros_like(spread), where=spread > 1e-9 * before)
        distance[rows] = np.square(centred).sum(axis=1) - gain.max(axis=1)
    return np.maximum(distance, 0)


def explained_by_link(scores, noise, continuous, continuous_noise, scales, cross=None):
    """Is one score a smooth function of another on the same models, one link for all sizes?

    The link is any smooth curve (smooth_curves.fit_smooth) with the other score in place of the log of scale, whose rise takes at
    least LINK_SHARE of that score's range. Where it fits, a jump of the score needs no explanation beyond the other score.

    Both scores have noise. A score y about its link f(x) varies as y - f'(x) x does (the delta method; a fit weighted so is one by
    effective variance, Orear 1982, Am J Phys 50): with the covariance of each score over the scales, and that of one with the
    other where the outputs give it. Elsewhere the two scores are taken as independent. On the same outputs they are not: a question
    that is easy raises both, so that the noise about a rising link is less than it is taken for, and p-values are too large.

    Parameters
    ----------
    scores : (c, n)
        Oriented scores under the metric that jumps; noise of a known size.
    noise : Noise
        Of the same curves.
    continuous : (c, n)
        Oriented scores of the same models under the other metric.
    continuous_noise : Noise
        Of these; where its size is not known, it is the scatter of the scores about their smooth curve in log scale.
    scales : (c, n)
        Positive and increasing.
    cross : (c, n, n), optional
        Covariance of the oriented `scores` (rows) with `continuous` (columns); NaN for curves for which it is not known.

    Returns
    -------
    p_value : (c,)
        Chi-squared test of the fit, n - 4 degrees of freedom: small where no such link explains the scores. NaN with fewer than
        five scales or models that tie in the other score, or where the size of the noise is not known.
    hidden_error : (c,)
        Mean absolute error, in the units of the scores, with which the link of the smaller two thirds of the models predicts the
        largest third from their other score. NaN as above, or with fewer than five smaller models.
    """
    scores, continuous, scales = (np.asarray(values, dtype=float) for values in (scores, continuous, scales))
    n_curves, n_scales = scores.shape
    p_value, error = np.full(n_curves, np.nan), np.full(n_curves, np.nan)
    order = continuous.argsort(axis=1, kind="stable")
    x = np.take_along_axis(continuous, order, axis=1)
    span = x[:, -1] - x[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        # models as good as equal are not told apart, and the grid of links has no room between them
        apart = (np.diff(x, axis=1) > 1e-9 * span[:, None]).all(axis=1) & (span > 0)
    usable = np.flatnonzero(apart & (noise.kind != RESIDUAL) & np.isfinite(scores).all(axis=1) & (n_scales > N_PARAMETERS))
    if len(usable) == 0:
        return p_value, error
    order, decades = order[usable], _LINK_DECADES / span[usable, None]
    axis = 10 ** (decades * (x[usable] - x[usable, :1]))
    y = np.take_along_axis(scores[usable], order, axis=1)
    noise, other = noise.take(usable), continuous_noise.take(usable)
    beside = np.sqrt(fit_smooth(continuous[usable], scales[usable], other).variance)
    of_both = _cross_correlation(cross, noise, other, usable)
    fit = fit_smooth(y, axis, noise.in_order(order))
    for _ in range(_LINK_ROUNDS):
        back = order.argsort(axis=1)
        fitted, steep = (np.take_along_axis(values, back, axis=1) for values in (fit.fitted, decades * slopes(fit, axis)))
        own, moved = np.sqrt(variance(noise, fitted)), steep * beside
        shared = own[:, :, None] * of_both * moved[:, None, :]
        about = covariance(noise, own) + covariance(other, moved) - shared - shared.swapaxes(1, 2)
        known = _known_covariance(y, about, noise.questions)
        fit = fit_smooth(y, axis, known.in_order(order))
    p_value[usable] = scipy.special.chdtrc(n_scales - N_PARAMETERS, fit.deviance)
    hidden = order >= n_scales - max(n_scales // 3, 1)
    if (n_scales - max(n_scales // 3, 1)) > N_PARAMETERS:
        # scores that are hidden are scores of which next to nothing is known
        sd = np.where(hidden, 1e4 * np.sqrt(fit.variance).max(axis=1, keepdims=True), np.sqrt(fit.variance))
        unknown = np.full(y.shape, np.nan)
        # the hidden scores are replaced, so that the fit cannot know them
        seen = np.where(hidden, np.where(hidden, np.nan, y).mean(axis=1, where=~hidden, keepdims=True), y)
        blind = sampling_noise(seen, unknown, np.ones_like(y), sd, np.zeros(len(y), dtype=bool))
        predicted = fit_smooth(seen, axis, blind).fitted
        error[usable] = np.abs(predicted - y).mean(axis=1, where=hidden)
    return p_value, error


def _cross_correlation(cross, noise, other, index):
    """Correlation of the noise of two scores over the scales, (c, n, n); 0 where the covariance is not known.

    cross: (all curves, n, n) or None. noise, other: Noise of the curves at `index`, which such a covariance comes with.
    """
    n_scales = noise.trials.shape[1]
    if cross is None:
        return np.zeros((len(index), n_scales, n_scales))
    product = noise.stderr[:, :, None] * other.stderr[:, None, :]
    known = np.isfinite(cross[index]) & (product > 0)
    return np.clip(np.divide(cross[index], product, out=np.zeros_like(product), where=known), -1, 1)


def _known_covariance(scores, covariance, questions):
    """Noise of scores with a given covariance. scores: (c, n). covariance: (c, n, n). questions: (c,) or None, as Noise has them."""
    unknown = np.full(scores.shape, np.nan)
    share = np.zeros(len(scores), dtype=bool)
    return sampling_noise(scores, unknown, np.ones_like(scores), unknown, share, covariance, n_units=questions)


def _with_steps(curves):
    """relative_step, step_share (c,) and step_scale, the scale at which the largest step arrives; by rows of the curves."""
    relative, share, scale = (np.full(len(curves), np.nan) for _ in range(3))
    for batch in frames.batches(curves):
        if batch.oriented.shape[1] > 1:
            rows = batch.positions
            share[rows], relative[rows], place = steepest_step(batch.oriented)
            scale[rows] = np.take_along_axis(batch.scales, place[:, None], axis=1)[:, 0]
    return {"relative_step": relative, "step_share": share, "step_scale": scale}


def tests_of(null_models_table, family):
    """What verdicts need to know of the tests of curves.

    null_models_table: the table null_models, or some rows of it. family: (c,) of bool, as curve_tests.p_and_q_values takes it.
    Returns what that returns, with the columns curve_tests.KNOWN_NOISE of the table.
    """
    found = curve_tests.p_and_q_values(null_models_table, family)
    known = null_models_table[list(curve_tests.KNOWN_NOISE)].reset_index(drop=True)
    return pd.concat([found, known], axis=1)


def verdict_table(
    curves, tests, catalogue, *, relative_threshold=2.0, threshold=100.0, rate=0.05, claimed=None, shared_questions=0.0
):
    """The verdict on every ability, one row per ability and metric.

    Parameters
    ----------
    curves : frame of the table `curves`.
    tests : frame of tests_of, one row per curve in any order.
    catalogue : frame of metric_catalogue.load.
    relative_threshold, threshold : float
        Of relative E, and the paper's, of E.
    rate : float
        False discovery rate.
    claimed : set of tasks that are claimed to be emergent; None where there is no list of claims.
    shared_questions : float
        Assumed correlation of the noise of neighbouring scales where only scores are known.

    Returns
    -------
    Frame of the table `verdicts`, sorted by its key.
    """
    columns = list(descriptions.description("verdicts")["columns"])
    if curves.empty:
        return pd.DataFrame(columns=columns)
    key = list(frames.KEY)
    curves = curves.reset_index(drop=True)
    wanted = [*(f"{kind}_{name}" for name in (CHANGE, TREND, SHARPER, STEEPER, LARGEST) for kind in "pq"), "moderated_excess"]
    more = ["noise", *(column for column in curve_tests.KNOWN_NOISE if column in tests)]
    given = tests[[*key, *more, *(column for column in wanted if column in tests)]]
    scores = ["emergence_score", "relative_emergence_score", "relative_emergence_score_resolved"]
    table = curves[[*key, "n_scales", "status", *scores, "repeats_family"]]
    # a merge takes unknown numbers of shots as equal
    table = table.merge(given, on=key, how="left").assign(**_with_steps(curves))
    for column in wanted:
        if column not in table:
            table[column] = np.nan
    table["word"], table["steep_untested"] = curve_words(table, relative_threshold, rate)
    # a copy is in no family of tests
    original = _originals(table)
    for column in ("word", "steep_untested"):
        table[column] = table[column].to_numpy()[original]
    tested = np.isfinite(table[f"q_{STEEPER}"].to_numpy(dtype=float))[original]
    by_shape, by_largest = _is_sharp(table, relative_threshold, rate)
    table["largest_alone"] = (by_largest & ~by_shape)[original]
    continuous = metric_catalogue.is_continuous(table["metric"].astype(str), catalogue)
    # a continuous metric that is the discontinuous one under another name says nothing that this one does not; of one token,
    # exact match is the share of right tokens, and so is itself linear
    nonlinear = ~catalogue["linear"].eq(True).reindex(table["metric"].astype(str)).to_numpy(dtype=bool)
    table[FUNCTION_OF_OTHER] = metric_pairs.functions_of_others(curves, catalogue, continuous & nonlinear, ~continuous)
    table["continuous"] = continuous & ~table[FUNCTION_OF_OTHER]
    table["kind"] = catalogue["kind"].reindex(table["metric"].astype(str)).to_numpy()
    table["constant_answers"] = curves["constant_answers"].astype("boolean") if "constant_answers" in curves else pd.NA
    table["ability"] = np.unique(tables.key_positions(table, ABILITY), return_inverse=True)[1]
    table["power"], table["p_link"], table["link_error"] = _against_sharpest(
        curves, table, tested, catalogue, rate, shared_questions
    )
    table["verdict"], table["reason"] = _ability_verdicts(table, relative_threshold)
    known = [pd.NA] * len(table) if claimed is None else table["task"].astype(str).isin(claimed)
    table["claimed"] = pd.array(known, dtype="boolean")
    table["flags"] = _flags(curves, table, relative_threshold, threshold)
    return table[columns].sort_values(key, kind="stable", ignore_index=True)


def _originals(table):
    """The row whose word each curve has: its own, or, of a copy, that of the curve that it is a copy of. (c,) of int.

    Likeness is not passed on, so an original may itself be a copy of a third curve; originals are followed to the first.
    """
    source = np.arange(len(table))
    copies = np.flatnonzero(table["repeats_family"].notna())
    if len(copies):
        key = list(frames.KEY)
        original = table[key].iloc[copies].assign(model_family=table["repeats_family"].iloc[copies].astype(object))
        rows = table[key].assign(model_family=table["model_family"].astype(object), row=np.arange(len(table)))
        found = original.merge(rows, on=key, how="left")["row"]
        known = found.notna().to_numpy()
        source[copies[known]] = found[known].astype(int)
        # each round halves what is left of every chain
        for _ in range(len(copies).bit_length()):
            source = source[source]
    return source


def _against_sharpest(curves, table, tested, catalogue, rate, shared_questions):
    """For each curve of an ability with a sharp curve, how it stands to the steepest sharp one.

    tested: (curves,) of bool, whether the curve was tested for steepness. A curve that was not is not sharp for that reason alone,
    and says nothing about the others of its ability.

    Returns three (curves,) arrays: for continuous metrics that are not sharp, the power to show the same jump; for sharp curves
    of other metrics, the p-value and the hidden error of the link to the ability's first continuous metric on the same scales.
    """
    power, p_link, link_error = (np.full(len(table), np.nan) for _ in range(3))
    sharp = (table["word"] == SHARP).to_numpy()
    if not sharp.any():
        return power, p_link, link_error
    ability, steps = table["ability"].to_numpy(), table["relative_step"].to_numpy(dtype=float)
    # the steepest sharp curve of each ability that is not continuous; where all are, there is nothing to ask
    continuous = table["continuous"].to_numpy()
    order = np.lexsort((np.arange(len(table)), -steps, ~(sharp & ~continuous)))
    first = np.full(ability.max() + 1, -1)
    sorted_abilities, at = np.unique(ability[order], return_index=True)
    first[sorted_abilities] = order[at]
    leader = first[ability]
    asked = sharp[leader] & ~continuous[leader] & continuous & ~sharp & tested
    level = _level_after_control(table, rate)
    proportion = catalogue["proportion"].reindex(table["metric"].astype(str)).to_numpy(dtype=bool)
    share, scale = (table[column].to_numpy(dtype=float) for column in ("step_share", "step_scale"))

    def noise_of(batch, places):
        local, n_scales = batch.positions[places], batch.scales.shape[1]
        known = (part[places] for part in (batch.oriented, batch.n_examples, batch.n_models, batch.stderr))
        covariances = curve_tests.lists(table, "covariance", local, (n_scales, n_scales))
        n_units = table["n_units"].to_numpy(dtype=float)[local] if "n_units" in table else None
        return sampling_noise(*known, proportion[local], covariances, shared_questions, n_units)

    held = {}
    for batch in frames.batches(curves):
        rows = batch.positions
        for place, row in enumerate(rows):
            held[row] = (batch, place)
        chosen = np.flatnonzero(asked[rows])
        if not len(chosen):
            continue
        local, ahead = rows[chosen], leader[rows[chosen]]
        # the first scale of this curve at which the jump has been made
        place = (batch.scales[chosen] < scale[ahead][:, None] * (1 - 1e-9)).sum(axis=1)
        place = np.clip(place, 1, batch.scales.shape[1] - 1)
        power[local] = power_to_show_jump(
            batch.oriented[chosen],
            batch.scales[chosen],
            noise_of(batch, chosen),
            place,
            share[ahead],
            level,
            scatter=curve_tests.lists(table, "scatter", local, batch.scales.shape[1:]),
            excess=table["moderated_excess"].to_numpy(dtype=float)[local],
        )
    _fill_links(curves, held, table, sharp & ~continuous, noise_of, p_link, link_error)
    return power, p_link, link_error


def _fill_links(curves, held, table, jumping, noise_of, p_link, link_error):
    """The link of each jumping curve to the first continuous metric of its ability, where that has the same scales and changes.

    held: {row: (its batch, its place there)}. noise_of: the Noise of some rows, from (batch, places).
    """
    ability, continuous = table["ability"].to_numpy(), table["continuous"].to_numpy()
    metric, sign = table["metric"].astype(str).to_numpy(), np.where(curves["higher_is_better"].to_numpy(dtype=bool), 1.0, -1.0)
    # a score that is not shown to change explains nothing
    changes = ~table["word"].isin((CANNOT_TELL, NO_CHANGE)).to_numpy()
    partner = pd.Series(np.flatnonzero(continuous)).groupby(ability[continuous]).first()
    rows = np.flatnonzero(jumping & np.isin(ability, partner.index.to_numpy()))
    pairs = {}
    for row in rows:
        other = int(partner[ability[row]])
        (batch, place), (second, there) = held[row], held[other]
        if changes[other] and batch is second and np.array_equal(batch.scales[place], second.scales[there]):
            pairs.setdefault(id(batch), (batch, [], []))
            pairs[id(batch)][1].append(place)
            pairs[id(batch)][2].append(there)
    for batch, here, there in pairs.values():
        local, beside = batch.positions[here], batch.positions[there]
        n_scales = batch.scales.shape[1]
        cross = curve_tests.lists(table, "continuous_covariance", local, (n_scales, n_scales))
        if cross is not None:
            # of this very metric, and of scores of which more is better
            is_same = table["continuous_metric"].to_numpy(dtype=object)[local] == metric[beside]
            cross = np.where(is_same[:, None, None], cross, np.nan) * (sign[local] * sign[beside])[:, None, None]
        p_link[local], link_error[local] = explained_by_link(
            *(batch.oriented[here], noise_of(batch, here), batch.oriented[there], noise_of(batch, there)),
            *(batch.scales[here], cross),
        )


def _level_after_control(table, rate):
    """The largest p-value of the test of steepness that is a discovery; without any, the level at which one alone would be."""
    p, q = (table[f"{kind}_{STEEPER}"].to_numpy(dtype=float) for kind in "pq")
    found = p[q <= rate]
    return float(found.max()) if len(found) else rate / max(int(np.isfinite(q).sum()), 1)


def _ability_verdicts(table, relative_threshold):
    """Verdict and reason of the ability of each row: two (rows,) arrays of str."""
    ability = table["ability"].to_numpy()
    n = ability.max() + 1
    sharp = (table["word"] == SHARP).to_numpy()
    continuous = table["continuous"].to_numpy()
    flip = table["constant_answers"].fillna(False).to_numpy(dtype=bool)
    powerful = table["power"].to_numpy(dtype=float) >= POWER

    def some(chosen):
        return np.bincount(ability[chosen], minlength=n) > 0

    # a curve that is steep and was not compared with a smooth one could be sharp: what the others say does not settle it
    order = (*WORDS[:-1], CANNOT_TELL, SHARP)
    strength = table["word"].map({word: place for place, word in enumerate(WORDS)}).to_numpy(dtype=int)
    strength = np.select([sharp, table["steep_untested"].to_numpy(dtype=bool)], [5, 4], default=strength)
    strongest = np.full(n, 0)
    np.maximum.at(strongest, ability, strength)
    any_sharp, sharp_elsewhere = some(sharp), some(sharp & ~flip)
    deciding = some(continuous & ~sharp & powerful)
    verdict = np.select(
        [~any_sharp, ~sharp_elsewhere, some(sharp & continuous), deciding],
        [np.array(order, dtype=object)[strongest], CONSTANT_ANSWERS, SHARP_UNDER_ALL, METRIC],
        default=SHARP_UNDECIDED,
    ).astype(object)
    times = f"{relative_threshold:g} times as steep as a straight line"
    few = np.zeros(n, dtype=int)
    np.maximum.at(few, ability, table["n_scales"].to_numpy(dtype=int))
    untested = some(table["steep_untested"].to_numpy(dtype=bool))
    unknown = np.select([untested, few < sharpness.MIN_SCALES_COUNTED], [STEEP_UNTESTED, TOO_FEW], default=NO_NOISE)
    plain = {
        NO_CHANGE: "performance is not shown to change with scale",
        GRADUAL: f"performance changes with scale, and no curve that is shown to change is {times}",
        WITHIN_NOISE: f"a curve is {times}, and a smooth curve with its noise would be as sharp",
    }
    reasons = np.array([plain.get(word) for word in verdict], dtype=object)
    reasons = np.where(verdict == CANNOT_TELL, unknown, reasons)
    # which metrics are sharp, and which continuous ones are not, in the order of the table
    concerned = np.flatnonzero(any_sharp[ability])
    names, powers = table["metric"].astype(str).to_numpy(), table["power"].to_numpy(dtype=float)
    under, beside, able, best, alike = {}, {}, {}, {}, {}
    function = table[FUNCTION_OF_OTHER].to_numpy(dtype=bool)
    for row in concerned:
        place = ability[row]
        if function[row]:
            alike.setdefault(place, []).append(names[row])
        if sharp[row]:
            under.setdefault(place, []).append(names[row])
        elif continuous[row]:
            beside.setdefault(place, []).append(names[row])
            able.setdefault(place, []).extend([names[row]] * bool(powerful[row]))
            best[place] = np.fmax(best.get(place, np.nan), powers[row])
    for place in np.flatnonzero(any_sharp):
        named, others, power = ", ".join(under[place]), ", ".join(beside.get(place, [])), best.get(place, np.nan)
        if not others:
            undecided = (
                "no continuous or linear metric on these outputs: "
                "the log-probability or the Brier score of the right answers would decide"
            )
            if place in alike:
                undecided += f" ({', '.join(alike[place])}: a linear function of another metric, so no evidence)"
        elif np.isfinite(power):
            undecided = f"{others} could not have shown such a jump (power {power:.2f})"
        else:
            undecided = f"{others} could not be tested for such a jump (too few scales, or no comparison with a smooth curve)"
        deniers = ", ".join(able.get(place, []))
        one_of = "which" if len(under[place]) == 1 else "of which one"
        reasons[place] = {
            CONSTANT_ANSWERS: f"sharp under {named}, where the jump leads between the scores of two constant answers",
            SHARP_UNDER_ALL: f"sharp under {named}, {one_of} is continuous or linear",
            METRIC: f"sharp under {named}, not under {deniers}, which would have shown such a jump (power {power:.2f})",
            SHARP_UNDECIDED: f"sharp under {named}; {undecided}",
        }[verdict[place]]
    return verdict[ability], reasons[ability]


def _falls(curves):
    """Which curves have their lowest score after their highest: the sign of E, also where E is not finite. (curves,) of bool."""
    falls = np.zeros(len(curves), dtype=bool)
    for batch in frames.batches(curves):
        falls[batch.positions] = batch.oriented.argmin(axis=1) > batch.oriented.argmax(axis=1)
    return falls


def _flags(curves, table, relative_threshold, threshold):
    """What else is to be known of each curve, joined by `|`; None where nothing is."""
    score = table["emergence_score"].to_numpy(dtype=float)
    relative = _relative_score(table)
    lengths = curves["n_scales"].to_numpy(dtype=int)
    fewest = np.minimum.reduceat(np.concatenate(curves["n_examples"].to_numpy()), np.cumsum(lengths) - lengths)
    step = table["step_share"].to_numpy(dtype=float) * curves["score_range"].to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        flags = {
            "length_made": (np.abs(score) >= threshold) & (relative < relative_threshold),
            "one_example": (step > 0) & (step * fewest < 1.5),
            "copy": table["repeats_family"].notna().to_numpy(dtype=bool),
            "constant_answers": table["constant_answers"].fillna(False).to_numpy(dtype=bool),
            LARGEST_ALONE: (table["largest_alone"] & (table["word"] == SHARP)).to_numpy(dtype=bool),
            FALLS: (table["word"] == SHARP).to_numpy(dtype=bool) & _falls(curves),
            FUNCTION_OF_OTHER: table[FUNCTION_OF_OTHER].to_numpy(dtype=bool),
        }
    text = np.full(len(table), "", dtype=object)
    for name, chosen in flags.items():
        text[chosen] += f"|{name}"
    return pd.Series([flag[1:] or None for flag in text], index=table.index, dtype=object)


def verdicts_by_claim(verdicts):
    """On how many abilities each verdict falls, for claimed tasks, for the others and for all.

    verdicts: frame of verdict_table. Returns a frame of the table `verdicts_by_claim`: one row per group and verdict, those that no
    ability has included.
    """
    abilities = verdicts.drop_duplicates(ABILITY)
    groups = {"all": np.ones(len(abilities), dtype=bool)}
    if abilities["claimed"].notna().any():
        claimed = abilities["claimed"].fillna(False).to_numpy(dtype=bool)
        groups |= {"claimed": claimed, "not_claimed": ~claimed}
    records = []
    for group, chosen in groups.items():
        counts = abilities["verdict"][chosen].value_counts()
        n, tasks = int(chosen.sum()), int(abilities["task"][chosen].nunique())
        records += [
            {
                "claims": group,
                "verdict": verdict,
                "n_abilities": int(counts.get(verdict, 0)),
                "of_abilities": n,
                "n_tasks": int(abilities["task"][chosen & (abilities["verdict"] == verdict).to_numpy()].nunique()),
                "of_tasks": tasks,
                "share": counts.get(verdict, 0) / n if n else np.nan,
            }
            for verdict in VERDICTS
        ]
    return pd.DataFrame(records)
