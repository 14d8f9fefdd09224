# Is an ability of a language model emergent, or is it the metric?
# What a run computes is in config/config.yaml, what it leaves in results/README.md.
from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/library.smk"


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/assess.smk"
include: "workflow/rules/answer.smk"
include: "workflow/rules/draw.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        "results/report.html",
        "results/summary.txt",
        "results/provenance.json",


onerror:
    # the messages of failed jobs once more, where a person looks: at the end
    print(logs.failures("results/logs", since=STARTED), file=sys.stderr)


onsuccess:
    if Path("results/report.html").is_file():
        print("Answers: results/summary.txt. Report: results/report.html")
