"""Checkpoints of structural models: a file, a pickle or a copy answers to the bit; files from anyone do no harm."""

import copy
import enum
import json
import multiprocessing
import os
import pickle
import struct

import numpy as np
import pytest

from causal_engine import CausalMLP, CheckpointError, Graph, StructuralModel
from causal_engine._structural_checkpoint import Options, save
from causal_engine._structural_fit import Mechanism
from causal_engine.errors import ArgumentError, InvalidValueError, StateError
from causal_engine.scenario import ScenarioView


def data(rows=60):
    rng = np.random.default_rng(3)
    group = rng.choice(["a", "b", "ü"], rows)
    x = rng.normal(size=rows) + (group == "a")
    return {"group": group, "x dose": x, "y": 2 * x + rng.normal(size=rows), "sick": x + rng.normal(size=rows) > 0}


def fitted(dtype="float32", **options):
    graph = Graph([("group", "x dose"), ("x dose", "y"), ("group", "y"), ("x dose", "sick")], confounded=[("y", "sick")])
    mechanisms = {"x dose": Mechanism("flow", (4,), "tanh", 4), "y": "location_scale", "sick": "linear"}
    return StructuralModel(graph, mechanisms, categorical={"group": None, "sick": [False, True]}, dtype=dtype, seed=5).fit(
        data(), epochs=2, progress=False, **options)


@pytest.fixture(scope="module")
def model():
    return fitted(members=3, bootstrap=True)


def check_twin(twin, model):
    assert type(twin) is type(model) and repr(twin) == repr(model) and twin.graph == model.graph
    assert (twin.seed, twin.mechanisms, twin.levels, twin.members, twin._dtype, twin._wanted) == (
        model.seed, model.mechanisms, model.levels, model.members, model._dtype, model._wanted)
    assert [[type(level) for level in levels] for levels in twin.levels.values()] == [[type(level) for level in levels] for levels in model.levels.values()]
    rows, do = data(20), {"x dose": 1.5}
    for mine, its in zip(answers(twin, rows, do), answers(model, rows, do), strict=True):
        assert list(mine) == list(its) and all(np.array_equal(mine[name], its[name]) for name in mine)


def answers(model, rows, do):
    effect = model.effect("y", do, {"x dose": 0}, draws=200, seed=2)
    return model.sample(50, seed=1), model.sample(50), model.do(do).counterfactual(rows, draws=3), {"effect": effect.value}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_save_and_load_give_the_same_answers(dtype, tmp_path):
    model, path = fitted(dtype), tmp_path / "größe.safetensors"
    model.save(path)
    check_twin(StructuralModel.load(str(path)), model)
    assert os.listdir(tmp_path) == [path.name]


def test_pickle_and_copies_give_the_same_answers(model):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        check_twin(pickle.loads(pickle.dumps(model, protocol)), model)
    check_twin(copy.deepcopy(model), model)
    check_twin(copy.copy(model), model)


def test_saving_twice_gives_the_same_bytes(model, tmp_path):
    model.save(tmp_path / "a")
    StructuralModel.load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_loaded_model_learns_again_as_the_one_that_was_saved(tmp_path):
    model = fitted()
    model.save(tmp_path / "a")
    twin = StructuralModel.load(tmp_path / "a")
    for one in (model, twin):
        one.fit(data(), epochs=3, progress=False)
    check_twin(twin, model)


def test_the_safetensors_package_reads_it(model, tmp_path):
    numpy, safetensors = pytest.importorskip("safetensors.numpy"), pytest.importorskip("safetensors")
    model.save(tmp_path / "model")
    found = numpy.load_file(tmp_path / "model")
    assert found["members.0.x dose.layers.0.layers.0.weight"].shape == (4, 3)
    assert found["members.2.group.noise"].dtype == np.float64 and found["members.2.group.noise"].shape == (60,)
    assert found["members.1.sick.layers.0.layers.0.bias"].dtype == np.float32
    with safetensors.safe_open(tmp_path / "model", "numpy") as file:
        about = file.metadata()
    assert json.loads(about["graph"]) == {
        "names": ["group", "x dose", "y", "sick"], "parents": ["", "0", "0 1", "1"], "confounded": ["", "", "3", ""]}
    assert json.loads(about["mechanisms"])[1] == {"kind": "flow", "hidden": [4], "activation": "tanh", "pieces": 4}
    assert json.loads(about["variables"])[0] == {"kind": "categorical", "levels": 3}
    values = data()["x dose"]
    assert json.loads(about["standardisation"])[1]["mean"] == pytest.approx(values.mean(), rel=1e-12)
    assert about["members"] == "3" and about["dtype"] == "float32" and about["format"].startswith("causal-engine structural")


