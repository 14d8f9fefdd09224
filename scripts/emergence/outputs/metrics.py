"""Metrics on outputs: sufficient statistics of every example, and a score from their sums.

A metric is a pair of functions. `statistics` gives k numbers for each example; `aggregate` turns sums of them into a score. A
score of any subset, of any resample and of any leave-one-out sample is then one sum away, also where the metric is not a mean.
An example of which a metric is not defined has zeros only.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Callable

import numpy as np
from rapidfuzz.distance import LCSseq, Levenshtein
from rapidfuzz.process import cpdist
from scipy.special import logsumexp

from emergence.outputs import answers
from emergence.outputs.examples import CHOICES, LOGLIKELIHOOD, TEXT

BIGBENCH = "bigbench"
HARNESS = "harness"
N_BINS = 15
RELATIVE_ERROR = 0.1
_MAX_ORDER = 4


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric on outputs.

    name: in the metric catalogue. kind: of the outputs that can give it. statistics: of a view (Choices, Texts, Likelihoods),
    (r, k) for its r rows. aggregate: (..., k) sums to (...) scores; NaN where nothing is defined. is_ratio: whether the score is
    the first sum over the second. dialect: None, or the harness whose conventions and name it has. optional: whether it is
    computed only where a block asks for it.
    """

    name: str
    kind: str
    statistics: Callable
    aggregate: Callable
    is_ratio: bool = True
    dialect: str | None = None
    optional: bool = False


