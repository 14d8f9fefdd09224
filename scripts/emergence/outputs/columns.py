"""Columns of lists as two flat arrays, so that a million short lists cost no more than a few long ones."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# What Python's `str.isspace` and `\s` call white space. Arrow's own `\s` knows that of ASCII only.
_SPACE = r"[\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+"


def column(array):
    """An Arrow array, chunked or not, as a column of a pandas frame that stays in Arrow's memory."""
    return pd.Series(pd.arrays.ArrowExtensionArray(array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])))


def arrow(values):
    """A column of a frame as one Arrow array."""
    array = values.array.__arrow_array__() if isinstance(values.dtype, pd.ArrowDtype) else pa.array(values, from_pandas=True)
    return whole(array) if isinstance(array, pa.ChunkedArray) else array


def from_flat(values, lengths):
    """A column of lists.

    Parameters
    ----------
    values : array (n_values,)
        The items of all lists, one list after the other: a NumPy array, or an Arrow array of texts.
    lengths : array (n_rows,) of int
        How many items each list has.

    Returns
    -------
    pandas.Series (n_rows,)
    """
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return column(pa.ListArray.from_arrays(pa.array(offsets), values if isinstance(values, pa.Array) else pa.array(values)))


def empty(n_rows, kind):
    """A column of empty lists of an Arrow type."""
    return from_flat(pa.array([], kind), np.zeros(n_rows, dtype=np.int64))


def shared(distinct, codes):
    """A column of lists of which many rows have the same ones: these are in memory once.

    distinct: column of lists (n_lists,). codes: (n_rows,) which of them each row has.
    """
    return column(pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), arrow(distinct)))


def lists(values):
    """A column of lists as an Arrow array of lists, also where rows share them."""
    array = arrow(values)
    return array.dictionary.take(array.indices) if pa.types.is_dictionary(array.type) else array


def to_flat(values):
    """A column of lists as (items, lengths): an Arrow array (n_values,) and a NumPy array (n_rows,); a missing list is empty."""
    array = lists(values)
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    return array.flatten(), lengths.astype(np.int64)


def by_row(function, values):
    """What a function gives for each list of a column: (n_rows,). Of lists that rows share, it is asked once.

    function: of the items of all lists, an Arrow array, and of the lengths of the lists, (n_lists,); it gives (n_lists,).
    """
    array = arrow(values)
    if not pa.types.is_dictionary(array.type):
        return function(*to_flat(values))
    return function(*to_flat(column(array.dictionary)))[array.indices.to_numpy(zero_copy_only=False)]


def rows_of(lengths):
    """The row in which each item of a column of lists stands: (n_values,) int64."""
    return np.repeat(np.arange(len(lengths)), lengths)


def any_in_row(is_so, lengths):
    """Whether any item of each list is so. is_so: (n_values,) bool. Returns (n_rows,) bool."""
    return _reduced(np.logical_or, is_so, lengths)


def all_in_row(is_so, lengths):
    """Whether every item of each list is so; not of an empty list. is_so: (n_values,) bool. Returns (n_rows,) bool."""
    return _reduced(np.logical_and, is_so, lengths)


def count_in_row(is_so, lengths):
    """How many items of each list are so. is_so: (n_values,) bool. Returns (n_rows,) int64."""
    return _reduced(np.add, is_so.astype(np.int64), lengths)


def _reduced(function, values, lengths):
    """Each list reduced by a function of NumPy; 0 or False for an empty one."""
    found = np.zeros(len(lengths), dtype=values.dtype)
    if len(values):
        filled = lengths > 0
        found[filled] = function.reduceat(values, (np.cumsum(lengths) - lengths)[filled])
    return found


def has_repeats(values, lengths):
    """Whether a list has the same item twice. values: Arrow array (n_values,). Returns (n_rows,) bool."""
    found = np.zeros(len(lengths), dtype=bool)
    codes = values.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    starts = np.cumsum(lengths) - lengths
    for n in np.unique(lengths[lengths > 1]):
        of_length = lengths == n
        items = np.sort(codes[starts[of_length, np.newaxis] + np.arange(n)], axis=1)
        found[of_length] = (items[:, 1:] == items[:, :-1]).any(axis=1)
    return found


