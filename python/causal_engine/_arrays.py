"""Arrays in: numpy, lists, data frames, anything with `__array__` or `__dlpack__`. The only place where an array becomes a pointer."""

from __future__ import annotations

import ctypes
import operator
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._kinds import is_tensor
from .errors import ArgumentError, InvalidValueError, OutOfMemoryError, ShapeError, shown

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

_CODES = {FLOAT32: 0, FLOAT64: 1}     # causal_dtype
_start_of: Any = (ctypes.c_char * 0).from_buffer
_address_of = ctypes.addressof


def dtype_code(dtype: np.dtype[Any]) -> int:
    """The causal_dtype of a model's dtype."""
    return _CODES[dtype]


def model_dtype(dtype: Any) -> np.dtype[Any]:
    """float32 or float64, named in any way that numpy understands."""
    found: np.dtype[Any] | None = None
    try:
        found = None if dtype is None else np.dtype(dtype)      # numpy takes None for float64
    except TypeError:
        pass
    if found is None or found not in _CODES:
        raise InvalidValueError(f"dtype is {shown(dtype)}, expected 'float32' or 'float64'")
    return found


def numbers(array: Any, dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    """The array as dense row-major numbers of `dtype`: itself where it is that already, else a copy."""
    if type(array) is np.ndarray and array.dtype is dtype and array.flags.carray:
        return array
    given = any_array(array, name)
    return given if given.dtype is dtype and given.flags.carray else np.require(given, dtype, ("C_CONTIGUOUS", "ALIGNED"))


def mask_bytes(mask: Any, name: str) -> NDArray[np.uint8]:
    """Numbers or booleans as bytes that are 0 where they are 0."""
    given = any_array(mask, name)
    if given.dtype.kind == "f" and np.isnan(given).any():
        raise InvalidValueError(f"{name} holds NaN, expected numbers or booleans")
    if given.dtype != np.bool_ and given.dtype != np.uint8:
        given = given != 0
    if given.flags.c_contiguous:
        return given.view(np.uint8)
    dense = np.ascontiguousarray(given).reshape(given.shape)    # ascontiguousarray makes a scalar one-dimensional
    return dense.view(np.uint8)


def any_array(array: Any, name: str) -> NDArray[Any]:
    """Any kind of array as a numpy array of numbers."""
    if is_tensor(array):
        return _of_tensor(array, name)
    if array is None or isinstance(array, (str, bytes, dict, set)):
        raise ArgumentError(f"{name} is {type(array).__name__}, expected an array of numbers")
    if type(array) is not np.ndarray and _is_masked(array):
        raise ArgumentError(f"{name} is a masked array, expected one without a mask of its own: fill it first")
    try:
        if hasattr(array, "__dlpack__") and not hasattr(array, "__array__"):
            given = np.from_dlpack(array)
        else:
            given = np.asarray(array)
        if given.dtype.kind == "O" and not any(isinstance(entry, (str, bytes)) for entry in given.flat):
            given = given.astype(np.float64)
    except (TypeError, RuntimeError, BufferError, OverflowError) as error:
        raise ArgumentError(f"{name}: {type(array).__name__} cannot be read as an array of numbers ({error})") from error
    except ValueError as error:
        raise ShapeError(f"{name}: {type(array).__name__} cannot be read as an array of numbers ({error})") from error
    if given.dtype.kind not in "biuf":
        raise ArgumentError(f"{name} holds {given.dtype}, expected real numbers")
    return given


def _is_masked(array: Any) -> bool:
    """Whether this is a masked array, without importing numpy.ma, which takes half as long as this package."""
    masked = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)      # not there yet where another thread is importing it
    return masked is not None and isinstance(array, masked)


def _of_tensor(tensor: Any, name: str) -> NDArray[Any]:
    if tensor.requires_grad:
        raise ArgumentError(
            f"{name} is a tensor that requires grad, and no gradient goes this way: detach() it; "
            "a model that is to be differentiated by torch is built after `import torch`")
    if tensor.device.type != "cpu":
        raise InvalidValueError(f"{name} is on {tensor.device}, expected cpu: the engine computes there")
    try:
        given: NDArray[Any] = tensor.numpy()
    except (TypeError, RuntimeError):
        # Of a kind that numpy has not: bfloat16, or an imaginary part that is still to be negated.
        given = (tensor.to_dense() if tensor.is_sparse else tensor.resolve_neg() if tensor.is_neg() else tensor.float()).numpy()
    if given.dtype.kind not in "biuf":
        raise ArgumentError(f"{name} holds {tensor.dtype}, expected real numbers")
    return given


