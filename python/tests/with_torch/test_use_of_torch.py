"""When torch is in use, and arrays of every kind in and out."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from causal_engine import ArgumentError, CausalLayerRewiring, CausalLosses, CausalMetrics, CausalMLP, CausalUnit, DAGRewiring


def run(code):
    """Python code in a process of its own."""
    return subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True, timeout=120).stdout


def test_importing_the_package_does_not_import_torch():
    assert run("import sys, causal_engine; print([m for m in ('torch', 'pandas', 'sklearn', 'matplotlib', 'networkx') if m in sys.modules])") == "[]\n"


def test_a_model_built_before_torch_was_imported():
    assert run("""
import copy, pickle
from causal_engine import CausalMLP
model = CausalMLP(3, [4], 1, seed=0)
import torch
assert not isinstance(model, torch.nn.Module) and isinstance(CausalMLP(3, [4], 1), torch.nn.Module)
x = torch.randn(5, 3)
y = model(x, {0: (torch.tensor([0, 1, 0]), torch.tensor([0, 0.5, 0]))})
assert isinstance(y, torch.Tensor) and not y.requires_grad
try:
    model(x.requires_grad_())
except TypeError as error:
    assert "built after `import torch`" in str(error), error
else:
    raise AssertionError
twin = pickle.loads(pickle.dumps(model))        # what is made now is a Module
assert isinstance(twin, torch.nn.Module) and torch.equal(twin(x).detach(), model(x.detach()))
assert isinstance(model, CausalMLP) and isinstance(twin, CausalMLP)
print("good")
""") == "good\n"


def test_a_module_that_was_pickled_is_one_where_torch_has_not_been_imported_yet(tmp_path):
    import pickle
    model, x = CausalMLP(3, [4], 1), torch.ones(2, 3)
    (tmp_path / "model").write_bytes(pickle.dumps(model))
    answer = run(f"import pickle; m = pickle.load(open({str(tmp_path / 'model')!r}, 'rb')); import torch; print(m(torch.ones(2, 3)).tolist())")
    assert answer == f"{model(x).tolist()}\n"


def test_without_torch():
    assert run("""
