"""Starter block for results files of lm-evaluation-harness."""

import math
import re
from collections import Counter, defaultdict
from pathlib import Path

from emergence.ingest import foreign, names
from emergence.ingest.groups import leaves
from emergence.ingest.readers.lm_eval import reader
from emergence.io.documents import as_yaml, files_below
from emergence.io.errors import InputError, mistake
from emergence.io.texts import printable
from emergence.study import metric_catalogue
from emergence.study.starter_blocks import Gap, metric_lines

# So many tasks that begin alike are taken for parts of one.
_MOST_ALONE = 5


def lines(path, catalogue):
    """See emergence.study.starter_blocks."""
    files = [file for file in files_below(path, "*.json") if file.suffix == ".json"]
    found, unreadable = {}, {}
    for file in files:
        try:
            found[file] = reader.load(file)
        except InputError as error:
            unreadable[file] = error
    contents = {file: content for file, content in found.items() if content is not None}
    if unreadable and not contents:
        raise next(iter(unreadable.values()))
    if not contents:
        return None
    empty = [file for file, content in contents.items() if not any(map(_has_scores, content["results"].values()))]
    if len(empty) == len(contents):
        raise InputError(mistake(path, f"{len(empty)} results files without a score", "results files with scores"))
    contents = {file: content for file, content in contents.items() if file not in set(empty)}
    pattern, spellings = _model_pattern(path, contents), metric_catalogue.spellings(catalogue)
    models = {file: _model(file, content, pattern) for file, content in contents.items()}
    scores, filters, met = defaultdict(dict), defaultdict(set), Counter()
    unclear = set()
    versions, limited, whole, turned = defaultdict(set), set(), set(), {}
    for file, content in contents.items():
        members, is_known = reader.members_of(content)
        unclear |= set() if is_known else set(content["groups"])
        for name, entry in content["results"].items():
            versions[name].add(reader.version(name, content))
            (limited if reader.is_limited(name, content) else whole).add(name)
            for key, metric, chosen, _ in reader.metrics_of(entry):
                scores[models[file], name, key, reader.shots(name, content, members)].setdefault(str(entry[key]), file)
                filters[name, metric].add(chosen or "none")
                said = ((content.get("higher_is_better") or {}).get(name) or {}).get(metric)
                own = spellings.get(metric)
                if own and said is not None and said != catalogue.at[own, "higher_is_better"]:
                    turned.setdefault(name, {})[metric] = said
    for _, name, key, _ in scores:
        metric, _, chosen = key.partition(",")
        several = len(filters[name, metric]) > 1 and chosen != "none"
        met[f"{metric},{chosen}" if several else metric] += 1
    task_of = reader.tasks_in(contents.values())
    block = [f"files: [{as_yaml(path)}]"]
    block += _other_files(found)
    block += [f"# {len(empty)} results files hold no score, such as {as_yaml(empty[0])}"] if empty else []
    for file, error in unreadable.items():
        block.append(
            f"# {as_yaml(file)} cannot be read; take it out of `files` with `!`: {printable(' '.join(str(error).split()))}"
        )
    gaps, from_files = _gaps(contents, models, pattern)
    steps = bool(pattern and "{step}" in pattern) or any("the step is read" in gap.note for gap in gaps.values())
    label = (
        "Training steps # what the scales are" if steps else "Parameters # or training FLOPs, tokens, steps: what the scales are"
    )
    block.append(f"scale_label: {label}")
    if pattern:
        block.append(f"model_from: {as_yaml(pattern)} # check: who the model is, by the path of its file")
    if from_files and not steps:
        block.append(
            "scale_from: parameters # the files record the number of parameters; leave it out to give every scale yourself"
        )
    tasks = {name for name, _ in filters}
    n_tasks, n_groups = len({task_of.get(name, name) for name in tasks}), len(set(task_of.values()))
    block.append(f"# models: {len(set(models.values()))}; tasks: {n_tasks}; groups of tasks: {n_groups}")
    block += _group_lines(tasks - set(task_of))
    if unclear:
        example = as_yaml(min(unclear))
        block.append(f"# groups: {{{example}: [...]}} # {len(unclear)} groups are left out, since no file says what is in them")
    block += _unlike_metrics(contents)
    nameless = [file for file, content in contents.items() if reader.is_named_by_library(content)] if not pattern else []
    if nameless:
        block.append(
            f"# {len(nameless)} files name the program that ran the model, not the model, such as {as_yaml(nameless[0])}: read them "
            "in a block of their own, with model_from"
        )
    block += metric_lines(met, catalogue)
    if turned:
        block += ["by_task: # check: the files say that the metric is the other way round for these tasks", "  higher_is_better:"]
        for name, said in sorted(turned.items()):
            inside = ", ".join(f"{as_yaml(metric)}: {str(value).lower()}" for metric, value in sorted(said.items()))
            is_all = {metric for task, metric in filters if task == name} == set(said) and len(set(said.values())) == 1
            block.append(f"    {as_yaml(name)}: {str(next(iter(said.values()))).lower() if is_all else f'{{{inside}}}'}")
    several = sorted({chosen for names_of in filters.values() if len(names_of) > 1 for chosen in names_of})
    if several:
        block.append(f"# filters: [{', '.join(map(as_yaml, several))}] # to read the scores of some answer filters only")
    split = sorted(name for name, said in versions.items() if len(said - {None}) > 1)
    if split:
        block.append(f"versions: split # or refuse: tasks in several versions: {len(split)}, such as {as_yaml(split[0])}")
    if limited & whole:
        example = as_yaml(min(limited & whole))
        block.append(f"limited_runs: leave_out # or keep: some runs took a part of the examples (--limit), such as of {example}")
    elif limited:
        block.append("# all runs took a part of the examples only (--limit)")
    disagreeing = [list(files.values()) for files in scores.values() if len(files) > 1]
    if disagreeing:
        lines_of, out = _repeated_runs(disagreeing, contents)
        block += lines_of
        if out:
            block[0] = f"files: [{as_yaml(path)}, {as_yaml(f'!{path}/**/{out}')}] # check: without the folders of that name"
    return block, gaps


