"""`fit_all`: each model learns to the bit what it would have learned alone, one that fails leaves the others alone, and a call that cannot be is
refused before anything is learned."""

import os
import signal
import threading
import warnings

import numpy as np
import pytest

from causal_engine import (
    BusyError, CausalError, CausalLayerRewiring, CausalLosses, CausalMLP, CausalUnit, CausalWarning, DivergenceError, InvalidValueError, ShapeError,
    UnknownNameError, fit_all, set_threads,
)

FAST = {"epochs": 5, "progress": False}


@pytest.fixture
def make():
    """Some models that differ in their seeds."""
    return lambda count=5, **more: [CausalMLP(3, [16, 16], 1, seed=k, **more) for k in range(count)]


@pytest.fixture
def under(data):
    """An experiment in half of the rows."""
    mask = np.zeros(data[0].shape)
    mask[::2, 1] = 1
    return {0: (mask, np.random.default_rng(1).normal(size=mask.shape))}


def taken(array, rows):
    return array if array.ndim < 2 or len(array) != 60 else array[rows]


def some_of(x, y, interventions, rows):
    return x[rows], y[rows], {k: tuple(taken(np.asarray(array), rows) for array in pair) for k, pair in (interventions or {}).items()}


@pytest.fixture
def expect_the_same(weights):
    def expect(alone, together):
        for one, other in zip(alone, together, strict=True):
            assert np.array_equal(weights(one), weights(other))
            assert one.history == other.history and one.history.state == other.history.state

    return expect


# ---------------------------------------------------------------- as alone

@pytest.mark.parametrize("options", [
    {}, {"batch_size": None}, {"dtype": "float64"}, {"loss": CausalLosses(intervention_weight=0.5)}, {"loss": "mae", "schedule": "cosine"},
    {"optimizer": "sgd", "momentum": 0.9, "shuffle": False}, {"optimizer": "adamw", "weight_decay": 0.1, "clip_grad": 0.5},
    {"schedule": "step", "step_size": 2, "step_factor": 0.5, "seed": 7}, {"patience": 2, "epochs": 100, "lr": 0.05}, {"validated": True},
    {"validated": True, "patience": 2, "epochs": 100, "lr": 0.05},
], ids=str)
@pytest.mark.parametrize("intervened", [False, True])
def test_together_as_alone(data, make, under, expect_the_same, options, intervened):
    x, y = data
    options = {**FAST, **options}
    dtype, validated, interventions = options.pop("dtype", "float32"), options.pop("validated", False), under if intervened else None
    validation = some_of(x, y, interventions, slice(40, 60)) if validated else None
    alone, together = make(dtype=dtype), make(dtype=dtype)
    for model in alone:
        model.fit(x, y, interventions, validation_data=validation, **options)
    histories = fit_all(together, x, y, interventions, validation_data=validation, **options)
    expect_the_same(alone, together)
    assert histories == [model.history for model in together]
    assert all(history is model.history for history, model in zip(histories, together))
    assert "patience" not in options or {history.state for history in histories} == {"stopped early"}


@pytest.mark.filterwarnings("ignore::causal_engine.CausalWarning")       # of the fits alone, where a few rows have nothing set
@pytest.mark.parametrize("batch_size", [7, 32, None, 1000])
@pytest.mark.parametrize("deep", [False, True])
def test_each_may_have_rows_of_its_own(data, make, under, expect_the_same, batch_size, deep):
    x, y = data
    random = np.random.default_rng(2)
    if deep:        # a mask of each row with values for all, and the other way round
        under = {1: (random.random((60, 16)) < 0.2, 0.5), 2: (np.arange(16) < 3, random.normal(size=(60, 16))), 3: (x[:, :1] > 1, 0.1)}
    rows = [random.integers(60, size=60), [5], np.arange(60)[::-1], random.permutation(60)[:41], np.arange(40)]
    held = [np.setdiff1d(np.arange(60), some) for some in rows[:2]] + [[3, 3, 4], [59], np.arange(60)]
    options = {**FAST, "patience": 3, "batch_size": batch_size, "loss": CausalLosses()}
    alone, together = make(), make()
    for model, mine, others in zip(alone, rows, held):
        model.fit(*some_of(x, y, under, mine), validation_data=some_of(x, y, under, others), **options)
    fit_all(together, x, y, under, rows=rows, validation_rows=held, **options)
    expect_the_same(alone, together)
    again = make()
    held[:2] = [np.isin(np.arange(60), some) for some in held[:2]]      # as masks
    fit_all(again, x, y, under, rows=rows, validation_rows=held, **options)
    expect_the_same(alone, again)


