"""Starter block for a tree of BIG-bench result files."""

import json
from collections import Counter
from pathlib import Path

from emergence.ingest import trees
from emergence.ingest.readers.bigbench_logs import reader as logs
from emergence.io.documents import as_yaml
from emergence.study.starter_blocks import metric_lines

AXES = ("flop_matched_non_embedding_params", "non_embedding_params", "total_params")


def lines(path, catalogue):
    """See emergence.study.starter_blocks."""
    found = [file for file in trees.find(path) if not file.ignored and not file.refused] if Path(path).is_dir() else []
    if not found:
        return None
    met, families, tasks, n_unread, lacking = Counter(), Counter(), set(), 0, Counter()
    for file in found:
        try:
            content = json.loads((Path(path) / file.path).read_bytes())
            entries, model, task = content["scores"], content["model"], content["task"]["task_name"]
            family = model["model_family"]
            names = [name for entry in entries for name in entry["score_dict"]]
            # all of them must be texts that can be written
            "".join([task, family, *names]).encode()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            n_unread += 1
            continue
        met.update(names)
        families[family] += 1
        tasks.add(task)
        lacking.update(axis for axis in AXES if not model.get(axis))
    block = [f"directory: {as_yaml(path)}"]
    block.append(f"# score files: {len(found):,}; tasks: {len(tasks):,}; files of each family: {_counted(families)}")
    n_logs = sum(not file.ignored for file in trees.find(path, None, logs.PREFIX))
    if n_logs:
        block.append(
            f"# full logs: {n_logs:,}, whose outputs `format: bigbench_logs` scores again; it reads none of the other files"
        )
    if n_unread:
        block.append(f"on_error: skip # {n_unread:,} files are damaged or of another shape; `stop` lists them and ends the run")
    complete = [axis for axis in AXES if not lacking[axis]]
    axis = (complete or AXES)[0]
    without = "".join(f"; {name} is missing from {count:,} files" for name, count in sorted(lacking.items()))
    block.append(f"scale_axis: {axis} # or another parameter count: {', '.join(name for name in AXES if name != axis)}{without}")
    return block + metric_lines(met, catalogue)


def _counted(counts):
    return ", ".join(f"{as_yaml(name)} ({count:,})" for name, count in sorted(counts.items()))
