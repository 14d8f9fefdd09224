# Stage 3. Needs: results/{benchmark}/curves.parquet and the tests of stage 2; for the claims, the lists that the block names.
# Gives: results/{benchmark}/emergence_by_metric.csv, emergence_thresholds.csv, metric_swaps.csv, swap_comparisons.csv,
# variation.csv; q_values.parquet, discoveries_by_metric.csv, thresholds_after_control.csv, predictability.csv, resolution.csv;
# for a benchmark with claims, claims_by_metric.csv, claims_by_top_metrics.csv.


localrules:
    compare_benchmarks,


rule attribute_curves:
    input:
        **test_files("results/{benchmark}"),
        curves="results/{benchmark}/curves.parquet",
        metrics=STUDY["metrics"],
    output:
        by_metric="results/{benchmark}/emergence_by_metric.csv",
        thresholds="results/{benchmark}/emergence_thresholds.csv",
        swaps="results/{benchmark}/metric_swaps.csv",
        comparisons="results/{benchmark}/swap_comparisons.csv",
        variation="results/{benchmark}/variation.csv",
        q_values="results/{benchmark}/q_values.parquet",
        discoveries="results/{benchmark}/discoveries_by_metric.csv",
        thresholds_after="results/{benchmark}/thresholds_after_control.csv",
        predictability="results/{benchmark}/predictability.csv",
        resolution="results/{benchmark}/resolution.csv",
    log:
        "results/logs/attribute_curves/{benchmark}.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        emergence=STUDY["emergence"],
        level=STUDY["confidence_level"],
        null_models=STUDY["null_models"],
        resamples=STUDY["resamples"],
        seed=STUDY["seed"],
        answers_over=lambda wildcards: block(wildcards)["answers_over"],
        library=library("scripts/attribute_curves.py"),
    script:
        "../../scripts/attribute_curves.py"


rule attribute_claims:
    input:
        scores="results/{benchmark}/scores.parquet",
        files=lambda wildcards: [block(wildcards)[key] for key in ("tasks", "claims") if key in block(wildcards)],
        metrics=STUDY["metrics"],
    output:
        by_metric="results/{benchmark}/claims_by_metric.csv",
        top_metrics="results/{benchmark}/claims_by_top_metrics.csv",
    log:
        "results/logs/attribute_claims/{benchmark}.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        block=reader_block,
        level=STUDY["confidence_level"],
        library=library("scripts/attribute_claims.py"),
    script:
        "../../scripts/attribute_claims.py"


rule compare_benchmarks:
    input:
        by_metric=expand("results/{benchmark}/emergence_by_metric.csv", benchmark=BENCHMARKS),
    output:
        table="results/metrics_across_benchmarks.csv",
    log:
        "results/logs/compare_benchmarks.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        benchmarks=BENCHMARKS,
        library=library("scripts/compare_benchmarks.py"),
    script:
        "../../scripts/compare_benchmarks.py"