def test_what_no_model_looks_at_may_be_missing(data, make, expect_the_same):
    x, y = (array.copy() for array in data)
    x[50], y[51] = np.nan, np.inf
    rows = np.random.default_rng(0).integers(50, size=(5, 60))
    alone, together = make(), make()
    for model, mine in zip(alone, rows):
        model.fit(x[mine], y[mine], **FAST)
    fit_all(together, x, y, rows=rows, **FAST)
    expect_the_same(alone, together)
    with pytest.raises(InvalidValueError, match=r"models\[2\]: training data: x is nan in row 50, column 0"):
        fit_all(make(), x, y, rows=[[1], [2], [4, 50], [3], [50]], **FAST)
    with pytest.raises(InvalidValueError, match=r"models\[4\]: validation data: y is inf in row 51, column 0"):
        fit_all(make(), x, y, rows=rows, validation_rows=[[1], [2], [4, 2], [3], [51]], **FAST)
    with pytest.raises(InvalidValueError, match=r"models\[1\]: training data: .* sets row 3, column 1 to nan"):
        fit_all(make(2), x, y, {0: ([0, 1, 0], np.where(np.arange(60)[:, None] == 3, np.nan, np.zeros((60, 3))))}, rows=[[1], [2, 3]], **FAST)


def test_seeds_of_the_order(data, make, expect_the_same):
    x, y = data
    for seed, seeds in ((None, [None] * 5), (3, [3] * 5), ([4, 3, None, 1, 0], [4, 3, None, 1, 0]), (np.arange(5), range(5))):
        alone, together = make(), make()
        for _ in range(2):      # the second goes on from the first, in another order where none was given
            for model, its in zip(alone, seeds):
                model.fit(x, y, seed=its, **FAST)
            fit_all(together, x, y, seed=seed, **FAST)
        expect_the_same(alone, together)


@pytest.mark.parametrize("interventions", [None, {0: ([0, 1, 0], 0.5)}])
def test_models_may_differ(data, expect_the_same, interventions):
    x, y = data

    def made():
        models = [CausalMLP(3, [4], 1, seed=0), CausalUnit(3, 1, 8, "tanh", seed=1), CausalMLP(3, [16, 16], 1, dtype="float64", seed=2),
                  CausalMLP(3, [], 1, seed=3, feature_names=["a", "b", "c"]), CausalMLP(3, [4], 1, seed=5)]
        return models if interventions else [CausalLayerRewiring(3, 1, seed=4), *models]        # whose do() is another

    alone, together = made(), made()
    for model in alone:
        model.fit(x, y, interventions, **FAST)
    fit_all(tuple(together), x, y, interventions, **FAST)
    expect_the_same(alone, together)


def test_frames(data, expect_the_same):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(data[0], columns=["a", "b", "c"]).assign(y=data[1])

    def made():
        return [CausalMLP(3, [4], 1, seed=k, feature_names=names) for k, names in enumerate((None, ["c", "a", "b"], None))]

    alone, together = made(), made()
    for model in alone:
        model.fit(frame, "y", validation_data=frame[:20], **FAST)
    fit_all(together, frame, "y", validation_data=frame[:20], **FAST)
    expect_the_same(alone, together)
    assert [model.feature_names for model in together] == [("a", "b", "c"), ("c", "a", "b"), ("a", "b", "c")]
    assert {model.output_names for model in together} == {("y",)}


def test_the_same_bits_on_any_number_of_threads(data, make, under, expect_the_same):
    rows = np.random.default_rng(0).integers(60, size=(40, 60))
    found = []
    for threads in (1, 2, 3):
        set_threads(threads)
        found.append(make(40))
        fit_all(found[-1], *data, under, rows=rows, **FAST)
    expect_the_same(found[0], found[1])
    expect_the_same(found[0], found[2])


def test_none_at_all(data):
    assert fit_all([], *data, rows=[]) == []


# ---------------------------------------------------------------- what ends before its time

@pytest.mark.parametrize("seconds", [0.05, 0])        # of a slice: all together, or step by step
def test_those_that_diverge_leave_the_others_alone(data, make, weights, expect_the_same, monkeypatch, seconds):
    monkeypatch.setattr("causal_engine._trainings.SLICE", seconds)
    x, y = data
    options = {"optimizer": "sgd", "lr": 0.001, "progress": False, "epochs": 30, "batch_size": None}
    huge = np.concatenate([y, 1e12 * y])        # what some have to learn: with it the weights grow until they are infinite
    rows = [np.arange(60) + (60 if k in (2, 4) else 0) for k in range(6)]
    alone, together = make(6), make(6)
    for model, mine in zip(alone, rows):
        try:
            model.fit(np.concatenate([x, x])[mine], huge[mine], **options)
        except DivergenceError as error:
            reason = str(error)
    with pytest.raises(DivergenceError) as caught:
        fit_all(together, np.concatenate([x, x]), huge, rows=rows, **options)
    expect_the_same(alone, together)
    assert [model.history.state for model in together] == ["finished", "finished", "diverged", "finished", "diverged", "finished"]
    assert all(np.isfinite(weights(model)).all() for model in together)
    assert str(caught.value).startswith("models[2] and models[4] failed, models[2] first: training diverged in epoch ")
    assert "\n" not in str(caught.value) and reason.partition(":")[0] in str(caught.value)
    with pytest.raises(DivergenceError, match=r"^models\[1\] failed: training diverged"):
        fit_all(make(2), np.concatenate([x, x]), huge, rows=rows[1:3], **options)
    with pytest.raises(DivergenceError, match=r"^models\[0\], .*, models\[7\] and 12 more failed, models\[0\] first: "):
        fit_all(make(20), x, huge[60:], **options)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("epochs", [10**9, 5_000])       # the first never ends, or some models are done
