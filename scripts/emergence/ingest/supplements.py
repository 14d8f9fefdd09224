"""What a block says beside its files: the family and scale of models, and what is known of tasks.

Family and scale come from the files where these say them, else from `models` and `models_file`. They are never read off a
model's name: where a block lists models, one for which nobody says both is left out, and the account says so. Where a block lists
none, its files must say everything, and a gap in them is a mistake like any other.
"""

import numpy as np
import pandas as pd

from emergence.ingest.accounts import without
from emergence.io.documents import nearest
from emergence.io.errors import InputError, mistake
from emergence.io.texts import printable
from emergence.study import configuration, registries

# How many models without a family or a scale the account names.
_MOST_NAMED = 10

FIELDS = {"model_family": "family", "scale": "scale"}


def listed_models(block):
    """What a block says of models: {model: {"model_family": str or None, "scale": float or None}}.

    Raises InputError where `models_file` is not a list of models, or where `models` says something else of the same model.
    """
    table = registries.load_models(block["models_file"]) if "models_file" in block else {}
    problems = []
    for key, said in block.get("models", {}).items():
        # the names in the files are stripped, too
        name = str(key).strip()
        before = table.get(name, {})
        entry = {field: said.get(key) for field, key in FIELDS.items()}
        for field, word in FIELDS.items():
            if None not in (entry[field], before.get(field)) and entry[field] != before[field]:
                found = f"{entry[field]}, and {before[field]} in {block.get('models_file', 'another entry of that name')}"
                problems.append(mistake(f"models of the block: the {word} of `{name}`", found, "one of them"))
        table[name] = {field: entry[field] if before.get(field) is None else before[field] for field in FIELDS}
    if problems:
        raise InputError(problems)
    return table


def add_checkpoints(rows, block):
    """The rows of checkpoints as models of their own: `model@step`, at the scale `step` and in the family `model`.

    Where files or block say another scale or family of `model@step`, or another family of `model`, that counts. Rows without a
    step stay as they are.
    """
    frame = rows.frame
    if "step" not in frame:
        return rows
    steps = frame.pop("step")
    given = ~_is_empty(steps)
    text = steps.astype("str").str.strip()
    number = pd.to_numeric(text.where(given), errors="coerce")
    # 1000 and 1000.0 are one step
    whole = number.notna() & (number == np.round(number)) & (number.abs() < 1e15)
    text = text.where(~whole, number.where(whole, 0).astype("int64").astype("str"))
    names = frame["model"].astype("str").str.strip()
    frame["model"] = names.where(~given, names + "@" + text)
    table = listed_models(block)
    of_run = {name: said["model_family"] for name, said in table.items() if said["model_family"]}
    families = pd.Series([of_run.get(name, name) for name in names], index=frame.index, dtype=object)
    for field, value in (("model_family", families), ("scale", steps)):
        known = frame[field].astype(object) if field in frame else pd.Series(None, index=frame.index, dtype=object)
        listed = frame["model"].isin([name for name, said in table.items() if said[field] is not None])
        frame[field] = known.where(~(_is_empty(known) & given & ~listed.to_numpy()), value)
    return rows


def add_tasks(rows, block, account):
    """The rows with what `by_task` says of their tasks. Tasks that it does not name keep what the file says."""
    if "by_task" not in block:
        return rows
    frame = rows.frame
    # names are stripped of surrounding space, here and in the files
    tasks = frame["task"].astype("str").str.strip()
    # where tasks may be read in shards, a task that is not here can be in another
    met = None if configuration.can_be_sharded(block) else set(tasks.unique())
    for field, values in block["by_task"].items():
        values = _stripped(values, f"by_task.{field}")
        # shares of constant answers are several for a task, and no field of a score: emergence.ingest.input_checks takes them
        if field not in ("constant_scores", "higher_is_better"):
            # how many examples a limited run has, its file knows better
            said = tasks.isin(list(values))
            if field == "n_examples" and "_limited" in frame:
                said &= frame["_limited"].isna().to_numpy()
            frame[field] = tasks.map(values).where(said, frame.get(field))
        elif field == "higher_is_better" and "subtask" in frame and met is not None:
            met = met | set(frame["subtask"].astype("str"))
        for task in sorted(set(values) - met) if met is not None else ():
            file = frame["file"].iat[0] if len(frame) else ""
            account.count(file, "ignored", 0, f"by_task.{field} names the task `{task}`, which no row has", example=task)
    return rows


def _stripped(values, where):
    """A mapping by names of tasks under their stripped names. Raises InputError where two of them are one."""
    found = {}
    for name, value in values.items():
        task = str(name).strip()
        if task in found:
            raise InputError(mistake(f"{where} of the block: the task `{task}`", f"{found[task]}, and {value}", "each task once"))
        found[task] = value
    return found


