"""Starter block for results files of lm-evaluation-harness."""

from collections import Counter, defaultdict

from emergence.ingest.readers.lm_eval import reader
from emergence.io.documents import as_yaml, files_below
from emergence.study.starter_blocks import metric_lines, model_lines


def lines(path, catalogue):
    """See emergence.study.starter_blocks."""
    files = [file for file in files_below(path, "*.json") if file.suffix == ".json"]
    found = {file: reader.load(file) for file in files}
    contents = {file: content for file, content in found.items() if content is not None}
    if not contents:
        return None
    scores, filters, met = defaultdict(set), defaultdict(set), Counter()
    for content in contents.values():
        for name, entry in content["results"].items():
            for key, metric, chosen, _ in reader.metrics_of(entry):
                scores[reader.model_name(content), name, key, reader.shots(name, content)].add(str(entry[key]))
                filters[name, metric].add(chosen or "none")
    for _, name, key, _ in scores:
        metric, _, chosen = key.partition(",")
        several = len(filters[name, metric]) > 1 and chosen != "none"
        met[f"{metric},{chosen}" if several else metric] += 1
    parameters = {reader.model_name(content): reader.n_parameters(content) for content in contents.values()}
    groups = reader.smallest_groups(contents.values())
    block = [f"files: [{as_yaml(path)}]"]
    if len(contents) < len(files):
        block.append(f"# {len(files) - len(contents)} of the {len(files)} JSON files hold no results and will be passed over")
    block.append("scale_label: Parameters # or training FLOPs, tokens, steps: what the scales are")
    if any(parameters.values()):
        block.append(
            "scale_from: parameters # the files record the number of parameters; leave it out to give every scale yourself"
        )
    tasks = {name for name, _ in filters} - set(groups.values())
    block.append(f"# models: {len(parameters)}; tasks: {len(tasks)}; groups of tasks: {len(set(groups.values()))}")
    block += metric_lines(met, catalogue)
    several = sorted({chosen for names in filters.values() if len(names) > 1 for chosen in names})
    if several:
        block.append(f"# filters: [{', '.join(map(as_yaml, several))}] # to read the scores of some answer filters only")
    disagreeing = [key for key, values in scores.items() if len(values) > 1]
    if disagreeing:
        model, name, key, _ = disagreeing[0]
        example = ", ".join(map(as_yaml, (model, name, key)))
        block.append(
            f"repeated_runs: refuse # or latest: {len(disagreeing)} scores differ between runs of one model, such as {example}"
        )
    lacking = {name: ["family", *([] if n else ["scale"])] for name, n in parameters.items()}
    return block + model_lines(lacking)
