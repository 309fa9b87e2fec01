"""The models as torch.nn.Modules: everything that people do to a Module."""

import copy
import io
import pickle
import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parameters_to_vector, prune, vector_to_parameters

from causal_engine import ArgumentError, CausalLayerRewiring, CausalMLP, CausalUnit, DAGRewiring, InvalidValueError, ShapeError, StateError


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def model():
    return CausalMLP(3, [8, 5], 2, activation="tanh")


@pytest.fixture
def x():
    return torch.randn(6, 3)


def by_hand(model, x):
    """The network from its parameters as they are now."""
    tensors = list(model.parameters())
    for weight, bias in zip(tensors[:-2:2], tensors[1:-2:2]):
        x = torch.tanh(x @ weight.T + bias)
    return x @ tensors[-2].T + tensors[-1]


def expect_by_hand(model, x):
    torch.testing.assert_close(model(x), by_hand(model, x), rtol=1e-5, atol=1e-6)
    model.zero_grad()
    model(x).pow(2).sum().backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    by_hand(model, x).pow(2).sum().backward()
    for parameter, gradient in zip(model.parameters(), gradients):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-4, atol=1e-5)


def home(model):
    """Whether the parameters are views of the engine's buffer."""
    start = model._flat.ctypes.data
    return all(p.data_ptr() - start == t.place.start * p.element_size() for p, t in zip(model.parameters(), model.network.tensors))


def test_it_is_a_module_of_the_class_that_was_named(model):
    assert isinstance(model, nn.Module) and isinstance(model, CausalMLP) and type(model).__name__ == "CausalMLP"
    assert isinstance(model.layers[0], CausalUnit) and isinstance(model.layers[0].layers[0], nn.Linear)
    assert list(model.state_dict()) == [f"layers.{k}.layers.0.{name}" for k in range(3) for name in ("weight", "bias")]
    assert [name for name, _ in CausalUnit(3, 1, 4).named_parameters()] == [
        "layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"]
    assert [name for name, _ in CausalLayerRewiring(3, 2).named_parameters()] == ["linear.weight", "linear.bias"]
    assert repr(model) == "CausalMLP(3, [8, 5], 2, activation='tanh')" and model.training
    assert len(list(model.modules())) == 1 + 1 + 3 * 3


def test_parameters_are_the_engines_weights(model, x):
    assert home(model)
    with torch.no_grad():
        model.layers[1].layers[0].weight.mul_(2)
        model.layers[2].layers[0].bias.data[0] = 5
    expect_by_hand(model, x)
    assert home(model)


def load_assigned(model):
    model.load_state_dict({name: torch.randn_like(tensor) for name, tensor in model.state_dict().items()}, assign=True)


def load_assigned_from_above(model):
    above = nn.Sequential(model)
    above.load_state_dict({name: torch.randn_like(tensor) for name, tensor in above.state_dict().items()}, assign=True)


