# What the rules of each stage read and make.
# Needs: STUDY, BENCHMARKS and the functions of common.smk.
# Gives: the names of tables by stage, OUTPUTS, and the functions below.

READ = ("scores", "ingest_account", "inputs")
READ_OUTPUTS = ("outputs", "ingest_account", "inputs")
RESCORED = (
    *("scores", "score_covariance", "rescoring_account", "metric_parity"),
    *("same_outputs", "output_steps", "target_length", "metric_chain", "double_logarithm", "output_length", "output_flags"),
)
# whose blocks give outputs, which are scored here, rather than scores
OUTPUTS = [name for name in BENCHMARKS if configuration.reads_outputs(STUDY["benchmarks"][name])]
ASSESSED = ("curves", "null_models", "predictions", "examples_needed", "above_chance")
ASKED_OF_STUDY = [question for question in questions.of_study() if question.tables]
REPORTED = [
    *questions.of_study(),
    *(question for question in questions.every_question().values() if question.scope == "benchmark"),
]
DRAWN = [question for question in questions.every_question().values() if question.figures]


def users_own(paths):
    """Paths of the user's own files: they are where the configuration says, also where a module's `prefix` moves the results."""
    return [local(path) for path in paths]


def read_by_ingest(wildcards):
    """The keys of the block that reading its files depends on."""
    own = block(wildcards)
    return configuration.read_by("ingest", own, configuration.benchmark_schema(own["format"]))


def read_by_rescore(wildcards):
    """The keys of the block that scoring its outputs depends on; the format says whose conventions metrics follow."""
    own = block(wildcards)
    return configuration.read_by("rescore", own, configuration.benchmark_schema(own["format"])) | {"format": own["format"]}


def gathered(names):
    """The files of some tables of every shard, by name."""
    return {name: gather.shards(path) for name, path in tables_in("results/{{benchmark}}/shards/{scatteritem}", *names).items()}


def ingest_files(wildcards):
    """The files that those keys name, and the record of what is fetched."""
    keys = read_by_ingest(wildcards)
    return users_own(configuration.input_files(keys, keys))


def ingest_folders(wildcards):
    """The folders that those keys name. Their own time says nothing; the fingerprint says what is in them."""
    keys = read_by_ingest(wildcards)
    return [ancient(folder) for folder in users_own(configuration.input_folders(keys, keys))]


def made_before(members):
    """The tables that some questions read and do not make themselves, in order."""
    own = {table for question in members for table in question.tables}
    return list(dict.fromkeys(table for question in members for table in question.inputs if table not in own))


def read_by(members, attribute):
    """What some questions read of one kind: keys of the study (`settings`), of the block, fields of the catalogue, files."""
    return list(dict.fromkeys(name for question in members for name in getattr(question, attribute)))


def some_keys(keys):
    """Of a benchmark's block, some keys only."""
    return lambda wildcards: configuration.selected(block(wildcards), keys)


def some_files(keys):
    """The files that some keys of a benchmark's block name."""
    return lambda wildcards: users_own(block(wildcards)[key] for key in keys if key in block(wildcards))


def keys_with_files(keys):
    """Those of the keys that a benchmark's block has."""
    return lambda wildcards: [key for key in keys if key in block(wildcards)]


def modules(members, *parts):
    """The files of some questions that a script loads without importing them."""
    found = [question.path(part) for question in members for part in parts]
    return [path for path in found if path]


def asked_of(name, members):
    """Those of some questions that are asked of a benchmark."""
    return [question for question in members if question.is_asked(STUDY["benchmarks"][name])]


def alike(members):
    """Benchmarks of which the same of some questions are asked, as {keys that not all of the questions need: names}."""
    shared = set.intersection(*(set(question.needs) for question in members))
    found = {}
    for name in BENCHMARKS:
        if asked := asked_of(name, members):
            met = {need for question in asked for need in question.needs} - shared
            found.setdefault(tuple(sorted(met)), []).append(name)
    return found


def drawn_from(members):
    """The tables that the figures of some questions show."""
    return list(dict.fromkeys(table for question in members for table in (*question.inputs, *question.tables)))


def drawn_by(members, kind):
    """What the figures of some questions read of one kind: `settings`, `block` or `catalogue`."""
    own = [name for question in members for name in question.drawn.get(kind, ())]
    return list(dict.fromkeys([*read_by(members, kind), *own]))


def figure_files(members):
    """Named outputs for the figures of some questions; the SVG goes into the report of `snakemake --report`."""
    files = {}
    for question in members:
        for name, title in question.figures.items():
            path = f"results/{{benchmark}}/figures/{name}"
            files[f"{name}_svg"] = report(
                f"{path}.svg",
                caption=f"../../scripts/emergence/questions/{question.name}/{name}.rst",
                category="{benchmark}",
                subcategory=question.title,
                labels={"figure": title},
            )
            files[f"{name}_png"] = f"{path}.png"
            files[f"{name}_csv"] = f"{path}.csv"
    return files


def results_of(name):
    """The tables of one benchmark: those of the stages, and of every question that is asked of it."""
    asked = [table for question in questions.of_benchmark(STUDY["benchmarks"][name]) for table in question.tables]
    scored = (*READ_OUTPUTS, *RESCORED) if name in OUTPUTS else READ
    return tables_of(name, *scored, *ASSESSED, *asked)


def said_of(name):
    """The tables that the report reads of one benchmark."""
    there = results_of(name)
    asked = questions.of_benchmark(STUDY["benchmarks"][name])
    read = [table for question in asked for table in (*question.inputs, *question.said, *question.tables)]
    return {table: there[table] for table in dict.fromkeys([*read, "ingest_account", "inputs"]) if table in there}


def lists_of(name):
    """The files that questions read which leave all to the report: {key of the block: path}."""
    asked = [question for question in questions.of_benchmark(STUDY["benchmarks"][name]) if not question.tables]
    return {key: STUDY["benchmarks"][name][key] for key in read_by(asked, "files") if key in STUDY["benchmarks"][name]}


def figures_of(name):
    """The figures of one benchmark, by name, in the order of the report."""
    names = [figure for question in asked_of(name, DRAWN) for figure in question.figures]
    return {figure: f"results/{name}/figures/{figure}.svg" for figure in names}


def named_files():
    """Every file that the configuration names, each once."""
    files = [
        file for name in BENCHMARKS for file in configuration.input_files(STUDY["benchmarks"][name], STUDY["benchmarks"][name])
    ]
    return users_own(dict.fromkeys([*files, STUDY["metrics"]]))
