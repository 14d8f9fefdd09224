"""Scores against what is said of them: a published score knows more about its test set than its table may say.

A share of right answers is a whole number over the number of test examples; its standard error follows from both; the score of a
group is the mean of its members; a model that answers everything alike scores that answer's share. Whatever does not fit is
counted in the ingest account as `noted`. A number of test examples that the scores contradict is not used, unless the block says
`contradicted_inputs: accept`; with `refuse` the scores are refused.

All checks look at whole tables of scores at once.
"""

import numpy as np
import pandas as pd

from emergence.ingest.published_digits import score_rounding
from emergence.io import tables
from emergence.io.errors import mistake

SIZE = "n_examples is contradicted by the scores or their standard errors"
ERROR = "the standard error does not follow from score and n_examples"
GROUP = "the score of the whole task is not the mean of its subtasks, weighted by n_examples or not"
CONSTANT = "the score is that of answering everything alike"

ACCEPT, REFUSE, UNKNOWN = "accept", "refuse", "unknown"

RUN = ("task", "subtask", "metric", "model_family", "shots")

# Beyond the rounding of the digits, a stored share may be off by what single precision leaves.
_SINGLE_PRECISION = 1e-7
# A count is whole if it misses the whole number by less than this.
_WHOLE = 1e-3
# Two shares are the same count if they differ by less than this many examples: half answers are not whole ones.
_SAME_COUNT = 0.25
# The size of a test set that the scores show is looked for up to this.
_LARGEST_SIZE = 10_000
# A size can fit by accident. One is named where that is less likely than 1 %, and taken as a contradiction where it is out of the
# question in any number of runs.
_ACCIDENT_TO_NAME = 0.01
_ACCIDENT_TO_CONTRADICT = 1e-7
# Standard errors are stored to a few digits and divided by n or n - 1.
_ERROR_SLACK = 0.005


def count_tolerance(rounding, n_examples):
    """By how much the count of right answers behind a published share can miss a whole number.

    rounding: of the digits of the share (published_digits). n_examples: number of test examples; both broadcast. Returns counts.
    """
    return n_examples * (np.nan_to_num(rounding) / 2 + _SINGLE_PRECISION) + _WHOLE


def _positions(frame, columns):
    """The number of the group that each score is in, from 0; a column that no file gives tells no groups apart."""
    position = tables.key_positions(frame, [column for column in columns if column in frame])
    return np.unique(position, return_inverse=True)[1]


def fits_size(share, rounding, n_examples):
    """Whether shares can be whole numbers of right answers over n_examples, as they were rounded. All arguments broadcast."""
    count = share * n_examples
    return np.abs(count - np.rint(count)) <= count_tolerance(rounding, n_examples)


def smallest_size(share, rounding, accident=_ACCIDENT_TO_NAME, largest=_LARGEST_SIZE):
    """The smallest number of test examples that all shares of one run can be counts over.

    Parameters
    ----------
    share : (m,) shares of right answers, 0 to 1.
    rounding : (m,) rounding of their digits.
    accident : the chance, up to which a size is of interest, that one so small or smaller would fit any m shares.
    largest : the size up to which is looked.

    Returns
    -------
    int, or None where no size fits, or none that few scores, or scores of few digits, would not fit by accident.
    """
    share = np.asarray(share, dtype=float)
    tells = (share > 0) & (share < 1)
    rounding = np.nan_to_num(np.asarray(rounding, dtype=float)[tells]).max(initial=0)
    share = np.unique(share[tells])
    if len(share) == 0:
        return None
    sizes = np.arange(2, largest + 1)
    chance = np.cumsum(np.minimum(2 * count_tolerance(rounding, sizes), 1) ** len(share))
    # the sizes before the first whose fit would say nothing
    sizes = sizes[: np.searchsorted(chance, accident)]
    fitting = fits_size(share, rounding, sizes[:, None]).all(axis=1)
    return int(sizes[fitting.argmax()]) if fitting.any() else None


