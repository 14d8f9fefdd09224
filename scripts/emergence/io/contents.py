"""What is in files, told by digests: whether an input has other content than before, whether a result is still as it was written.

Times alone do not tell: a copy can be older than what it replaces (`cp -p`, `rsync -a`), and a table that was edited by hand is
newer than what it was made from. Digests do, and a digest need not be computed again while size and times are the same.

Snakemake asks each time it starts, so this module needs nothing but the standard library. What it remembers is in .snakemake,
beside Snakemake's own record: it belongs to one folder, and results must not depend on it.
"""

import contextlib
import functools
import hashlib
import json
import os
import sys
import uuid
from pathlib import Path

# below the folder in which Snakemake runs
FOLDER = Path(".snakemake", "emergence")
_INPUTS = FOLDER / "inputs.json"
_WRITTEN = FOLDER / "written"


def digest(path):
    """SHA-256 of a file, or of the names and contents of all files in a folder, as hexadecimal text."""
    if os.path.isdir(path):
        inside = [[file, digest(os.path.join(path, file))] for file in _files_in(path)]
        return hashlib.sha256(json.dumps(inside).encode()).hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_files(paths):
    """One short digest of the names and contents of files: another one as soon as any of them has other content.

    Of a file that has the size and the times that it had when its digest was computed, the digest is not computed again.

    Parameters
    ----------
    paths : iterable of str
        Files; one that is not there counts as such.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    known = remembered(_INPUTS)
    whole, is_new = hashlib.sha256(), False
    for path in map(str, paths):
        try:
            status = os.stat(path)
            # the time of the last change of the file's entry cannot be set, as the time of its content can
            seen = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
            before = known.get(path)
            if not isinstance(before, list) or before[:-1] != seen:
                known[path], is_new = [*seen, digest(path)], True
            content = known[path][-1]
        except OSError as error:
            content = f"cannot be read: {error.strerror}"
        whole.update(os.fsencode(f"{path}\0{content}\n"))
    if is_new:
        remember(_INPUTS, known)
    return whole.hexdigest()[:16]


def note_written(path):
    """Remember what a job has just written, so that mark_of() can tell later whether it is still that."""
    with contextlib.suppress(FileNotFoundError):  # where another job that makes the same file has removed it
        mark = remembered(_record_of(path)).get("mark", "")
        remember(_record_of(path), {"path": _name(path), "seen": _seen(path), "sha256": digest(path), "mark": mark})


def mark_of(path):
    """A text that changes when a result is found to be no longer what a job wrote: edited, or replaced by another file.

    As a parameter of the rule that makes the result, it has Snakemake run the rule again. The mark then stays, so that afterwards
    there is nothing to do. The first time that a process meets an altered file, a person hears of it.

    Parameters
    ----------
    path : str
        A result. One that is not there, or that no job has noted, is not taken for altered.

    Returns
    -------
    str
        Empty for a result that was never found altered.
    """
    record = remembered(_record_of(path))
    mark, seen = record.get("mark", ""), _seen(path)
    if not record or seen is None or record.get("seen") == seen:
        return mark
    if record.get("altered") != seen:
        if digest(path) == record.get("sha256"):
            # touched, or copied with its folder: the same content under another time
            remember(_record_of(path), record | {"seen": seen})
            return mark
        mark = mark if "altered" in record else uuid.uuid4().hex[:16]
        remember(_record_of(path), record | {"mark": mark, "altered": seen})
    _warn(f"{path} was changed after the workflow wrote it; it is made again.")
    return mark


@functools.cache
def _warn(text):
    print(text, file=sys.stderr)


def _name(path):
    return os.path.relpath(path)


def _record_of(path):
    return _WRITTEN / f"{hashlib.sha256(os.fsencode(_name(path))).hexdigest()[:32]}.json"


def _files_in(folder):
    """The files below a folder, as paths below it, in order; but for the file by which Snakemake notes the folder's time."""
    paths = (os.path.relpath(os.path.join(above, name), folder) for above, _, names in os.walk(folder) for name in names)
    return sorted(path for path in paths if path != ".snakemake_timestamp")


def _seen(path):
    """By what a file, or a folder with all in it, is taken for the same; None where there is neither.

    The time of the last change of the entry is in it: it cannot be set back, as the time of the content can.
    """
    try:
        if os.path.isdir(path):
            return [[file, *(_seen(os.path.join(path, file)) or ())] for file in _files_in(path)]
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def remembered(path):
    """Return a record as a dictionary; empty where there is none that can be read: then what it holds is computed again."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def remember(path, content):
    """Write a record whole or not at all. Where that is impossible, nothing is lost but time; nor is it where no Snakemake runs."""
    if not FOLDER.parent.is_dir():
        return
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(content), encoding="utf-8")
        os.replace(temporary, path)
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)
