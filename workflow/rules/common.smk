# What all rules share: the checked configuration, and which library files a script depends on.
# Needs: config (from a configfile). Gives: STUDY, BENCHMARKS, CLAIMED, block(), library().
import sys

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1] / "scripts"))

from emergence import config as study_config, dependencies
from emergence.errors import InputError

# Snakemake lists the files of the command line first, although they override what the Snakefile names; a workflow that uses
# this one as a module hands over its configuration itself
CONFIG_FILES = [] if workflow.modifier.skip_configfile else list(workflow.overwrite_configfiles)
if not workflow.modifier.skip_configfile and not workflow.config_settings.replace_workflow_config:
    CONFIG_FILES[:0] = [file for file in workflow.configfiles if file not in workflow.overwrite_configfiles]

try:
    STUDY = study_config.check(config, CONFIG_FILES)
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
