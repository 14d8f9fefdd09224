"""Starter block for instance files of Every Eval Ever."""

import msgspec

from emergence.ingest.readers.every_eval_ever import reader
from emergence.io.documents import as_yaml, files_below
from emergence.outputs import overview


def lines(path, catalogue):
    """See emergence.study.starter_blocks."""
    files = [file for file in files_below(path, "*.jsonl") if file.suffix == ".jsonl"]
    if not any(map(_is_instances, files)):
        return None
    head = [f"files: [{as_yaml(path)}]", "scale_label: Parameters # or training FLOPs, tokens, steps: what the scales are"]
    return head + overview.lines({"format": "every_eval_ever", "files": [str(path)], "on_error": "skip"})


def _is_instances(file):
    try:
        with open(file, "rb") as content:
            msgspec.json.decode(content.readline(1 << 26), type=reader.Record, strict=False)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