class Choices:
    """Multiple-choice examples: all that their metrics share, computed once.

    rows: (r,) positions, in the Examples, of those with a log-probability and a credit for every choice, at least one of the
    log-probabilities above minus infinity.
    """

    kind = CHOICES

    def __init__(self, examples, dialect=HARNESS):
        self.dialect = dialect
        log_probs, credits = examples.lists["log_probs"], examples.lists["credits"]
        is_choices = (examples.frame["kind"] == CHOICES).to_numpy(dtype=bool)
        complete = is_choices & (log_probs.lengths > 0) & (log_probs.lengths == credits.lengths)
        rows = np.flatnonzero(complete)
        if len(rows):
            taken = log_probs.take(rows)
            highest = np.maximum.reduceat(taken.flat, taken.offsets[:-1])
            rows = rows[np.isfinite(highest)]
        self.rows = rows
        self._examples = examples
        taken = log_probs.take(rows)
        self.log_probs, self.offsets = taken.flat, taken.offsets
        self.credits = credits.take(rows).flat
        self.starts = self.offsets[:-1]
        self.n_choices = np.diff(self.offsets)
        self.owner = np.repeat(np.arange(len(rows)), self.n_choices)

    def _reduce(self, function, values):
        return function.reduceat(values, self.starts) if len(self.starts) else np.empty(0, dtype=values.dtype)

    @functools.cached_property
    def log_normaliser(self):
        """Log of the probability that all choices have together: (r,)."""
        highest = self._reduce(np.maximum, self.log_probs)
        return highest + np.log(self._reduce(np.add, np.exp(self.log_probs - highest[self.owner])))

    @functools.cached_property
    def probabilities(self):
        """Probability of each choice among the choices: (total,)."""
        return np.exp(self.log_probs - self.log_normaliser[self.owner])

    @functools.cached_property
    def has_right(self):
        """Whether any choice has a credit: (r,) bool."""
        return self._reduce(np.maximum, self.credits) > 0

    @property
    def mean_credit(self):
        """Mean credit of the choices, the score of a guess: (r,)."""
        return self._reduce(np.add, self.credits) / self.n_choices

    def is_first_of_best(self, values):
        """Whether each choice is the first of those with the highest value of its example: (total,) bool."""
        position = np.flatnonzero(values == self._reduce(np.maximum, values)[self.owner])
        chosen = np.zeros(len(values), dtype=bool)
        chosen[position[np.diff(self.owner[position], prepend=-1) != 0]] = True
        return chosen

    def credit_of_best(self, values, dialect=None):
        """Credit of the choice with the highest value: (r,); see value_at_best."""
        return self.value_at_best(self.credits, values, dialect)

    def value_at_best(self, wanted, values, dialect=None):
        """What `wanted` is for the choice with the highest value, the first of equals: (r,). BIG-bench breaks ties by a digest."""
        highest = self._reduce(np.maximum, values)
        is_best = values == highest[self.owner]
        position = np.flatnonzero(is_best)
        first = np.full(len(self.rows), -1, dtype=np.int64)
        first[self.owner[position[::-1]]] = position[::-1]
        if dialect == BIGBENCH:
            for row in np.flatnonzero(self._reduce(np.add, is_best.astype(np.int64)) > 1):
                normalised = self._normalised(row)
                tied = np.flatnonzero(normalised == normalised.max())
                digest = int(hashlib.sha256(normalised.tobytes()).hexdigest(), 16)
                first[row] = self.offsets[row] + tied[digest % len(tied)]
        return np.where(first >= 0, wanted[first], np.nan) if len(first) else np.empty(0)

    def _normalised(self, row):
        """Log-probabilities among the choices as BIG-bench has them: those of the file, else computed as it does."""
        stored = self._examples.lists["normalised_log_probs"].take(self.rows[row : row + 1]).flat
        own = self.log_probs[self.offsets[row] : self.offsets[row + 1]]
        return stored if len(stored) == len(own) else own - logsumexp(own)

    def lengths(self, name):
        """A length of every choice, such as `n_bytes`: (total,), NaN for examples that do not have it for each choice."""
        column = self._examples.lists[name].take(self.rows)
        same = column.lengths == self.n_choices
        if same.all():
            return column.flat
        values = np.full(len(self.log_probs), np.nan)
        values[same[self.owner]] = column.flat[np.repeat(same, column.lengths)]
        return values

    @functools.cached_property
    def squared_errors(self):
        """Sum over the choices of the squared difference of probability and credit: (r,)."""
        return self._reduce(np.add, np.square(self.probabilities - self.credits))

    @functools.cached_property
    def expected_squared_errors(self):
        """The same where one of the right choices is drawn by its share of the credits, as BIG-bench has it: (r,)."""
        total = self._reduce(np.add, self.credits)
        share = self.credits / np.where(total > 0, total, 1.0)[self.owner]
        return self._reduce(np.add, np.square(self.probabilities) - 2 * self.probabilities * share + share)

    def right_log_probability(self, among):
        """Log of the probability of the right choices, each weighed by its credit: (r,); NaN where none is right."""
        return self._right_log_probability - self.log_normaliser if among else self._right_log_probability

    @functools.cached_property
    def _right_log_probability(self):
        with np.errstate(divide="ignore"):
            values = self.log_probs + np.log(self.credits)
        highest = self._reduce(np.maximum, values)
        shift = np.where(np.isfinite(highest), highest, 0.0)
        with np.errstate(divide="ignore"):
            total = shift + np.log(self._reduce(np.add, np.exp(values - shift[self.owner])))
        return np.where(self.has_right, total, np.nan)


class Likelihoods:
    """Texts whose log-probability is known: a target after a prompt, or a whole document.

    rows: (r,) positions of those with one log-probability that is a number or minus infinity.
    """

    kind = LOGLIKELIHOOD

    def __init__(self, examples, dialect=HARNESS):
        self.dialect = dialect
        log_probs = examples.lists["log_probs"]
        is_kind = (examples.frame["kind"] == LOGLIKELIHOOD).to_numpy(dtype=bool) & (log_probs.lengths == 1)
        rows = np.flatnonzero(is_kind)
        values = log_probs.take(rows).flat
        known = ~np.isnan(values)
        self.rows, self.log_probs = rows[known], values[known]
        greedy = examples.frame["is_greedy"].iloc[self.rows]
        self.is_greedy = greedy.to_numpy(dtype=float, na_value=np.nan)
        self._examples = examples

    def lengths(self, name):
        """A length of each text: (r,), NaN where it is not known."""
        column = self._examples.lists[name].take(self.rows)
        values = np.full(len(self.rows), np.nan)
        known = column.lengths >= 1
        values[known] = column.flat[column.offsets[:-1][known]]
        return values


