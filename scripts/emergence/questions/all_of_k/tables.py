"""All of K right."""

from emergence.outputs import all_of_k


def compute(given):
    """See emergence.questions."""
    return {"all_of_k": all_of_k.by_group_size(given.table("scores"), given.catalogue)}
