"""Which metrics hold the claimed abilities, in words."""

from emergence.questions.answers import Answer, agree, listed, percent, plural


def answer(given):
    """See emergence.questions."""
    return on_claims(given.table("claims_by_metric"), given.table("claims_by_top_metrics"))


def on_claims(by_metric, top_metrics):
    """Which metrics hold the claimed abilities?"""
    two = top_metrics[top_metrics["n_metrics"] == min(2, len(top_metrics))].iloc[0]
    names = dict(zip(by_metric["metric"], by_metric["label"], strict=True))
    members = listed(names[metric] for metric in two["metrics"].split("|"))
    share = f"{two['n_claims']} of {plural(two['of_claims'], 'claim')}"
    interval = f"{percent(two['share_low'])} to {percent(two['share_high'])}"
    return [
        Answer(
            "Which metrics account for the claimed emergent abilities?",
            f"{share} {agree('is', 'are', two['n_claims'])} on tasks that prefer {members}. "
            f"That is {percent(two['share'])} of the claims (exact interval {interval}). "
            "The interval is for a sample of claims; a list of all claims needs none.",
            f"{members}: {share} ({percent(two['share'])}), interval {interval}",
        )
    ]
