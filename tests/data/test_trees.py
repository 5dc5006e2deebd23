"""Reading bracket lines and padding trees."""
import numpy as np
import pytest

from pellucid.data.read import read_table
from pellucid.data.trees import parse_trees, read_trees, root_labels, tree_arrays, tree_labels, vocabulary
from pellucid.errors import DataError

LINES = ["(3 (2 Good) (4 (2 good) (2 1\u00a01\\/2)))", "", "(1 bad)"]


def test_trees_become_arrays():
    trees = parse_trees(LINES)
    assert [tree.leaves() for tree in trees] == [["Good", "good", "1\u00a01\\/2"], ["bad"]]
    words = vocabulary(trees)
    assert words["good"] == 1 and set(words.values()) == {1, 2, 3}
    assert vocabulary(trees, least=2) == {"good": 1}
    assert vocabulary(trees, lower=False)["Good"] > 0
    arrays = tree_arrays(trees, {"good": 1}, nodes=6, arity=3)
    assert arrays["tokens"].tolist() == [[1, 1, 0, -1, -1, -1], [0, -1, -1, -1, -1, -1]]
    assert arrays["children"][0, 3].tolist() == [1, 2, -1] and arrays["children"][0, 4].tolist() == [0, 3, -1]
    assert (arrays["children"][1] == -1).all() and arrays["count"].tolist() == [5, 1]
    labels = tree_labels(trees, "1234", nodes=6)
    assert labels.tolist() == [[1, 1, 1, 3, 2, -1], [0, -1, -1, -1, -1, -1]]
    assert root_labels(labels, arrays["count"]).tolist() == [2, 0]
    np.testing.assert_array_equal(tree_labels(trees, "34")[0], [-1, -1, -1, 1, 0])
    assert tree_arrays(trees[1:], words)["children"].shape == (1, 1, 1)


def test_children_stand_before_their_parents():
    arrays = tree_arrays(parse_trees(["(0 (1 (2 a) (2 b)) (1 (2 c) (0 (2 d) (1 e))))"]), {})
    assert (arrays["children"][0] < np.arange(arrays["count"][0])[:, None]).all()


@pytest.mark.parametrize("line", ["(1 a", "(1 a))", "(1 a) (2 b)", "a", "(1 a b)", "(1)", "(1 ())", "()",
                                  "(1 (2 a) b)"])
def test_broken_lines_are_told_with_their_number(line):
    with pytest.raises(DataError, match="(?s)Line 2 .*hint: write each tree on one line"):
        parse_trees(["(1 a)", line])


def test_what_cannot_be_used(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_trees(tmp_path / "missing.txt")
    with pytest.raises(DataError, match="no tree"):
        tree_arrays([], {})
    with pytest.raises(DataError, match="5 nodes and a node 2 children; there was room for nodes=3"):
        tree_arrays(parse_trees(LINES), {}, nodes=3)
    path = tmp_path / "trees.txt"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    assert len(read_trees(path)) == 2


def test_a_file_of_trees_is_a_table_with_the_roots_labels(tmp_path):
    path = tmp_path / "trees.txt"
    path.write_text("(1 (0 good) (1 film))\n\n(0 (0 bad) (0 film)\n(0 film)\n", encoding="utf-8")
    table = read_table(path)
    assert table.names == ("tree", "label") and table.column("label").to_list() == ["1", None, "0"]
    assert table.notes[0].message == "1 of 3 lines of `trees.txt` are no whole tree: line 3 misses a closing bracket."


def test_other_texts_with_brackets_are_not_trees(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n(1 (2 x)),3\n(1 (2 y)),4\n", encoding="utf-8")
    assert read_table(path).names == ("a", "b")
