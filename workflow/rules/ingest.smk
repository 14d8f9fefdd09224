# Stage 1. Needs: the files of each benchmark's block, the metric catalogue.
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
        # not an output: what has been fetched must outlive a failure, so that the next try goes on from there
        checkout="results/{benchmark}/checkout",
        library=library("scripts/fetch_checkout.py"),
    script:
        "../../scripts/fetch_checkout.py"


rule ingest_scores:
    input:
        files=block_files,
        metrics=STUDY["metrics"],
    output:
        scores="results/{benchmark}/scores.parquet",
        account="results/{benchmark}/ingest_account.csv",
        inputs="results/{benchmark}/inputs.csv",
    log:
        "results/logs/ingest_scores/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of(WHOLE),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        block=reader_block,
        tree=tree_state,
        library=lambda wildcards: library(
            "scripts/ingest_scores.py", f"scripts/emergence/ingest/readers/{block(wildcards)['format']}/reader.py"
        ),
    script:
        "../../scripts/ingest_scores.py"


use rule ingest_scores as ingest_shard with:
    output:
        scores="results/{benchmark}/shards/{scatteritem}/scores.parquet",
        account="results/{benchmark}/shards/{scatteritem}/ingest_account.csv",
        inputs="results/{benchmark}/shards/{scatteritem}/inputs.csv",
    log:
        "results/logs/ingest_shard/{benchmark}.{scatteritem}.log",
    wildcard_constraints:
        benchmark=one_of(SHARDED),


rule gather_scores:
    input:
        scores=gather.shards("results/{{benchmark}}/shards/{scatteritem}/scores.parquet"),
        accounts=gather.shards("results/{{benchmark}}/shards/{scatteritem}/ingest_account.csv"),
        inputs=gather.shards("results/{{benchmark}}/shards/{scatteritem}/inputs.csv"),
    output:
        scores="results/{benchmark}/scores.parquet",
        account="results/{benchmark}/ingest_account.csv",
        inputs="results/{benchmark}/inputs.csv",
    log:
        "results/logs/gather_scores/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of(SHARDED),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        library=library("scripts/gather_scores.py"),
    script:
        "../../scripts/gather_scores.py"
