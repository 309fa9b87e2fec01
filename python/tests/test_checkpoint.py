"""Checkpoints: the same bits come back, into the same class, and other programs can read them."""

import copy
import os
import pickle

import numpy as np
import pytest

from causal_engine import CausalLayerRewiring, CausalMLP, CausalUnit, CheckpointError, DAGRewiring


def layer():
    dag = DAGRewiring(3)
    dag.set_adjacency_matrix([[0, 1, 1], [0, 0, 1], [0, 0, 0]])
    return CausalLayerRewiring(3, 3, dag, seed=3)


MAKERS = {
    "mlp": lambda: CausalMLP(3, [5, 4], 2, activation="gelu", dtype="float64", seed=1, feature_names=["a", "x2", "blood pressure"]),
    "small mlp": lambda: CausalMLP(3, [], 1, seed=2),
    "unit": lambda: CausalUnit(3, 2, seed=1, feature_names=["größe", "\n", "“"]),
    "deep unit": lambda: CausalUnit(3, 2, 7, "elu", dtype="float64", seed=2**64 - 1),
    "layer with a graph": layer,
    "layer": lambda: CausalLayerRewiring(3, 2, seed=0),
}


@pytest.fixture(params=MAKERS)
def model(request, rng):
    model = MAKERS[request.param]()
    model.fit(rng.normal(size=(8, 3)), rng.normal(size=(8, model.network.outputs)), epochs=2, progress=False)
    return model


def check_twin(twin, model, rng):
    assert type(twin) is type(model) and repr(twin) == repr(model)
    assert (twin.seed, twin.feature_names, twin.network.dtype) == (model.seed, model.feature_names, model.network.dtype)
    for mine, its in zip(model.parameters(), twin.parameters(), strict=True):
        assert np.array_equal(mine, its) and not np.shares_memory(mine, its)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, model.network.outputs))
    assert np.array_equal(twin(x), model(x))
    for one in (model, twin):           # the next fit draws the same order of rows too
        one.fit(x, y, epochs=2, batch_size=3, progress=False)
    assert np.array_equal(twin(x), model(x))


def test_save_and_load_give_the_same_bits(model, rng, tmp_path):
    path = tmp_path / "größe und name.safetensors"
    model.save(path)
    check_twin(type(model).load(str(path)), model, rng)
    assert os.listdir(tmp_path) == [path.name]      # nothing else was left behind


def test_pickle_and_deepcopy_give_the_same_bits(model, rng):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        check_twin(pickle.loads(pickle.dumps(model, protocol)), model, rng)
    check_twin(copy.deepcopy(model), model, rng)
    check_twin(copy.copy(model), model, rng)
    assert copy.deepcopy(model).history == model.history


def test_saving_twice_gives_the_same_bytes(model, tmp_path):
    model.save(tmp_path / "a")
    type(model).load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_safetensors_package_reads_it(model, tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    model.save(tmp_path / "model")
    found, wanted = numpy.load_file(tmp_path / "model"), model.state_dict()
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)


def test_numbers_that_are_not_finite_come_back_too(tmp_path):
    model = CausalMLP(3, [], 1, seed=0)
    model.parameters()[0][...] = [[np.nan, -np.inf, -0.0]]
    model.save(tmp_path / "model")
    assert CausalMLP.load(tmp_path / "model").parameters()[0].tobytes() == model.parameters()[0].tobytes()


class Named(CausalMLP):
    """A subclass as a notebook writes one."""

    def __init__(self, label):
        super().__init__(2, [3], 1, seed=0)
        self.label = label

    def __call__(self, x, interventions=None):
        return super().__call__(x, interventions) * 2


def test_subclasses_keep_what_they_added(rng):
    model, x = Named("mine"), rng.normal(size=(4, 2))
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert type(twin) is Named and twin.label == "mine" and isinstance(twin, CausalMLP)
        assert np.array_equal(twin(x), model(x)) and np.array_equal(twin(x), 2 * CausalMLP.__call__(model, x))


def test_a_subclass_loads_as_itself(rng, tmp_path):
    Named("mine").save(tmp_path / "model")
    assert type(Named.load(tmp_path / "model")) is Named and type(CausalMLP.load(tmp_path / "model")) is CausalMLP


def test_another_class_is_refused_and_named(tmp_path):
    CausalUnit(3, 2).save(tmp_path / "model")
    with pytest.raises(CheckpointError, match="holds a CausalUnit, expected a CausalMLP"):
        CausalMLP.load(tmp_path / "model")
    with pytest.raises(CheckpointError, match="holds a CausalUnit, expected a CausalLayerRewiring"):
        CausalLayerRewiring.load(tmp_path / "model")
