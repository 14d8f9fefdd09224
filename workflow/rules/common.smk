# What all rules share: the checked configuration, which files make a benchmark's results, which library files are behind a script.
# Needs: config (from a configfile). Gives: STUDY, BENCHMARKS, CLAIMED, SHARDED, WHOLE and the functions below.
import time

from emergence.ingest import trees
from emergence.io import dependencies, logs
from emergence.study import configuration

# Snakemake lists the files of the command line first, although they override what the Snakefile names; a workflow that uses
# this one as a module hands over its configuration itself
CONFIG_FILES = [] if workflow.modifier.skip_configfile else list(workflow.overwrite_configfiles)
if not workflow.modifier.skip_configfile and not workflow.config_settings.replace_workflow_config:
    CONFIG_FILES[:0] = [file for file in workflow.configfiles if file not in workflow.overwrite_configfiles]

STUDY = usable(configuration.check, config, CONFIG_FILES)

# one or the other, by how Snakemake keeps its record
RECORD = [*Path(".snakemake").glob("metadata/*"), *Path(".snakemake").glob("metadata.db")]
if Path("results/provenance.json").is_file() and not RECORD:
    print(
        "results/ was made elsewhere: Snakemake's record of it, .snakemake, is not here, so that nobody can tell whether it fits this"
        " workflow and configuration. `snakemake --forceall` makes it anew.",
        file=sys.stderr,
    )

STARTED = time.time()
BENCHMARKS = list(STUDY["benchmarks"])
CLAIMED = [name for name, block in STUDY["benchmarks"].items() if "claims" in block]


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


def reader_block(wildcards):
    """The block without what concerns the answers alone: an edit there need not read the files again."""
    return {key: value for key, value in block(wildcards).items() if key != "answers_over"}


def block_files(wildcards):
    """The files that the benchmark's block names, and what is fetched for it."""
    fetched = ["results/{benchmark}/checkout.json"] if "git" in block(wildcards) else []
    return configuration.input_files(block(wildcards)) + fetched


def tree_state(wildcards):
    """Digest of names, sizes and times of the files in the folder that the block names, or in the shard's part of it."""
    if "directory" not in block(wildcards):
        return None
    part = trees.part(wildcards.get("scatteritem"))
    return trees.fingerprint(trees.find(block(wildcards)["directory"], part))


def growing(first):
    """Memory in MB or minutes of time for a rule: so much for the first attempt, twice for the second, three times for the third."""
    return lambda wildcards, attempt: first * attempt


def one_of(names):
    """The pattern of a wildcard that is one of these names; matches nothing where there is none."""
    return "|".join(names) or "(?!)"


def library(script, *others):
    """Digests of the library files behind a script, so that editing one reruns the rule: Snakemake sees the script only."""
    return dependencies.digests(script, *others)


CURVE_FIGURES = {
    "emergence_by_metric": "Emergence score by metric (Figure 5A)",
    "emergence_thresholds": "Metrics and curves above each threshold",
    "metric_swaps": "The same outputs under two metrics (Figure 6)",
    "sharpest_curves": "The sharpest curves",
}
TEST_FIGURES = {
    "null_models": "Sharper than chance, or a smooth curve, explains",
    "swap_comparisons": "What changing the metric does to the sharpness",
    "predictability": "Were the largest models predictable?",
    "resolution": "How fine can the test set see?",
    "variation": "What the variation in sharpness goes with",
}
CLAIM_FIGURES = {
    "claims_by_metric": "Claims by preferred metric (Figures 5B and 5C)",
    "base_rates": "Claims against the base rate of all tasks",
}


def test_files(folder):
    """The tables that the tests of curves leave in a folder, by name."""
    return {name: f"{folder}/{name}.parquet" for name in ("null_models", "predictions", "examples_needed", "above_chance")}


def figure_tables():
    """The tables that the figures of every benchmark show, by name."""
    names = [
        "curves.parquet",
        "q_values.parquet",
        "examples_needed.parquet",
        "emergence_by_metric.csv",
        "emergence_thresholds.csv",
    ]
    names += ["metric_swaps.csv", "swap_comparisons.csv", "variation.csv", "discoveries_by_metric.csv", "predictability.csv"]
    tables = {Path(name).stem: f"results/{{benchmark}}/{name}" for name in names}
    return tables | {"metrics": STUDY["metrics"]}


def figure_files(titles):
    """Named outputs for some figures; the SVG goes into the report of `snakemake --report`."""
    files = {}
    for name, title in titles.items():
        path = f"results/{{benchmark}}/figures/{name}"
        files[f"{name}_svg"] = report(
            f"{path}.svg",
            caption=f"../report/{name}.rst",
            category="{benchmark}",
            labels={"figure": title},
        )
        files[f"{name}_png"] = f"{path}.png"
        files[f"{name}_csv"] = f"{path}.csv"
    return files


def figure_names(benchmark):
    """The figures of a benchmark, in the order of the report."""
    return [*(CLAIM_FIGURES if benchmark in CLAIMED else []), *CURVE_FIGURES, *TEST_FIGURES]


def figures_of(benchmark):
    """All SVG files of a benchmark; the two about claims only where its block brings claims."""
    return [f"results/{benchmark}/figures/{name}.svg" for name in figure_names(benchmark)]


TABLES = ["scores.parquet", "ingest_account.csv", "inputs.csv", "curves.parquet"]
TABLES += ["emergence_by_metric.csv", "emergence_thresholds.csv", "metric_swaps.csv", "swap_comparisons.csv", "variation.csv"]
TABLES += ["null_models.parquet", "predictions.parquet", "examples_needed.parquet", "above_chance.parquet"]
TABLES += [
    "q_values.parquet",
    "discoveries_by_metric.csv",
    "thresholds_after_control.csv",
    "predictability.csv",
    "resolution.csv",
]
CLAIM_TABLES = ["claims_by_metric.csv", "claims_by_top_metrics.csv"]


def tables_of(benchmark):
    """All tables of a benchmark; those about claims only where its block brings claims."""
    names = TABLES + (CLAIM_TABLES if benchmark in CLAIMED else [])
    return [f"results/{benchmark}/{name}" for name in names]


def named_files():
    """Every file that the configuration names, each once."""
    files = [file for name in BENCHMARKS for file in configuration.input_files(STUDY["benchmarks"][name])]
    return list(dict.fromkeys([*files, STUDY["metrics"]]))


def captions():
    """The captions of all figures, which the report prints too."""
    return [f"workflow/report/{name}.rst" for name in CLAIM_FIGURES | CURVE_FIGURES | TEST_FIGURES]