MOVES = {
    "vector_to_parameters": lambda model: vector_to_parameters(2 * parameters_to_vector(model.parameters()).detach(), model.parameters()),
    "load_state_dict(assign=True)": load_assigned,
    "load_state_dict(assign=True) above": load_assigned_from_above,
    "data": lambda model: setattr(model.layers[0].layers[0].weight, "data", torch.randn(8, 3)),
    "double and back": lambda model: model.double().float(),
    "transposed": lambda model: setattr(model.layers[1].layers[0].weight, "data", torch.randn(8, 5).t()),
    "transposed in its place": lambda model: setattr(model.layers[3].layers[0].weight, "data", model.layers[3].layers[0].weight.data.t()),
    "init": lambda model: model.apply(lambda m: nn.init.xavier_uniform_(m.weight) if isinstance(m, nn.Linear) else None),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_parameter_that_moved_is_brought_home(x, move):
    model = CausalMLP(3, [8, 5, 4], 4, activation="tanh")
    before = model(x).detach()
    MOVES[move](model)
    expect_by_hand(model, x)
    assert home(model)
    assert move == "double and back" or not torch.allclose(model(x), before)
    steps = torch.optim.SGD(model.parameters(), 0.1)
    steps.step()
    expect_by_hand(model, x)
    for layer in model.layers:
        assert home(layer)


def new_weight(model):
    model.layers[0].layers[0].weight = nn.Parameter(torch.randn(8, 3))


@pytest.mark.parametrize("place", [
    new_weight,
    lambda model: parametrizations.weight_norm(model.layers[1].layers[0]),
    lambda model: prune.random_unstructured(model.layers[0].layers[0], "weight", 0.5),
    lambda model: model.share_memory(),
])
def test_weights_from_elsewhere_are_read_on_each_call(model, x, place):
    place(model)

    def layer(k, h):
        return model.layers[k].layers[0](h)
    for _ in range(2):
        with torch.no_grad():
            expected = layer(2, torch.tanh(layer(1, torch.tanh(layer(0, x)))))
            torch.testing.assert_close(model(x), expected, rtol=1e-5, atol=1e-6)
        model.zero_grad()
        model(x).pow(2).sum().backward()
        for parameter in model.parameters():
            assert parameter.grad is not None
            with torch.no_grad():
                parameter.sub_(0.01 * parameter.grad)


def test_tied_weights():
    model, x = CausalMLP(4, [4, 4], 4, activation="tanh"), torch.randn(6, 4)
    model.layers[1].layers[0].weight = model.layers[0].layers[0].weight
    parts, ends = [layer.layers[0] for layer in model.layers], []
    for call in model, lambda x: parts[2](torch.tanh(parts[1](torch.tanh(parts[0](x))))):
        model.zero_grad()
        y = call(x)
        y.pow(2).sum().backward()
        ends.append([y.detach(), *(parameter.grad for parameter in model.parameters())])
    assert len(ends[0]) == 6
    torch.testing.assert_close(*ends, rtol=1e-5, atol=1e-6)


def test_shared_memory_stays_shared(model, x):
    model.share_memory()
    model(x)
    assert all(parameter.is_shared() for parameter in model.parameters())
    model.fit(x, torch.randn(6, 2), epochs=2, progress=False)
    assert all(parameter.is_shared() for parameter in model.parameters())
    expect_by_hand(model, x)


def test_functional_call_leaves_the_model_and_the_others_parameters_alone(model, x):
    other, before = CausalMLP(3, [8, 5], 2, activation="tanh"), model(x).detach()
    swapped = torch.func.functional_call(model, dict(other.named_parameters()), (x,))
    assert torch.equal(swapped, other(x)) and torch.equal(model(x), before) and home(model) and home(other)
    swapped.sum().backward()
    assert all(p.grad is None for p in model.parameters()) and all(p.grad is not None for p in other.parameters())


def test_new_parameters_become_the_models_own_when_it_is_trained_or_saved(model, x, tmp_path):
    new_weight(model)
    expected = model(x).detach()
    model.save(tmp_path / "model")
    assert home(model) and torch.equal(CausalMLP.load(tmp_path / "model")(x), expected)
    parametrizations.weight_norm(model.layers[0].layers[0])
    with pytest.raises(StateError, match="computed from other tensors"):
        model.fit(x, torch.randn(6, 2), epochs=1, progress=False)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_to_another_precision(model, x, dtype):
    wide = model.double()
    assert wide is model and model(x).dtype == torch.float64 and model(x.double()).dtype == torch.float64
    torch.testing.assert_close(model(x.double()), by_hand(model, x.double()), rtol=1e-13, atol=1e-13)
    model.to(dtype)
    assert model(x).dtype == dtype and model.network.dtype == str(dtype).removeprefix("torch.")
    assert model.layers[0](x).dtype == dtype
    model.fit(x, torch.randn(6, 2), epochs=1, progress=False)
    assert all(parameter.dtype == dtype for parameter in model.parameters())


def test_what_the_engine_cannot_hold_is_an_error_that_says_so(model, x):
    for convert, text in ((lambda m: m.half(), "float16"), (lambda m: m.bfloat16(), "bfloat16"), (lambda m: m.to("meta"), "meta")):
        moved = convert(copy.deepcopy(model))
        with pytest.raises(InvalidValueError, match=text):
            moved(x)
    model.layers[1].double()
    with pytest.raises(InvalidValueError, match=r"layers.1.layers.0.weight is of torch.float64"):
        model(x)
    with pytest.raises(InvalidValueError, match="meta"):
        CausalMLP(3, [8], 2)(x.to("meta"))
    with pytest.raises(InvalidValueError, match="sparse"):
        CausalMLP(3, [8], 2)(x.to_sparse())
    with pytest.raises(ArgumentError, match="complex"):
        CausalMLP(3, [8], 2)(x.to(torch.complex64))
    for shape in (4,), (6, 4), (2, 6, 3), ():
        with pytest.raises(ShapeError, match="expected"):
            CausalMLP(3, [8], 2)(torch.zeros(shape))


@pytest.mark.parametrize("make", [
    lambda: CausalMLP(3, [8, 5], 2, activation="tanh"), lambda: CausalUnit(3, 2, 4), lambda: CausalLayerRewiring(3, 3, DAGRewiring(3))])
@pytest.mark.parametrize("keep", [
    copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model)),
    lambda model: torch.load(_saved(model), weights_only=False)])