def text_sizes(texts, lengths):
    """Lengths of texts in three units, as columns of lists.

    Parameters
    ----------
    texts : Arrow array (n_values,) of text
    lengths : array (n_rows,) of int
        How many texts each row has.

    Returns
    -------
    dict of pandas.Series (n_rows,)
        `n_characters` in code points, `n_bytes` in bytes of UTF-8, and `n_words`: one more than there are runs of white space.
    """
    return {name: from_flat(size, lengths) for name, size in sizes_of(texts).items()}


def sizes_of(texts):
    """Lengths of texts in three units, see text_sizes: {name: Arrow array (n_values,) of int64}."""
    sizes = {
        "n_characters": pc.utf8_length(texts),
        "n_bytes": pc.binary_length(texts),
        "n_words": pc.add(pc.count_substring_regex(texts, _SPACE), 1),
    }
    return {name: size.cast(pa.int64()) for name, size in sizes.items()}


def constant(value, n_rows):
    """A name that all rows share, as an Arrow dictionary array (n_rows,)."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n_rows, dtype=np.int32)), pa.array([value], pa.string()))


def whole(values):
    """A column of an Arrow table as one array; the dictionaries of its chunks become one."""
    return values.unify_dictionaries().combine_chunks() if values.num_chunks != 1 else values.chunk(0)


def categories(values):
    """An Arrow array of names, which may be a dictionary, as pandas' categories."""
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return pd.Categorical.from_codes(codes, pd.Index(encoded.dictionary.to_pylist(), dtype="str"))


def joined(parts):
    """The columns of Arrow tables one after the other: yields (name, array). A column that a table does not have is empty there.

    The list of tables is empty afterwards, and each column is freed as soon as it is one piece, so that it is in memory once.
    """
    table = pa.concat_tables(parts, promote_options="default")
    parts.clear()
    for name in table.column_names:
        array = whole(table[name])
        table = table.drop_columns(name)
        yield name, array
        del array
    # Arrow keeps what it has freed for its own later use; much of what follows is NumPy's
    pa.default_memory_pool().release_unused()


def to_frame(parts):
    """Arrow tables one after the other as a frame: names (dictionaries) as categories, lists and texts as Arrow columns.

    The list of tables is empty afterwards; see joined.
    """
    frame, n_rows = {}, sum(map(len, parts))
    for name, values in joined(parts):
        if pa.types.is_dictionary(values.type):
            frame[name] = categories(values)
        elif pa.types.is_list(values.type) or pa.types.is_string(values.type):
            frame[name] = column(values)
        else:
            frame[name] = values.to_pandas()
    return pd.DataFrame(frame, index=range(n_rows))


def numbered(numbers):
    """Whole numbers as names that sort as the numbers do, with leading zeros. numbers: (n_rows,) int of at least 0."""
    distinct, codes = np.unique(numbers, return_inverse=True)
    width = len(str(distinct[-1])) if len(distinct) else 1
    return pd.Categorical.from_codes(codes, pd.Index([f"{number:0{width}d}" for number in distinct.tolist()], dtype="str"))


def examples(ids):
    """The ids of a task's examples as names: whole numbers with leading zeros where all of them are; other ids as they are.

    ids: a column of numbers, or of texts. Returns a categorical column.
    """
    values = pd.Series(ids)
    if values.dtype.kind in "iu" and (values >= 0).all():
        return numbered(values.to_numpy())
    names = values.astype("str").astype("category")
    known = names.cat.categories
    is_numbered = all(name.isascii() and name.isdigit() and len(name) < 18 for name in known)
    # two spellings of one number, such as 7 and 07, are two ids
    if len(known) and is_numbered and len(set(map(int, known))) == len(known):
        width = max(map(len, known))
        return names.cat.rename_categories([name.zfill(width) for name in known])
    return names
