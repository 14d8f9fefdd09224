# Stages: score and assess, in one job: the curves of a benchmark are made once. Needs: results/{benchmark}/scores.parquet, or that
# of each shard, and where there are outputs score_covariance.parquet. Gives: results/{benchmark}/curves.parquet and, of the tests,
# null_models.parquet, predictions.parquet, examples_needed.parquet, above_chance.parquet.


localrules:
    gather_curves,


rule assess_curves:
    input:
        scores="results/{benchmark}/scores.parquet",
        score_covariance=lambda wildcards: (
            "results/{benchmark}/score_covariance.parquet" if wildcards.benchmark in OUTPUTS else []
        ),
    output:
        **tables_in("results/{benchmark}", *ASSESSED),
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
        study=configuration.read_by("assess", STUDY, configuration.study_schema()),
        metrics=metrics("higher_is_better", "range", "proportion"),
        library=library("scripts/assess_curves.py", tables=("scores", *ASSESSED)),
    script:
        script_file("assess_curves.py")


use rule assess_curves as assess_shard with:
    input:
        scores="results/{benchmark}/shards/{scatteritem}/scores.parquet",
        score_covariance=lambda wildcards: (
            "results/{benchmark}/shards/{scatteritem}/score_covariance.parquet" if wildcards.benchmark in OUTPUTS else []
        ),
    output:
        **tables_in("results/{benchmark}/shards/{scatteritem}", *ASSESSED),
    log:
        "results/logs/assess_shard/{benchmark}.{scatteritem}.log",
    wildcard_constraints:
        benchmark=one_of(SHARDED),


rule gather_curves:
    input:
        **{name: gather.shards(path) for name, path in tables_in("results/{{benchmark}}/shards/{scatteritem}", *ASSESSED).items()},
    output:
        **tables_in("results/{benchmark}", *ASSESSED),
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
        library=library("scripts/gather_tables.py", tables=ASSESSED),
    script:
        script_file("gather_tables.py")
