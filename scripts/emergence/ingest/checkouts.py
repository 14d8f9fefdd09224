"""The score files of a git repository at one commit, and nothing else of it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from emergence.ingest import trees
from emergence.io import tables
from emergence.io.errors import InputError, mistake
from emergence.io.logs import logger

# Files asked for at once. What has come stays, so a broken connection costs no more than this many.
CHUNK = 500

# Ways to a repository; of others git can be made to run any command.
PROTOCOLS = ("file", "git", "http", "https", "ssh")

# Configuration of the user or of the machine must not change what is written, nor what is run.
_SETTINGS = {
    "core.autocrlf": "false",
    "core.symlinks": "true",
    "core.attributesFile": os.devnull,
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "gc.auto": "0",
    "core.quotePath": "false",
}
_FETCH = ("--quiet", "--no-tags", "--no-recurse-submodules", "--depth", "1", "--filter=blob:none")
_REGULAR = ("100644", "100755")


def fetch(url, commit, checkout, record):
    """Bring the score files of a commit into a folder, check each against the commit, and write down what came.

    url: str, anything that `git fetch` takes, by one of PROTOCOLS. commit: str, whole name of a commit. checkout: path of the
    folder; the objects and files that an earlier try left there are used. record: path of a JSON file with url, commit, tree,
    n_files and n_bytes.

    Only the listing of the tree and the files named results/scores_*.json are asked of the server, if it can filter (others send
    the whole commit). Raises InputError where git fails, or where a file is not what the commit says.
    """
    checkout = Path(checkout)
    checkout.mkdir(parents=True, exist_ok=True)
    # a git that was killed leaves its locks behind, at which every later one would stop; and of an earlier try only the objects are
    # used: its configuration and hooks could say what git runs
    for left in [*(checkout / ".git").glob("*.lock"), checkout / ".git" / "config"]:
        left.unlink(missing_ok=True)
    for folder in ("hooks", "info"):
        shutil.rmtree(checkout / ".git" / folder, ignore_errors=True)
    # also where there is a repository already: it repairs one whose making was cut short
    kind = "sha256" if len(commit) == 64 else "sha1"
    _remove_other_kind(checkout / ".git", kind)
    # the option is from git 2.29 on; where it is not needed, an older git does as well
    _git(checkout, "init", "--quiet", "--template=", *(["--object-format=sha256"] if kind == "sha256" else []))
    _git(checkout, "config", "remote.origin.url", os.path.abspath(url) if os.path.isdir(url) else url)
    # the files that a filtered fetch leaves out are asked for when they are needed
    _git(checkout, "config", "remote.origin.promisor", "true")
    _git(checkout, "config", "remote.origin.partialclonefilter", "blob:none")
    if not _has(checkout, commit):
        logger.info("%s: fetching the listing of %s", url, commit[:12])
        _git(checkout, "fetch", *_FETCH, "origin", commit)
    wanted = list(_score_files(checkout, commit))
    if not wanted:
        allowed = "a commit with files named results/scores_*.json"
        raise InputError(mistake(f"{url}: commit {commit}", "no score file", allowed))
    missing = [path for path, mode, blob in wanted if not _is_intact(checkout / path, mode, blob)]
    for start in range(0, len(missing), CHUNK):
        logger.info("%s: %s of %s files fetched", url, f"{len(wanted) - len(missing) + start:,}", f"{len(wanted):,}")
        names = b"\0".join(os.fsencode(path) for path in missing[start : start + CHUNK])
        _git(checkout, "checkout", "--quiet", "--force", commit, "--pathspec-from-file=-", "--pathspec-file-nul", stdin=names)
    damaged = [path for path, mode, blob in wanted if not _is_intact(checkout / path, mode, blob)]
    if damaged:
        found, allowed = f"another content than in the commit {commit}", "the file of the commit"
        raise InputError([mistake(str(checkout / path), found, allowed) for path in damaged])
    _remove_others(checkout, {path for path, _, _ in wanted})
    tree = _git(checkout, "rev-parse", f"{commit}^{{tree}}").decode().strip()
    n_bytes = sum((checkout / path).lstat().st_size for path, _, _ in wanted)
    logger.info("%s: %s of %s files fetched and checked, %.1f MB", url, f"{len(wanted):,}", f"{len(wanted):,}", n_bytes / 1e6)
    with tables.replacing(record) as temporary:
        content = {"url": url, "commit": commit, "tree": tree, "n_files": len(wanted), "n_bytes": n_bytes}
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _remove_other_kind(repository, kind):
    """Remove a repository whose objects have names of the other kind: an earlier commit of the block may have been of that."""
    names = [path.parent.name + path.name for path in (repository / "objects").glob("??/*")]
    packed = [path.stem.removeprefix("pack-") for path in (repository / "objects" / "pack").glob("pack-*.pack")]
    if any((len(name) == 64) != (kind == "sha256") for name in names + packed):
        shutil.rmtree(repository)


def _git(folder, *arguments, stdin=None):
    """The output of a git command, as bytes. Raises InputError with what git says."""
    git = shutil.which("git")
    if git is None:
        raise InputError(mistake("git", "no such command", "git 2.27 or newer, which `git:` in a block needs"))
    settings = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS)}
    # never the repository that the folder happens to lie in
    environment["GIT_CEILING_DIRECTORIES"] = os.path.dirname(os.path.realpath(folder))
    # a path of the commit is a name, not a pattern
    command = [git, "--literal-pathspecs", *settings, *arguments]
    # a list, never a shell: names are data
    done = subprocess.run(command, cwd=folder, input=stdin or b"", capture_output=True, env=environment, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() or f"exit status {done.returncode}"
        # git's own settings can put a secret into an address (`url.<base>.insteadOf`), and git repeats it as the user name
        said = re.sub(r"(?<=://)[^/\s']*@", "***@", said)
        raise InputError(mistake(f"git {arguments[0]} in {folder}", "; ".join(said.splitlines()), "see the message of git"))
    return done.stdout


def _has(checkout, commit):
    try:
        _git(checkout, "rev-list", "--max-count=1", "--missing=allow-any", "--objects", f"{commit}^{{tree}}")
    except InputError:
        return False
    return True


def _score_files(checkout, commit):
    """The score files of the commit: (path, mode, name of the blob). Raises InputError for a path that leaves the folder."""
    for line in _git(checkout, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        if not line:
            continue
        about, path = line.split(b"\t", 1)
        mode, kind, blob = about.decode().split()
        path = os.fsdecode(path)
        folders, _, name = path.rpartition("/")
        is_scores = name.startswith(trees.PREFIX) and name.endswith(trees.SUFFIX) and folders.rpartition("/")[2] == trees.FOLDER
        if kind == "blob" and is_scores:
            if not {"", ".", "..", ".git"}.isdisjoint(path.lower().split("/")):
                found, allowed = "a path that leaves the folder, or leads into git's own", "paths below the folder"
                raise InputError(mistake(f"commit {commit}: {trees.path_text(path)}", found, allowed))
            yield path, mode, blob


def _is_intact(path, mode, blob):
    """Whether a file is there with the content that its blob's name is the digest of."""
    try:
        content = path.read_bytes() if mode in _REGULAR and not path.is_symlink() else os.fsencode(os.readlink(path))
    except OSError:
        return False
    digest = hashlib.sha1 if len(blob) == 40 else hashlib.sha256
    return digest(b"blob %d\0" % len(content) + content).hexdigest() == blob


def _remove_others(checkout, wanted):
    """Score files that an earlier commit had, or that someone put there, are no part of this one."""
    for item in trees.find(checkout):
        path = checkout / item.path
        if item.path not in wanted and (path.is_symlink() or not path.is_dir()):
            path.unlink(missing_ok=True)
