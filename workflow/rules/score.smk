# Stage 2. Needs: results/{benchmark}/scores.parquet, or that of each shard.
# Gives: results/{benchmark}/curves.parquet and, of the tests, null_models.parquet, predictions.parquet,
# examples_needed.parquet, above_chance.parquet.


localrules:
    gather_curves,
    gather_tests,


rule score_curves:
    input:
        scores="results/{benchmark}/scores.parquet",
        metrics=STUDY["metrics"],
    output:
        curves="results/{benchmark}/curves.parquet",
    log:
        "results/logs/score_curves/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of(WHOLE),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(30),
    params:
        library=library("scripts/score_curves.py"),
    script:
        "../../scripts/score_curves.py"


use rule score_curves as score_shard with:
    input:
        scores="results/{benchmark}/shards/{scatteritem}/scores.parquet",
        metrics=STUDY["metrics"],
    output:
        curves="results/{benchmark}/shards/{scatteritem}/curves.parquet",
    log:
        "results/logs/score_shard/{benchmark}.{scatteritem}.log",
    wildcard_constraints:
        benchmark=one_of(SHARDED),


rule gather_curves:
    input:
        curves=gather.shards("results/{{benchmark}}/shards/{scatteritem}/curves.parquet"),
    output:
        curves="results/{benchmark}/curves.parquet",
    log:
        "results/logs/gather_curves/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of(SHARDED),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        library=library("scripts/gather_curves.py"),
    script:
        "../../scripts/gather_curves.py"


rule assess_curves:
    input:
        scores="results/{benchmark}/scores.parquet",
        metrics=STUDY["metrics"],
    output:
        **test_files("results/{benchmark}"),
    log:
        "results/logs/assess_curves/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of(WHOLE),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        draws=STUDY["null_models"]["draws"],
        seed=STUDY["seed"],
        library=library("scripts/assess_curves.py"),
    script:
        "../../scripts/assess_curves.py"


use rule assess_curves as assess_shard with:
    input:
        scores="results/{benchmark}/shards/{scatteritem}/scores.parquet",
        metrics=STUDY["metrics"],
    output:
        **test_files("results/{benchmark}/shards/{scatteritem}"),
    log:
        "results/logs/assess_shard/{benchmark}.{scatteritem}.log",
    wildcard_constraints:
        benchmark=one_of(SHARDED),


rule gather_tests:
    input:
        **{name: gather.shards(path) for name, path in test_files("results/{{benchmark}}/shards/{scatteritem}").items()},
    output:
        **test_files("results/{benchmark}"),
    log:
        "results/logs/gather_tests/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of(SHARDED),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        library=library("scripts/gather_tests.py"),
    script:
        "../../scripts/gather_tests.py"
