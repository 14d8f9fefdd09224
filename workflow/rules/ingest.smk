# Stage: ingest. Needs: the files of each benchmark's block.
# Gives: results/{benchmark}/scores.parquet, ingest_account.csv, inputs.csv; for a block with `git`, checkout.json; for a benchmark
# in shards, the same tables of each shard in results/{benchmark}/shards/{scatteritem}/.


localrules:
    gather_scores,


rule fetch_checkout:
    output:
        record="results/{benchmark}/checkout.json",
    log:
        "results/logs/fetch_checkout/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of([name for name in BENCHMARKS if "git" in STUDY["benchmarks"][name]]),
    retries: 2
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(240),
    params:
        git=lambda wildcards: block(wildcards)["git"],
        library=library("scripts/fetch_checkout.py"),
    script:
        script_file("fetch_checkout.py")


rule ingest_scores:
    input:
        files=ingest_files,
        folders=ingest_folders,
        checkout=lambda wildcards: ["results/{benchmark}/checkout.json"] if "git" in block(wildcards) else [],
    output:
        **tables_in("results/{benchmark}", *READ),
    log:
        "results/logs/ingest_scores/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of([name for name in WHOLE if name not in OUTPUTS]),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        block=read_by_ingest,
        metrics=metrics("aliases", "higher_is_better", "proportion", "range"),
        catalogue=STUDY["metrics"],
        fingerprint=lambda wildcards: readers.fingerprint(block(wildcards), trees.part(wildcards.get("scatteritem"))),
        library=lambda wildcards: library("scripts/ingest_scores.py", readers.module_path(block(wildcards)), tables=READ),
    script:
        script_file("ingest_scores.py")


use rule ingest_scores as ingest_shard with:
    output:
        **tables_in("results/{benchmark}/shards/{scatteritem}", *READ),
    log:
        "results/logs/ingest_shard/{benchmark}.{scatteritem}.log",
    wildcard_constraints:
        benchmark=one_of([name for name in SHARDED if name not in OUTPUTS]),


rule gather_scores:
    input:
        **{name: gather.shards(path) for name, path in tables_in("results/{{benchmark}}/shards/{scatteritem}", *READ).items()},
    output:
        **tables_in("results/{benchmark}", *READ),
    log:
        "results/logs/gather_scores/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of([name for name in SHARDED if name not in OUTPUTS]),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        library=library("scripts/gather_tables.py", tables=READ),
    script:
        script_file("gather_tables.py")