def _has_scores(entry):
    return any(True for _ in reader.metrics_of(entry))


def _repeated_runs(disagreeing, contents):
    """Lines about scores that differ between runs of one model, and a folder to leave out.

    disagreeing: for each such score, the files that differ.
    """
    files = {file for of_score in disagreeing for file in of_score}
    n, example = len(disagreeing), " and ".join(as_yaml(file) for file in sorted(disagreeing[0])[:2])
    if all(reader.date_of(str(file), contents[file]) for file in files):
        return [f"repeated_runs: latest # check: {n} scores differ between runs of one model, as in {example}"], None
    # a folder that one of the files that differ is in, whichever score it is
    folders = {file: set(file.parts[:-1]) for file in contents}
    in_each = [Counter(name for file in of_score for name in folders[file]) for of_score in disagreeing]
    telling = set.intersection(*({name for name, times in found.items() if times == 1} for found in in_each))
    if telling:
        out = min(telling, key=lambda name: (sum(name in parts for parts in folders.values()), name))
        return [
            f"# the folders `{printable(out)}` are left out: {n} scores differ between runs of one model, as in {example}"
        ], out
    return [
        f"# {n} scores differ between runs of one model, as in {example}, and not all of these have a date:",
        '#   take the runs that are not meant out of `files`, such as by a pattern with `!`: `"!out/**/old"`',
    ], None


def _unlike_metrics(contents):
    """Comments on groups whose metrics average different tasks, such as those of a leaderboard."""
    found = set()
    for content in contents.values():
        results, (members, _) = content["results"], reader.members_of(content)
        for group in members:
            inside = leaves(group, members)
            keys = [key for key, *_ in reader.metrics_of(results.get(group) or {})]
            averaged = {frozenset(leaf for leaf in inside if key in results.get(leaf, {})) for key in keys}
            found |= {group} if len(averaged - {frozenset()}) > 1 else set()
    return [
        f"# groups: {{{as_yaml(group)}: []}} # takes it apart: its metrics average different tasks" for group in sorted(found)
    ]


def _other_files(found):
    """Comments about the JSON files of a folder that are not read, once for each kind."""
    others = [file for file, content in found.items() if content is None]
    if not others:
        return []
    lines = [f"# {len(others)} of the {len(found)} JSON files hold no results and will be passed over"]
    kinds = Counter(known[0] for file in others if (known := foreign.document(foreign.parsed(file))))
    return lines + [f"#   {n} of them: {what}" for what, n in sorted(kinds.items())]


