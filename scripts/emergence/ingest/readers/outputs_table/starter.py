"""Starter block for a table of outputs: its columns are told by their headers, and every such guess is marked to be checked."""

from emergence.ingest.names import plain_name
from emergence.ingest.readers.outputs_table.keys import problems
from emergence.ingest.readers.table import reader as table
from emergence.ingest.readers.table.starter import HEADERS as OF_SCORES
from emergence.ingest.readers.table.starter import form_lines, form_of
from emergence.io.documents import as_yaml
from emergence.outputs import overview
from emergence.study.starter_blocks import FILL

# Headers that often name a field, in small letters, with `_` for anything else.
HEADERS = {field: OF_SCORES[field] for field in ("task", "subtask", "model_family", "model", "scale", "shots")} | {
    "filter": ("filter",),
    "example": ("example", "example_id", "doc_id", "sample_id", "question_id", "item_id", "id"),
    "repeat": ("repeat", "epoch", "run"),
    "kind": ("kind",),
    "output": ("output", "response", "completion", "prediction", "generation", "model_output"),
    "targets": ("targets", "target", "references", "reference", "ground_truth", "gold_answer", "expected"),
    "choices": ("choices", "options"),
    "gold": ("gold", "gold_index", "label", "correct_choice"),
    "log_probs": ("log_probs", "logprobs", "log_likelihoods", "loglikelihoods", "log_likelihood", "loglikelihood"),
    "credits": ("credits",),
    "is_greedy": ("is_greedy",),
    "question": ("question", "prompt", "input"),
    "cluster": ("cluster", "passage", "template"),
}


def lines(path, catalogue):
    """See emergence.study.starter_blocks."""
    # a table somewhere below a folder of other files says nothing about these
    inside = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    files = [file for file in inside if file.name.lower().removesuffix(".gz").endswith(tuple(table.ENDINGS))]
    if not files:
        return None
    form = form_of(files[0])
    if "header_rows" in form:
        # names above names are those of scores
        return None
    form = {key: form[key] for key in ("encoding",) if key in form}
    names, _ = table.load(files[0], table.file_type(files[0], {}), lambda header: False, form)
    columns = {field: next((header for header in names if plain_name(header) in known), None) for field, known in HEADERS.items()}
    columns = {field: header for field, header in columns.items() if header}
    if "targets" in columns:
        # beside the right answers, an answer is that of the model
        columns.setdefault("output", next((header for header in names if plain_name(header) == "answer"), None))
        columns = {field: header for field, header in columns.items() if header}
    if "log_probs" not in columns and not {"output", "targets"} <= columns.keys():
        return None
    if "gold" in columns and "log_probs" not in columns:
        del columns["gold"]
    block = {"format": "outputs_table", "files": [str(files[0])], "columns": columns, "on_error": "skip"} | form
    head = [f"files: [{as_yaml(files[0])}]", *(f"# another table in the folder: {as_yaml(file)}" for file in files[1:])]
    head += form_lines(files[0], form)
    head += ["scale_label: Parameters # or training FLOPs, tokens, steps: what the scales are"]
    head += ["columns: # guessed from the headers; check each"]
    head += [f"  {field}: {as_yaml(header)}" for field, header in columns.items()]
    # what is missing of the models is asked for model by model
    wanted = [path[1] for path, *_ in problems({**block, "models": {}}) if len(path) > 1 and path[1] not in columns]
    if wanted:
        return [*head, *(f"  {field}: {FILL}: the column; `task` may be in `constants`" for field in wanted)]
    return head + overview.lines(block)
