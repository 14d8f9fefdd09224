"""Fetching a commit runs nothing and writes nothing outside its folder, whatever the repository, its address or a folder left from
an earlier run holds. The repositories are made with git's plumbing, which checks nothing.
"""

import json
import os
import subprocess

import pytest
from test_bigbench import git

import result_trees as made
from emergence.ingest import checkouts, trees
from emergence.io.errors import InputError
from emergence.study import configuration

SCORES = json.dumps(made.content("t", [made.entry("t", {"multiple_choice_grade": 0.5})]))


class Repository:
    """A repository of objects that are written as they are, without a look at what is in them."""

    def __init__(self, folder, *options):
        self.folder = folder
        folder.mkdir()
        git(folder, "init", "--quiet", *options)
        for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            git(folder, "config", key, "true")
        self.scores = self.blob(SCORES)

    def write(self, kind, content):
        command = ["git", "hash-object", "-t", kind, "-w", "--literally", "--stdin"]
        return subprocess.run(command, cwd=self.folder, input=content, capture_output=True, check=True).stdout.decode().strip()

    def blob(self, text):
        return self.write("blob", text.encode())

    def tree(self, *entries):
        """entries: (mode, name, object) in the order in which they are to stand."""
        return self.write("tree", b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(sha) for mode, name, sha in entries))

    def nested(self, path, sha, mode="100644"):
        """A tree with one file under a path, each part of which is taken to the letter."""
        *folders, name = path.split("/")
        entry = (mode, name, sha)
        for folder in reversed(folders):
            entry = ("40000", folder, self.tree(entry))
        return entry

    def commit(self, *entries):
        # as git sorts them: a folder as if its name ended in a slash
        entries = sorted(entries, key=lambda entry: entry[1] + ("/" if entry[0] == "40000" else ""))
        return git(self.folder, "commit-tree", "-m", "made", self.tree(*entries))


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "server")


@pytest.fixture
def fetch(repository, tmp_path, monkeypatch):
    """Fetches a commit, and holds that nothing appears outside the folder. Gives the score files in it by path, or the message."""
    monkeypatch.setattr(checkouts, "CHUNK", 1)
    monkeypatch.chdir(tmp_path)
    checkout = tmp_path / "around" / "checkout"
    checkout.mkdir(parents=True)

    def look():
        inside = (checkout, repository.folder, tmp_path / "checkout.json")
        return {path for path in tmp_path.rglob("*") if not any(path.is_relative_to(folder) for folder in inside)}

    def run(commit, url=None):
        before = look()
        try:
            checkouts.fetch(url or repository.folder.as_uri(), commit, checkout, tmp_path / "checkout.json")
        except InputError as error:
            assert look() == before
            return str(error)
        assert look() == before
        return {item.path: item.refused for item in trees.find(checkout)}

    return run


@pytest.mark.parametrize(
    "path",
    ["..|results|scores_a.json", "../../results/scores_a.json", "t/.git/results/scores_a.json", "t/.GIT/results/scores_a.json"],
)
def test_a_path_that_leaves_the_folder_is_refused(repository, fetch, path):
    # `|`: a folder called `..`; without it, a name with slashes in it, which no working git writes
    entry = (
        ("100644", path, repository.scores)
        if path.startswith("../")
        else repository.nested(path.replace("|", "/"), repository.scores)
    )
    assert "a path that leaves the folder" in fetch(repository.commit(entry))


def test_links_are_fetched_as_links_and_not_followed(repository, fetch, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "scores_c.json").write_text(SCORES)
    commit = repository.commit(
        repository.nested("a/results/scores_a.json", repository.blob("/etc/passwd"), "120000"),
        repository.nested("b/results", repository.blob(str(outside)), "120000"),
        repository.nested("c/results/scores_b.json", repository.scores),
    )
    assert fetch(commit) == {"a/results/scores_a.json": "the file is a link that leaves the tree", "c/results/scores_b.json": ""}


def test_a_link_in_place_of_a_folder_is_not_written_through(repository, fetch, tmp_path):
    # one name twice in a tree: first as a link that leads out, then as a folder with a file in it
    outside = tmp_path / "outside"
    outside.mkdir()
    link = repository.blob(str(outside))
    inner = repository.tree(repository.nested("results/scores_b.json", repository.scores))
    both = repository.tree(("120000", "scores_a.json", link), ("40000", "scores_a.json", inner))
    fetch(repository.commit(("40000", "t", repository.tree(("40000", "results", both)))))
    assert list(outside.iterdir()) == []
    # and one after the other, over what the first left
    fetch(
        repository.commit(
            repository.nested("t/results", link, "120000"), repository.nested("u/results/scores_a.json", link, "120000")
        )
    )
    fetch(repository.commit(repository.nested("t/results/scores_b.json", repository.scores)))
    fetch(repository.commit(repository.nested("u/results/scores_a.json/results/scores_b.json", repository.scores)))
    assert list(outside.iterdir()) == []


