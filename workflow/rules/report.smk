# Stage 5. Needs: every table and figure.
# Gives: results/report.html, results/summary.txt, results/provenance.json.


localrules:
    record_provenance,
    write_report,


rule record_provenance:
    input:
        tables=[table for name in BENCHMARKS for table in tables_of(name)],
        files=named_files(),
    output:
        provenance="results/provenance.json",
    log:
        "results/logs/record_provenance.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(10),
    params:
        study=STUDY,
        library=library("scripts/record_provenance.py"),
    script:
        "../../scripts/record_provenance.py"


rule write_report:
    input:
        tables=[table for name in BENCHMARKS for table in tables_of(name)],
        figures=[figure for name in BENCHMARKS for figure in figures_of(name)],
        across="results/metrics_across_benchmarks.csv",
        paper=[block["paper_figures"] for block in STUDY["benchmarks"].values() if "paper_figures" in block],
        metrics=STUDY["metrics"],
        provenance="results/provenance.json",
    output:
        report="results/report.html",
        summary="results/summary.txt",
    log:
        "results/logs/write_report.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        study=STUDY,
        figures={name: figure_names(name) for name in BENCHMARKS},
        titles=CLAIM_FIGURES | CURVE_FIGURES | TEST_FIGURES,
        library=library("scripts/write_report.py", "workflow/report/report.html.j2", "docs/calibration.csv", *captions()),
    script:
        "../../scripts/write_report.py"
