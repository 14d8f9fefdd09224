# Stage 4. Needs: the tables of stages 2 and 3.
# Gives: results/{benchmark}/figures/*.svg and *.png, each with the numbers it shows as *.csv.
# One job draws all figures of a benchmark: importing the plotting library costs more than drawing.


rule draw_curves:
    input:
        curves="results/{benchmark}/curves.parquet",
        by_metric="results/{benchmark}/emergence_by_metric.csv",
        thresholds="results/{benchmark}/emergence_thresholds.csv",
        swaps="results/{benchmark}/metric_swaps.csv",
        comparisons="results/{benchmark}/swap_comparisons.csv",
        variation="results/{benchmark}/variation.csv",
        q_values="results/{benchmark}/q_values.parquet",
        discoveries="results/{benchmark}/discoveries_by_metric.csv",
        predictability="results/{benchmark}/predictability.csv",
        examples_needed="results/{benchmark}/examples_needed.parquet",
        metrics=STUDY["metrics"],
    output:
        **figure_files(CURVE_FIGURES | TEST_FIGURES),
    log:
        "results/logs/draw_curves/{benchmark}.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        answers_over=lambda wildcards: block(wildcards)["answers_over"],
        rate=STUDY["null_models"]["false_discovery_rate"],
        scale_label=lambda wildcards: block(wildcards)["scale_label"],
        threshold=STUDY["emergence"]["threshold"],
        sharpest_curves=STUDY["figures"]["sharpest_curves"],
        dpi=STUDY["figures"]["dpi"],
        library=library("scripts/draw_curves.py"),
    script:
        "../../scripts/draw_curves.py"


rule draw_claims:
    input:
        by_metric="results/{benchmark}/claims_by_metric.csv",
    output:
        **figure_files(CLAIM_FIGURES),
    log:
        "results/logs/draw_claims/{benchmark}.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        dpi=STUDY["figures"]["dpi"],
        library=library("scripts/draw_claims.py"),
    script:
        "../../scripts/draw_claims.py"
