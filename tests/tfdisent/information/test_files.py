import json
import pathlib
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfdisent.information import read_channel, read_matrix, read_samples, read_table, unit_name

XOR = np.array([[[0.25, 0], [0, 0.25]], [[0, 0.25], [0.25, 0]]])
XOR_CSV = "x1,x2,y,p\n0,0,0,1/4\n0,1,1,1/4\n1,0,1,1/4\n1,1,0,1/4\n"


def _write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_list_of_cells_is_a_table_with_zeros_elsewhere(tmp_path):
    table = read_table(_write(tmp_path, "xor.csv", XOR_CSV))
    np.testing.assert_allclose(table.p, XOR, atol=1e-15)
    assert table.variables == ("x1", "x2", "y")
    assert table.values == ((0, 1), (0, 1), (0, 1))
    assert table.num_samples is None


def test_order_of_lines_and_columns_does_not_matter(tmp_path):
    shuffled = "p, x1 ,y,x2\n\n# a comment\n1/4,1,0,1\n 1/4,0,1,1\n1/4,0,0,0\n1/4,1,1,0\n"
    table = read_table(_write(tmp_path, "a.csv", shuffled))
    assert table.variables == ("x1", "y", "x2")
    np.testing.assert_allclose(np.swapaxes(table.p, 1, 2), XOR, atol=1e-15)


def test_values_are_numbers_in_order_or_words_as_they_come(tmp_path):
    text = "size,colour,p\n10,red,0.1\n9,blue,0.2\n1.5,red,0.7\n"
    table = read_table(_write(tmp_path, "a.csv", text))
    assert table.values == ((1.5, 9, 10), ("red", "blue"))
    np.testing.assert_allclose(table.p, [[0.7, 0], [0, 0.2], [0.1, 0]], atol=1e-15)


def test_numbers_alone_are_a_matrix_or_a_vector(tmp_path):
    table = read_table(_write(tmp_path, "a.csv", "0.1, 0.2\n0.3, 0.4\n"))
    np.testing.assert_allclose(table.p, [[0.1, 0.2], [0.3, 0.4]], atol=1e-15)
    assert table.variables == ("X", "Y")
    for text in ("0.25,0.75\n", "0.25\n0.75\n"):
        table = read_table(_write(tmp_path, "b.csv", text))
        np.testing.assert_allclose(table.p, [0.25, 0.75], atol=1e-15)
        assert table.variables == ("X",)


def test_json_takes_nested_lists_with_or_without_names(tmp_path):
    bare = read_table(_write(tmp_path, "a.json", json.dumps(XOR.tolist())))
    np.testing.assert_array_equal(bare.p, XOR)
    assert bare.variables == ("X1", "X2", "Y")
    content = {"variables": ["a", "b"], "values": [["u", "v"], [3, 4]], "p": [[0.5, 0], [0, 0.5]]}
    named = read_table(_write(tmp_path, "b.json", json.dumps(content)))
    assert named.variables == ("a", "b") and named.values == (("u", "v"), (3, 4))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(3,), (2, 4), (2, 3, 2)]))
def test_every_layout_of_a_table_reads_back_the_same(seed, shape):
    p = np.random.default_rng(seed).dirichlet(np.ones(np.prod(shape))).reshape(shape)
    names = [f"v{i}" for i in range(len(shape))]
    lines = [",".join([*map(str, index), repr(float(p[index]))]) for index in np.ndindex(*shape)]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        paths = [
            _write(folder, "list.csv", "\n".join([",".join([*names, "p"]), *lines])),
            _write(folder, "nested.json", json.dumps({"variables": names, "p": p.tolist()})),
        ]
        for path in paths:
            table = read_table(path)
            assert table.variables == tuple(names)
            np.testing.assert_allclose(table.p, p, rtol=1e-12)


def test_counts_are_divided_by_their_sum_only_if_asked(tmp_path):
    path = _write(tmp_path, "counts.csv", "3,1\n0,4\n")
    np.testing.assert_allclose(read_table(path, normalize=True).p, [[0.375, 0.125], [0, 0.5]])
    with pytest.raises(ValueError, match="received 8; counts have to be normalized"):
        read_table(path)


