"""What a block asks for of the scores that its files hold: other names, groups of tasks, and a choice.

The same for every format, and done before any number is looked at: what is left out cannot be a mistake.
"""

import fnmatch
import re

import numpy as np
import pandas as pd

from emergence.ingest.accounts import without
from emergence.ingest.groups import members_digest
from emergence.study import configuration

# The fields of a row by the words of the keys `only`, `leave_out` and `rename`.
FIELDS = {"tasks": "task", "subtasks": "subtask", "metrics": "metric", "models": "model"}


def matcher(pattern):
    """A function that says whether a name is the pattern, to the letter, or fits it as file names fit `*`, `?` and `[...]`."""
    expression = re.compile(fnmatch.translate(pattern))
    return lambda name: name == pattern or bool(expression.match(name))


def fitting(names, patterns):
    """Which names fit any of the patterns, and which patterns fit none of the names: (names,) bool, and a list."""
    chosen, unused = np.zeros(len(names), dtype=bool), []
    for pattern in patterns:
        fits = matcher(pattern)
        here = np.array([fits(name) for name in names], dtype=bool)
        chosen |= here
        if not here.any():
            unused.append(pattern)
    return chosen, unused


def apply(rows, block, spellings, account):
    """The rows under the names that the block gives, in its groups, without those that it does not ask for.

    spellings: {name of a metric in files: its name in the catalogue}, by either of which `only` and `leave_out` choose.
    """
    if not {"rename", "groups", "only", "leave_out"} & set(block):
        return rows
    frame = rows.frame
    # where tasks may be read in shards, what fits nothing here can fit elsewhere
    notes_unused = not configuration.can_be_sharded(block)

    def note(key, patterns, kind):
        for pattern in patterns if notes_unused else ():
            file = str(frame["file"].iat[0]) if len(frame) else ""
            account.count(file, "ignored", 0, f"{key} names `{pattern}`, which is not a {kind} of these files", example=pattern)

    for word, replacements in block.get("rename", {}).items():
        _rename(frame, word, replacements, note)
    for group, patterns in block.get("groups", {}).items():
        if patterns:
            _group(frame, group, [patterns] if isinstance(patterns, str) else patterns, note)
    left_out = np.zeros(len(frame), dtype=bool)
    for key in ("only", "leave_out"):
        for word, patterns in block.get(key, {}).items():
            if word not in FIELDS:
                # columns of a table are chosen where it is read
                note(f"{key}.{word}", [] if block["format"] == "table" else patterns, "column")
                continue
            codes, names = _distinct(frame, FIELDS[word])
            chosen, unused = fitting(names, patterns)
            if word == "metrics":
                known, still_unused = fitting([spellings.get(name, name) for name in names], patterns)
                chosen, unused = chosen | known, [pattern for pattern in unused if pattern in still_unused]
            note(f"{key}.{word}", unused, FIELDS[word])
            out = chosen[codes] if key == "leave_out" else ~chosen[codes]
            out &= ~left_out
            if out.any():
                said = "is named by" if key == "leave_out" else "is not named by"
                first = rows.place(int(out.argmax()), FIELDS[word])
                account.count_rows(rows, out, "left_out", f"the {FIELDS[word]} {said} `{key}.{word}`", first)
                left_out |= out
    return without(rows, left_out)


def _distinct(frame, field):
    """The values of a field as stripped names: (rows,) codes and a list of names; nothing where the frame lacks the field."""
    if field not in frame:
        return np.zeros(len(frame), dtype=int), [""]
    if isinstance(frame[field].dtype, pd.CategoricalDtype):
        return frame[field].cat.codes.to_numpy(), [str(name) for name in frame[field].cat.categories]
    codes, distinct = pd.factorize(frame[field], use_na_sentinel=False)
    return codes, ["" if pd.isna(name) else str(name).strip() for name in distinct]


def _named(codes, names):
    """A categorical column of names, each once and in order."""
    own = sorted(set(names))
    place = {name: number for number, name in enumerate(own)}
    return pd.Categorical.from_codes(np.array([place[name] for name in names], dtype=np.int32)[codes], own)


def renamed(values, block, word):
    """Names under those that `rename` of the block gives them, as a Series. word: `tasks`, `models`, ..., as in FIELDS."""
    codes, names = _distinct(values.to_frame(FIELDS[word]), FIELDS[word])
    fits = _matchers(block.get("rename", {}).get(word, {}))
    new = np.array([_new_name(name, fits) for name in names], dtype=object)
    return pd.Series(new[codes] if len(values) else values.to_numpy(), index=values.index, dtype=object)


def _matchers(replacements):
    return [(matcher(pattern), name, pattern) for pattern, name in ((str(key), name) for key, name in replacements.items())]


def _new_name(name, fits):
    return next((to for is_it, to, _ in fits if is_it(name)), name)


def _rename(frame, word, replacements, note):
    codes, names = _distinct(frame, FIELDS[word])
    fits = _matchers(replacements)
    new = [_new_name(name, fits) for name in names]
    note(f"rename.{word}", [pattern for is_it, _, pattern in fits if not any(map(is_it, names))], FIELDS[word])
    if new != names:
        frame[FIELDS[word]] = _named(codes, new)


def _group(frame, group, patterns, note):
    """Make the tasks that fit a pattern subtasks of the group, and mark the group's own score as their average."""
    codes, names = _distinct(frame, "task")
    chosen, unused = fitting(names, patterns)
    note(f"groups.{group}", unused, "task")
    chosen &= np.array([name != group for name in names], dtype=bool)
    inside = chosen[codes]
    of_group = np.array([name == group for name in names], dtype=bool)[codes]
    if not inside.any():
        return
    task_names = np.array(names, dtype=object)[codes]
    sub_codes, sub_names = _distinct(frame, "subtask")
    subtasks = np.array(sub_names, dtype=object)[sub_codes]
    own = of_group & (subtasks == "")
    both = np.array([f"{task}: {sub}" if sub else task for task, sub in zip(task_names[inside], subtasks[inside], strict=True)])
    metric_codes, _metric_names = _distinct(frame, "metric")
    frame["aggregate"] = _column(frame, "aggregate", "boolean")
    frame["members"] = _column(frame, "members", object)
    for number in np.unique(metric_codes[own]):
        averaged = task_names[inside & (metric_codes == number)]
        frame.loc[own & (metric_codes == number), "members"] = members_digest(averaged)
    frame.loc[inside & frame["aggregate"].isna().to_numpy(), "aggregate"] = False
    frame.loc[own, "aggregate"] = True
    subtasks[inside] = both
    task_names[inside] = group
    frame["task"] = pd.Categorical(task_names, sorted(set(task_names)))
    frame["subtask"] = pd.Categorical(subtasks, sorted(set(subtasks)))


def _column(frame, field, kind):
    return frame[field].astype(kind) if field in frame else pd.Series(None, index=frame.index, dtype=kind)
