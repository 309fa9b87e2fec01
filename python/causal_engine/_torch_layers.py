"""A network run module by module, for the sake of hooks and of modules that somebody put in the place of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

from ._intervention import Edit
from .errors import InvalidValueError

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity, "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "gelu": nn.GELU, "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid, "softplus": nn.Softplus, "silu": nn.SiLU,
}


def activation_module(name: str) -> nn.Module:
    """The activation of this name as a module."""
    if name not in _ACTIVATIONS:
        raise InvalidValueError(f"activation is {name!r}, expected one of {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[name]()


def activation_name(module: nn.Module) -> str | None:
    """What the engine calls an activation of torch's; None where it has no such one, with these parameters."""
    for name, make in _ACTIVATIONS.items():
        ours = make()
        if type(module) is type(ours) and _options(module) == _options(ours):
            return name
    return None


def _options(module: nn.Module) -> dict[str, object]:
    return {name: value for name, value in vars(module).items() if not name.startswith("_") and name not in ("training", "inplace")}


def run_layers(
    x: torch.Tensor, layers: Sequence[nn.Module], edits: Sequence[Edit], learned: Mapping[int, torch.Tensor],
) -> torch.Tensor:
    """The same numbers and gradients as the engine's pass, with each layer called as a module.

    Site k is the input of layer k; the site after the last layer is the output.
    """
    by_site = {edit.site: edit for edit in edits}
    for k, layer in enumerate(layers):
        # A row in which a later site is set throughout reads nothing from here: neither may a NaN in it.
        unread = _rows_set_throughout([edit for edit in edits if edit.site > k], len(x))
        x = _set(x, by_site.get(k), learned.get(k))
        x = layer(x if unread is None else torch.where(unread, torch.zeros_like(x), x))
    return _set(x, by_site.get(len(layers)), learned.get(len(layers)))


def _set(x: torch.Tensor, edit: Edit | None, values: torch.Tensor | None) -> torch.Tensor:
    if edit is None:
        return x
    return torch.where(torch.as_tensor(edit.mask) != 0, torch.as_tensor(edit.values) if values is None else values, x)


def _rows_set_throughout(edits: Sequence[Edit], rows: int) -> torch.Tensor | None:
    """(rows, 1), or None where there is no such row."""
    found = torch.zeros(rows, 1, dtype=torch.bool)
    for edit in edits:
        found |= (torch.as_tensor(edit.mask) != 0).all(dim=-1, keepdim=True)
    return found if found.any() else None