def test_missing_values_leave_noise_that_is_nan(tmp_path):
    numpy, rows = pytest.importorskip("safetensors.numpy"), data()
    rows["y"][7] = np.nan
    StructuralModel([("x dose", "y")], "linear").fit({"x dose": rows["x dose"], "y": rows["y"]}, epochs=1, progress=False).save(tmp_path / "model")
    noise = numpy.load_file(tmp_path / "model")["members.0.y.noise"]
    assert np.flatnonzero(np.isnan(noise)).tolist() == [7]
    assert np.isfinite(StructuralModel.load(tmp_path / "model").do(y=1).sample(100)["x dose"]).all()


def test_a_model_that_has_learned_nothing_is_pickled_but_not_saved(tmp_path):
    model = StructuralModel([("x", "y")], {"y": "flow"}, categorical=["x"], seed=7)
    with pytest.raises(StateError, match="learned nothing"):
        model.save(tmp_path / "model")
    twin = pickle.loads(pickle.dumps(model))
    assert (twin.graph, twin._wanted, twin._categorical, twin.seed) == (model.graph, model._wanted, model._categorical, 7)
    assert not os.listdir(tmp_path)


class Named(StructuralModel):
    """A subclass as a notebook writes one."""

    label = "none"


def test_subclasses_keep_what_they_added(model, tmp_path):
    mine = Named([("x dose", "y")], "linear", seed=1).fit({name: data()[name] for name in ("x dose", "y")}, epochs=1, progress=False)
    mine.label = "mine"
    twin = pickle.loads(pickle.dumps(mine))
    assert type(twin) is Named and twin.label == "mine"
    mine.save(tmp_path / "model")
    assert type(Named.load(tmp_path / "model")) is Named and type(StructuralModel.load(tmp_path / "model")) is StructuralModel


def _sampled(model):
    return model.sample(10, seed=3)["y"].tolist()


def test_other_processes_answer_the_same(model):
    joblib = pytest.importorskip("joblib")
    wanted = _sampled(model)
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(_sampled)(model) for _ in range(2)) == [wanted, wanted]


def test_a_fresh_process_answers_the_same(model):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_sampled, (model,)) == _sampled(model)


# ------------------------------------------------------------ labels

class Color(enum.Enum):
    RED = 1
    BLUE = 2


def with_levels(levels):
    codes = np.arange(40) % len(levels)
    return StructuralModel(Graph([], ["c"]), categorical={"c": levels}, seed=1).fit({"c": np.array(levels, object)[codes]}, epochs=1, progress=False)


@pytest.mark.parametrize("levels", [["a", "\udcff"], [1, 2**70], [0.1, 1e-320, -0.0], [True, False], ["1", 1], list(np.arange(3)), [np.float64(0.5), np.str_("x")]],
                         ids=str)
def test_labels_come_back(levels, tmp_path):
    with_levels(levels).save(tmp_path / "model")
    twin = StructuralModel.load(tmp_path / "model")
    assert twin.levels == {"c": tuple(levels)}
    assert [type(level) for level in twin.levels["c"]] == [type(level.item() if hasattr(level, "item") else level) for level in levels]


@pytest.mark.parametrize("level", [Color.RED, ("a", 1), np.datetime64("2020-01-01"), float("inf"), b"x", 1j])
def test_labels_that_cannot_be_saved_are_named_and_pickled(level, tmp_path):
    model = with_levels([level, "other"]) if not isinstance(level, tuple) else None
    if model is None:
        pytest.skip("numpy makes a row of a tuple")
    with pytest.raises(InvalidValueError, match=r"of c is \w+, expected texts"):
        model.save(tmp_path / "model")
    assert not os.listdir(tmp_path) and pickle.loads(pickle.dumps(model)).levels == model.levels


# ------------------------------------------------------------ files from anyone

