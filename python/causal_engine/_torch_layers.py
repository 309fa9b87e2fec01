"""A network run module by module, for the sake of hooks and of modules that somebody put in the place of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

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


class MaskedLinear(nn.Linear):
    """A linear layer of which only some weights exist. The others are not looked at and learn nothing."""

    edges: torch.Tensor
    """(out, in), where a weight is."""

    def __init__(self, edges: torch.Tensor, dtype: torch.dtype) -> None:
        super().__init__(edges.shape[1], edges.shape[0], device="meta", dtype=dtype)
        self.register_buffer("edges", edges, persistent=False)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        nothing = torch.zeros((), dtype=self.weight.dtype)
        weight = torch.where(self.edges, self.weight, nothing)
        if torch.isfinite(input).all():
            return nn.functional.linear(input, weight, self.bias)
        # 0 * NaN is NaN: edge by edge, so that what is not read stays out.
        answer: torch.Tensor = (torch.where(self.edges, input.unsqueeze(-2), nothing) * weight).sum(-1) + self.bias
        return answer


def run_layers(
    x: torch.Tensor, layers: Sequence[nn.Module], edits: Sequence[Edit], learned: Mapping[int, torch.Tensor],
    edges: Sequence[torch.Tensor] | None = None, sets_outputs_again: bool = False,
) -> torch.Tensor:
    """The same numbers and gradients as the engine's pass, with each layer called as a module.

    Site k is the input of layer k; the site after the last layer is the output. `edges` tells for each layer which weights (out, in)
    there are, where not all are; `sets_outputs_again` that an input that is set is an output that is set too.
    """
    last = len(layers)
    by_site = {edit.site: edit for edit in edits}
    at_output = [site for site in ((0, last) if sets_outputs_again else (last,)) if site in by_site]
    read = _read(by_site, at_output, edges, last, len(x))
    for k, layer in enumerate(layers):
        x = _set(x, by_site.get(k), learned.get(k))
        # What nobody reads may be NaN, which must not be multiplied.
        x = layer(x if read[k] is None else torch.where(read[k], x, torch.zeros_like(x)))
    for site in at_output:
        x = _set(x, by_site[site], learned.get(site))
    return x


def _read(
    by_site: Mapping[int, Edit], at_output: Sequence[int], edges: Sequence[torch.Tensor] | None, layers: int, rows: int,
) -> list[Any]:
    """For each layer which of its inputs reach the answer, (rows, width) or (rows, 1); None where all do."""
    found: list[Any] = [None] * layers
    if not by_site and edges is None:
        return found
    reached = torch.ones(rows, 1, dtype=torch.bool)
    for site in at_output:
        reached = reached & ~_mask(by_site[site])
    for k in reversed(range(layers)):
        if edges is None:
            reached = reached.any(dim=1, keepdim=True)
        else:
            reached = reached.expand(rows, len(edges[k])).float() @ edges[k].float() > 0
        found[k] = None if reached.all() else reached
        if k in by_site:
            reached = reached & ~_mask(by_site[k])
    return found


def _mask(edit: Edit) -> torch.Tensor:
    return torch.as_tensor(edit.mask) != 0


def _set(x: torch.Tensor, edit: Edit | None, values: torch.Tensor | None) -> torch.Tensor:
    if edit is None:
        return x
    return torch.where(_mask(edit), torch.as_tensor(edit.values) if values is None else values, x)