def add_models(rows, block, account):
    """The rows of the models whose family and scale are known, both filled in from the block where the files do not say them.

    Rows whose file and block disagree are refused; rows of models without a family or a scale are left out, counted by model. The
    rows of a block that lists no models stay as they are.
    """
    if "models" not in block and "models_file" not in block:
        return rows
    table = listed_models(block)
    frame = rows.frame
    codes, names = pd.factorize(frame["model"])
    names = [str(name).strip() for name in names]
    differs = np.zeros(len(frame), dtype=bool)
    contrasts = {}
    for field, key in FIELDS.items():
        # one entry more, for rows without a model's name, whose code is -1
        by_model = [table.get(name, {}).get(field) for name in names] + [None]
        found = frame.get(field)
        empty = np.ones(len(frame), dtype=bool) if found is None else _is_empty(found)
        if empty.all():
            frame[field] = pd.array(by_model, dtype="float64" if field == "scale" else "str")[codes]
        elif any(value is not None for value in by_model):
            said = pd.array(by_model, dtype="object")[codes]
            differs |= ~empty & _differs(found, said, field)
            contrasts[key] = (found, said)
            # numbers stay numbers, which is far lighter
            are_numbers = field == "scale" and found.dtype.kind == "f"
            frame[field] = np.where(empty, said.astype(float), found) if are_numbers else found.astype(object).where(~empty, said)

    def describe(i):
        said = "; ".join(
            f"{key} {_shown(found.iat[i])} in the file, {_shown(said[i])} in the block"
            for key, (found, said) in contrasts.items()
            if said[i] is not None
        )
        at = f"{rows.place(i, 'scale')}: the model `{names[codes[i]]}`"
        return mistake(at, said, "one family and one scale for each model")

    # where tasks may be read in shards, a model that is not here can be in another
    unused = sorted(set(table) - set(names)) if not configuration.can_be_sharded(block) else []
    if unused and len(frame):
        shown = ", ".join(f"`{printable(name)}`" for name in unused[:_MOST_NAMED])
        more = f" and {len(unused) - _MOST_NAMED:,} more" if len(unused) > _MOST_NAMED else ""
        reason = "`models` or `models_file` lists models without a score in these files"
        account.count(str(frame["file"].iat[0]), "ignored", 0, reason, f"{len(unused):,}: {shown}{more}")
    rows = account.refuse(rows, differs, "file and block disagree about the model", describe)
    return _leave_out(rows, table, account)


def _is_empty(values):
    """Which values are missing or blank text, looking at each distinct value once. Returns (rows,) of bool."""
    codes, distinct = pd.factorize(values)
    return np.array([str(value).strip() == "" for value in distinct] + [True])[codes]


def _shown(value):
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _differs(found, said, field):
    """Which values of the files are not what the block says; where it says nothing, or text stands for a number, none."""
    known = ~pd.isna(said)
    if field == "model_family":
        return known & (found.astype("str").str.strip().to_numpy() != said)
    numbers = pd.to_numeric(found, errors="coerce").to_numpy(dtype=float)
    wanted = np.where(known, said, np.nan).astype(float)
    return known & np.isfinite(numbers) & ~np.isclose(numbers, wanted, rtol=1e-9, atol=0)


def _leave_out(rows, table, account):
    frame = rows.frame
    empty = {key: _is_empty(frame[field]) for field, key in FIELDS.items()}
    named = ~_is_empty(frame["model"])
    missing = named & np.logical_or.reduce(list(empty.values()))
    if not missing.any():
        return rows
    # one row of the account per reason, however many models there are; the first of them are named
    for lacks in ({"family"}, {"scale"}, {"family", "scale"}):
        chosen = missing & np.logical_and.reduce([lacking == (key in lacks) for key, lacking in empty.items()])
        if not chosen.any():
            continue
        reason = f"the model has {' and '.join(f'no {key}' for key in sorted(lacks))}, in the file or in `models` of the block"
        here = frame.loc[chosen, ["file", "model"]].reset_index(drop=True)
        for file, positions in here.groupby("file", sort=True, observed=True).indices.items():
            met = dict.fromkeys(str(name).strip() for name in here["model"].iloc[positions].unique())
            others = [name for name in table if name not in met]
            named = [f"`{printable(name)}`{nearest(name, others)}" for name in list(met)[:_MOST_NAMED]]
            more = f" and {len(met) - len(named):,} more" if len(met) > len(named) else ""
            first = rows.place(int(np.flatnonzero(chosen)[positions[0]]), "model")
            account.count(file, "left_out", len(positions), reason, f"{first}; models: {', '.join(named)}{more}")
    return without(rows, missing)
