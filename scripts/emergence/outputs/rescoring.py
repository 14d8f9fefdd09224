"""From outputs to scores: the rows of the score table, their covariance, and what became of every output.

Standard errors and covariances are the jackknife's over resampling units (Efron & Stein 1981): for a mean of independent examples
they are exactly the sample variance over n and the sample covariance over n; for other metrics they follow from leaving out one
unit at a time.
"""

import dataclasses

import numpy as np
import pandas as pd

from emergence.io.errors import InputError, told
from emergence.outputs import metrics
from emergence.outputs.examples import CHOICES, LOGLIKELIHOOD, TEXT, series

KINDS = (CHOICES, TEXT, LOGLIKELIHOOD)
GRADES = ("acc", "multiple_choice_grade", "acc_norm", "acc_bytes", "acc_mutual_info")
SAME, SHARED = "same", "shared"
SCORED, UNDEFINED, INFINITE = "scored", "undefined", "infinite"


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a block says about outputs.

    names: of metrics, or None for all that the outputs can give. answer, tokens: see emergence.outputs.answers. dialect: the harness
    whose names and conventions are used. questions: `same` (models of one family must answer the same questions) or `shared` (the
    questions that all of them answer are used).
    """

    names: tuple | None = None
    answer: dict = dataclasses.field(default_factory=dict)
    tokens: str = "characters"
    dialect: str = metrics.HARNESS
    questions: str = SAME


def settings(block):
    """The Settings of a benchmark block."""
    chosen = block.get("metrics")
    return Settings(
        tuple(chosen) if chosen else None,
        dict(block.get("answer") or {}),
        block.get("tokens", "characters"),
        metrics.BIGBENCH if block["format"] == "bigbench_logs" else metrics.HARNESS,
        block.get("questions", SAME),
    )


def metric_name(metric, chosen_filter):
    """The name of a metric under an answer filter, as the harness writes it."""
    return f"{metric},{chosen_filter}" if chosen_filter else metric


def curve_key(task, found, name):
    """The columns that name a curve, from its series and the name of its metric."""
    return {
        "task": task,
        "subtask": found.subtask,
        "metric": name,
        "model_family": found.model_family,
        "shots": found.shots,
    }


def on_same_questions(examples, questions=SAME, place="outputs"):
    """Series of a task in which all models answer the same questions.

    Returns (examples, series, left_out): left_out is the number of outputs that `shared` does without.
    Raises InputError where the questions of the models of a series differ, unless `questions` is `shared`; and where one example
    is not the same question in all models.
    """
    problems, keep = [], np.ones(len(examples), dtype=bool)
    numbers = examples.questions
    hashes = pd.factorize(examples.frame["input_hash"])[0]
    found = series(examples)
    for part in found:
        where = _where(examples, part, place)
        asked = numbers[part.rows]
        known = hashes[part.rows] >= 0
        n_inputs = pd.Series(hashes[part.rows][known]).groupby(asked[known]).nunique()
        n_different = int((n_inputs > 1).sum())
        if n_different:
            example = examples.frame["example"].iloc[part.rows[asked == n_inputs.idxmax()][0]]
            problems.append(
                told(
                    where,
                    f"{n_different} examples with different inputs under one name, such as `{example}`",
                    "one name for one question in all models of a family",
                )
            )
        names, code = np.unique(asked, return_inverse=True)
        answered = np.zeros((len(part.models), len(names)), dtype=bool)
        answered[part.model, code] = True
        complete = answered.all(axis=0)
        if complete.all():
            continue
        if questions == SHARED:
            keep[part.rows[~complete[code]]] = False
            continue
        model = int(np.argmin(answered.sum(axis=1)))
        missing = names[~answered[model]][0]
        example = examples.frame["example"].iloc[part.rows[asked == missing][0]]
        text = f"`{part.models[model]}` has {int(answered[model].sum()):,} of {len(names):,} examples; `{example}` is missing"
        problems.append(told(where, text, "the same examples of all models of a family, or `questions: shared`"))
    if problems:
        raise InputError(problems)
    if keep.all():
        return examples, found, 0
    kept = examples.take(keep)
    return kept, series(kept), int((~keep).sum())


def _where(examples, part, place):
    task = examples.frame["task"].iat[0] if len(examples) else ""
    names = [f"task `{task}`"] + ([f"subtask `{part.subtask}`"] if part.subtask else []) + [f"family `{part.model_family}`"]
    names += [] if part.shots is None else [f"{part.shots} shots"]
    names += [f"filter `{part.filter}`"] if part.filter else []
    return f"{place}: " + ", ".join(names)


class Task:
    """One task's outputs with everything that its metrics need, computed once for all that uses it.

    examples, series: as on_same_questions gives them. measured: list of (Series, Metric, (m, u, k) sums of statistics).
    """

    def __init__(self, examples, settings, place="outputs"):
        self.examples, self.series, self.n_left_out = on_same_questions(examples, settings.questions, place)
        self.settings = settings
        self.name = self.examples.frame["task"].iat[0] if len(self.examples) else ""
        self.views = {
            kind: metrics.view(kind, self.examples, settings.dialect, settings.answer, settings.tokens)
            for kind in KINDS
            if (self.examples.frame["kind"] == kind).any()
        }
        self.statistics = {}
        self.measured = []
        for kind, seen in self.views.items():
            for metric in metrics.named(settings.names, kind, settings.dialect):
                statistics = self.statistics_of(metric, seen)
                # a metric that needs lengths or flags that these outputs do not have
                if not statistics.any() and settings.names is None:
                    continue
                self.statistics[kind, metric.name] = statistics
        for part in self.series:
            for metric in metrics.named(settings.names, part.kind, settings.dialect):
                if (part.kind, metric.name) in self.statistics:
                    self.measured.append((part, metric, part.sums(self.statistics[part.kind, metric.name])))

    def statistics_of(self, metric, seen=None):
        """Statistics of every example of the task, zeros where the metric is not defined: (n, k)."""
        seen = self.views[metric.kind] if seen is None else seen
        own = metric.statistics(seen)
        statistics = np.zeros((len(self.examples), own.shape[1]))
        statistics[seen.rows] = own
        return statistics


def check_metrics(names, kinds, place):
    """Whether outputs of some kinds can give every metric that a block asks for.

    names: list of str or None. kinds: set of the kinds of the outputs. Raises InputError with those that they can give.
    """
    can = list(dict.fromkeys(name for kind in KINDS if kind in kinds for name in metrics.names_of(kind)))
    unknown = [name for name in names or () if name not in can]
    if unknown:
        shown = ", ".join(f"`{name}`" for name in unknown)
        kind = " and ".join(f"`{kind}`" for kind in KINDS if kind in kinds) or "no"
        raise InputError(told(f"{place}: metrics", shown, f"a metric that {kind} outputs can give: {', '.join(can)}"))


def leave_one_out(metric, sums):
    """The score of each model, and its scores with each unit left out: (m,) and (m, u) from (m, u, k) sums."""
    total = sums.sum(axis=1)
    return metric.aggregate(total), metric.aggregate(total[:, None] - sums)


def jackknife_covariance(left_out):
    """Covariance of scores by the jackknife over units: (m, m) from (m, u); NaN with fewer than two units or an undefined score."""
    n_units = left_out.shape[1]
    if n_units < 2:
        return np.full((len(left_out), len(left_out)), np.nan)
    with np.errstate(invalid="ignore"):
        centred = left_out - left_out.mean(axis=1, keepdims=True)
        return (n_units - 1) / n_units * (centred @ centred.T)


def average_by_scale(scales, values):
    """Values of models averaged over those of one scale.

    scales: (m,), in order. values: (..., m). Returns the distinct scales (s,) and (..., s).
    """
    starts = np.flatnonzero(np.diff(scales, prepend=np.nan) != 0)
    with np.errstate(invalid="ignore"):
        return scales[starts], np.add.reduceat(values, starts, axis=-1) / np.diff(starts, append=len(scales))


def rescore(task, benchmark, source):
    """Scores, covariances and the account of one task.

    task: Task. benchmark: its name. source: text for the column `source`.

    Returns three frames with the columns of the tables `scores`, `score_covariance` and `output_account`.
    """
    rows, covariances, account = [], [], []
    for part, metric, sums in task.measured:
        name = metric_name(metric.name, part.filter)
        key = {"benchmark": benchmark} | curve_key(task.name, part, name)
        score, left_out = leave_one_out(metric, sums)
        covariance = jackknife_covariance(left_out)
        n_scored = _n_scored(task, part, metric)
        n_outputs = np.bincount(part.model, minlength=len(part.models))
        chance = _chance(task, part, metric)
        for model, label in enumerate(part.models):
            finite = np.isfinite(score[model])
            outcome = SCORED if finite else INFINITE if np.isinf(score[model]) else UNDEFINED
            account.append(
                key
                | {
                    "model": label,
                    "n_outputs": n_outputs[model],
                    "n_scored": n_scored[model],
                    "n_undefined": n_outputs[model] - n_scored[model],
                    "n_units": len(part.units),
                    "outcome": outcome,
                }
            )
            if finite:
                variance = covariance[model, model]
                rows.append(
                    key
                    | {
                        "model": label,
                        "scale": part.scales[model],
                        "score": score[model],
                        "chance": chance,
                        "n_examples": n_scored[model],
                        "stderr": np.sqrt(variance) if np.isfinite(variance) else None,
                        "source": source,
                    }
                )
        finite = np.isfinite(score)
        if finite.any() and np.isfinite(covariance[np.ix_(finite, finite)]).all():
            scales, half = average_by_scale(part.scales[finite], covariance[np.ix_(finite, finite)])
            averaged = average_by_scale(part.scales[finite], half.T)[1]
            for a, b in zip(*np.triu_indices(len(scales)), strict=True):
                covariances.append(key | {"scale_a": scales[a], "scale_b": scales[b], "covariance": averaged[a, b]})
    return pd.DataFrame(rows), pd.DataFrame(covariances), pd.DataFrame(account)


def _n_scored(task, part, metric):
    """Outputs of each model for which the metric is defined: (m,)."""
    statistics = task.statistics[part.kind, metric.name][part.rows]
    defined = (statistics != 0).any(axis=1)
    # a target of length 0 adds nothing to either sum
    return np.bincount(part.model[defined], minlength=len(part.models))


def _chance(task, part, metric):
    """The score of guessing among the choices, None where the metric is not a grade of the choice made."""
    if metric.name not in GRADES or part.kind != CHOICES:
        return None
    seen = task.views[CHOICES]
    in_series = np.isin(seen.rows, part.rows)
    mean_credit = seen._reduce(np.add, seen.credits) / seen.n_choices
    return float(mean_credit[in_series].mean()) if in_series.any() else None
