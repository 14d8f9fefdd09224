"""Starter block for a tree of BIG-bench's full logs."""

from pathlib import Path

from emergence.ingest import trees
from emergence.ingest.readers.bigbench_logs import reader
from emergence.io.documents import as_yaml
from emergence.outputs import overview


def lines(path, catalogue):
    """See emergence.study.starter_blocks. A tree in which some score files have no log is left to `format: bigbench`."""
    if not Path(path).is_dir():
        return None
    logs = {_name(item.path, reader.PREFIX) for item in trees.find(path, None, reader.PREFIX) if not item.ignored}
    scores = {_name(item.path, trees.PREFIX) for item in trees.find(path) if not item.ignored}
    if not logs or scores - logs:
        return None
    head = [
        f"directory: {as_yaml(path)}",
        f"# full logs: {len(logs):,}; `format: bigbench` reads the score files only",
        "scale_axis: flop_matched_non_embedding_params # or another parameter count: non_embedding_params, total_params",
    ]
    return head + overview.lines({"format": "bigbench_logs", "directory": str(path), "on_error": "skip"})


def _name(path, prefix):
    folder, _, name = path.rpartition("/")
    return folder, name.removeprefix(prefix)
