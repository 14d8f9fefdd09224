"""Which metrics hold the claimed abilities, in words."""

from emergence.questions.answers import Answer, listed, percent, plural


def answer(given):
    """See emergence.questions."""
    return on_claims(given.table("claims_by_metric"), given.table("claims_by_top_metrics"))


def on_claims(by_metric, top_metrics):
    """Which metrics hold the claimed abilities?"""
    held = by_metric[by_metric["n_claims"] > 0]
    two = top_metrics[top_metrics["n_metrics"] == min(2, len(top_metrics))].iloc[0]
    names = dict(zip(by_metric["metric"], by_metric["label"], strict=True))
    members = listed(names[metric] for metric in two["metrics"].split("|"))
    counts = listed(f"{row.n_claims} on tasks that prefer {row.label}" for row in held.itertuples())
    share = f"{two['n_claims']} of {two['of_claims']} claims ({percent(two['share'])})"
    interval = f"{percent(two['share_low'])} to {percent(two['share_high'])}"
    return [
        Answer(
            "Which metrics account for the claimed emergent abilities?",
            f"Of {plural(two['of_claims'], 'claimed emergent ability', 'claimed emergent abilities')}, {counts}. "
            f"{members} together hold {share}; exact interval {interval}. "
            "The interval takes the claims for a sample of such claims; as a list of all of them they need none.",
            f"{members}: {share}, interval {interval}",
        )
    ]
