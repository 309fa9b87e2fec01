"""do(X = v) as a caller writes it, `{layer: (do_mask, do_values)}`, and as the engine takes it."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._arrays import address, dtype_code, mask_bytes, numbers
from ._bindings import Handle, library
from .errors import ArgumentError, InvalidValueError, ShapeError, UnknownNameError, shown
from .features import in_order

Interventions = Mapping[int, tuple[Any, Any]]


class Edit(NamedTuple):
    """What is set at one site: two dense arrays or tensors, each of one row, shared by all, or of a row for each."""

    site: int
    width: int
    mask: Any                       # of bytes or booleans
    mask_address: int
    mask_rows: int
    values: Any                     # of the model's dtype
    value_address: int
    value_rows: int
    given_shape: tuple[int, ...]    # of the values as the caller wrote them


def edits_of(
    interventions: Interventions | None, widths: Sequence[int], rows: int, dtype: np.dtype[Any], names: Sequence[str] | None = None,
) -> list[Edit]:
    """The interventions on `rows` rows of a network whose sites have these widths; sites without one are left out. `names` are
    those of the units of site 0, where they have any."""
    if interventions is None:
        return []
    if not isinstance(interventions, Mapping):
        raise ArgumentError(f"interventions: {type(interventions).__name__}, expected {{layer: (do_mask, do_values)}}")
    edits = []
    for key, pair in interventions.items():
        site = site_of(key, len(widths))
        edit = edit_of(site, pair, widths[site], rows, dtype, names if site == 0 else None)
        if edit is not None:
            edits.append(edit)
    return edits


def site_of(key: Any, count: int) -> int:
    """The site that a key of the interventions names."""
    try:
        site = operator.index(key)
    except TypeError:
        site = -1
    if not 0 <= site < count:
        last = "" if count == 1 else f" to {count - 1} (the output)"
        raise UnknownNameError(f"interventions: there is no layer {shown(key)}, expected 0 (the features){last}")
    return site


def edit_of(site: int, pair: Any, width: int, rows: int, dtype: np.dtype[Any], names: Sequence[str] | None) -> Edit | None:
    """One pair of the interventions; None where it is `(None, None)`."""
    try:
        given_mask, given_values = pair
    except (TypeError, ValueError):
        raise InvalidValueError(f"intervention at layer {site}: expected a pair (do_mask, do_values)") from None
    if given_mask is None and given_values is None:
        return None
    if given_mask is None or given_values is None:
        missing = "do_mask" if given_mask is None else "do_values"
        raise InvalidValueError(f"intervention at layer {site}: {missing} is None, expected both or neither")
    mask = mask_bytes(in_order(given_mask, names, "do_mask"), "do_mask")
    values = numbers(in_order(given_values, names, "do_values"), dtype, "do_values")
    shape = values.shape
    if not shape:
        values = np.full((1, width), values, dtype)
    for name, array in (("do_mask", mask), ("do_values", values)):
        if array.shape not in ((width,), (1, width), (rows, width)):
            raise ShapeError(f"intervention at layer {site}: {name} of shape {array.shape}, expected ({width},) or ({rows}, {width})")
    mask, values = mask.reshape(-1, width), values.reshape(-1, width)
    return Edit(site, width, mask, address(mask), len(mask), values, address(values), len(values), shape)


def intervention_handle(edits: Sequence[Edit], dtype: np.dtype[Any], used: Handle | None = None) -> Handle | None:
    """The edits in the engine's hands, which copies them; None where there are none. A handle that was used for the same sites
    before takes them instead of a new one."""
    if not edits:
        return None
    code = dtype_code(dtype)
    handle = used or Handle(library.causal_intervention_create, library.causal_intervention_free, code)
    for site, width, _, mask, mask_rows, _, values, value_rows, _ in edits:
        library.causal_intervention_set(handle.address, site, mask, mask_rows, values, code, value_rows, width)
    return handle