def test_rows_of_a_channel_sum_to_one_each(tmp_path):
    listed = "sent,got,p\n0,0,0.9\n0,1,0.1\n1,1,1\n"
    channel = read_channel(_write(tmp_path, "a.csv", listed))
    np.testing.assert_allclose(channel.p, [[0.9, 0.1], [0, 1]])
    assert channel.variables == ("sent", "got")
    counted = read_channel(_write(tmp_path, "b.csv", "9,1\n0,5\n"), normalize=True)
    np.testing.assert_allclose(counted.p, channel.p)
    with pytest.raises(ValueError, match=r"P\(\. \| X = 1\) must sum to 1 .* received 5"):
        read_channel(_write(tmp_path, "c.csv", "0.5,0.5\n0,5\n"))
    with pytest.raises(ValueError, match=r"P\(\. \| X = 1\) must have a positive sum"):
        read_channel(_write(tmp_path, "d.csv", "1,1\n0,0\n"), normalize=True)


def test_a_matrix_need_not_sum_to_one(tmp_path):
    np.testing.assert_array_equal(
        read_matrix(_write(tmp_path, "a.csv", "0,4\n1,0\n2,2\n")), [[0, 4], [1, 0], [2, 2]]
    )


@pytest.mark.parametrize("text", ["a,b\n0,5\n1,7\n0,5\n0,7\n", "0,5\n1,7\n0,5\n0,7\n"])
def test_samples_are_counted(text, tmp_path):
    table = read_samples(_write(tmp_path, "a.csv", text))
    np.testing.assert_allclose(table.p, [[0.5, 0.25], [0, 0.25]])
    assert table.values == ((0, 1), (5, 7))
    assert table.variables == (("a", "b") if text[0] == "a" else ("X", "Y"))
    assert table.num_samples == 4


def test_samples_of_json_are_those_of_csv(tmp_path):
    rows = [[0, 5], [1, 7], [0, 5], [0, 7]]
    bare = read_samples(_write(tmp_path, "a.json", json.dumps(rows)))
    content = {"variables": ["a", "b"], "samples": rows}
    named = read_samples(_write(tmp_path, "b.json", json.dumps(content)))
    assert named.variables == ("a", "b")
    for table in (bare, named):
        np.testing.assert_allclose(table.p, [[0.5, 0.25], [0, 0.25]])