def test_names_are_no_patterns_and_no_options(repository, fetch):
    names = ["*", "[a-z]", ":(exclude)t", ":!", "--force", "-", "a b\n$(touch x)", "名前", "A", "a", "{x}"]
    commit = repository.commit(*(repository.nested(f"{name}/results/scores_{name}.json", repository.scores) for name in names))
    assert fetch(commit) == {f"{name}/results/scores_{name}.json": "" for name in names}


def test_submodules_are_passed_over(repository, fetch):
    modules = repository.blob('[submodule "s"]\n\tpath = s\n\turl = ext::sh -c "touch x"\n\tupdate = !touch x\n')
    commit = repository.commit(
        ("100644", ".gitmodules", modules),
        ("160000", "s", "1" * 40),
        repository.nested("t/results/scores_a.json", repository.scores),
    )
    assert fetch(commit) == {"t/results/scores_a.json": ""}


def test_filters_and_attributes_are_not_used(repository, fetch, tmp_path, monkeypatch):
    """Against the bytes of the commit: a filter of the user's own configuration, asked for by the repository, would change them."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[filter "f"]\n\tsmudge = touch {tmp_path}/x; cat\n[core]\n\thooksPath = {home}\n\tfsmonitor = "touch {tmp_path}/x"\n'
        "[protocol]\n\tallow = always\n"
    )
    hook = home / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/x\n")
    hook.chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    attributes = repository.blob("* filter=f text eol=crlf ident\n")
    commit = repository.commit(
        ("100644", ".gitattributes", attributes),
        (
            "40000",
            "t",
            repository.tree(
                ("100644", ".gitattributes", attributes), repository.nested("results/scores_a.json", repository.scores)
            ),
        ),
    )
    assert fetch(commit) == {"t/results/scores_a.json": ""}
    assert (tmp_path / "around/checkout/t/results/scores_a.json").read_text() == SCORES
    # nor does it help that the user's configuration allows every protocol
    assert "not allowed" in fetch("1" * 40, f"ext::sh -c touch% {tmp_path}/x")


def test_what_an_earlier_folder_says_is_not_run(repository, fetch, tmp_path):
    checkout = tmp_path / "around" / "checkout"
    git(checkout, "init", "--quiet")
    run = f"touch {tmp_path}/x"
    for key in ("core.fsmonitor", "core.sshCommand", "remote.origin.uploadpack", "filter.f.smudge", "core.pager"):
        git(checkout, "config", key, run)
    (checkout / ".git/info/attributes").write_text("* filter=f\n")
    hook = checkout / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\n{run}\n")
    hook.chmod(0o755)
    assert fetch(repository.commit(repository.nested("t/results/scores_a.json", repository.scores))) == {
        "t/results/scores_a.json": ""
    }


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://example.org/a.git", True),
        ("ssh://git@example.org/a.git", True),
        ("git@example.org:a.git", True),
        ("file:///a", True),
        ("../a", True),
        ("C:/a", True),
        ("https://me:secret@host/x.git", False),
        ("ssh://me@host:22/x.git", True),
        ("ext::sh -c touch% x", False),
        ("fd::17", False),
        ("--upload-pack=touch x", False),
        ("ftp://example.org/a", False),
        ("::x", False),
    ],
)
def test_addresses(url, is_allowed):
    block = {"format": "bigbench", "git": {"url": url, "commit": "0" * 40}}
    if is_allowed:
        configuration.check({"benchmarks": {"mine": block}})
    else:
        with pytest.raises(InputError, match=r"benchmarks\.mine\.git\.url\n.*\n    allowed: .*`https`"):
            configuration.check({"benchmarks": {"mine": block}})


def test_options_in_place_of_hosts_are_refused(fetch, tmp_path):
    assert "git fetch" in fetch("1" * 40, f"ssh://-oProxyCommand=touch {os.fspath(tmp_path)}/x/y")


def test_commits_of_both_kinds_of_names_are_fetched(repository, fetch, tmp_path):
    """A repository of SHA-256 names, the same again, and one of SHA-1 names into the same folder."""
    other = Repository(tmp_path / "server256", "--object-format=sha256")
    long = other.commit(other.nested("t/results/scores_a.json", other.scores))
    short = repository.commit(repository.nested("u/results/scores_b.json", repository.scores))
    assert (len(long), len(short)) == (64, 40)
    server256 = "file://" + str(other.folder)
    for commit, url, path in [
        (long, server256, "t/results/scores_a.json"),
        (long, server256, "t/results/scores_a.json"),
        (short, None, "u/results/scores_b.json"),
        (long, server256, "t/results/scores_a.json"),
    ]:
        assert fetch(commit, url) == {path: ""}


def test_a_secret_that_git_repeats_from_its_own_settings_is_masked(tmp_path, monkeypatch):
    """What git says where its settings put a token into the address as a user name, and the server refuses it."""
    said = b"fatal: could not read Password for 'https://s3cret@example.org': terminal prompts disabled"
    failed = subprocess.CompletedProcess([], 128, b"", said)
    monkeypatch.setattr(checkouts.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(InputError, match=r"could not read Password for 'https://\*\*\*@example\.org'"):
        checkouts._git(tmp_path, "fetch")
