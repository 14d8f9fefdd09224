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
    params:
        block=block,
        library=lambda wildcards: library("ingest_scores.py", f"emergence/readers/{block(wildcards)['format']}.py"),
    log:
        "results/logs/ingest_scores/{benchmark}.log",
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    script:
        "../../scripts/ingest_scores.py"
