# Stage: answer. Needs: the tables of the stages before; for some questions, the lists that the block names.
# Gives: the tables of every question (scripts/emergence/questions/*/question.yaml).
# One job answers all that is asked of the curves of a benchmark, and one what is asked of its outputs, which can take long: to start
# Python and read the tables costs more than most answers.


localrules:
    answer_study,


for job, met, names in [(job, *group) for job, members in JOBS.items() for group in alike(members).items()]:
    members = asked_of(names[0], JOBS[job])

    rule:
        name:
            "_".join(["answer", job, *met])
        input:
            **tables_of("{benchmark}", *made_before(members)),
            files=some_files(read_by(members, "files")),
        output:
            **tables_of("{benchmark}", *(table for question in members for table in question.tables)),
        log:
            f"results/logs/answer_{job}/{{benchmark}}.log",
        wildcard_constraints:
            benchmark=one_of(names),
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            questions=[question.name for question in members],
            tables=made_before(members),
            files=keys_with_files(read_by(members, "files")),
            benchmarks=[],
            study=configuration.selected(STUDY, read_by(members, "settings")),
            block=some_keys(read_by(members, "block")),
            metrics=metrics(*read_by(members, "catalogue")),
            library=library(
                "scripts/answer_questions.py",
                *modules(members, "tables"),
                tables=[*made_before(members), *(table for question in members for table in question.tables)],
            ),
        script:
            script_file("answer_questions.py")


rule answer_study:
    input:
        **{table: expand(descriptions.path_of(table), benchmark=BENCHMARKS) for table in made_before(ASKED_OF_STUDY)},
    output:
        **{table: descriptions.path_of(table) for question in ASKED_OF_STUDY for table in question.tables},
    log:
        "results/logs/answer_study.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        questions=[question.name for question in ASKED_OF_STUDY],
        tables=made_before(ASKED_OF_STUDY),
        files=[],
        benchmarks=BENCHMARKS,
        study=configuration.selected(STUDY, read_by(ASKED_OF_STUDY, "settings")),
        block={},
        metrics=metrics(*read_by(ASKED_OF_STUDY, "catalogue")),
        library=library(
            "scripts/answer_questions.py",
            *modules(ASKED_OF_STUDY, "tables"),
            tables=[*made_before(ASKED_OF_STUDY), *(table for question in ASKED_OF_STUDY for table in question.tables)],
        ),
    script:
        script_file("answer_questions.py")