class Texts:
    """Generated texts beside their right answers, as pairs of an answer and one of its targets.

    rows: (r,) positions of those with an output and a target. answers: list of r str. n_without: outputs in which the regular
    expression of the answer found nothing.
    """

    kind = TEXT

    def __init__(self, examples, dialect=HARNESS, answer=None, tokens="characters"):
        self.dialect = dialect
        targets = examples.lists["targets"]
        has_output = examples.frame["output"].notna().to_numpy()
        is_text = (examples.frame["kind"] == TEXT).to_numpy(dtype=bool) & has_output & (targets.lengths > 0)
        self.rows = np.flatnonzero(is_text)
        chosen = targets.take(self.rows)
        self.owner = np.repeat(np.arange(len(self.rows)), chosen.lengths)
        self.starts = chosen.offsets[:-1]
        self.single = bool((chosen.lengths == 1).all())
        specification = answer or {}
        strip = specification.get("strip")
        self.targets = [text.strip() for text in chosen.flat] if strip else list(chosen.flat)
        lengths = np.fromiter((len(text) for text in self.targets), dtype=np.int64, count=len(self.targets))
        longest = np.maximum.reduceat(lengths, self.starts) if len(self.starts) else lengths
        outputs = examples.frame["output"].iloc[self.rows].tolist()
        self.answers, self.n_without = answers.extract(outputs, specification, longest)
        self._tokens = tokens

    @functools.cached_property
    def pairs(self):
        """Answer and target of each pair, one code point per token: two lists of str."""
        paired = self.answers if self.single else [self.answers[row] for row in self.owner]
        return answers.encode([paired, self.targets], self._tokens)

    @functools.cached_property
    def lengths(self):
        """Tokens of the answer and of the target of each pair: two (pairs,) int64."""
        return tuple(np.fromiter(map(len, part), dtype=np.int64, count=len(part)) for part in self.pairs)

    @functools.cached_property
    def distances(self):
        """Edit distance of each pair in tokens: (pairs,) int64."""
        if not self.pairs[0]:
            return np.empty(0, dtype=np.int64)
        return cpdist(*self.pairs, scorer=Levenshtein.distance, dtype=np.int64)

    @functools.cached_property
    def agreements(self):
        """Whether the answer has the target's token, at each position that both have.

        Returns flags of all pairs, one pair after the other: (positions,) bool; and where each begins: (pairs + 1,) int64.
        """
        (said, said_start), (wanted, wanted_start) = (answers.code_points(part) for part in self.pairs)
        common = np.minimum(np.diff(said_start), np.diff(wanted_start))
        ends = np.cumsum(common)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - common, common)
        same = said[np.repeat(said_start[:-1], common) + within] == wanted[np.repeat(wanted_start[:-1], common) + within]
        return same, np.concatenate([[0], ends])

    @functools.cached_property
    def right_positions(self):
        """Positions of the target at which the answer has the same token: (pairs,) int64."""
        same, starts = self.agreements
        return np.diff(np.concatenate([[0], np.cumsum(same)])[starts])

    def best(self, values):
        """The pair of each example with the highest value, the first of equals: (r,) positions among the pairs."""
        if self.single:
            return np.arange(len(self.rows))
        order = np.lexsort((-values, self.owner))
        return order[self.starts]

    @functools.cached_property
    def nearest(self):
        """The pair of each example with the smallest edit distance: (r,)."""
        return self.best(-self.distances.astype(float))

    @functools.cached_property
    def longest_subsequence(self):
        """Words of the answer, of the target, and of their longest common subsequence, by pair: three (pairs,) int64.

        Words are runs of letters a-z and digits in lower case, as in rouge_score without stemming.
        """
        paired = self.answers if self.single else [self.answers[row] for row in self.owner]
        words = answers.encode([[text.lower() for text in part] for part in (paired, self.targets)], answers.PLAIN_WORDS)
        lengths = [np.fromiter(map(len, part), dtype=np.int64, count=len(part)) for part in words]
        common = cpdist(*words, scorer=LCSseq.similarity, dtype=np.int64) if words[0] else np.empty(0, dtype=np.int64)
        return *lengths, common

    def targets_of(self):
        """The targets of each example: list of r lists of str."""
        ends = [*self.starts[1:].tolist(), len(self.targets)]
        return [self.targets[start:end] for start, end in zip(self.starts.tolist(), ends, strict=True)]


