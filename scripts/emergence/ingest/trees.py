"""Trees of result files: which score files there are below a folder, in which shard each belongs, and whether any has changed.

Snakemake looks at a tree each time it starts, and so does every job on a cluster, so this module needs nothing but the standard
library and asks the file system for each file once.
"""

import fnmatch
import hashlib
import os
import stat
import typing

from emergence.io.errors import mistake

FOLDER = "results"
PREFIX = "scores_"
SUFFIX = ".json"


class Found(typing.NamedTuple):
    """A score file, or something in its place that cannot be read.

    path: where it stands below the tree, with `/`. folder: name of the folder that holds `results`, by which shards are chosen.
    n_bytes, changed: size and time of the last change (nanoseconds); 0 where nothing can be read.
    ignored, refused: why it is not to be read, or an empty text.
    """

    path: str
    folder: str
    n_bytes: int = 0
    changed: int = 0
    ignored: str = ""
    refused: str = ""


def find(directory, part=None, prefix=PREFIX):
    """Every `results/scores_*.json` below a folder, at any depth, that belongs to a part: a list of Found, sorted by path.

    prefix: how the names begin in place of `scores_`.

    Links are followed to files inside the tree only. Whatever looks like scores but is not a file that may be read is in the
    list as well, with the reason: nothing is passed over in silence. part: see is_in_shard.
    """
    root = os.path.realpath(directory)
    found = []
    # (path below the tree, name of the folder, name of the folder above it)
    waiting = [("", os.path.basename(root), os.path.basename(os.path.dirname(root)))]
    while waiting:
        below, name, above = waiting.pop()
        folder = above if name == FOLDER else name
        # files of other shards are not even looked at: that takes most of the time
        is_wanted = is_in_shard(folder, part)
        try:
            with os.scandir(os.path.join(directory, below)) as listing:
                entries = list(listing)
        except OSError as error:
            if is_wanted:
                found.append(Found(below, folder, refused=f"the folder cannot be listed: {error.strerror}"))
            continue
        for entry in entries:
            path = f"{below}/{entry.name}" if below else entry.name
            if name == FOLDER and entry.name.startswith(prefix):
                if is_wanted:
                    found.append(_look(entry, path, folder, root))
            elif entry.is_dir(follow_symlinks=False):
                if entry.name != ".git":
                    waiting.append((path, entry.name, name))
            elif entry.is_symlink() and _leads_to_scores(entry, root):
                behind = name if entry.name == FOLDER else entry.name
                if is_in_shard(behind, part):
                    found.append(Found(path, behind, refused="the folder is a link that leaves the tree"))
    return sorted(found)


def passed_over(directory, pattern):
    """What is in a folder of result files, or below it, and is not read.

    Parameters
    ----------
    directory : str
        The folder.
    pattern : str
        Names of result files, such as `*.json`.

    Returns
    -------
    list of (str, str)
        The path of each link to nothing, pipe or device of such a name, of each link to a folder, and of each folder that cannot be
        listed; and why it is not read.
    """
    found, closed = [], []
    for folder, folders, names in os.walk(directory, onerror=closed.append):
        for name in names:
            path = os.path.join(folder, name)
            if fnmatch.fnmatchcase(name, pattern) and not os.path.isfile(path):
                found.append((path, what_is_no_file(path)))
        links = (os.path.join(folder, name) for name in folders)
        found += [(path, "a link to a folder; links to folders are not followed") for path in links if os.path.islink(path)]
    found += [(error.filename, f"the folder cannot be listed: {error.strerror}") for error in closed]
    return sorted((path_text(path), reason) for path, reason in found)


def what_is_no_file(path):
    """What a path is that is neither a file nor a folder."""
    return "neither a file nor a folder" if os.path.exists(path) else "a link to nothing"


def _look(entry, path, folder, root):
    """One directory entry in a results folder whose name begins like a score file's."""
    if not entry.name.endswith(SUFFIX):
        return Found(path, folder, ignored="not a score file: its name does not end in .json")
    try:
        if entry.is_symlink() and not _inside(entry.path, root):
            return Found(path, folder, refused="the file is a link that leaves the tree")
        status = entry.stat()
    except OSError as error:
        return Found(path, folder, refused=f"the file cannot be read: {error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        return Found(path, folder, refused="it is not a file")
    return Found(path, folder, status.st_size, status.st_mtime_ns)


def _inside(path, root):
    return os.path.realpath(path).startswith(root + os.sep)


def _leads_to_scores(entry, root):
    """Whether a link to a folder outside the tree would bring score files in. Inside the tree they are met where they stand."""
    if _inside(entry.path, root) or not os.path.isdir(entry.path):
        return False
    return entry.name == FOLDER or os.path.isdir(os.path.join(entry.path, FOLDER))


def shard_of(folder, n_shards):
    """The shard of a task's folder, 0..n_shards-1: by its name alone, so that another task moves none."""
    name = hashlib.blake2b(os.fsencode(folder), digest_size=8).digest()
    return int.from_bytes(name, "big") % n_shards


def is_in_shard(folder, part):
    """Whether a task's folder belongs to a part (number from 1, number of shards); every folder does where part is None."""
    if part is None:
        return True
    number, n_shards = part
    return shard_of(folder, n_shards) == number - 1


def part(item):
    """`2-of-7`, as Snakemake names the items of a scatter, as (2, 7); None for None."""
    if item is None:
        return None
    number, n_shards = item.split("-of-")
    return int(number), int(n_shards)


def fingerprint(found):
    """A short digest of names, sizes and times of change: another one as soon as a file is added, removed or written."""
    digest = hashlib.blake2b(digest_size=8)
    for item in found:
        digest.update(os.fsencode(f"{item.path}\0{item.n_bytes}\0{item.changed}\0{item.ignored}{item.refused}\n"))
    return digest.hexdigest()


def path_text(path):
    """A path as text that can be written: bytes that are not UTF-8 as escapes."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def joined(directory, path):
    """The path of something that was found, from where the tree's own path counts."""
    return f"{directory}/{path}" if path else str(directory)


def two_folders(task, one, other):
    """The message for a task whose results are in folders of two names, so that they may fall in different shards."""
    allowed = "one folder per task (of one name); take the other out of the tree"
    return mistake(f"the task `{task}`", f"results in the folder `{one}` and in the folder `{other}`", allowed)