def findings(frame, catalogue):
    """What in a score table contradicts itself.

    Parameters
    ----------
    frame : the score table, with the columns of RUN, model, score, source and, where they are known, n_examples and stderr.
    catalogue : frame of metric_catalogue.load.

    Returns
    -------
    Frame of (scores,) bool columns: `size` (n_examples of the score's run is contradicted by one of its scores or standard
    errors), `error` (the standard error of the score does not follow from score and n_examples), `group` (the score of a whole
    task is not the mean of its subtasks); and `rounding`, that of the digits of the score.
    """
    n = len(frame)
    found = pd.DataFrame({"size": np.zeros(n, bool), "error": np.zeros(n, bool), "group": np.zeros(n, bool), "rounding": np.nan})
    if n == 0:
        return found
    proportion = catalogue["proportion"].reindex(frame["metric"].astype("category").cat.categories).to_numpy(dtype=bool)
    is_share = proportion[frame["metric"].astype("category").cat.codes.to_numpy()]
    n_examples, stderr = (
        frame[column].to_numpy(dtype=float, na_value=np.nan) if column in frame else np.full(n, np.nan)
        for column in ("n_examples", "stderr")
    )
    score = frame["score"].to_numpy(dtype=float)
    has_subtasks = (frame["subtask"].astype("category") != "").any()
    sized = is_share & np.isfinite(n_examples)
    if not (sized.any() or has_subtasks):
        return found
    rounding = score_rounding(frame, catalogue, across_tasks=True)
    found["rounding"] = rounding
    grouped = _group_means(frame, score, n_examples, rounding) if has_subtasks else np.zeros((2, n), dtype=bool)
    is_group, off_mean = grouped
    found["group"] = off_mean

    with np.errstate(invalid="ignore", divide="ignore"):
        # a mean of subtasks is not a count of right answers: it is held against its members instead
        off_count = sized & ~is_group & ~fits_size(score, rounding, n_examples)
        tells = sized & ~is_group & (score > 0) & (score < 1) & (stderr > 0)
        spread = np.sqrt(score * (1 - score))
        # how far the error moves within the rounding of the score
        slack = _ERROR_SLACK + np.nan_to_num(rounding) / (2 * score * (1 - score))
        low, high = spread / np.sqrt(n_examples) * (1 - slack), spread / np.sqrt(np.maximum(n_examples - 1, 1)) * (1 + slack)
        off_error = tells & ((stderr < low) | (stderr > high))
        # scores that could not have fitted by accident confirm the size, and then the error is what is wrong
        confirms = sized & (score > 0) & (score < 1) & (count_tolerance(rounding, n_examples) < 0.1)
    found["error"] = off_error
    if (off_count | off_error).any():
        run = _positions(frame, RUN)
        contradicted = np.bincount(run, weights=off_count) > 0
        in_doubt = (np.bincount(run, weights=off_error) > 0) & (np.bincount(run, weights=confirms) == 0)
        found["size"] = (contradicted | in_doubt)[run] & sized
    found["size"] |= _on_a_coarser_grid(frame, sized & ~is_group & ~found["size"].to_numpy(), score, n_examples, rounding)
    return found


def _on_a_coarser_grid(frame, sized, score, n_examples, rounding):
    """Which scores are of runs whose digits fit any count over n_examples, but are all counts over far fewer examples.

    Four digits are whole numbers over 50,000 whatever they are; if all of them are whole numbers over 1,024, that is the size.
    Returns (scores,) bool.
    """
    found = np.zeros(len(frame), dtype=bool)
    with np.errstate(invalid="ignore"):
        wide = np.flatnonzero(sized & (count_tolerance(rounding, n_examples) >= 0.25))
    if len(wide) == 0:
        return found
    run = _positions(frame.iloc[wide], RUN)
    order = np.argsort(run, kind="stable")
    for rows in np.split(wide[order], np.flatnonzero(np.diff(run[order])) + 1):
        size = smallest_size(score[rows], rounding[rows], _ACCIDENT_TO_CONTRADICT)
        found[rows] = size is not None and 2 * size <= n_examples[rows].min()
    return found


def _group_means(frame, score, n_examples, rounding):
    """Which scores are of whole tasks with subtasks beside them, and which of these are not the mean of the subtasks.

    Returns two (scores,) arrays of bool.
    """
    whole = (frame["subtask"].astype("category") == "").to_numpy()
    # groups within a group average members that are listed beside them: counted with these, each of their examples would count twice
    inner = frame["aggregate"].fillna(False).to_numpy(dtype=bool) & ~whole if "aggregate" in frame else np.zeros_like(whole)
    member = ~whole & ~inner
    group = _positions(frame, ("task", "metric", "model_family", "model", "shots"))
    n_groups = group.max() + 1
    members = np.bincount(group[member], minlength=n_groups)

    def mean(weights):
        total = np.bincount(group[member], weights=weights[member], minlength=n_groups)
        return np.bincount(group[member], weights=(weights * score)[member], minlength=n_groups) / total

    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.stack([mean(np.ones(len(score))), mean(n_examples)])
        off = np.fmin.reduce(np.abs(means[:, group] - score))
        slack = np.nan_to_num(rounding) + _SINGLE_PRECISION * np.maximum(np.abs(score), 1)
        is_group = whole & (members[group] > 0)
        # only where the members are all there, each once: then their examples are those of the group
        examples = np.bincount(group[member], weights=n_examples[member], minlength=n_groups)
        return is_group | inner, is_group & (examples[group] == n_examples) & (off > slack)


