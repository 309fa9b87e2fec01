"""do() with tensors: what the engine can read where it lies, and values that autograd follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ._intervention import Edit, Interventions, edit_of, edits_of, site_of
from ._network import Network

NUMPY_DTYPES: dict[torch.dtype, np.dtype[Any]] = {torch.float32: np.dtype(np.float32), torch.float64: np.dtype(np.float64)}
TORCH_DTYPES = {dtype: torch_dtype for torch_dtype, dtype in NUMPY_DTYPES.items()}


def edits_of_tensors(
    interventions: Interventions | None, network: Network, dtype: torch.dtype, rows: int, names: Any,
) -> tuple[list[Edit], dict[int, torch.Tensor]]:
    """The interventions on `rows` rows as `edits_of` gives them, and by site the do-values that autograd follows."""
    widths = network.site_widths
    learned: dict[int, torch.Tensor] = {}
    if not isinstance(interventions, dict):
        return edits_of(interventions, widths, rows, network.dtype, names), learned
    edits = []
    for key, pair in interventions.items():
        site = key if type(key) is int and 0 <= key < len(widths) else site_of(key, len(widths))
        if isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[1], torch.Tensor) and pair[1].requires_grad:
            learned[site] = pair[1].to(dtype)
            pair = pair[0], pair[1].detach()
        edit = _read_in_place(site, pair, widths[site], rows, dtype)
        if edit is None:
            edit = edit_of(site, pair, widths[site], rows, network.dtype, names if site == 0 else None)
        if edit is not None:
            edits.append(edit)
    return edits, learned


def _read_in_place(site: int, pair: Any, width: int, rows: int, dtype: torch.dtype) -> Edit | None:
    """An edit that the engine reads where it lies; None where there is something to convert or to complain about."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        return None
    mask, values = pair
    if type(mask) is not torch.Tensor or type(values) is not torch.Tensor or values.dtype is not dtype:
        return None
    mask_shape, shape, of_all = mask.shape, values.shape, (rows, width)
    mask_rows = rows if mask_shape == of_all else 1 if mask_shape == (width,) else 0
    value_rows = rows if shape == of_all else 1 if shape == (width,) else 0
    where, itemsize = values.data_ptr() if mask_rows and value_rows and _is_plain(mask) and _is_plain(values) else 0, values.itemsize
    if mask.dtype is not torch.bool and mask.dtype is not torch.uint8 or where == 0 or where % itemsize:
        return None
    return Edit(site, width, mask, mask.data_ptr(), mask_rows, values, where, value_rows, value_rows * width * itemsize, shape)


def _is_plain(tensor: torch.Tensor) -> bool:
    return tensor.is_cpu and tensor.layout is torch.strided and tensor.is_contiguous() and not tensor.is_neg()
