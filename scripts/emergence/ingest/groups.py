"""Groups of tasks: which scores average others, and over which."""

import hashlib


def members_digest(names):
    """A short text that is the same for the same set of names, whatever their order: (16,) hexadecimal digits."""
    return hashlib.blake2b("\0".join(sorted(set(names))).encode(errors="surrogatepass"), digest_size=8).hexdigest()


def _below(name, members):
    """All that is in a group and in the groups of it, tasks and groups: a set of names."""
    met, waiting = {name}, [name]
    while waiting:
        # a group may be listed in several others, and in a damaged file in itself
        new = set(members.get(waiting.pop()) or ()) - met
        met |= new
        waiting += new
    return met - {name}


def leaves(name, members):
    """The tasks in a group and in the groups of it: a set of names; of a task, itself. members: {group: list of names}."""
    return {inside for inside in {name, *_below(name, members)} if not members.get(inside)}


def tasks_of(members, scored):
    """The task that each task and group belongs to: {name: task}, over all files of a benchmark.

    Groups with a score that share a task, or lie in one another, are one task, named by the largest of them (ties are broken
    alphabetically): otherwise the same questions would be counted as several independent tasks. A group without a score is only a
    list of names, and what is in it belongs to itself.

    members: {group: names of what is in it}. scored: names with a score of their own.
    """
    of_group = {group: _below(group, members) for group, names in members.items() if names and group in scored}
    owner = {}
    # the largest first, so that each name is met last under the name that speaks for all
    for group in sorted(of_group, key=lambda group: (-len(of_group[group]), group)):
        inside = {group, *of_group[group]}
        met = sorted({owner[name] for name in inside if name in owner}, key=lambda name: (-len(of_group[name]), name))
        chosen = met[0] if met else group
        if len(met) > 1:
            # a group that reaches into two others joins them
            owner |= {name: chosen for name, before in owner.items() if before in met}
        owner |= dict.fromkeys(inside, chosen)
    return owner
