"""Losses and gradients against PyTorch's own, in its words rather than ours; left out where it is not installed."""

import numpy as np
import pytest

from causal_engine import CausalLosses, CausalMLP

LOSSES = CausalLosses(intervention_weight=0.7, counterfactual_weight=0.3)
MASKS = [None, (4, 3), (3,), (1, 3), (4, 1), (1,)]


def in_torch(torch, pred, target, mask, loss_type):
    """`causal_intervention_loss`, written for autograd."""
    functional = torch.nn.functional
    if loss_type == "cross_entropy":
        loss = functional.cross_entropy(pred, torch.tensor(target), reduction="none").unsqueeze(1)
    else:
        loss = (functional.mse_loss if loss_type == "mse" else functional.l1_loss)(pred, torch.tensor(target), reduction="none")
    if mask is None:
        return loss.mean()
    m = (torch.tensor(mask) == 0).to(pred.dtype)
    loss, m = torch.broadcast_tensors(loss, m)
    return (loss * m).sum() / m.sum().clamp(min=1)


def check(found, loss, *leaves, tolerance=1e-12):
    loss.backward()
    value, gradients = found
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    np.testing.assert_allclose(value, loss.item(), rtol=tolerance)
    for gradient, leaf in zip(gradients, leaves, strict=True):
        np.testing.assert_allclose(gradient, leaf.grad.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 2e-6)])
@pytest.mark.parametrize("loss_type", ["mse", "mae", "cross_entropy"])
@pytest.mark.parametrize("shape", MASKS, ids=str)
def test_standard_intervention_and_total_loss(rng, shape, loss_type, dtype, tolerance):
    torch = pytest.importorskip("torch")
    pred, other, other_target = rng.normal(size=(3, 4, 3)).astype(dtype)
    target = rng.integers(0, 3, size=4) if loss_type == "cross_entropy" else rng.normal(size=(4, 3)).astype(dtype)
    mask = None if shape is None else rng.integers(0, 2, size=shape)

    leaf = torch.tensor(pred, requires_grad=True)
    found = LOSSES.value_and_grad("causal_intervention_loss", pred, target, mask, loss_type=loss_type)
    assert found[1].dtype == dtype
    check(found, in_torch(torch, leaf, target, mask, loss_type), leaf, tolerance=tolerance)
    if mask is None:
        assert LOSSES.standard_loss(pred, target, loss_type) == found[0]

    leaf, counterfactual = torch.tensor(pred, requires_grad=True), torch.tensor(other, requires_grad=True)
    total = 0.7 * in_torch(torch, leaf, target, mask, loss_type)
    check(LOSSES.value_and_grad("total_causal_loss", pred, target, mask, loss_type=loss_type), total, leaf, tolerance=tolerance)
    if loss_type != "cross_entropy":        # the counterfactual term is a squared error of the factual pair too
        mse = torch.nn.functional.mse_loss
        leaf = torch.tensor(pred, requires_grad=True)
        total = 0.7 * in_torch(torch, leaf, target, mask, loss_type) + 0.3 * (
            mse(leaf, torch.tensor(target)) + mse(counterfactual, torch.tensor(other_target)))
        found = LOSSES.value_and_grad("total_causal_loss", pred, target, mask, None, other, other_target, loss_type)
        check(found, total, leaf, counterfactual, tolerance=tolerance)


def test_a_mask_wider_than_the_prediction(rng):
    torch = pytest.importorskip("torch")
    pred, target = rng.normal(size=(2, 4, 1))
    mask = rng.integers(0, 2, size=(4, 3))
    leaf = torch.tensor(pred, requires_grad=True)
    found = LOSSES.value_and_grad("causal_intervention_loss", pred, target, mask)
    check(found, in_torch(torch, leaf, target, mask, "mse"), leaf)


def test_counterfactual_and_consistency_loss(rng):
    torch = pytest.importorskip("torch")
    mse = torch.nn.functional.mse_loss
    a, b, c, d = rng.normal(size=(4, 5, 2))
    first, second = (torch.tensor(array, requires_grad=True) for array in (a, b))
    found = LOSSES.value_and_grad("counterfactual_loss", a, b, c, d)
    check(found, mse(first, torch.tensor(c)) + mse(second, torch.tensor(d)), first, second)

    mask, leaf = rng.integers(0, 2, size=(5, 2)), torch.tensor(b, requires_grad=True)
    chosen = torch.tensor(mask != 0)
    check(LOSSES.value_and_grad("causal_consistency_loss", a, b, mask, c), mse(leaf[chosen], torch.tensor(c)[chosen]), leaf)


def test_regularization_loss():
    torch = pytest.importorskip("torch")
    model = CausalMLP(3, [4], 2, dtype="float64", seed=0)
    leaves = {name: torch.tensor(np.asarray(array), requires_grad=True) for name, array in model.state_dict().items()}
    loss = 0.05 * sum(leaf.abs().sum() for leaf in leaves.values() if leaf.ndim == 2)
    loss.backward()
    value, gradients = LOSSES.value_and_grad("causal_regularization_loss", model, 0.05)
    assert value == pytest.approx(loss.item(), rel=1e-13)
    for name, leaf in leaves.items():
        wanted = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy()
        np.testing.assert_allclose(gradients[name], wanted, rtol=1e-14)
