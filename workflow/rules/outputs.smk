# Stages: ingest and rescore, for blocks whose format reads outputs. Needs: the files of each block.
# Gives: results/{benchmark}/outputs.parquet, ingest_account.csv, inputs.csv; scores.parquet with score_covariance.parquet,
# rescoring_account.parquet and metric_parity.parquet; and the tables about outputs. For a benchmark in shards, the same of each shard.


localrules:
    gather_outputs,
    gather_rescored,


rule ingest_outputs:
    input:
        files=ingest_files,
        folders=ingest_folders,
    output:
        **tables_in("results/{benchmark}", *READ_OUTPUTS),
    log:
        "results/logs/ingest_outputs/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of([name for name in WHOLE if name in OUTPUTS]),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        block=read_by_ingest,
        fingerprint=lambda wildcards: readers.fingerprint(block(wildcards), trees.part(wildcards.get("scatteritem"))),
        library=lambda wildcards: library("scripts/ingest_outputs.py", readers.module_path(block(wildcards)), tables=READ_OUTPUTS),
    script:
        script_file("ingest_outputs.py")


use rule ingest_outputs as ingest_outputs_shard with:
    output:
        **tables_in("results/{benchmark}/shards/{scatteritem}", *READ_OUTPUTS),
    log:
        "results/logs/ingest_outputs_shard/{benchmark}.{scatteritem}.log",
    wildcard_constraints:
        benchmark=one_of([name for name in SHARDED if name in OUTPUTS]),


rule gather_outputs:
    input:
        **gathered(READ_OUTPUTS),
    output:
        **tables_in("results/{benchmark}", *READ_OUTPUTS),
    log:
        "results/logs/gather_outputs/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of([name for name in SHARDED if name in OUTPUTS]),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        library=library("scripts/gather_tables.py", tables=READ_OUTPUTS),
    script:
        script_file("gather_tables.py")


rule rescore_outputs:
    input:
        outputs="results/{benchmark}/outputs.parquet",
    output:
        **tables_in("results/{benchmark}", *RESCORED),
    log:
        "results/logs/rescore_outputs/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of([name for name in WHOLE if name in OUTPUTS]),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        block=read_by_rescore,
        study=configuration.selected(STUDY, ["seed", "resamples", "confidence_level"]),
        metrics=metrics("aliases", "range", "proportion", "kind", "higher_is_better", "continuous", "linear"),
        catalogue=STUDY["metrics"],
        library=library("scripts/rescore_outputs.py", tables=("outputs", *RESCORED)),
    script:
        script_file("rescore_outputs.py")


use rule rescore_outputs as rescore_outputs_shard with:
    input:
        outputs="results/{benchmark}/shards/{scatteritem}/outputs.parquet",
    output:
        **tables_in("results/{benchmark}/shards/{scatteritem}", *RESCORED),
    log:
        "results/logs/rescore_outputs_shard/{benchmark}.{scatteritem}.log",
    wildcard_constraints:
        benchmark=one_of([name for name in SHARDED if name in OUTPUTS]),


rule gather_rescored:
    input:
        **gathered(RESCORED),
    output:
        **tables_in("results/{benchmark}", *RESCORED),
    log:
        "results/logs/gather_rescored/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of([name for name in SHARDED if name in OUTPUTS]),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        block=read_by_rescore,
        library=library("scripts/gather_rescored.py", tables=RESCORED),
    script:
        script_file("gather_rescored.py")
