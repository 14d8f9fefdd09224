"""The verdict on every ability, and how many abilities each verdict falls on."""

from emergence.curves import frames
from emergence.statistics import verdicts
from emergence.study import registries


def compute(given):
    """See emergence.questions."""
    # every metric of an entry belongs to the verdict on it, also those that other answers leave out
    curves = frames.chosen(given.table("curves"), given.block["answers_over"]["entries"])
    tests = frames.rows_of(given.table("null_models"), curves)
    table = verdicts.verdict_table(
        curves,
        verdicts.tests_of(tests, frames.counted(curves)["in_family"]),
        given.catalogue,
        relative_threshold=given.study["emergence"]["relative_threshold"],
        threshold=given.study["emergence"]["threshold"],
        rate=given.study["null_models"]["false_discovery_rate"],
        claimed=claimed_tasks(given.files, given.catalogue),
        shared_questions=given.study["null_models"]["shared_questions"],
    )
    return {"verdicts": table, "verdicts_by_claim": verdicts.verdicts_by_claim(table)}


def claimed_tasks(files, catalogue):
    """The tasks that are claimed to be emergent, as a set; None where the block names no list of claims."""
    if "claims" not in files:
        return None
    return set(registries.checked_claims(files, catalogue)["task"])
