# What Snakemake does not see of files: inputs replaced by older ones, results that were deleted, or changed since they were written.
# Needs: all other rules. Gives: MADE, and a parameter `state` of every rule.
from snakemake.io import apply_wildcards

from emergence.io import contents

# what a run ends with; all else comes before it
MADE = [f"results/{name}" for name in ("report.html", "explorer.html", "explorer", "summary.txt", "tables.md", "provenance.json")]
RESULTS = [file for name in BENCHMARKS for file in results_of(name).values()]
RESULTS += [
    file.removesuffix("svg") + kind for name in BENCHMARKS for file in figures_of(name).values() for kind in ("svg", "png", "csv")
]
RESULTS += [descriptions.path_of(table) for question in ASKED_OF_STUDY for table in question.tables]
# Snakemake makes a file again that was deleted only where it is asked for by name. Each name costs time at every start, so those
# that are there are not asked for.
MADE += [file for file in RESULTS if not os.path.exists(workflow.modifier.path_modifier.replace_prefix(file))]


def state(rule):
    """A function for the parameters of a rule: another value as soon as an input has other content, or a result was changed.

    It takes no input and output from Snakemake, which compares no parameters that do.
    """
    named = set(named_files())

    def of_job(wildcards):
        found = [file(wildcards) if callable(file) else [apply_wildcards(file, wildcards)] for file in rule.input]
        outside = [file for several in found for file in several if file in named]
        made = [apply_wildcards(file, wildcards) for file in rule.output]
        return [contents.of_files(outside), *filter(None, map(contents.mark_of, made))]

    return of_job


for rule_of_ours in workflow.rules:
    # a workflow that uses this one as a module has rules of its own
    if rule_of_ours.output and str(rule_of_ours.snakefile).startswith(str(workflow.current_basedir)):
        rule_of_ours.set_params(state=state(rule_of_ours))
