"""What a reader of a report reads: its first screen, its texts, its links. Used by tests, and by .ci/run on the default study.

python tests/report_text.py results/report.html    say what is wrong with its words; exit code 1 if anything is
"""

import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

from sentences import too_long

# What a reader takes in within a minute. A word is what stands between white space; a number in a table is one, too.
MOST_WORDS = 250

# Ends of a sentence. A table's cell is one, too.
BLOCKS = {"p", "h1", "h2", "h3", "h4", "b", "tr", "th", "td", "li", "dt", "dd", "figcaption", "summary", "div"}
VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """The ids and links of a page; its text, those of its answers and of its first screen; the tables of that, as rows of cells."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.links, self.tables = [], [], []
        self._texts = {"page": [], "answer": [], "first": []}
        self._open, self._inside = [], None
        self.feed(html)
        self.text, self.answers, self.first = ("".join(parts) for parts in self._texts.values())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if "href" in attrs:
            self.links.append(attrs["href"])
        if tag in VOID:
            return
        if tag == "div" and attrs.get("class") in ("first", "answer"):
            self._inside = (attrs["class"], len(self._open))
        if self._inside and self._inside[0] == "first":
            if tag == "table":
                self.tables.append([])
            if tag == "tr":
                self.tables[-1].append([])
            if tag in ("td", "th"):
                self.tables[-1][-1].append("")
        self._open.append(tag)

    def handle_endtag(self, tag):
        self._open.pop()
        if tag in BLOCKS:
            self._add("\n")
        if self._inside and len(self._open) == self._inside[1]:
            self._inside = None

    def handle_data(self, data):
        # the configuration and the files' accounts are not the page's own words
        if {"style", "pre"} & set(self._open):
            return
        text = data.replace("\n", " ")
        self._add(text)
        if self._inside and self._inside[0] == "first" and {"td", "th"} & set(self._open):
            self.tables[-1][-1][-1] += text

    def _add(self, text):
        self._texts["page"].append(text)
        if self._inside:
            self._texts[self._inside[0]].append(text)

    def cells(self, benchmark):
        """{head of the column: text} of the row of a benchmark in the first table."""
        heads, *rows = self.tables[0]
        (row,) = (row for row in rows if row[0] == benchmark)
        return dict(zip(heads, row, strict=True))


def problems(html):
    """What is wrong with the words of a report, as a list of texts."""
    page = Page(html)
    n_words = len(page.first.split())
    found = [f"the first screen has {n_words} words, more than {MOST_WORDS}"] if n_words > MOST_WORDS else []
    found += [f"a sentence of {len(text.split())} words: {text}" for text in dict.fromkeys(too_long(page.text))]
    found += [f"an id that is there {n} times: {name}" for name, n in Counter(page.ids).items() if n > 1]
    return found + [f"a link that leads nowhere: {link}" for link in page.links if link[0] == "#" and link[1:] not in page.ids]


if __name__ == "__main__":
    wrong = problems(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print("\n".join(wrong))
    sys.exit(bool(wrong))
