# Stage 1. Needs: the files of each benchmark's block, the metric catalogue.
# Gives: results/{benchmark}/scores.parquet, ingest_account.csv, inputs.csv.


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
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        block=block,
        library=lambda wildcards: library(
            "scripts/ingest_scores.py", f"scripts/emergence/readers/{block(wildcards)['format']}.py"
        ),
    script:
        "../../scripts/ingest_scores.py"
