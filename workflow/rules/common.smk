# What all rules share: the checked configuration, which benchmarks are read in shards, what a job may know.
# Needs: config (from a configfile), or_exit().
# Gives: STUDY, METRICS, BENCHMARKS, SHARDED, WHOLE and the functions below.
import time

from emergence import questions
from emergence.ingest import readers, trees
from emergence.io import dependencies, descriptions, logs
from emergence.study import configuration, lists, metric_catalogue

# Snakemake lists the files of the command line first, although they override what the Snakefile names; a workflow that uses
# this one as a module hands over its configuration itself
CONFIG_FILES = [] if workflow.modifier.skip_configfile else list(workflow.overwrite_configfiles)
if not workflow.modifier.skip_configfile and not workflow.config_settings.replace_workflow_config:
    CONFIG_FILES[:0] = [file for file in workflow.configfiles if file not in workflow.overwrite_configfiles]

STUDY = or_exit(configuration.check, config, CONFIG_FILES)
METRICS = or_exit(metric_catalogue.entries, STUDY["metrics"])
or_exit(lists.check, STUDY["benchmarks"].values(), METRICS)
or_exit(questions.check)
JOBS = questions.jobs()

# one or the other, by how Snakemake keeps its record
RECORD = [*Path(".snakemake").glob("metadata/*"), *Path(".snakemake").glob("metadata.db")]
if Path("results/provenance.json").is_file() and not RECORD:
    print(
        "results/ was copied here without Snakemake's record of it (.snakemake), so Snakemake cannot tell whether it is up to date."
        " `snakemake --forceall` makes everything again.",
        file=sys.stderr,
    )

STARTED = time.time()
BENCHMARKS = list(STUDY["benchmarks"])


scattergather:
    # one shard unless the profile or the command line says more (--set-scatter shards=8): a job costs more than a small benchmark
    shards=1,


SHARDED = [
    name
    for name in BENCHMARKS
    if len(gather.shards("{scatteritem}")) > 1 and configuration.can_be_sharded(STUDY["benchmarks"][name])
]
WHOLE = [name for name in BENCHMARKS if name not in SHARDED]


wildcard_constraints:
    # the name of a benchmark's block in the configuration
    benchmark="|".join(BENCHMARKS),


def block(wildcards):
    """The configuration of one benchmark, and of no other: an edit elsewhere reruns nothing here."""
    return STUDY["benchmarks"][wildcards.benchmark]


def metrics(*fields):
    """The metric catalogue with some fields only: a job reruns when one of those changes."""
    return metric_catalogue.with_fields(METRICS, fields)


def growing(first):
    """Memory in MB or minutes of time for a rule: so much for the first attempt, twice for the second, three times for the third."""
    return lambda wildcards, attempt: first * attempt


def one_of(names):
    """The pattern of a wildcard that is one of these names; matches nothing where there is none."""
    return "|".join(names) or "(?!)"


def library(script, *others, tables=()):
    """Digests of the library files behind a script, so that editing one reruns the rule: Snakemake sees the script only."""
    return dependencies.digests(script, *others, tables=tables)


def tables_in(folder, *names):
    """Paths of the tables of one benchmark, by name, in its own folder or in that of a shard."""
    return {name: f"{folder}/{Path(descriptions.path_of(name)).name}" for name in names}


def tables_of(benchmark, *names):
    """Paths of tables, by name; `{benchmark}` stays where no benchmark is named."""
    return {name: descriptions.path_of(name, benchmark) for name in names}