def test_another_kind_of_file_is_refused(model, tmp_path):
    CausalMLP(3, [], 1).save(tmp_path / "mlp")
    with pytest.raises(CheckpointError, match="structural"):
        StructuralModel.load(tmp_path / "mlp")
    model.save(tmp_path / "model")
    with pytest.raises(CheckpointError, match="structural"):
        CausalMLP.load(tmp_path / "model")
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(CheckpointError, match="cannot read"):
            StructuralModel.load(path)
    for path in (None, 5):
        with pytest.raises(ArgumentError):
            model.save(path)
        with pytest.raises(ArgumentError):
            StructuralModel.load(path)


def test_altered_and_cut_files_are_refused(model, tmp_path):
    path, rng = tmp_path / "model", np.random.default_rng(0)
    model.save(path)
    whole = path.read_bytes()
    for position in rng.integers(len(whole), size=1500):
        altered = bytearray(whole)
        altered[position] ^= int(rng.integers(1, 256))
        for content in (bytes(altered), whole[:position]):
            path.write_bytes(content)
            with pytest.raises(CheckpointError) as caught:
                StructuralModel.load(path)
            assert str(path) in str(caught.value)


def signed(content):
    """With the checksum that belongs to it."""
    place = 8 + len('{"__metadata__":{"checksum":"')
    blank = content[:place] + b"0" * 16 + content[place + 16:]
    value = 0xCBF29CE484222325
    for byte in blank:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return content[:place] + b"%016x" % value + content[place + 16:]


def test_alterations_that_are_signed_do_no_harm(tmp_path):
    path, rng, loaded = tmp_path / "model", np.random.default_rng(0), 0
    small = {name: column[:8] for name, column in data().items() if name in ("group", "y")}
    StructuralModel([("group", "y")], "linear", seed=1).fit(small | {"group": np.array(list("abab") * 2)}, epochs=1, progress=False).save(path)
    whole = path.read_bytes()
    assert signed(whole) == whole
    for _ in range(600):
        altered = bytearray(whole)
        altered[rng.integers(len(whole))] = rng.choice(list(b'0123456789[]{}",\\-e.\xff\x00'))
        path.write_bytes(signed(bytes(altered)))
        try:
            twin = StructuralModel.load(path)
        except CheckpointError:
            continue
        loaded += 1
        assert repr(twin) and len(twin.sample(5, seed=1)["y"]) == 5
    assert loaded > 50


def test_more_numbers_than_are_there_are_refused(tmp_path):
    for length in (2**63, 2**64 - 1, 2**40, 0):
        (tmp_path / "model").write_bytes(struct.pack("<Q", length) + b"{}")
        with pytest.raises(CheckpointError):
            StructuralModel.load(tmp_path / "model")


NOTES = ["", "x", "[]", "[" * 5000, '{"class": 5}', *(json.dumps({"class": "StructuralModel", **entries}) for entries in (
    {}, {"seed": "x"}, {"seed": -1}, {"rows": -1}, {"rows": [1]}, {"levels": 5}, {"levels": {}}, {"levels": {"group": ["a", "b"]}},
    {"levels": {"group": ["a", "a", "b"], "sick": [0, 1]}}, {"levels": {"group": [["a"], "b", "c"], "sick": [0, 1]}},
    {"levels": {"nobody": [1, 2]}}, {"levels": {"group": [None, 1, 2], "sick": [0, 1]}}, {"levels": {"group": [float("nan"), 1, 2], "sick": [0, 1]}},
    {"categorical": 5}, {"categorical": {"nobody": None}}, {"categorical": {"y": 5}}, {"mechanisms": 5}, {"mechanisms": ["flow"] * 4},
    {"mechanisms": [["flow", [0], "silu", 8]] * 4}, {"mechanisms": [["flow", [2**70], "silu", 8]] * 4}, {"mechanisms": [["\0", [4], "silu", 8]] * 4},
    {"mechanisms": [["flow", 5, "silu", 8]] * 4}, {"mechanisms": []},
))]


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note[:60])
def test_a_note_of_anyone_is_harmless(note, model, tmp_path, monkeypatch):
    monkeypatch.setattr("causal_engine._structural_checkpoint._note", lambda *_: note)
    save(model._fitted, Options(model._wanted, {}, 0), tmp_path / "model")
    try:
        twin = StructuralModel.load(tmp_path / "model")
    except CheckpointError as error:
        assert "note" in str(error) and str(tmp_path) in str(error)
    else:
        assert repr(twin) and len(twin.sample(5)["y"]) == 5 and isinstance(twin.do(y=1), ScenarioView)
        assert twin.levels.keys() == {"group", "sick"} and len(twin.levels["group"]) == 3
