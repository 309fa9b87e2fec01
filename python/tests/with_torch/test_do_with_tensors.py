"""do() with tensors that the engine reads where they lie, and with those that it cannot."""

import os
import threading

import numpy as np
import pytest
import torch

from causal_engine import CausalMLP, ShapeError

ROWS = 6


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def model():
    return CausalMLP(3, [4], 2)


def by_hand(model, x, edits):
    """The network in PyTorch, with do() by torch.where."""
    for k, layer in enumerate([*model.layers, None]):
        if k in edits:
            mask, values = (torch.as_tensor(part) for part in edits[k])
            x = torch.where(mask != 0, values.to(x.dtype), x)
        if layer is not None:
            x = layer.layers[0](x)
            x = torch.relu(x) if k < len(model.layers) - 1 else x
    return x


def expect(model, x, edits):
    """The answers, and the gradients of everything."""
    found = []
    for call in model, lambda x, edits: by_hand(model, x, edits):
        model.zero_grad()
        y = call(x, edits)
        y.pow(2).sum().backward()
        found.append([y.detach(), *(parameter.grad for parameter in model.parameters())])
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)


def test_what_changed_since_the_last_call_is_seen(model):
    x = torch.randn(ROWS, 3)
    bytes_, floats = np.zeros((ROWS, 3), np.bool_), np.zeros((ROWS, 3), np.float32)
    mask, values = torch.from_numpy(bytes_), torch.from_numpy(floats)
    expect(model, x, {0: (mask, values)})
    mask[:, 0] = True
    expect(model, x, {0: (mask, values)})
    values += 1
    expect(model, x, {0: (mask, values)})
    bytes_[:, 1], floats[...] = True, 2             # behind torch's back
    expect(model, x, {0: (mask, values)})
    mask.data, values.data = ~mask, -values
    expect(model, x, {0: (mask, values)})
    del mask, values
    for k in range(5):                              # new tensors where the old ones were
        expect(model, x, {0: (torch.rand(ROWS, 3) < 0.5, torch.full((ROWS, 3), float(k)))})


def test_the_sites_of_one_call_are_not_those_of_the_next(model):
    x = torch.randn(ROWS, 3)

    def edit(width):
        return torch.rand(ROWS, width) < 0.5, torch.randn(ROWS, width)
    for sites in (0, 1), (1,), (0, 1), (), (1, 0), (2,), (0, 2), (0,), (0, 1, 2), (1,):
        expect(model, x, {site: edit((3, 4, 2)[site]) for site in sites})


@pytest.mark.parametrize("change", [
    lambda mask: mask.to(torch.uint8), lambda mask: mask.long(), lambda mask: mask.float(), lambda mask: mask.numpy(), lambda mask: mask[0],
    lambda mask: mask[:1], lambda mask: mask.t().contiguous().t(), lambda mask: mask.repeat(1, 2)[:, :3], lambda mask: mask[:1].expand(ROWS, 3),
    lambda mask: 200 * mask.to(torch.uint8), lambda mask: mask.to_sparse().to_dense(), lambda mask: mask.tolist(),
])
def test_masks_of_every_kind(model, change):
    mask = torch.rand(ROWS, 3) < 0.5
    expect(model, torch.randn(ROWS, 3), {0: (change(mask), torch.randn(ROWS, 3))})


@pytest.mark.parametrize("change", [
    lambda values: values.double(), lambda values: values.bfloat16(), lambda values: values.numpy(), lambda values: values[0],
    lambda values: values[:1], lambda values: values.t().contiguous().t(), lambda values: values[:1].expand(ROWS, 3), lambda values: values[0, 0],
    lambda values: torch.view_as_complex(torch.stack([values, values], -1)).conj().imag, lambda values: values.requires_grad_(),
    lambda values: torch.frombuffer(bytearray(b"\0" + values.numpy().tobytes()), dtype=torch.uint8)[1:].numpy().view(np.float32).reshape(ROWS, 3),
])
def test_values_of_every_kind(model, change):
    expect(model, torch.randn(ROWS, 3), {0: (torch.rand(ROWS, 3) < 0.5, change(torch.randn(ROWS, 3)))})


def test_shapes_that_do_not_fit_say_so(model):
    for mask, values in ((ROWS, 4), (ROWS, 3)), ((ROWS, 3), (ROWS + 1, 3)), ((1, ROWS, 3), (3,)):
        with pytest.raises(ShapeError, match=f"expected \\(3,\\) or \\({ROWS}, 3\\)"):
            model(torch.randn(ROWS, 3), {0: (torch.zeros(mask, dtype=torch.bool), torch.zeros(values))})


def test_the_log_keeps_what_was_set_then(model):
    mask, values = torch.zeros(ROWS, 3, dtype=torch.bool), torch.zeros(ROWS, 3)
    mask[:, 1] = True
    model(torch.randn(ROWS, 3), {0: (mask, values)})
    mask[...], values[...] = False, 9
    info = model.layers[0].get_intervention_info()
    assert info["mask"].dtype == torch.bool and info["mask"][:, 1].all() and info["mask"].sum() == ROWS and not info["values"].any()
    info["values"][...] = 7
    assert not model.layers[0].get_intervention_info()["values"].any()
    assert not model.layers[0].intervention_history[-1]["values"].any()


def test_threads_may_intervene_on_one_model_at_once(model):
    x, odd = torch.randn(ROWS, 3), []
    edits = [{0: (torch.rand(ROWS, 3) < 0.5, torch.full((ROWS, 3), float(k)))} for k in range(4)]
    expected = [model(x, edit).detach() for edit in edits]

    def work(k):
        for _ in range(200):
            y = model(x, edits[k])
            gradients = torch.autograd.grad(y.sum(), list(model.parameters()))
            if not torch.equal(y, expected[k]) or not all(gradient.isfinite().all() for gradient in gradients):
                odd.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not odd


def test_a_forked_child_goes_on(model):
    x, edits = torch.randn(ROWS, 3), {0: (torch.rand(ROWS, 3) < 0.5, torch.randn(ROWS, 3))}
    expected = model(x, edits).detach()
    child = os.fork()
    if child == 0:
        with torch.no_grad():
            os._exit(0 if torch.equal(model(x, edits), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert torch.equal(model(x, edits), expected)


def test_a_frozen_layer_costs_no_gradient_and_changes_no_other(model):
    x = torch.randn(ROWS, 3)
    model(x).sum().backward()
    whole = [parameter.grad for parameter in model.parameters()]
    for frozen in range(4):
        model.zero_grad()
        for k, parameter in enumerate(model.parameters()):
            parameter.requires_grad_(k != frozen)
        model(x).sum().backward()
        for k, (parameter, gradient) in enumerate(zip(model.parameters(), whole)):
            assert parameter.grad is None if k == frozen else torch.equal(parameter.grad, gradient)