import sys
sys.modules["torch"] = None         # as if it were not installed
del sys.modules["torch"]
class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "torch": raise ImportError("no torch here")
sys.meta_path.insert(0, Absent())
import numpy as np
from causal_engine import CausalMLP, CausalLosses
model = CausalMLP(3, [4], 1, seed=0)
model.fit(np.ones((4, 3)), np.ones(4), epochs=2, progress=False)
assert isinstance(CausalLosses().standard_loss([1.0], [2.0]), float)
print("good")
""") == "good\n"


KINDS = {
    "list": (lambda x: x.tolist(), np.ndarray), "numpy": (lambda x: x.numpy(), np.ndarray), "tensor": (lambda x: x, torch.Tensor),
    "float64": (lambda x: x.numpy().astype(float), np.ndarray), "transposed": (lambda x: x.t().contiguous().t(), torch.Tensor),
}


@pytest.mark.parametrize("kind", KINDS)
def test_array_kind_in_is_array_kind_out(kind):
    model, x = CausalMLP(3, [4], 1), torch.randn(5, 3)
    convert, expected = KINDS[kind]
    for edits in None, {0: ([0, 1, 0], 0.5)}, {0: (torch.tensor([0, 1, 0]), 0.5)}, {0: (np.array([0, 1, 0]), torch.tensor(0.5))}:
        y = model(convert(x), edits)
        assert type(y) is expected and y.dtype in (np.float32, torch.float32)
        assert np.array_equal(np.asarray(y.detach() if kind in ("tensor", "transposed") else y), model(x, edits).detach().numpy())


def test_zero_rows_are_an_empty_result():
    x = torch.empty(0, 3, requires_grad=True)
    y = CausalMLP(3, [4], 2)(x, {0: ([0, 1, 0], 0.5)})
    y.sum().backward()
    assert y.shape == (0, 2) and x.grad.shape == (0, 3)


def test_one_row_without_a_batch_dimension():
    model, x = CausalMLP(3, [4], 2), torch.randn(3, requires_grad=True)
    y = model(x)
    y.sum().backward()
    assert y.shape == (2,) and x.grad.shape == (3,) and torch.equal(y, model(x[None])[0])


def test_graphs_take_and_give_tensors():
    dag = DAGRewiring(3)
    dag.set_adjacency_matrix(torch.tensor([[0, 1, 1], [0, 0, 1], [0, 0, 0]]))
    assert isinstance(dag.adj_matrix, torch.Tensor) and dag.adj_matrix.dtype == torch.float32
    cut = dag.apply_intervention_to_dag(torch.tensor([0.0, 1.0, 0.0]))
    assert torch.equal(cut, torch.tensor([[0.0, 0, 1], [0, 0, 1], [0, 0, 0]])) and dag.get_parents(1) == []
    weight = torch.randn(3, 3, requires_grad=True)
    masked = dag.mask_edges(weight, torch.tensor([0, 1, 0]))
    masked.sum().backward()
    assert torch.equal(masked[:, 1], torch.zeros(3)) and torch.equal(weight.grad, torch.tensor([[1.0, 0, 1]] * 3))
    layer = CausalLayerRewiring(3, 3, dag)
    assert layer(torch.randn(2, 3), torch.tensor([0, 0, 1]))[:, 2].tolist() == [layer.linear.bias[2].item()] * 2
    dag.set_adjacency_matrix([[0, 1, 0], [0, 0, 0], [0, 0, 0]])
    assert isinstance(dag.adj_matrix, np.ndarray)


def test_metrics_and_losses_of_tensors_are_tensors_and_of_arrays_floats():
    a, b = torch.randn(4, 2), torch.randn(4, 2)
    for value in (CausalMetrics.intervention_accuracy(a, b, [1, 0]), CausalMetrics.causal_effect_estimation_error(a, b),
                  CausalLosses().standard_loss(a, b)):
        assert isinstance(value, torch.Tensor) and value.shape == () and value.dtype == torch.float32
    assert isinstance(CausalLosses().standard_loss(a.numpy(), b.numpy()), float)
    with pytest.raises(ArgumentError, match="requires grad"):
        CausalMLP(3, [4], 1).fit(torch.randn(4, 3, requires_grad=True), torch.randn(4, 1), progress=False)


def test_frames_and_read_only_arrays():
    pandas = pytest.importorskip("pandas")
    model = CausalMLP(3, [4], 1, feature_names=["a", "b", "c"])
    frame = pandas.DataFrame(np.random.default_rng(0).normal(size=(5, 3)), columns=["c", "a", "b"])
    expected = model(torch.tensor(frame[["a", "b", "c"]].to_numpy()), {0: ([0, 1, 0], 0.5)})
    mask = pandas.Series({"c": 0, "b": 1, "a": 0})
    for answer in model(frame, {0: (mask, 0.5)}), model.do(b=0.5)(frame), model.do(b=0.5, where=frame["a"] < 9)(frame):
        assert isinstance(answer, pandas.DataFrame) and np.array_equal(answer.to_numpy(), expected.detach().numpy())
    fixed = frame[["a", "b", "c"]].to_numpy()
    fixed.flags.writeable = False
    assert np.array_equal(model(fixed, {0: ([0, 1, 0], 0.5)}), expected.detach().numpy())


def test_what_a_unit_remembers_is_in_tensors():
    unit, x = CausalUnit(3, 2), torch.randn(4, 3)
    mask, values = torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0.0, 0.5, 0.0])
    for given in x, x.numpy():
        unit(given, mask, values)
        for info in unit.get_intervention_info(), unit.intervention_history[-1]:
            assert torch.equal(info["mask"], mask != 0) and torch.equal(info["values"], values)
    unit(x)
    assert unit.get_intervention_info() == {"mask": None, "values": None} and len(unit.intervention_history) == 2


def test_gradients_of_losses_are_of_the_kind_of_what_they_are_gradients_of():
    losses, a, b = CausalLosses(), torch.randn(4, 2, requires_grad=True), torch.randn(4, 2)
    value, gradient = losses.value_and_grad("standard_loss", a.detach(), b)
    losses.standard_loss(a, b).backward()
    assert isinstance(value, float) and torch.equal(gradient, a.grad)
    pair = losses.value_and_grad("counterfactual_loss", b, b + 1, b, b)[1]
    assert [type(each) for each in pair] == [torch.Tensor] * 2 and not pair[0].any() and pair[1].all()
    assert isinstance(losses.value_and_grad("standard_loss", b.numpy(), b)[1], np.ndarray)
    model = CausalMLP(3, [4], 1)
    gradients = losses.value_and_grad("causal_regularization_loss", model, 0.5)[1]
    for name, parameter in model.named_parameters():
        expected = torch.zeros_like(parameter) if name.endswith("bias") else 0.5 * parameter.detach().sign()
        assert torch.equal(gradients[name], expected)