def test_copies(make, keep, x):
    model = make()
    next(model.parameters()).requires_grad_(False)
    model.eval()
    model.note = "mine"
    twin = keep(model)
    assert type(twin) is type(model) and twin.note == "mine" and not twin.training
    assert torch.equal(twin(x), model(x)) and home(twin)
    assert [p.requires_grad for p in twin.parameters()] == [p.requires_grad for p in model.parameters()]
    if keep is not copy.copy:
        before = model(x).detach()
        twin.requires_grad_(True)      # fit refuses to change what is frozen
        twin.fit(x, model(x).detach() + 1, epochs=3, progress=False)
        assert torch.equal(model(x), before) and not torch.equal(twin(x), before)


def _saved(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return file


def test_state_dicts_travel_under_the_default_of_torch_load_and_through_safetensors(model, x, tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    torch.save(model.state_dict(), tmp_path / "state.pt")
    model.save(tmp_path / "checkpoint")
    safetensors.save_model(model, tmp_path / "theirs")
    states = [torch.load(tmp_path / "state.pt"), safetensors.load_file(tmp_path / "checkpoint"), safetensors.load_file(tmp_path / "theirs"),
              {name: tensor.numpy() for name, tensor in model.state_dict().items()}]
    for state in states:
        twin = CausalMLP(3, [8, 5], 2, activation="tanh")
        assert str(twin.load_state_dict(state)) == "<All keys matched successfully>"
        assert torch.equal(twin(x), model(x)) and home(twin)
    with pytest.raises(RuntimeError, match="Missing key"):
        model.load_state_dict({})


def test_inside_other_modules(model, x):
    whole = nn.Sequential(nn.Linear(3, 3), model, nn.ReLU())
    steps = torch.optim.Adam(whole.parameters())
    whole(x).sum().backward()
    assert all(parameter.grad is not None for parameter in whole.parameters())
    before = whole(x).detach()
    steps.step()
    assert not torch.equal(whole(x), before)
    assert torch.equal(copy.deepcopy(whole)(x), whole(x)) and len(whole.state_dict()) == 8


class Wider(CausalMLP):
    def __init__(self, width):
        super().__init__(3, [width], 1)
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("offset", torch.zeros(1))
        self.first = self.layers[0]

    def forward(self, x, interventions=None):
        return self.scale * super().forward(x, interventions) + self.offset


def test_subclasses_with_parameters_of_their_own(x):
    model = Wider(4)
    assert isinstance(model, Wider) and isinstance(model, nn.Module) and len(list(model.parameters())) == 5
    model(x, {0: ([1, 0, 0], 2.0)}).sum().backward()
    assert model.scale.grad is not None
    with torch.no_grad():
        model.scale.fill_(2)
    for twin in copy.deepcopy(model), pickle.loads(pickle.dumps(model)):
        assert isinstance(twin, Wider) and torch.equal(twin(x), model(x)) and twin.first is twin.layers[0]
        twin.load_state_dict(model.state_dict())


def test_hooks_on_inner_modules_are_called_and_change_nothing_else(model, x):
    edits = {0: ([0, 1, 0], 0.5), 1: (torch.rand(6, 8) < 0.5, torch.randn(6, 8)), 3: ([1, 0], [2.0, 0.0])}
    x.requires_grad_()
    expected, seen = model(x, edits), []
    model.zero_grad()
    expected.pow(2).sum().backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    for module in model.layers[0], model.layers[1].layers[0], model.layers[2]:
        module.register_forward_hook(lambda module, inputs, output: seen.append(tuple(output.shape)))
        module.register_full_backward_hook(lambda module, inputs, outputs: seen.append("back"))
    model.zero_grad()
    y = model(x, edits)
    y.pow(2).sum().backward()
    assert seen == [(6, 8), (6, 5), (6, 2), "back", "back", "back"]
    torch.testing.assert_close(y, expected)
    torch.testing.assert_close([parameter.grad for parameter in model.parameters()], gradients)


def test_hooks_on_the_model_itself(model, x):
    handle = model.register_forward_hook(lambda module, inputs, output: output + 1)
    assert torch.equal(model(x) - 1, model.forward(x) + 1 - 1)
    handle.remove()


def test_a_layer_that_was_replaced_is_used_but_not_trained_by_the_engine(model, x):
    old = model.layers[1]
    model.layers[2] = nn.Linear(5, 4)
    with torch.no_grad():
        expected = model.layers[2](torch.tanh(old(torch.tanh(model.layers[0](x)))))
        torch.testing.assert_close(model(x), expected)
    model(x, {1: ([1] * 8, 0.3)}).sum().backward()
    with pytest.raises(StateError, match="was replaced"):
        model.fit(x, torch.randn(6, 4), progress=False)


def test_a_part_of_a_layer_that_was_replaced_is_not_passed_over(model, x):
    model.layers[0].layers[0] = nn.Linear(3, 8)
    with torch.no_grad():
        expected = model.layers[2](torch.tanh(model.layers[1](torch.tanh(model.layers[0].layers[0](x)))))
        torch.testing.assert_close(model(x), expected)
    with pytest.raises(StateError, match="was replaced"):
        model.fit(x, torch.randn(6, 2), progress=False)


def test_threads_may_predict_with_one_model(model, x):
    expected, odd = model(x).detach(), []

    def predict():
        for _ in range(200):
            with torch.no_grad():
                if not torch.equal(model(x), expected):
                    odd.append(1)
    threads = [threading.Thread(target=predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not odd


def test_everything_without_torch_works_on_it_too(model, x, tmp_path):
    data = x.numpy()
    y = model(data)
    assert type(y) is np.ndarray and np.allclose(y, model(x).detach()) and type(model(data.tolist())) is np.ndarray
    history = model.fit(data, np.ones((6, 2)), epochs=3, progress=False)
    assert len(history) == 3 and torch.isfinite(model(x)).all()
    trace = model.trace(data, {0: ([0, 1, 0], 0.5)})
    assert not trace.backward(np.ones((6, 2))).inputs[:, 1].any()
    model.save(tmp_path / "model")
    loaded = CausalMLP.load(tmp_path / "model")
    assert isinstance(loaded, nn.Module) and torch.equal(loaded(x), model(x))
    layer = CausalLayerRewiring(3, 3)
    before = layer(x).detach()
    layer.fit(data, data, epochs=2, progress=False)
    layer.reset_weights()
    assert torch.equal(layer(x), before)
    assert model.layers[0].get_intervention_info() == {"mask": None, "values": None}
    model(x, {0: (torch.tensor([0, 1, 0]), torch.tensor([0, 0.5, 0]))})
    assert model.layers[0].get_intervention_info()["mask"].tolist() == [False, True, False]
    with model:
        pass


def test_fit_follows_from_the_seed_of_torch(x):
    ends = []
    for _ in range(2):
        torch.manual_seed(4)
        model = CausalMLP(3, [8], 1)
        model.fit(x, x[:, 0], epochs=3, batch_size=2, progress=False)
        ends.append(model(x).detach())
    assert torch.equal(*ends)
