"""What separates the cells of a text table, as far as its first rows tell."""

import re

# What may separate the cells of a table that does not say so.
SEPARATORS = (",", ";", "\t", "|")


def separator_of(start, skip_rows=0):
    """What separates the cells of a table, told by its first two rows; the comma where they do not tell. start: of its text."""
    # what is in quotation marks separates nothing
    lines = [line for line in re.sub(r'"[^"]*"', "", start).splitlines()[skip_rows:] if line.strip()][:2]
    counts = {sign: [line.count(sign) for line in lines] for sign in SEPARATORS}
    consistent = [sign for sign, found in counts.items() if found and found[0] and len(set(found)) == 1]
    if "," in consistent or not lines or (not consistent and counts[","][0]):
        return ","
    told_by_header = [sign for sign in SEPARATORS if counts[sign][0]]
    return max(consistent or told_by_header or [","], key=lambda sign: counts[sign][0])
