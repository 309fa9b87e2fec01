"""Arrays of any kind, strides and dtype go in; the same numbers give the same bits, as numpy arrays of the model's dtype."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from causal_engine import ArgumentError, CausalMLP, ShapeError


@pytest.fixture
def model():
    return CausalMLP(3, [16, 16], 1, seed=0)


class Subclass(np.ndarray):
    pass


class OnlyDLPack:
    """An array of a library that knows numpy as little as numpy knows it."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **arguments):
        return self._array.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


KINDS = {
    "float32": lambda x: x.astype(np.float32),
    "big endian": lambda x: x.astype(">f4"),
    "half precision": lambda x: x.astype(np.float16),
    "longdouble": lambda x: x.astype(np.longdouble),
    "whole numbers": lambda x: x.astype(np.int64),
    "bytes": lambda x: x.astype(np.int8),
    "objects": lambda x: x.astype(object),
    "column-major": np.asfortranarray,
    "reversed": lambda x: x[::-1].copy()[::-1],
    "every second of a larger one": lambda x: np.repeat(np.repeat(x, 2, 0), 3, 1)[::2, ::3],
    "transposed": lambda x: x.T.copy().T,
    "repeated by strides": lambda x: np.broadcast_to(x[:1], x.shape),
    "misaligned": lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
    "read-only": lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
    "lists": lambda x: x.tolist(),
    "tuples of arrays": tuple,
    "a subclass": lambda x: x.view(Subclass),
    "a buffer": memoryview,
    "dlpack": lambda x: OnlyDLPack(x),
}


@pytest.fixture(params=KINDS)
def kind(request):
    """Numbers in two ways: in one of many kinds of arrays, and as a plain one."""
    def pair(whole):
        repeated = request.param == "repeated by strides"       # the one kind that cannot hold any numbers
        return KINDS[request.param](whole), np.array(whole[:1].repeat(len(whole), 0) if repeated else whole)

    return pair


def test_any_kind_of_array_gives_the_same_bits_and_stays_as_it_was(model, kind):
    whole = np.arange(-6.0, 6.0).reshape(4, 3)
    given, dense = kind(whole)
    y = model(given)
    assert type(y) is np.ndarray and y.dtype == np.float32 and y.flags.owndata
    assert np.array_equal(y, model(dense))
    assert np.array_equal(whole, np.arange(-6.0, 6.0).reshape(4, 3))


def test_masks_and_values_may_be_of_any_kind_too(model, kind):
    x = np.ones((4, 3))
    whole = np.array([[0.0, 1, 0], [2, 0, 0], [0, 0, -1], [1, 1, 1]])
    given, dense = kind(whole)
    assert np.array_equal(model(x, {0: (given, given)}), model(x, {0: (dense != 0, dense)}))


DTYPES = st.sampled_from([np.float32, np.float64, np.int32, np.uint8, np.bool_])
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)


@given(hnp.arrays(DTYPES, SHAPES, elements=st.integers(0, 1)), st.booleans(), st.integers(1, 3), st.integers(1, 3))
def test_strides_do_not_matter(array, transpose, rows, columns):
    view = (array.T if transpose else array)[::-rows, ::columns]
    model = CausalMLP(view.shape[1], [4], 2, seed=0)
    assert np.array_equal(model(view), model(np.ascontiguousarray(view, np.float64)))


def test_a_data_frame_gives_its_numbers_row_by_row(model, rng):
    pandas = pytest.importorskip("pandas")
    x = rng.normal(size=(5, 3))
    frame = pandas.DataFrame(x, columns=["a", "b", "c"], index=list("vwxyz"))
    y = model(frame)
    assert isinstance(y, (np.ndarray, pandas.DataFrame))
    assert np.array_equal(np.asarray(y), model(x))
    mixed = frame.assign(a=[1, 2, 3, 4, 5], b=[True, False, True, False, True])    # becomes an array of objects
    assert np.array_equal(np.asarray(model(mixed)), model(mixed.to_numpy(float)))


@pytest.mark.parametrize("shape", [(), (2,), (4,), (5, 2), (5, 4), (3, 5), (2, 5, 3)])
def test_another_shape_is_an_error_that_shows_both(model, shape):
    with pytest.raises(ShapeError) as caught:
        model(np.zeros(shape))
    assert str(shape) in str(caught.value) and "(rows, 3)" in str(caught.value)


NO_NUMBERS = [None, "x", b"x", {"a": 1}, {1.0}, [["a", "b", "c"]], np.ones((1, 3)) * 1j, np.zeros((1, 3), "M8[s]"), object(),
              [[1, 2, 10 ** 400]]]


@pytest.mark.parametrize("x", NO_NUMBERS, ids=lambda x: type(x).__name__ if type(x) is object else repr(x)[:30])
def test_what_is_no_array_of_numbers_is_a_type_error(model, x):
    with pytest.raises(ArgumentError, match="^x"):
        model(x)
