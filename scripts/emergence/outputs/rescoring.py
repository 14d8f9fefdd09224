"""From outputs to scores: the rows of the score table, their covariance, and what became of every output.

Standard errors and covariances are the jackknife's over resampling units (Efron & Stein 1981): for a mean of independent examples
they are exactly the sample variance over n and the sample covariance over n; for other metrics they follow from leaving out one
unit at a time.
"""

import dataclasses
import functools

import numpy as np
import pandas as pd

from emergence.ingest.groups import members_digest
from emergence.ingest.input_checks import nearest_constant_answer
from emergence.ingest.pipeline import directions_of_tasks
from emergence.io import tables
from emergence.io.errors import InputError, mistake
from emergence.io.logs import logger
from emergence.outputs import metrics, parity
from emergence.outputs.examples import CHOICES, LOGLIKELIHOOD, TEXT, curve_key, joined, metric_name, series
from emergence.outputs.sums import Collected
from emergence.study import metric_catalogue

KINDS = (CHOICES, TEXT, LOGLIKELIHOOD)
GRADES = ("acc", "multiple_choice_grade", "acc_norm", "acc_bytes", "acc_mutual_info")
SCORED, UNDEFINED, INFINITE = "scored", "undefined", "infinite"


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a block says about outputs.

    names: of metrics, or None for all that the outputs can give. answer, tokens: see emergence.outputs.answers. dialect: the harness
    whose names and conventions are used.
    """

    names: tuple | None = None
    answer: dict = dataclasses.field(default_factory=dict)
    tokens: str = "characters"
    dialect: str = metrics.HARNESS


def settings(block):
    """The Settings of a benchmark block."""
    chosen = block.get("metrics")
    return Settings(
        tuple(chosen) if chosen else None,
        dict(block.get("answer") or {}),
        block.get("tokens", "characters"),
        metrics.BIGBENCH if block["format"] == "bigbench_logs" else metrics.HARNESS,
    )


def on_same_questions(examples):
    """The examples that all models of their series answer, their series, and how many outputs are left out.

    Readers refuse models that were not asked the same questions, or keep those that all were asked. What can be missing here are
    examples that could not be read (`on_error: skip`), and what only one family has.
    """
    keep, questions = np.ones(len(examples), dtype=bool), examples.questions
    found = series(examples)
    for part in found:
        names, code = np.unique(questions[part.rows], return_inverse=True)
        answered = np.zeros((len(part.models), len(names)), dtype=bool)
        answered[part.model, code] = True
        keep[part.rows] = answered.all(axis=0)[code]
    if keep.all():
        return examples, found, 0
    kept = examples.take(keep)
    return kept, series(kept), int((~keep).sum())


# Examples of multiple choice whose metrics are computed at once: few enough to stay in the processor's own memory.
_AT_ONCE = 2**15


class Task:
    """One task's outputs with everything that its metrics need, computed once for all that uses it.

    examples, series: as on_same_questions gives them. kinds: of the outputs. views: what the metrics of texts and of likelihoods
    share, by kind. measured: list of (Series, Metric, Sums). n_scored: of each of these, the outputs of each model for which the
    metric is defined, (m,).
    """

    def __init__(self, examples, settings):
        self.examples, self.series, self.n_left_out = on_same_questions(examples)
        self.settings = settings
        self.name = self.examples.frame["task"].iat[0] if len(self.examples) else ""
        self.kinds = [kind for kind in KINDS if (self.examples.frame["kind"] == kind).any()]
        self.views = {
            kind: metrics.view(kind, self.examples, settings.dialect, settings.answer, settings.tokens)
            for kind in self.kinds
            if kind != CHOICES
        }
        self.n_without_answer = self.views[TEXT].n_without if TEXT in self.views else 0
        found = [
            entry
            for kind in self.kinds
            for entry in self._summed(kind, metrics.named(settings.names, kind, settings.dialect), settings.names is None)
        ]
        place = {id(part): number for number, part in enumerate(self.series)}
        found.sort(key=lambda entry: place[id(entry[0])])
        self.measured = [entry[:3] for entry in found]
        self.n_scored = [entry[3] for entry in found]

    def _seen(self, kind, rows):
        """What metrics share of the outputs of a kind, some at a time: yields (view, its rows' places among `rows`).

        rows: positions of the outputs in the order in which they are wanted, (r,). Those that no metric can be computed of are in
        no view.
        """
        if kind != CHOICES:
            place = np.full(len(self.examples), -1)
            place[rows] = np.arange(len(rows))
            yield self.views[kind], place[self.views[kind].rows]
            return
        for start in range(0, len(rows), _AT_ONCE):
            seen = metrics.view(kind, self.examples.take(rows[start : start + _AT_ONCE]), self.settings.dialect)
            yield seen, start + seen.rows

    def _summed(self, kind, chosen, only_known=False):
        """Some metrics on all series of a kind: list of (Series, Metric, Sums, (m,) outputs that have the metric).

        only_known: whether metrics that no output has are left out, such as those that need lengths.
        """
        parts = [part for part in self.series if part.kind == kind]
        models = np.cumsum([0, *(len(part.models) for part in parts)])
        cells = np.cumsum([0, *(len(part.models) * len(part.units) for part in parts)])
        rows = np.concatenate([part.rows for part in parts])
        model = np.concatenate([first + part.model for first, part in zip(models[:-1], parts, strict=True)])
        cell = np.concatenate([first + part.cells for first, part in zip(cells[:-1], parts, strict=True)])
        is_single = len(cell) == cells[-1] and bool((np.bincount(cell) == 1).all())
        collected, n_scored = {}, {metric: np.zeros(models[-1], dtype=np.int64) for metric in chosen}
        for seen, place in self._seen(kind, rows):
            for metric in chosen:
                statistics = metric.statistics(seen)
                if only_known and metric not in collected and not statistics.any():
                    continue
                collected.setdefault(metric, Collected()).add(cell[place], statistics)
                # a target of length 0 adds nothing to either sum
                defined = (statistics != 0).any(axis=1)
                n_scored[metric] += np.bincount(model[place[defined]], minlength=models[-1])
        n_models = [len(part.models) for part in parts]
        sums = {metric: statistics.summed(cells, n_models, is_single) for metric, statistics in collected.items()}
        return [
            (part, metric, sums[metric][number], n_scored[metric][models[number] : models[number + 1]])
            for number, part in enumerate(parts)
            for metric in chosen
            if metric in sums
        ]

    def statistics_of(self, metric, seen=None):
        """Statistics of every example of the task, zeros where the metric is not defined: (n, k).

        seen: another view of the texts or likelihoods than the task's own.
        """
        rows, found = self._rows_of(metric.kind), None
        for view, place in self._seen(metric.kind, rows) if seen is None else [(seen, np.searchsorted(rows, seen.rows))]:
            own = metric.statistics(view)
            found = np.zeros((len(self.examples), own.shape[1])) if found is None else found
            found[rows[place]] = own
        return found

    def _rows_of(self, kind):
        return np.flatnonzero((self.examples.frame["kind"] == kind).to_numpy())

    def sums_of(self, kind, name):
        """The sums of any metric, whether the block asks for it or not, for each series of a kind: list of (Series, sums)."""
        measured = [(part, sums) for part, metric, sums in self.measured if (part.kind, metric.name) == (kind, name)]
        if measured or kind not in self.kinds:
            return measured
        return [(part, sums) for part, _, sums, _ in self._summed(kind, [metrics.by_name(kind, name)])]

    @functools.cached_property
    def mean_credits(self):
        """The mean credit of the choices of each example: (n,), NaN for one that no metric of choices can be computed of."""
        found, rows = np.full(len(self.examples), np.nan), self._rows_of(CHOICES)
        for seen, place in self._seen(CHOICES, rows):
            found[rows[place]] = seen.mean_credit
        return found


# What nothing is computed from, and what only the comparison with the files' own values needs.
_ORIGIN = ("benchmark", "source")
STORED = ("stored_metrics", "stored_values", "preferred_metric")


def tasks(path, without=()):
    """The examples of a table `outputs`, one task after the other. Raises InputError where the file is not that table.

    without: names of columns that are not needed.
    """
    wanted = [column for column in tables.description("outputs")["columns"] if column not in (*_ORIGIN, *without)]
    for _, parts in tables.by_task("outputs", path, wanted):
        yield joined(parts)


def check_metrics(names, kinds, place):
    """Whether outputs of some kinds can give every metric that a block asks for.

    names: of metrics, or None. kinds: set of the kinds of the outputs. Raises InputError with those that they can give.
    """
    can = list(dict.fromkeys(name for kind in KINDS if kind in kinds for name in metrics.names_of(kind)))
    unknown = [name for name in names or () if kinds and name not in can]
    if unknown:
        shown = ", ".join(f"`{name}`" for name in unknown)
        kind = " and ".join(f"`{kind}`" for kind in KINDS if kind in kinds) or "no"
        raise InputError(mistake(f"{place}: metrics", shown, f"a metric that {kind} outputs can give: {', '.join(can)}"))


def leave_one_out(metric, sums):
    """The score of each model, and its scores with each unit left out: (m,) and (m, u). sums: Sums."""
    total = sums.total()
    left_out = [metric.aggregate(of_model - sums.of_model(model)) for model, of_model in enumerate(total)]
    return metric.aggregate(total), np.stack(left_out)


def jackknife_covariance(left_out, other=None):
    """Covariance of scores by the jackknife over units; NaN with fewer than two units or an undefined score.

    left_out: (m, u) scores with each unit left out. other: (k, u), those of another metric; None for the same. Returns (m, m), or
    (m, k).
    """
    other = left_out if other is None else other
    n_units = left_out.shape[1]
    if n_units < 2:
        return np.full((len(left_out), len(other)), np.nan)
    with np.errstate(invalid="ignore"):
        centred, beside = (scores - scores.mean(axis=1, keepdims=True) for scores in (left_out, other))
        return (n_units - 1) / n_units * (centred @ beside.T)


def average_by_scale(scales, values):
    """Values of models averaged over those of one scale.

    scales: (m,), in order. values: (..., m). Returns the distinct scales (s,) and (..., s).
    """
    starts = np.flatnonzero(np.diff(scales, prepend=np.nan) != 0)
    with np.errstate(invalid="ignore"):
        return scales[starts], np.add.reduceat(values, starts, axis=-1) / np.diff(starts, append=len(scales))


def add_by_task(scores, by_task, catalogue):
    """The scores of a task with what `by_task` says of it.

    The chance-level score and those of constant answers are of shares of right answers; other metrics of the outputs have none.

    Parameters
    ----------
    scores : DataFrame
        As rescore gives them.
    by_task : dict
        The key of the block; see workflow/schemas/config.schema.yaml.
    catalogue : DataFrame
        With `proportion` and `higher_is_better` by metric.

    Returns
    -------
    DataFrame
    """
    if not by_task or scores.empty:
        return scores
    scores, task = scores.copy(), scores["task"].iat[0]
    own = catalogue.reindex(scores["metric"])
    is_share = own["proportion"].fillna(False).to_numpy(dtype=bool)
    if task in by_task.get("chance", {}):
        scores.loc[is_share, "chance"] = float(by_task["chance"][task])
    if task in by_task.get("constant_scores", {}):
        nearest = nearest_constant_answer(scores, {task: by_task["constant_scores"][task]})
        scores["constant_answer"] = np.where(is_share, nearest, np.nan)
    if "higher_is_better" in by_task:
        said = pd.array(directions_of_tasks(scores, by_task["higher_is_better"]), dtype="boolean")
        usual = pd.array(own["higher_is_better"], dtype="boolean")
        scores["higher_is_better"] = pd.Series(said, scores.index).where(np.asarray((said != usual).fillna(False)))
    return scores


def rescore(task, benchmark, source, spellings=None, catalogue=None):
    """Scores, covariances and the account of one task.

    task: Task. benchmark: its name. source: text for the column `source`. spellings: {spelling: metric} of the catalogue, by which
    the benchmark may name the metric that it prefers. catalogue: frame of metric_catalogue.load, or None where the covariance of two
    metrics is not wanted.

    Returns three frames with the columns of the tables `scores`, `score_covariance` and `rescoring_account`.
    """
    rows, covariances, account = [], [], []
    for (part, metric, sums), n_scored in zip(task.measured, task.n_scored, strict=True):
        name = metric_name(metric.name, part.filter)
        key = {"benchmark": benchmark} | curve_key(task.name, part, name)
        score, left_out = leave_one_out(metric, sums)
        covariance = jackknife_covariance(left_out)
        n_outputs = np.bincount(part.model, minlength=len(part.models))
        chance = _chance(task, part, metric)
        preferred = _preferred(task, part, metric, spellings or {})
        for model, label in enumerate(part.models):
            finite = np.isfinite(score[model])
            outcome = SCORED if finite else INFINITE if np.isinf(score[model]) else UNDEFINED
            account.append(
                key
                | {
                    "model": label,
                    "kind": part.kind,
                    "n_outputs": n_outputs[model],
                    "n_left_out": task.n_left_out,
                    "n_scored": n_scored[model],
                    "n_undefined": n_outputs[model] - n_scored[model],
                    "n_units": len(part.units),
                    "n_without_answer": task.n_without_answer,
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
                        "preferred": preferred,
                        "chance": chance,
                        "n_examples": n_scored[model],
                        "stderr": np.sqrt(variance) if np.isfinite(variance) else None,
                        "source": source,
                        "aggregate": False,
                    }
                )
        finite = np.isfinite(score)
        if finite.any() and np.isfinite(covariance[np.ix_(finite, finite)]).all():
            scales, half = average_by_scale(part.scales[finite], covariance[np.ix_(finite, finite)])
            averaged = average_by_scale(part.scales[finite], half.T)[1]
            for a, b in zip(*np.triu_indices(len(scales)), strict=True):
                covariances.append(key | _pair(name, scales[a], scales[b], averaged[a, b], part))
    covariances += _with_continuous(task, {"benchmark": benchmark}, catalogue) if catalogue is not None else []
    frames = pd.DataFrame(rows), pd.DataFrame(covariances)
    return *_with_whole_task(*frames, task.settings.dialect), pd.DataFrame(account)


def _pair(metric, scale_a, scale_b, covariance, part):
    """The fields of a row of score_covariance but for its curve."""
    pair = {"metric_b": metric, "scale_a": scale_a, "scale_b": scale_b, "covariance": covariance}
    return pair | {"n_units": len(part.units)}


def _with_continuous(task, key, catalogue):
    """Covariances of each metric with the first continuous or linear one, by name, on the same outputs: rows of score_covariance.

    Both need the same models and units. key: what all rows have. catalogue: as rescore takes it.
    """
    by_outputs, found = {}, []
    for part, metric, sums in task.measured:
        entry = (metric_name(metric.name, part.filter), part, metric, sums)
        by_outputs.setdefault((part.subtask, part.model_family, part.shots), []).append(entry)
    for entries in by_outputs.values():
        continuous = metric_catalogue.is_continuous([entry[0] for entry in entries], catalogue)
        others = [entry for entry, is_one in zip(entries, continuous, strict=True) if is_one]
        if not others:
            continue
        beside, other, metric_b, sums_b = min(others, key=lambda entry: entry[0])
        left_out_b = leave_one_out(metric_b, sums_b)[1]
        for (name, part, metric, sums), is_one in zip(entries, continuous, strict=True):
            if is_one or part.models != other.models or not np.array_equal(part.units, other.units):
                continue
            between = jackknife_covariance(leave_one_out(metric, sums)[1], left_out_b)
            if not np.isfinite(between).all():
                continue
            scales, half = average_by_scale(part.scales, between)
            averaged = average_by_scale(part.scales, half.T)[1].T
            own = key | curve_key(task.name, part, name)
            found += [own | _pair(beside, scales[a], scales[b], value, part) for (a, b), value in np.ndenumerate(averaged)]
    return found


def _with_whole_task(scores, covariances, dialect):
    """Scores and covariances with those of the whole task, where it has subtasks alone: the mean over them, as an aggregate.

    BIG-bench takes the plain mean, the harness weighs subtasks by their examples. Questions of different subtasks are drawn
    independently, so that variances add up. A model needs a score for every subtask that any model of its family has.
    """
    if scores.empty or not (scores["subtask"] != "").any():
        return scores, covariances
    scores, found, shared = scores.assign(members=None), [], []
    key = ["benchmark", "task", "metric", "model_family", "shots"]
    of_curve, weights = {}, {}
    for (*name, metric_b), pairs in covariances.groupby([*key, "metric_b"], dropna=False) if len(covariances) else ():
        of_curve.setdefault(tuple(map(str, name)), []).append((metric_b, pairs))
    for name, curve in scores.groupby(key, sort=False, dropna=False):
        sizes = curve.groupby("subtask")["n_examples"].max()
        weights[tuple(map(str, name))] = sizes / sizes.sum() if dialect == metrics.HARNESS else sizes * 0 + 1 / len(sizes)
    for name, curve in scores.groupby(key, sort=True, dropna=False):
        subtasks = sorted(curve["subtask"].unique())
        if "" in subtasks or len(subtasks) < 2:
            continue
        weight = weights[tuple(map(str, name))]
        curve = curve.assign(weight=curve["subtask"].map(weight))
        models = curve.groupby("model")
        complete = models["subtask"].nunique() == len(subtasks)
        whole = models.first().loc[complete[complete].index].reset_index()
        summed = curve.assign(score=curve["score"] * curve["weight"], variance=np.square(curve["stderr"] * curve["weight"]))
        summed = summed.assign(chance=curve["chance"].astype(float) * curve["weight"]).groupby("model")
        for field in ("score", "n_examples", "chance"):
            whole[field] = summed[field].sum(min_count=len(subtasks)).loc[whole["model"]].to_numpy()
        whole["stderr"] = np.sqrt(summed["variance"].sum(min_count=len(subtasks)).loc[whole["model"]].to_numpy(dtype=float))
        digest = members_digest(subtasks)
        found.append(whole.drop(columns="weight").assign(subtask="", preferred=None, aggregate=True, members=digest))
        for metric_b, pairs in of_curve.get(tuple(map(str, name)), ()):
            beside = weights[tuple(map(str, (*name[:2], metric_b, *name[3:])))]
            both = pairs["subtask"].map(weight) * pairs["subtask"].map(beside)
            pairs = pairs.assign(covariance=pairs["covariance"] * both)
            pairs = pairs[pairs["scale_a"].isin(whole["scale"]) & pairs["scale_b"].isin(whole["scale"])]
            by_pair = pairs.groupby(["scale_a", "scale_b"])
            if len(pairs) and (by_pair.size() == len(subtasks)).all():
                own = by_pair[["covariance", "n_units"]].sum().reset_index()
                shared.append(own.assign(**dict(zip(key, name, strict=True)), subtask="", metric_b=metric_b))
    return pd.concat([scores, *found], ignore_index=True), pd.concat([covariances, *shared], ignore_index=True)


def _preferred(task, part, metric, spellings):
    """Whether the files say that the benchmark prefers this metric for the subtask; None where they do not say."""
    if "preferred_metric" not in task.examples.frame:
        return None
    said = task.examples.frame["preferred_metric"].iloc[part.rows]
    said = said[said.notna() & (said != "")]
    return spellings.get(said.iat[0], said.iat[0]) == metric.name if len(said) else None


def _chance(task, part, metric):
    """The chance-level score among the choices, None where the metric is not a grade of the choice made."""
    if metric.name not in GRADES or part.kind != CHOICES:
        return None
    credits = task.mean_credits[np.sort(part.rows)]
    known = credits[~np.isnan(credits)]
    return float(known.mean()) if len(known) else None


def as_table(frames, name, benchmark):
    """Frames of single tasks as one that can be written: the columns of the table, sorted by its key."""
    known = tables.description(name)["columns"]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return tables.typed(pd.DataFrame(), name)
    whole = pd.concat(frames, ignore_index=True)
    if "benchmark" in known:
        whole["benchmark"] = benchmark
    whole = tables.typed(whole[[column for column in known if column in whole]], name)
    order = np.argsort(tables.key_positions(whole, tables.description(name)["key"]), kind="stable")
    return whole.iloc[order].reset_index(drop=True)


def tables_of(benchmark, block, path, catalogue, catalogue_path, whole=True):
    """The tables `scores`, `score_covariance`, `rescoring_account` and `metric_parity` of a table of outputs, one task at a time.

    benchmark: its name. block: its configuration with defaults. path: file of the table `outputs`. catalogue: frame of
    metric_catalogue.load, from catalogue_path. whole: whether these are all outputs of the benchmark, and not those of a shard.

    Returns {table: frame}. Raises InputError where the outputs cannot give a metric that the block asks for, where a metric is not
    in the catalogue, and where two kinds of outputs give the same metric for one curve.
    """
    chosen, spellings = settings(block), metric_catalogue.spellings(catalogue)
    met = set()
    made = {"scores": [], "score_covariance": [], "rescoring_account": [], "metric_parity": []}
    kinds = set()
    for examples in tasks(path):
        task = Task(examples, chosen)
        kinds |= set(task.kinds)
        met.add(task.name)
        scores, covariance, account = rescore(task, benchmark, "recomputed from outputs", spellings, catalogue)
        scores = add_by_task(scores, block.get("by_task", {}), catalogue)
        for table, frame in zip(made, (scores, covariance, account, parity.compare(task, spellings)), strict=True):
            made[table].append(frame)
        # before the next task is read
        del task, examples
    if whole:
        for field, values in block.get("by_task", {}).items():
            for name in sorted(set(values) - met) if field != "higher_is_better" else ():
                logger.warning("%s: by_task.%s names the task `%s`, which no output is of", benchmark, field, name)
        check_metrics(chosen.names, kinds, f"benchmarks.{benchmark}")
    _check_names(made["scores"], catalogue, catalogue_path)
    return {table: as_table(frames, table, benchmark) for table, frames in made.items()}


def _check_names(frames, catalogue, path):
    """Whether the catalogue knows every metric, and no curve has a metric twice."""
    problems = []
    key = ["task", "subtask", "metric", "model_family", "model", "shots"]
    for frame in frames:
        for name in frame["metric"].unique() if len(frame) else ():
            if name not in catalogue.index and name not in problems:
                problems.append(name)
    if problems:
        raise InputError([metric_catalogue.unknown_metric(name, catalogue, path) for name in problems])
    for frame in frames:
        twice = frame[frame.duplicated(key)] if len(frame) else frame
        if len(twice):
            row = twice.iloc[0]
            where = f"task `{row['task']}`, subtask `{row['subtask']}`, model `{row['model']}`"
            raise InputError(mistake(where, f"two kinds of outputs that give `{row['metric']}`", "one kind, or two subtasks"))