BAD_TABLES = {
    "negative.csv": ("a,b,p\n0,0,1.5\n\n0,1,-0.5\n", "line 4: p of a = 0, b = 1 must not be neg"),
    "nan.csv": ("# noise\n0.5,0.5\nnan,0\n", "line 3, column 1 must be finite, received nan"),
    "infinite.csv": ("a,p\n0,inf\n1,0\n", "line 2: p of a = 0 must be finite, received inf"),
    "word.csv": ("a,p\n0,half\n", "line 2: p of a = 0 must be a number, received 'half'"),
    "word_in_matrix.csv": ("1,2\n3,4x\n", "line 2, column 2 must be a number, received '4x'"),
    "by_zero.csv": ("a,p\n0,1/0\n", "must be a number, received '1/0'"),
    "sum.csv": ("a,p\n0,0.5\n1,0.4\n", "must sum to 1 within 1e-06, received 0.9"),
    "short_line.csv": ("a,b,p\n0,0,1\n0,1\n", "line 3: expected 3 cells as in line 1, received 2"),
    "twice.csv": ("a,p\n0,0.5\n0,0.5\n", "line 3: a = 0 stands in line 2 already"),
    "no_p.csv": ("a,b\n0,1\n", "line 1: expected the names of variables and one column p"),
    "only_p.csv": ("p\n1\n", "line 1: expected the names of variables and one column p"),
    "same_names.csv": ("a,a,p\n0,0,1\n", "different names"),
    "empty.csv": ("\n# nothing\n", "holds no rows"),
    "header.csv": ("a,p\n", "no rows under its header"),
    "large.csv": (
        "a,b,c,p\n" + "".join(f"{i},{i},{i},1\n" for i in range(300)),
        "300 x 300 x 300 values has more than 10,000,000 cells",
    ),
    "cut.json": ("[0.5, ", "is no .json file: .* line 1"),
    "ragged.json": ("[[0.5, 0.2], [0.3]]", r"p\[1\] must be a list of 2 entries"),
    "deep.json": ("[0.5, [0.5]]", r"p\[1\] must be a number, received \[0.5\]"),
    "negative.json": (
        "[[0.5, 0.6], [-0.1, 0]]",
        r"p\[1\]\[0\] must not be negative, received -0.1",
    ),
    "nan.json": ("[[0.5, NaN]]", r"p\[0\]\[1\] must be finite"),
    "text.json": ('[0.5, "0.5"]', r'p\[1\] must be a number, received "0.5"'),
    "true.json": ("[true, false]", r"p\[0\] must be a number, received true"),
    "scalar.json": ("1", "expected nested lists"),
    "empty.json": ("[]", "must not be empty"),
    "fields.json": ('{"q": [1]}', "received q"),
    "number.json": ('{"p": 1}', "must be nested lists"),
    "axes.json": ('{"variables": ["a"], "p": [[1]]}', "names of 2 variables, received 1: a"),
    "values.json": ('{"p": [0.5, 0.5], "values": [[1]]}', "lists of 2 entries"),
    "table.txt": ("1", "expected a .csv or .json file"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_what_is_no_table_is_named_with_its_line(name, tmp_path):
    text, message = BAD_TABLES[name]
    path = _write(tmp_path, name, text)
    with pytest.raises(ValueError, match=message) as error:
        read_table(path)
    assert str(path) in str(error.value)


BAD_SAMPLES = {
    "half.csv": ("a,b\n0,1\n0,0.5\n", "line 3, column 2 must be an integer, received '0.5'"),
    "word.csv": ("0,1\n0,x\n", "line 2, column 2 must be an integer, received 'x'"),
    "infinite.csv": ("0\ninf\n", "line 2, column 1 must be an integer"),
    "header.csv": ("a,b\n", "no rows"),
    "half.json": ("[[0, 1], [0, 0.5]]", r"samples\[1\]\[1\] must be an integer, received 0.5"),
    "flat.json": ("[0, 1]", "list of rows, received 1 levels"),
    "names.json": ('{"variables": ["a"], "samples": [[0, 1]]}', "names of 2 variables"),
}


@pytest.mark.parametrize("name", BAD_SAMPLES)
def test_what_is_no_sample_is_named_with_its_line(name, tmp_path):
    text, message = BAD_SAMPLES[name]
    with pytest.raises(ValueError, match=message):
        read_samples(_write(tmp_path, name, text))


def test_binary_files_are_refused(tmp_path):
    for name in ("a.csv", "a.json"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00\x80")
        with pytest.raises(ValueError, match="is no"):
            read_table(tmp_path / name)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="there is no file .*none.csv"):
        read_table(tmp_path / "none.csv")


def test_table_of_three_variables_is_no_channel_and_no_matrix(tmp_path):
    path = _write(tmp_path, "xor.csv", XOR_CSV)
    for read in (read_channel, read_matrix):
        with pytest.raises(ValueError, match="expected 2 variables, received 3: x1, x2, y"):
            read(path)


@pytest.mark.parametrize(
    ("base", "name"), [(2, "bits"), (np.e, "nats"), (10, "hartleys"), (7, "digits of base 7")]
)
def test_units_have_names(base, name):
    assert unit_name(base) == name


TWINS = ("9007199254740992", "9007199254740993")  # one number as floats


@pytest.mark.parametrize("form", ["{}", "{}.0", "{}/1", "-{}"])
def test_integers_keep_digits_that_a_float_lacks(form, tmp_path):
    cells = [form.format(twin) for twin in TWINS]
    expected = sorted((-1 if "-" in form else 1) * int(twin) for twin in TWINS)
    path = _write(tmp_path, "table.csv", f"a,p\n{cells[0]},0.25\n{cells[1]},0.75\n")
    table = read_table(path)
    assert table.values == (tuple(expected),)
    assert sorted(table.p) == [0.25, 0.75]
    path = _write(tmp_path, "samples.csv", f"a\n{cells[0]}\n{cells[1]}\n{cells[1]}\n")
    assert read_samples(path).values == (tuple(expected),)


def test_integers_of_json_samples_keep_them_too(tmp_path):
    path = _write(tmp_path, "a.json", f"[[{TWINS[0]}], [{TWINS[1]}], [5.0]]")
    assert read_samples(path).values == ((5, *map(int, TWINS)),)


def test_a_fraction_between_two_integers_is_none(tmp_path):
    path = _write(tmp_path, "a.csv", "a\n18014398509481985/2\n")
    with pytest.raises(ValueError, match="line 2, column 1 must be an integer, received '1801"):
        read_samples(path)


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", "0\n1e20\n"), ("a.json", "[[0], [100000000000000000000]]")]
)
def test_samples_beyond_64_bits_are_named(name, text, tmp_path):
    with pytest.raises(ValueError, match="must be an integer of 64 bits, received '?1e[+]?20"):
        read_samples(_write(tmp_path, name, text))