def test_ctrl_c_ends_all_and_leaves_models_that_work(data, make, weights, epochs):
    models = make(400 if epochs == 5_000 else 5)
    before = [weights(model) for model in models]
    handler = signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.3 if epochs > 5_000 else 0.6)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit_all(models, *data, epochs=epochs, batch_size=None, progress=False)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    states = {model.history.state for model in models}
    assert states == {"interrupted"} if epochs > 5_000 else "interrupted" in states <= {"interrupted", "finished"}
    for model, first in zip(models, before):
        assert np.isfinite(weights(model)).all() and (len(model.history) == 0 or not np.array_equal(weights(model), first))
    assert len(models[0].history) > 0 and len(models[-1].history) < epochs
    assert {history.state for history in fit_all(models, *data, **FAST)} == {"finished"}
    assert models[0].fit(*data, **FAST).state == "finished"


def test_it_shows_how_far_it_is(data, make, capsys):
    fit_all(make(), *data, epochs=3)
    assert "fit_all" in (told := capsys.readouterr().err) and "5/5 models" in told and "median loss=" in told and "validation" not in told
    fit_all(make(), *data, epochs=3, validation_data=data)
    assert "validation=" in capsys.readouterr().err
    fit_all(make(), *data, **FAST)
    assert capsys.readouterr().err == ""


# ---------------------------------------------------------------- what is refused

@pytest.fixture
def refused(data, make, weights):
    """Nothing was learned, and the models are free again."""
    def expect(kind, match, *, models=None, given=data, **arguments):
        models = make(3) if models is None else models
        ours = [model for model in dict.fromkeys(models) if isinstance(model, (CausalMLP, CausalUnit))] if isinstance(models, list) else []
        before = [weights(model) for model in ours]
        with pytest.raises(kind, match=match) as caught:
            fit_all(models, *given, **{"progress": False, **arguments})
        assert isinstance(caught.value, CausalError) and "\n" not in str(caught.value)
        for model, first in zip(ours, before):
            assert np.array_equal(weights(model), first) and model.history is None
            assert not model._changes.fits

    return expect


def test_one_model_twice(make, refused):
    one, two, three = make(3)
    refused(InvalidValueError, r"models\[2\] is the same model as models\[0\]", models=[one, two, one])
    refused(InvalidValueError, r"models\[1\] shares weights with models\[0\]", models=[one, one.layers[0]])
    refused(InvalidValueError, r"models\[2\] shares weights with models\[0\]", models=[two.layers[0], three, two])


def test_what_is_no_model(make, refused):
    refused(TypeError, r"models\[1\] is 5, expected a CausalMLP", models=[make(1)[0], 5])
    refused(TypeError, r"models is CausalMLP\(.*, expected a list of models", models=make(1)[0])
    refused(TypeError, r"models is 0, expected a list of models", models=0)


def test_a_model_that_does_not_fit_the_rows(make, refused):
    refused(ShapeError, r"models\[3\]: training data: x of shape \(60, 3\), expected \(rows, 4\)", models=[*make(3), CausalMLP(4, [2], 1)])
    refused(ShapeError, r"models\[3\]: loss: prediction of shape \(60, 2\) against target", models=[*make(3), CausalMLP(3, [2], 2)])
    refused(ShapeError, r"models\[3\]: intervention at layer 1: do_mask of shape \(16,\), expected \(2,\)", models=[*make(3), CausalMLP(3, [2], 1)],
            interventions={1: (np.ones(16), 0)})
    broken = make(3)
    broken[1].parameters()[0][...] = np.inf
    with pytest.raises(InvalidValueError, match=r"models\[1\]: .*parameters that are not finite"):
        fit_all(broken, np.zeros((4, 3)), np.zeros((4, 1)), progress=False)