def view(kind, examples, dialect=HARNESS, answer=None, tokens="characters"):
    """What the metrics of one kind of outputs share: Choices, Likelihoods or Texts of a task's examples."""
    if kind == TEXT:
        return Texts(examples, dialect, answer, tokens)
    return {CHOICES: Choices, LOGLIKELIHOOD: Likelihoods}[kind](examples, dialect)


# Statistics of means and ratios: numerator, denominator, infinite examples.


def ratio(sums):
    """The first sum over the second; minus or plus infinity where an example is. (..., 3) to (...)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        score = sums[..., 0] / sums[..., 1]
    return np.where(sums[..., 2] != 0, np.copysign(np.inf, sums[..., 2]), score)


def _mean_of(values, weights=None):
    """Statistics of a mean, or of a ratio of sums with `weights`; NaN leaves an example out."""
    values = np.asarray(values, dtype=float)
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    defined = ~np.isnan(values) & ~np.isnan(weights)
    infinite = defined & np.isinf(values)
    statistics = np.zeros((len(values), 3))
    np.copyto(statistics[:, 0], values, where=defined & ~infinite)
    np.copyto(statistics[:, 1], weights, where=defined)
    np.copyto(statistics[:, 2], np.sign(values), where=infinite)
    return statistics


def _grade(choices):
    return _mean_of(choices.credit_of_best(choices.log_probs, choices.dialect))


def _grade_by_length(name):
    def statistics(choices):
        lengths = choices.lengths(name)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = choices.log_probs / lengths
        unknown = choices._reduce(np.maximum, np.isnan(lengths).astype(float)) > 0
        best = choices.credit_of_best(np.where(np.isnan(values), -np.inf, values))
        return _mean_of(np.where(unknown, np.nan, best))

    return statistics


def _grade_by_information(choices):
    unconditional = choices.lengths("mutual_log_probs")
    unknown = choices._reduce(np.maximum, np.isnan(unconditional).astype(float)) > 0
    with np.errstate(invalid="ignore"):
        gain = choices.log_probs - unconditional
    best = choices.credit_of_best(np.where(np.isnan(gain), -np.inf, gain))
    return _mean_of(np.where(unknown, np.nan, best))


def _calibration(choices):
    """Sums of right answers, of confidence and of examples in each of the bins: (r, 3 * N_BINS)."""
    confidence = choices._reduce(np.maximum, choices.probabilities)
    # right is the choice with the most credit, the first of equals, as BIG-bench has it
    most = choices.is_first_of_best(choices.credits)
    right = choices.has_right * choices.value_at_best(most.astype(float), choices.log_probs, choices.dialect)
    place = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    statistics = np.zeros((len(confidence), 3, N_BINS))
    row = np.arange(len(confidence))
    for number, values in enumerate((right, confidence, np.ones(len(confidence)))):
        statistics[row, number, place] = values
    return statistics.reshape(len(confidence), 3 * N_BINS)


def _calibration_error(sums):
    right, confidence, n = np.moveaxis(sums.reshape(*sums.shape[:-1], 3, N_BINS), -2, 0)
    total = n.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(right - confidence).sum(axis=-1) / total


def _margin(choices):
    right = np.where(choices.credits > 0, choices.probabilities, -np.inf)
    wrong = np.where(choices.credits > 0, -np.inf, choices.probabilities)
    right, wrong = choices._reduce(np.maximum, right), choices._reduce(np.maximum, wrong)
    wrong = np.where(np.isinf(wrong), 0.0, wrong)
    return _mean_of(np.where(choices.has_right, right - wrong, np.nan))


def _reciprocal_rank(choices):
    best = choices._reduce(np.maximum, np.where(choices.credits > 0, choices.log_probs, -np.inf))
    above = choices._reduce(np.add, (choices.log_probs > best[choices.owner]).astype(float))
    # wrong choices that are just as likely take half a place each
    equal = (choices.log_probs == best[choices.owner]) & (choices.credits <= 0)
    rank = 1 + above + choices._reduce(np.add, equal.astype(float)) / 2
    return _mean_of(np.where(choices.has_right, 1 / rank, np.nan))


def _bits_per_byte_of_choice(choices):
    n_bytes = choices.lengths("n_bytes")
    right = choices.credits > 0
    total = choices._reduce(np.add, np.where(right, n_bytes, 0.0))
    # with several right choices, their mean length
    n_right = choices._reduce(np.add, right.astype(float))
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = -choices.right_log_probability(among=False) / np.log(2) / (total / n_right)
    return _mean_of(bits)


def _bits(likelihoods, name, base):
    lengths = likelihoods.lengths(name)
    values = -likelihoods.log_probs / base
    return _mean_of(np.where(lengths > 0, values, np.nan), np.where(lengths > 0, lengths, np.nan))


def _only_with_greedy(likelihoods, values):
    """Values of targets after a prompt; whole documents, of which nothing says whether they would be generated, have none."""
    return _mean_of(np.where(np.isnan(likelihoods.is_greedy), np.nan, values))


def _perplexity(sums):
    with np.errstate(over="ignore"):
        return np.exp(-ratio(sums))


def _power(sums):
    with np.errstate(over="ignore"):
        return np.exp(ratio(sums))


def _match(texts, said, wanted):
    """Whether the answer equals a target: statistics of the mean, from texts already brought into one form."""
    paired = said if texts.single else [said[row] for row in texts.owner]
    same = np.fromiter((a == b for a, b in zip(paired, wanted, strict=True)), dtype=bool, count=len(wanted))
    return _mean_of(np.logical_or.reduceat(same, texts.starts) if len(texts.starts) else same)


def _exact(texts):
    return _match(texts, texts.answers, texts.targets)


def _case_insensitive(texts):
    return _match(texts, *([text.lower().strip() for text in part] for part in (texts.answers, texts.targets)))


def _number(text):
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan


def _numeric(texts):
    """Whether the number in the answer is within a tenth of a target; left out where no target is a number."""
    said = np.array([_number(text) for text in texts.answers], dtype=float)
    wanted = np.array([_number(text) for text in texts.targets], dtype=float)
    if not len(wanted):
        return _mean_of(wanted)
    near = np.abs(said[texts.owner] - wanted) <= RELATIVE_ERROR * np.abs(wanted)
    has_number = np.logical_or.reduceat(~np.isnan(wanted), texts.starts)
    return _mean_of(np.where(has_number, np.logical_or.reduceat(near, texts.starts), np.nan))


def _token_accuracy(texts):
    right, length = texts.right_positions, texts.lengths[1]
    pair = texts.best(right / np.maximum(length, 1))
    return _mean_of(right[pair], length[pair])


def _edit_distance(texts):
    return _mean_of(texts.distances[texts.nearest])


def _edit_similarity(texts):
    longer = np.maximum(*texts.lengths)
    pair = texts.best(-texts.distances / np.maximum(longer, 1))
    return _mean_of((longer - texts.distances)[pair], longer[pair])


def _rouge(texts):
    n_said, n_wanted, common = texts.longest_subsequence
    f = 200.0 * common / np.maximum(n_said + n_wanted, 1)
    return _mean_of(f[texts.best(f)])


def _sacrebleu(scorer):
    def statistics(texts):
        if not texts.answers:
            return np.zeros((0, len(scorer(texts)._extract_corpus_statistics(["a"], [["a"]])[0])))
        by_example = texts.targets_of()
        most = max(map(len, by_example))
        references = [[targets[i] if i < len(targets) else None for targets in by_example] for i in range(most)]
        return np.array(scorer(texts)._extract_corpus_statistics(texts.answers, references), dtype=float)

    return statistics


def _bleu_scorer(texts):
    from sacrebleu.metrics import BLEU

    # force: the warning about tokenized texts is no business of ours
    return BLEU(tokenize="intl" if texts.dialect == BIGBENCH else "13a", force=True)


def _chrf_scorer(texts):
    from sacrebleu.metrics import CHRF

    return CHRF()


def bleu(sums):
    """BLEU with exponential smoothing from summed statistics (Papineni et al. 2002; Chen & Cherry 2014, method 3).

    sums: (..., 10) of answer tokens, target tokens, matched n-grams and all n-grams for n = 1..4. Returns (...), 0 to 100.
    """
    said, wanted = sums[..., 0], sums[..., 1]
    matched, total = sums[..., 2 : 2 + _MAX_ORDER], sums[..., 2 + _MAX_ORDER :]
    with np.errstate(divide="ignore", invalid="ignore"):
        missing = (matched == 0) & (total > 0)
        smoothed = 1 / (2.0 ** np.cumsum(missing, axis=-1) * total)
        precision = np.where(missing, smoothed, matched / total)
        log_mean = np.log(precision).mean(axis=-1)
        penalty = np.where(said < wanted, np.exp(1 - wanted / said), 1.0)
        score = 100 * penalty * np.exp(log_mean)
    undefined = (total == 0).any(axis=-1) | (matched == 0).all(axis=-1)
    return np.where(wanted + said == 0, np.nan, np.where(undefined, 0.0, score))


def chrf(sums):
    """The character n-gram F-score with beta 2 from summed statistics (Popovic 2015), n = 1..6. (..., 18) to (...), 0 to 100."""
    counts = sums.reshape(*sums.shape[:-1], -1, 3)
    said, wanted, matched = np.moveaxis(counts, -1, 0)
    known = (said > 0) & (wanted > 0)
    n_orders = np.maximum(known.sum(axis=-1), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(known, matched / said, 0.0).sum(axis=-1) / n_orders
        recall = np.where(known, matched / wanted, 0.0).sum(axis=-1) / n_orders
        score = 100 * 5 * precision * recall / (4 * precision + recall)
    score = np.where(precision + recall > 0, score, 0.0)
    return np.where(counts.sum(axis=(-2, -1)) == 0, np.nan, score)


METRICS = (
    Metric("acc", CHOICES, _grade, ratio, dialect=HARNESS),
    Metric("multiple_choice_grade", CHOICES, _grade, ratio, dialect=BIGBENCH),
    Metric("acc_norm", CHOICES, _grade_by_length("n_characters"), ratio),
    Metric("acc_bytes", CHOICES, _grade_by_length("n_bytes"), ratio),
    Metric("acc_mutual_info", CHOICES, _grade_by_information, ratio),
    Metric("brier_score", CHOICES, lambda c: _mean_of(c.squared_errors), ratio, dialect=HARNESS),
    Metric(
        "calibration_multiple_choice_brier_score",
        CHOICES,
        lambda c: _mean_of(c.expected_squared_errors, c.n_choices),
        ratio,
        dialect=BIGBENCH,
    ),
    Metric("choice_probability", CHOICES, lambda c: _mean_of(np.exp(c.right_log_probability(among=True))), ratio),
    Metric("choice_logprob", CHOICES, lambda c: _mean_of(c.right_log_probability(among=True)), ratio),
    Metric("target_probability", CHOICES, lambda c: _mean_of(np.exp(c.right_log_probability(among=False))), ratio),
    Metric("logprob", CHOICES, lambda c: _mean_of(c.right_log_probability(among=False)), ratio),
    Metric("bpb", CHOICES, _bits_per_byte_of_choice, ratio),
    Metric("choice_margin", CHOICES, _margin, ratio),
    Metric("mrr", CHOICES, _reciprocal_rank, ratio),
    Metric("expected_calibration_error", CHOICES, _calibration, _calibration_error, is_ratio=False),
    Metric("exact_match", TEXT, _exact, ratio, dialect=HARNESS),
    Metric("exact_str_match", TEXT, _exact, ratio, dialect=BIGBENCH),
    Metric("case_insensitive_str_match", TEXT, _case_insensitive, ratio),
    Metric("numeric_match_with_0_1_relative_error", TEXT, _numeric, ratio),
    Metric("token_accuracy", TEXT, _token_accuracy, ratio),
    Metric("edit_similarity", TEXT, _edit_similarity, ratio),
    Metric("edit_distance", TEXT, _edit_distance, ratio),
    Metric("rougeL", TEXT, _rouge, ratio),
    Metric("bleu", TEXT, _sacrebleu(_bleu_scorer), bleu, is_ratio=False, optional=True),
    Metric("chrf", TEXT, _sacrebleu(_chrf_scorer), chrf, is_ratio=False, optional=True),
    Metric("acc", LOGLIKELIHOOD, lambda v: _mean_of(v.is_greedy), ratio),
    Metric("target_probability", LOGLIKELIHOOD, lambda v: _only_with_greedy(v, np.exp(v.log_probs)), ratio),
    Metric("logprob", LOGLIKELIHOOD, lambda v: _only_with_greedy(v, v.log_probs), ratio, dialect=HARNESS),
    Metric("log_likelihood", LOGLIKELIHOOD, lambda v: _mean_of(v.log_probs), ratio, dialect=BIGBENCH),
    Metric(
        "perplexity", LOGLIKELIHOOD, lambda v: _only_with_greedy(v, v.log_probs), _perplexity, is_ratio=False, dialect=HARNESS
    ),
    Metric("bits_per_byte", LOGLIKELIHOOD, lambda v: _bits(v, "n_bytes", np.log(2)), ratio),
    Metric("byte_perplexity", LOGLIKELIHOOD, lambda v: _bits(v, "n_bytes", 1.0), _power, is_ratio=False),
    Metric("word_perplexity", LOGLIKELIHOOD, lambda v: _bits(v, "n_words", 1.0), _power, is_ratio=False),
)


def named(names, kind, dialect):
    """The metrics of a kind that a block asks for, in the order of METRICS.

    names: list of str, or None for all but the optional ones, each under the name that the dialect gives it.
    """
    if names is None:
        return [metric for metric in METRICS if metric.kind == kind and not metric.optional and metric.dialect in (None, dialect)]
    return [metric for metric in METRICS if metric.kind == kind and metric.name in names]


def by_name(kind, name):
    """The metric of a kind that has this name; None where there is none."""
    return next((metric for metric in METRICS if metric.kind == kind and metric.name == name), None)


def names_of(kind):
    """The names of all metrics that outputs of a kind can give."""
    return [metric.name for metric in METRICS if metric.kind == kind]


def everything():
    """The names of all metrics on outputs, in the order of METRICS, each once."""
    return list(dict.fromkeys(metric.name for metric in METRICS))
