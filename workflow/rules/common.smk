# What all rules share: the checked configuration, and which library files a script depends on.
# Needs: config (from a configfile). Gives: STUDY, BENCHMARKS, CLAIMED, block(), library().
import sys

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1] / "scripts"))

from emergence import config as study_config, dependencies
from emergence.errors import InputError

try:
    STUDY = study_config.check(config, workflow.configfiles)
except InputError as error:
    raise WorkflowError(f"the configuration cannot be used\n{error}") from None

BENCHMARKS = list(STUDY["benchmarks"])
CLAIMED = [name for name, block in STUDY["benchmarks"].items() if "claims" in block]


wildcard_constraints:
    # the name of a benchmark's block in the configuration
    benchmark="|".join(BENCHMARKS),


def block(wildcards):
    """The configuration of one benchmark, and of no other: an edit elsewhere reruns nothing here."""
    return STUDY["benchmarks"][wildcards.benchmark]


def block_files(wildcards):
    """The files that the benchmark's block names."""
    return study_config.input_files(block(wildcards))


def library(script, *others):
    """Digests of the library files behind a script, so that editing one reruns the rule: Snakemake sees the script only."""
    return dependencies.digests(script, *others)