@pytest.mark.parametrize("rows, kind, match", [
    ([[0], [1]], ShapeError, "rows: 2 given, expected 3, one for each model"), (5, TypeError, "rows is 5, expected one for each of the 3 models"),
    (np.arange(3), ShapeError, r"models\[0\]: rows\[0\] of shape \(\), expected"),
    ([[0], [], [1]], ShapeError, r"models\[1\]: rows\[1\] of shape \(0,\)"), ([[0], [[1]], [1]], ShapeError, r"rows\[1\] of shape \(1, 1\)"),
    ([[0], [1], [60]], InvalidValueError, r"rows\[2\] holds 60, expected .* 0 to 59"),
    ([[0], [-1], [6]], InvalidValueError, r"rows\[1\] holds -1"), ([[0], [1.5], [6]], TypeError, r"rows\[1\] holds float64, expected whole numbers"),
    ([[0], None, [6]], TypeError, r"rows\[1\] is NoneType"), ([[0], "ab", [6]], TypeError, r"rows\[1\] is str"),
    ([[0], [2**64 - 1], [6]], InvalidValueError, r"rows\[1\] holds 18446744073709551615"),
    ([[0], np.ones(59, bool), [6]], ShapeError, r"rows\[1\]: a mask of shape \(59,\), expected \(60,\)"),
    ([[0], np.zeros(60, bool), [6]], ShapeError, r"rows\[1\] of shape \(0,\), expected the numbers of one row or more"),
])
def test_rows_that_are_not_there(refused, rows, kind, match):
    refused(kind, match, rows=rows)
    refused(kind, match.replace("rows", "validation_rows"), validation_rows=rows)


def test_seeds_that_are_none(refused):
    refused(ShapeError, "seed: 2 given, expected 3, one for each model", seed=[1, 2])
    refused(InvalidValueError, r"models\[1\]: seed is -1", seed=[0, -1, 0])
    refused(InvalidValueError, "seed is -1", seed=-1)
    refused(TypeError, r"seed is 1.5, expected", seed=1.5)
    refused(TypeError, r"models\[2\]: seed is 'x'", seed=[0, 1, "x"])


def test_other_arguments(data, refused):
    x, y = data
    refused(InvalidValueError, "^epochs is 0", epochs=0)
    refused(InvalidValueError, "^loss type is \"hinge\"|^.*hinge", loss="hinge")
    refused(InvalidValueError, "lr|learning", lr=-1)
    refused(UnknownNameError, r"models\[0\]: interventions: there is no layer 9", interventions={9: ([1], 0)})
    refused(TypeError, "y is None, expected all rows at once", given=([(x, y)], None))
    refused(TypeError, "validation_data beside validation_rows", validation_data=(x, y), validation_rows=[[1]] * 3)
    refused(TypeError, "is a frame|expected a frame", given=([(x, y)], "y"))


def test_another_fit_of_one_of_them_is_under_way(data, make, refused):
    models = make(3)
    models[1]._changes.fits["another"] = None
    with pytest.raises(BusyError, match=r"models\[1\]: fit: another thread is training this model"):
        fit_all(models, *data, **FAST)
    assert models[1]._changes.fits.popitem() == ("another", None) and not any(model._changes.fits for model in models)
    fit_all(models, *data, **FAST)


def test_another_thread_may_predict_meanwhile(data, make):
    models, done, odd = make(3), threading.Event(), []

    def predict():
        while not done.is_set():
            try:
                odd.extend([] if np.isfinite(models[1](data[0])).all() else ["not finite"])
            except BusyError:
                pass

    thread = threading.Thread(target=predict)
    thread.start()
    try:
        fit_all(models, *data, epochs=300, progress=False)
    finally:
        done.set()
        thread.join()
    assert not odd and {len(model.history) for model in models} == {300}


# ---------------------------------------------------------------- what is said once

def test_doubts_are_said_once(data, make, weights):
    x, y = data
    mask = np.zeros((60, 3))
    mask[:20, 1] = 1
    models = [*make(10), *make(10, dtype="float64"), CausalMLP(3, [4], 1)]
    rows = [np.arange(20, 60)] * 21         # where none of them is set: chosen by chance, it is no reason to doubt
    with pytest.warns(CausalWarning, match="do_values at layer 0 are 0 in all of the 60 rows") as caught:
        fit_all(models, x, y, {0: (mask, np.zeros((60, 3)))}, rows=rows, **FAST)
    assert len(caught) == 1 and caught[0].filename == __file__
    before = [weights(model) for model in models]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_all(make(2), x, y, {0: (mask, 0.5)}, rows=rows[:2], **FAST)
        with pytest.raises(CausalWarning):
            fit_all(models, x, y, {0: (mask, np.zeros((60, 3)))}, **FAST)
    assert all(np.array_equal(weights(model), first) for model, first in zip(models, before))
