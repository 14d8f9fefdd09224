"""Arithmetic on columns, such as `6 * N * D`: parsed as Python writes it, and nothing but arithmetic is allowed."""

import ast
import operator
import re

import numpy as np

_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_QUOTED = re.compile(r"`([^`]+)`")

ALLOWED = "numbers, names of columns (those that are not plain words in backquotes, such as `Size (B)`), + - * / ** and brackets"


class ExpressionError(ValueError):
    """An expression that is not arithmetic on columns."""


def parse(text):
    """An expression as a tree and the columns that it names, in order: (tree, list of str). Raises ExpressionError."""
    quoted = []

    def replace(found):
        quoted.append(found.group(1))
        return f" _quoted_{len(quoted) - 1}_ "

    try:
        tree = ast.parse(_QUOTED.sub(replace, text).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(text) from None
    columns = {}

    def check(node):
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            check(node.left)
            check(node.right)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            check(node.operand)
        elif isinstance(node, ast.Name):
            found = re.fullmatch(r"_quoted_(\d+)_", node.id)
            columns[node.id] = quoted[int(found[1])] if found and int(found[1]) < len(quoted) else node.id
        elif not (isinstance(node, ast.Constant) and type(node.value) in (int, float)):
            raise ExpressionError(text)

    check(tree)
    if not columns:
        raise ExpressionError(text)
    return tree, columns


def columns_of(text):
    """The columns that an expression names. Raises ExpressionError."""
    return list(dict.fromkeys(parse(text)[1].values()))


def evaluate(text, values):
    """The expression on columns of numbers, {name of the column: (n,) float}: (n,) float, NaN where it has no value."""
    tree, columns = parse(text)

    def value(node):
        if isinstance(node, ast.BinOp):
            return _OPERATORS[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.UnaryOp):
            return -value(node.operand)
        # a float of numpy, since a power of whole numbers can be of any length, and Python's own floats raise
        return values[columns[node.id]] if isinstance(node, ast.Name) else np.float64(node.value)

    with np.errstate(all="ignore"):
        return value(tree)
