"""Edit distance in plain Python, the algorithm of Wagner and Fischer: what the library is measured against."""


def row_by_row(a, b):
    """The fewest characters to insert, delete or replace between two texts."""
    before = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        now = [i]
        for j, y in enumerate(b, 1):
            now.append(min(before[j] + 1, now[-1] + 1, before[j - 1] + (x != y)))
        before = now
    return before[-1]
