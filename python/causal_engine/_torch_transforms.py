"""What PyTorch's transforms of programs, `torch.compile` and `torch.func`, make of a pass that they cannot look into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .errors import StateError


def uncompiled(run: Callable[..., Any], *arguments: Any) -> Any:
    """Calls from inside `torch.compile`, which leaves the engine's pass as it is and compiles what stands around it.

    Were it traced, an object that frees memory of the engine would be made twice.
    """
    if torch.compiler.is_exporting():
        raise StateError("torch.export: the engine's pass is not part of a program of PyTorch's; save() keeps the model")
    return torch.compiler.disable(run)(*arguments)      # type: ignore[no-untyped-call]


uncompiled._torchdynamo_disable = True          # type: ignore[attr-defined]


def refuse_transforms(error: RuntimeError) -> None:
    """Says what is not supported, where an error comes from a transform; other errors are not touched."""
    if torch._C._functorch.peek_interpreter_stack() is not None:
        raise StateError(
            "torch.func (grad, vmap, jvp, jacrev, ...) does not reach into the engine: expected loss.backward(), torch.autograd.grad or "
            "torch.autograd.functional, which do") from error
