"""What a folder of outputs holds, for its starter block: kinds, examples, models, tasks, metrics, and questions that differ."""

from collections import Counter

from emergence.ingest import readers
from emergence.ingest.accounts import Account
from emergence.ingest.readers import Rows
from emergence.io.documents import as_yaml
from emergence.outputs import columns, pipeline
from emergence.outputs.examples import TEXT
from emergence.outputs.metrics import names_of
from emergence.outputs.pipeline import KINDS
from emergence.study.configuration import benchmark_schema, with_defaults
from emergence.study.starter_blocks import model_lines

_WORDS = {"choices": "of multiple choice", "text": "texts that the models wrote", "loglikelihood": "log-likelihoods"}


def lines(block):
    """The lines of a starter block about the outputs that a block reads, but for where they are.

    block: dict, as far as the starter knows it. Raises InputError where no example at all can be read.
    """
    block = with_defaults(block, benchmark_schema(block["format"]))
    account = Account("stop")
    kinds, metrics, filters, lacking, tasks, unequal = Counter(), Counter(), set(), {}, set(), set()
    for found in readers.read(block, account):
        frame = pipeline.complete(found if isinstance(found, Rows) else Rows(found, None)).frame
        kinds.update(frame["kind"].value_counts().to_dict())
        metrics.update(columns.arrow(frame["stored_metrics"]).flatten().to_pylist())
        filters.update(name for name in frame["filter"].unique() if name)
        tasks.update(frame["task"].unique())
        first = frame.drop_duplicates("model")
        for name, family, scale in zip(first["model"], first["model_family"], first["scale"], strict=True):
            lacking[name] = ["family"] * (not str(family).strip()) + ["scale"] * (not _is_number(scale))
        if pipeline.is_not_shared(frame).any():
            unequal.update(frame["task"].unique())
    n = {kind: count for kind, count in kinds.items() if count}
    if not n:
        account.stop()
    counts = account.frame()
    n_refused = int(counts.loc[counts["outcome"] == "refused", "n"].sum())
    words = ", ".join(f"{count:,} {_WORDS.get(kind, kind)}" for kind, count in sorted(n.items()))
    head = [f"# examples: {words}; tasks: {len(tasks):,}; models: {len(lacking):,}"]
    named = ", ".join(f"{as_yaml(name)} ({count:,})" for name, count in sorted(metrics.items())) or "none"
    head.append(f"# metrics that the files have for single examples, with the number of examples: {named}")
    can = list(dict.fromkeys(name for kind in KINDS if kind in n for name in names_of(kind)))
    head.append(f"# metrics: [{', '.join(can)}] # all that these outputs can give; to compute some of them only")
    if TEXT in n:
        about = "how the answer is taken out of what a model wrote: stop, regex, strip, cut; without it, all that was written"
        head.append(f"# answer: {{strip: true}} # {about}")
        head.append("# tokens: characters # or words, digits, a regular expression: what token accuracy and edit distances count")
    if n_refused:
        head.append(f"on_error: skip # {n_refused:,} lines or files cannot be read; `stop` lists them and ends the run")
    if filters and "filters" in benchmark_schema(block["format"])["properties"]:
        head.append(f"# filters: [{', '.join(map(as_yaml, sorted(filters)))}] # to read the outputs of some answer filters only")
    if unequal:
        such = ", ".join(map(as_yaml, sorted(unequal)[:3]))
        about = f"in {len(unequal):,} of {len(tasks):,} tasks not every model was asked the same questions, such as {such}"
        head.append(f"examples: shared # {about}; or refuse, which makes that a mistake")
    return head + model_lines({name: keys for name, keys in lacking.items() if name})


def _is_number(value):
    try:
        return float(value) > 0
    except (TypeError, ValueError):
        return False
