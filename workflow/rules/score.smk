# Stage 2. Needs: results/{benchmark}/scores.parquet.
# Gives: results/{benchmark}/curves.parquet.


rule score_curves:
    input:
        scores="results/{benchmark}/scores.parquet",
        metrics=STUDY["metrics"],
    output:
        curves="results/{benchmark}/curves.parquet",
    log:
        "results/logs/score_curves/{benchmark}.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        library=library("scripts/score_curves.py"),
    script:
        "../../scripts/score_curves.py"