def _model(file, content, pattern):
    """The name that the reader will give the model of a file."""
    name = reader.model_name(content)
    fields = (names.path_fields(pattern, file) or {}) if pattern else {}
    name = fields.get("model", name)
    return f"{name}@{int(fields['step'])}" if "step" in fields else name


def _model_pattern(path, contents):
    """A pattern for `model_from` where the files do not say who the model is, else None."""
    of_name = defaultdict(set)
    for file, content in contents.items():
        of_name[reader.model_name(content)].add(file)
    nameless = all(reader.is_named_by_library(content) for content in contents.values())
    # one name for files in several folders that score the same task differently: checkpoints, or models by one path of a link
    for name, files in of_name.items():
        if not name or nameless:
            break
        values = defaultdict(set)
        for file in files:
            for entry, scores in contents[file]["results"].items():
                for key, *_ in reader.metrics_of(scores):
                    values[entry, key, reader.shots(entry, contents[file])].add(str(scores[key]))
        steps = {names.step_in_name(str(file)) for file in files}
        if len(steps - {None}) > 1 and any(len(found) > 1 for found in values.values()):
            nameless = True
    if not nameless and len(of_name) > 1:
        # names that are the folders of one run, such as /scratch/run/step1000
        bases = {names.without_step(name) for name in of_name}
        nameless = len(bases) == 1 and len(of_name) > 2 and not any("@" in name for name in of_name)
    found = names.suggested_pattern(Path(path), list(contents)) if nameless else None
    # where the names say the steps and the paths do not, the names tell more
    by_name = {names.step_in_name(name) for name in of_name}
    found = None if found and "{step}" not in found and len(by_name - {None}) > 1 else found
    if not found and all(reader.is_named_by_library(content) for content in contents.values()):
        # nothing but the paths can say it, also that of one file
        return "{model}/*.json" if all(file.name.startswith("results") for file in contents) else "{model}.json"
    return found


def _gaps(contents, models, pattern):
    """{model: Gap} for the models whose family or scale the files leave open, and whether any scale is taken from the files."""
    if pattern and "{step}" in pattern:
        return {}, False
    checkpoints = defaultdict(set)
    for name in models.values():
        if names.step_in_name(name) is not None:
            checkpoints[_run(name)].add(name)
    recorded = {
        models[file]: (reader.n_parameters(content), reader.doubt_about_size(content)) for file, content in contents.items()
    }
    gaps = {}
    for name, (n, doubt) in recorded.items():
        step = names.step_in_name(name)
        if step is not None and len(checkpoints[_run(name)]) > 1:
            note = f"the step is read from the {'revision' if '@' in name else 'name'}"
            note += "; step 0 is left out, a logarithmic axis has no 0" if not step else ""
            gaps[name] = Gap(["family", "scale"], _run(name), float(step), note)
            continue
        size = names.size_in_name(name)
        if n and doubt and isinstance(n, (int, float)):
            note = f"{n:.4g} parameters recorded, but {doubt}" + ("; the scale is read from the name" if size else "")
            gaps[name] = Gap(["family", "scale"], None, size, note)
        elif n:
            gaps[name] = Gap(["family"], note=f"{n:.4g} parameters recorded" if _is_number(n) else "")
        else:
            gaps[name] = Gap(["family", "scale"], None, size, "the scale is read from the name" if size else "")
    return gaps, any("scale" not in gap.keys for gap in gaps.values())


def _run(name):
    """The name of the run that a checkpoint is of: without the revision, or without the step in its name."""
    base, at, _ = name.partition("@")
    return base if at else re.sub(r"[/_-]{2,}", "/", names.without_step(name)).strip("./_-") or name


def _is_number(value):
    return isinstance(value, (int, float)) and math.isfinite(value)


def _group_lines(alone):
    """Comments with the groups that tasks of one beginning may be."""
    begins = Counter(name.split(sign, 1)[0] + sign for name in alone for sign in ("-", ":", "_") if sign in name)
    likely = {begin: n for begin, n in begins.items() if n >= _MOST_ALONE and begin[0] not in "*?["}
    # `hendrycksTest-high_*` are parts of `hendrycksTest-*`
    likely = {begin: n for begin, n in likely.items() if not any(begin != other and begin.startswith(other) for other in likely)}
    return [
        f"# groups: {{{as_yaml(begin[:-1])}: {as_yaml(begin + '*')}}} # if these {n} tasks are parts of one"
        for begin, n in sorted(likely.items())
    ]
