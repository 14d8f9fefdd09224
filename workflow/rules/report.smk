# Stage: report. Needs: every table and figure.
# Gives: results/report.html, results/explorer.html and results/explorer/, results/summary.txt, results/tables.md,
# results/provenance.json.


localrules:
    record_provenance,
    write_explorer,
    write_report,


rule record_provenance:
    input:
        tables=[path for name in BENCHMARKS for path in results_of(name).values()],
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
        library=library("scripts/record_provenance.py", tables=["inputs"]),
    script:
        script_file("record_provenance.py")


rule write_explorer:
    input:
        curves=[tables_of(name, "curves")["curves"] for name in BENCHMARKS],
        verdicts=[tables_of(name, "verdicts")["verdicts"] for name in BENCHMARKS],
    output:
        page="results/explorer.html",
        # their number depends on how many curves there are
        points=directory("results/explorer"),
    log:
        "results/logs/write_explorer.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(30),
    params:
        blocks={
            name: configuration.selected(STUDY["benchmarks"][name], ("title", "origin", "scale_label", "answers_over"))
            for name in BENCHMARKS
        },
        metrics=metrics("label", "higher_is_better", "proportion", "kind"),
        thresholds=configuration.selected(STUDY, ("emergence.threshold", "emergence.relative_threshold"))["emergence"],
        library=library(
            "scripts/write_explorer.py",
            *(
                f"workflow/report/explorer/{name}"
                for name in (
                    "explorer.html.j2",
                    "explorer.css",
                    "explorer.js",
                    "vendor/d3.min.js",
                    "vendor/plot.min.js",
                )
            ),
            tables=["curves", "verdicts"],
        ),
    script:
        script_file("write_explorer.py")


rule write_report:
    input:
        tables=[path for name in BENCHMARKS for path in said_of(name).values()],
        figures=[path.removesuffix("svg") + "png" for name in BENCHMARKS for path in figures_of(name).values()],
        numbers=[path.removesuffix("svg") + "csv" for name in BENCHMARKS for path in figures_of(name).values()],
        lists=users_own(path for name in BENCHMARKS for path in lists_of(name).values()),
        study_tables=[descriptions.path_of(table) for question in ASKED_OF_STUDY for table in question.tables],
        provenance="results/provenance.json",
    output:
        report="results/report.html",
        summary="results/summary.txt",
        tables="results/tables.md",
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
        metrics=metrics(*read_by(REPORTED, "catalogue")),
        # whose each input is, in the order of the inputs: a path may have moved, what it is has not
        tables=[(name, table) for name in BENCHMARKS for table in said_of(name)],
        figures=[(name, figure) for name in BENCHMARKS for figure in figures_of(name)],
        lists=[(name, key) for name in BENCHMARKS for key in lists_of(name)],
        study_tables=[table for question in ASKED_OF_STUDY for table in question.tables],
        library=library(
            "scripts/write_report.py",
            "workflow/report/report.html.j2",
            "workflow/schemas/tables.yaml",
            *modules(REPORTED, "answer"),
            *(
                f"scripts/emergence/questions/{question.name}/{figure}.rst"
                for question in REPORTED
                for figure in question.figures
            ),
            *(f"scripts/emergence/questions/{question.name}/question.yaml" for question in REPORTED),
        ),
    script:
        script_file("write_report.py")
