"""All of K right, and the emergence score by K."""

from emergence.questions import cut_curves, drawing

_SERIES = ["task", "subtask", "metric", "model_family", "shots"]


def draw(given):
    """See emergence.questions."""
    table = given.table("all_of_k")
    labels = table["metric"].map(given.catalogue["label"]).map(drawing.short)
    whole = table[table["group_size"] == 1].set_index(_SERIES)["emergence_score"]
    of_whole = whole.reindex(table.set_index(_SERIES).index).to_numpy() if len(table) else []
    return {
        "all_of_k": cut_curves.draw(
            table.assign(panel=table["task"] + ": " + labels, drawn=table["emergence_score"], of_whole=of_whole),
            cut="group_size",
            cut_label="K, examples that have to be right together",
            score_label="all K right",
            scale_label=given.block["scale_label"],
        )
    }