def nearest_constant_answer(frame, shares):
    """The score, of those that a model gets for answering everything alike, that is nearest to each score.

    Parameters
    ----------
    frame : the score table, with task and score.
    shares : {task: list of shares of the examples whose right answer is one and the same}.

    Returns
    -------
    (scores,) NaN for tasks without shares.
    """
    tasks, score = frame["task"].astype("category"), frame["score"].to_numpy(dtype=float)
    nearest = np.full(len(frame), np.nan)
    for task, values in shares.items():
        rows = np.flatnonzero((tasks == task).to_numpy())
        values = np.asarray(values, dtype=float)
        nearest[rows] = values[np.abs(score[rows, None] - values).argmin(axis=1)]
    return nearest


def is_same_count(score, share, n_examples):
    """Whether a score is a share to the example; where the number of examples is not known, to four digits. Broadcasts."""
    near = np.where(np.isfinite(n_examples), _SAME_COUNT / n_examples, 0.5e-4)
    return np.abs(score - share) < near


def check(rows, block, catalogue, account):
    """The rows after the checks, each finding counted in the account; see the head of this module.

    rows: of a reader, complete. block: the benchmark's configuration. Returns Rows.
    """
    frame = rows.frame
    found = findings(frame, catalogue)
    size, error, group = (found[column].to_numpy() for column in ("size", "error", "group"))
    decision = block.get("contradicted_inputs", UNKNOWN)
    # what is wrong is said of the scores as they were given
    examples = {}
    if size.any():
        examples[SIZE] = _size_example(rows, found)
    if error.any():
        examples[ERROR] = _error_example(rows, int(error.argmax()))
    if group.any():
        first = int(group.argmax())
        examples[GROUP] = f"{rows.place(first, 'score')}: `{frame['task'].iat[first]}`: {frame['score'].iat[first]:.10g}"
    if decision == REFUSE and (size | error | group).any():
        reasons = np.select([size, error, group], [SIZE, ERROR, GROUP], default="")

        def describe(i):
            shown = f"score {frame['score'].iat[i]:.10g}" + (
                f", n_examples {frame['n_examples'].iat[i]:g}" if size[i] or error[i] else ""
            )
            allowed = "scores that agree with what is said of them, or `contradicted_inputs: unknown` or `accept` in the block"
            return mistake(f"{rows.place(i, 'score')}: {reasons[i]}", shown, allowed)

        return account.refuse(rows, size | error | group, "contradicted inputs", describe)
    for reason, chosen in ((SIZE, size), (ERROR, error), (GROUP, group)):
        if chosen.any():
            used = {SIZE: "; accepted" if decision == ACCEPT else "; taken as unknown"}.get(reason, "")
            account.count_rows(rows, chosen, "noted", reason + used, examples[reason])
    if decision == UNKNOWN and size.any():
        frame["n_examples"] = frame["n_examples"].where(~size)
    shares = block.get("by_task", {}).get("constant_scores", {})
    if shares:
        frame["constant_answer"] = nearest_constant_answer(frame, shares)
        known = frame["n_examples"].to_numpy(dtype=float) if "n_examples" in frame else np.nan
        chosen = is_same_count(frame["score"].to_numpy(dtype=float), frame["constant_answer"].to_numpy(), known)
        if chosen.any():
            first = int(chosen.argmax())
            example = f"{rows.place(first, 'score')}: `{frame['task'].iat[first]}`: {frame['score'].iat[first]:.10g}"
            account.count_rows(rows, chosen, "noted", CONSTANT, example)
    return rows


def sentences(account):
    """What the checks noted, as sentences for the report. account: the ingest account. Returns a list of str."""
    noted = account[account["outcome"] == "noted"]
    ours = noted["reason"].str.startswith((SIZE, ERROR, GROUP, CONSTANT))
    return [
        f"For {rows['n'].sum():,} scores, {reason}. First: {rows['example'].iat[0]}."
        for reason, rows in noted[ours.fillna(False).to_numpy(dtype=bool)].groupby("reason", sort=True)
    ]


def _size_example(rows, found):
    """The first score that contradicts its number of test examples, and the size that its run shows."""
    frame = rows.frame
    share, n_examples = frame["score"].to_numpy(dtype=float), frame["n_examples"].to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        off = found["size"].to_numpy() & ~fits_size(share, found["rounding"].to_numpy(), n_examples)
    first = int((off if off.any() else found["size"].to_numpy()).argmax())
    run = _positions(frame, RUN)
    same = np.flatnonzero(run == run[first])
    size = smallest_size(share[same], found["rounding"].to_numpy()[same])
    shows = (
        f"the scores of {frame['model_family'].iat[first]} are whole numbers over {size}" if size else "no size fits its scores"
    )
    at = f"{rows.place(first, 'score')}: `{frame['task'].iat[first]}`"
    return f"{at}: {share[first]:.10g} with n_examples {n_examples[first]:g}; {shows}"


def _error_example(rows, first):
    frame = rows.frame
    score, n_examples, stderr = (float(frame[column].iat[first]) for column in ("score", "n_examples", "stderr"))
    expected = np.sqrt(score * (1 - score) / n_examples)
    return f"{rows.place(first, 'stderr')}: {stderr:.6g}, where score and n_examples give {expected:.6g}"
