"""The status words of the whole package, each once and with one meaning.

A status says why a number is there or is not. Tables hold these words to the letter; workflow/schemas/tables.yaml says which of
them each column can hold.
"""

# A number is there.
OK = "ok"

# About the scores of a curve.
CONSTANT = "constant"  # all scores are equal, up to what the scores can show
ZERO_MEDIAN_STEP = "zero_median_step"  # half of the steps or more are zero under a range that is not: no finite E
TOO_FEW_SCALES = "too_few_scales"
COPY = "copy"  # another family has the same scores
NO_FINITE_SCORE = "no_finite_score"  # neither E nor resolution-limited E is finite
MISSING_SCORE = "missing_score"
INVALID_SCALES = "invalid_scales"  # not positive and increasing

# About tests and predictions.
NOT_RUN = "not_run"  # the study turned the simulation off
EXACT_FIT = "exact_fit"  # the fit leaves no scatter to measure the noise by
NO_NOISE_ESTIMATE = "no_noise_estimate"

# About the size of the test set.
NOT_A_PROPORTION = "not_a_proportion"
UNKNOWN_EXAMPLES = "unknown_examples"
UNKNOWN_CHANCE = "unknown_chance"
NOT_WHOLE = "not_a_whole_count"
AT_OR_BELOW_CHANCE = "at_or_below_chance"
BEYOND_SEARCH = "more_than_can_be_searched"

# About comparisons of many curves.
CONFOUNDED = "confounded"
ONE_LEVEL = "one_level"
NO_CURVES = "no_curves"
NOTHING_VARIES = "nothing_varies"
DIFFERENT_MEMBERS = "different_members"  # two metrics of a group average different members
FUNCTION_OF_OTHER = "function_of_other"  # one metric is a linear function of the other: no evidence
NO_PAIRS = "no_defined_pairs"
ONE_TASK = "one_task"

# Kinds of sampling noise.
BINOMIAL = "binomial"
STDERR = "stderr"
RESIDUAL = "residual"
COVARIANCE = "covariance"
NONE = "none"

# What is said of a curve, from the weakest to the strongest.
CANNOT_TELL = "cannot_tell"
NO_CHANGE = "no_change"
GRADUAL = "gradual"
WITHIN_NOISE = "within_noise"
SHARP = "sharp"

# What is said of an ability with a sharp curve.
CONSTANT_ANSWERS = "constant_answers"
METRIC = "metric"
SHARP_UNDER_ALL = "sharp_under_all"
SHARP_UNDECIDED = "sharp_undecided"
