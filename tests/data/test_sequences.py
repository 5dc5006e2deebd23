"""Sequences of different lengths are padded, and odd ones are told."""
import numpy as np
import pytest

from pellucid.data.sequences import pad_sequences
from pellucid.errors import DataError, ShapeError


def test_codes_and_values():
    codes = pad_sequences([[5, 6], [7]], length=3)
    assert codes["codes"].tolist() == [[5, 6, 0], [7, 0, 0]] and codes["lengths"].tolist() == [2, 1]
    assert codes["codes"].dtype == np.int32 == codes["lengths"].dtype
    values = pad_sequences([np.ones((9, 2)), np.ones((4, 2))])
    assert values["values"].shape == (2, 16, 2) and values["values"][1].sum() == 8
    assert pad_sequences([[0.5, 1.5]])["values"].shape == (1, 8, 1)


@pytest.mark.parametrize(("sequences", "options", "error", "words"), [
    ([], {}, DataError, "empty"), ([[1], []], {}, DataError, "Sequence 1"),
    ([[1, 2, 3]], {"length": 2}, DataError, "3 time steps"),
    ([np.ones((2, 2)), np.ones((2, 3))], {}, ShapeError, "features")])
def test_odd_sequences_are_told(sequences, options, error, words):
    with pytest.raises(error) as caught:
        pad_sequences(sequences, **options)
    assert words in str(caught.value) + caught.value.hint