def in_kind_of(x: Any, y: NDArray[Any], names: Sequence[str] | None) -> Any:
    """The answer y in the kind of array that the question x was: a data frame with its index, a tensor, or numpy."""
    if type(x) is np.ndarray:
        return y
    if is_tensor(x):
        return sys.modules["torch"].from_numpy(y)
    if y.ndim == 2 and hasattr(x, "columns") and not isinstance(x, np.ndarray):
        for library in ("pandas", "polars"):
            frames = sys.modules.get(library)
            if frames is not None and isinstance(x, frames.DataFrame):
                columns = list(names) if names is not None else [f"y{k}" for k in range(y.shape[1])] if y.shape[1] > 1 else ["y"]
                return frames.DataFrame(y, columns=columns, index=x.index) if library == "pandas" else frames.DataFrame(y, schema=columns)
    return y


def floating_dtype(*arrays: NDArray[Any] | None) -> np.dtype[Any]:
    """float32 where all arrays of fractions are of 32 bits or fewer, else float64. Whole numbers have no say."""
    kinds = [array.dtype for array in arrays if array is not None and array.dtype.kind == "f"]
    return FLOAT32 if kinds and all(kind.itemsize <= 4 for kind in kinds) else FLOAT64


def address(array: NDArray[Any]) -> int:
    """Where the elements of a dense array begin. The array must outlive the use of the address."""
    try:
        return _address_of(_start_of(array))    # four times as fast as array.ctypes.data
    except (TypeError, ValueError):             # read-only, or of a kind that is no simple buffer
        return array.ctypes.data


def size(value: Any, name: str) -> int:
    """A size of at least 1 that C can hold."""
    try:
        whole = operator.index(value)
    except TypeError:
        raise ArgumentError(f"{name} is {shown(value)}, expected a whole number") from None
    if whole < 1:
        raise InvalidValueError(f"{name} is {shown(whole)}, expected 1 or more")
    if whole > sys.maxsize:
        raise OutOfMemoryError(f"{name} is {shown(whole)}, too large to hold")
    return whole


def count(value: Any, name: str) -> int:
    """How many there are to be, also none."""
    return 0 if value == 0 and isinstance(value, int) else size(value, name)


def number(value: Any, name: str) -> float:
    """One number."""
    if isinstance(value, (str, bytes)):
        raise ArgumentError(f"{name} is {shown(value)}, expected a number")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"{name} is {shown(value)}, expected a number") from None


def flag(value: Any, name: str) -> bool:
    """Yes or no."""
    try:
        return bool(value)
    except (TypeError, ValueError):
        raise ArgumentError(f"{name} is {shown(value)}, expected True or False") from None


def seed(value: Any, name: str = "seed") -> int:
    """A seed as C holds it."""
    try:
        whole = operator.index(value)
    except TypeError:
        raise ArgumentError(f"{name} is {shown(value)}, expected a whole number or None") from None
    if not 0 <= whole < 1 << 64:
        raise InvalidValueError(f"{name} is {shown(whole)}, expected 0 to 2**64 - 1")
    return whole


def text(value: Any, name: str) -> bytes:
    """A text as C holds it."""
    if not isinstance(value, str):
        raise ArgumentError(f"{name} is {shown(value)}, expected a text")
    if "\0" in value:
        raise InvalidValueError(f"{name} is {shown(value)}, expected a text without NUL")
    return value.encode("utf-8", "backslashreplace")


def path_bytes(path: str | os.PathLike[str]) -> bytes:
    """A file's path as C holds it."""
    try:
        written = os.fsencode(path)
    except TypeError:
        raise ArgumentError(f"path is {shown(path)}, expected a file's path") from None
    except UnicodeEncodeError:
        raise InvalidValueError(f"path is {shown(path)}, expected one that a file system can hold") from None
    if b"\0" in written:
        raise InvalidValueError(f"path is {shown(path)}, expected one without NUL")
    return written
