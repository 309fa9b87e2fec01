"""What a fit refuses, and what ends it before its time: the model is usable afterwards each time."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from causal_engine import BusyError, CausalMLP, DivergenceError, InvalidValueError, ShapeError, UnknownNameError, fit_all

FOREVER = 10**9     # epochs

# ---------------------------------------------------------------- rows that cannot be learned from

@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("what, where", [("x", (7, 2)), ("y", (59, 0))])
def test_a_number_that_is_not_finite_is_refused_by_row_and_column(data, model, what, where, value, weights):
    arrays = dict(zip("xy", data))
    arrays[what][where] = value
    before = weights(model)
    with pytest.raises(InvalidValueError, match=f"training data: {what} is .*row {where[0]}, column {where[1]}"):
        model.fit(*arrays.values(), progress=False)
    with pytest.raises(InvalidValueError, match=f"validation data: {what} is .*row {where[0]}, column {where[1]}"):
        model.fit(np.zeros((4, 3)), np.zeros((4, 1)), validation_data=tuple(arrays.values()), progress=False)
    assert np.array_equal(weights(model), before)


def test_a_nan_that_an_intervention_covers_is_no_obstacle(data, weights):
    x, y = data
    mask = np.zeros((60, 3))
    mask[7, 2] = 1
    broken = x.copy()
    broken[7, 2] = np.nan
    found = []
    for given in (x, broken):
        model = CausalMLP(3, [8], 1, seed=0)
        model.fit(given, y, {0: (mask, 0.5)}, epochs=3, progress=False)
        found.append(weights(model))
    assert np.array_equal(*found) and np.isfinite(found[0]).all()


@pytest.mark.parametrize("arguments, kind", [
    ({"x": np.zeros((0, 3)), "y": np.zeros((0, 1))}, ShapeError),
    ({"x": np.zeros((4, 2)), "y": np.zeros((4, 1))}, ShapeError),
    ({"x": np.zeros((4, 3)), "y": np.zeros((5, 1))}, ShapeError),
    ({"x": np.zeros((4, 3)), "y": np.zeros((4, 2))}, ShapeError),
    ({"interventions": {0: (np.ones((59, 3)), 0.5)}}, ShapeError),
    ({"interventions": {4: (np.ones(1), 0.5)}}, UnknownNameError),
    ({"validation_data": (np.zeros((0, 3)), np.zeros((0, 1)))}, ShapeError),
    ({"loss": "hinge"}, InvalidValueError), ({"optimizer": "lion"}, InvalidValueError), ({"schedule": "warm"}, InvalidValueError),
    ({"lr": -1}, InvalidValueError), ({"lr": np.nan}, InvalidValueError), ({"weight_decay": -1}, InvalidValueError),
    ({"epochs": 0}, InvalidValueError), ({"batch_size": 0}, InvalidValueError), ({"patience": 0}, InvalidValueError),
    ({"clip_grad": 0}, InvalidValueError), ({"clip_grad": np.nan}, InvalidValueError), ({"seed": -1}, InvalidValueError),
    ({"loss": None}, TypeError), ({"loss": 5}, TypeError), ({"loss": []}, TypeError), ({"epochs": 2.5}, TypeError),
    ({"clip_grad": "1"}, TypeError), ({"lr": None}, TypeError), ({"validation_data": np.zeros((4, 3))}, TypeError),
    ({"interventions": np.zeros(3)}, TypeError), ({"seed": "0"}, TypeError), ({"schedule": None}, TypeError),
], ids=lambda value: str(list(value)) if isinstance(value, dict) else value.__name__)
def test_arguments_that_do_not_fit_are_refused_before_anything_is_learned(data, model, arguments, kind, weights):
    before = weights(model)
    with pytest.raises(kind):
        model.fit(**{"x": data[0], "y": data[1], "progress": False, **arguments})
    assert np.array_equal(weights(model), before)


# ---------------------------------------------------------------- what ends it before its time

def test_divergence_leaves_the_weights_from_before_the_step_that_led_there(data, weights):
    x, y = data
    arguments = {"optimizer": "sgd", "lr": 3.0, "batch_size": None, "progress": False}
    model = CausalMLP(3, [16, 16], 1, activation="identity", seed=0)
    with pytest.raises(DivergenceError, match=r"diverged in epoch \d+: .*; the weights are those from before "):
        model.fit(x, y, epochs=1000, **arguments)
    assert model.history.state == "diverged" and 0 < len(model.history) < 1000
    assert np.isfinite(weights(model)).all() and np.isfinite(model.history.loss).all()
    again = CausalMLP(3, [16, 16], 1, activation="identity", seed=0)
    again.fit(x, y, epochs=len(model.history) - 1, **arguments)
    assert np.array_equal(weights(model), weights(again))
    assert np.isfinite(model.predict(x)).all()      # one can go on from there
    assert isinstance(DivergenceError("x"), ArithmeticError)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")      # it may fall into a finalizer, see below
@pytest.mark.parametrize("rows", [60, 60_000])
def test_ctrl_c_ends_it_and_leaves_a_model_that_works(data, model, rows, weights):
    x, y = (np.resize(array, (rows, array.shape[1])) for array in data)
    before, handler = weights(model), signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, epochs=FOREVER, progress=False)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert model.history.state == "interrupted" and len(model.history) < FOREVER
    assert np.isfinite(weights(model)).all() and not np.array_equal(weights(model), before)
    assert np.isfinite(model(x)).all()
    assert model.fit(x, y, epochs=1, progress=False).state == "finished"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ctrl_c_that_falls_into_a_finalizer_is_heard(data, model):
    class Falls:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(100):        # Python drops what is raised here
                pass

    def drop(*_):
        fallen.clear()

    fallen, handler = [Falls()], signal.signal(signal.SIGALRM, drop)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(*data, epochs=FOREVER, progress=False)
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler and model.history.state == "interrupted"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("together", [False, True])
def test_a_ctrl_c_at_any_moment_leaves_a_model_that_can_be_trained(data, model, together):
    def alarm(*_):
        if armed:
            signal.raise_signal(signal.SIGINT)

    def fit():
        if together:
            fit_all([model], *data, epochs=1, progress=False)
        else:
            model.fit(*data, epochs=1, progress=False)

    armed, random, heard = [], np.random.default_rng(0), 0
    handler, start = signal.signal(signal.SIGALRM, alarm), time.perf_counter()
    fit()
    seconds = time.perf_counter() - start
    try:
        while time.perf_counter() < start + 1:
            try:
                armed.append(True)
                signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, seconds))
                fit()
                armed.clear()
            except KeyboardInterrupt:
                armed.clear()
                heard += 1
            fit()       # nobody else trains it
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert heard > 10


def test_batches_that_fail_end_it_as_interrupted(data, model):
    def batches():
        yield data
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(batches, epochs=2, progress=False)
    assert model.history.state == "interrupted"


def test_two_fits_of_one_model_at_once_are_refused(data, model):
    x, y = (np.resize(array, (20_000, array.shape[1])) for array in data)
    outcomes, together = [], threading.Barrier(2)

    def fit(which):
        together.wait()
        try:
            which.fit(x, y, epochs=20, progress=False)
            outcomes.append("finished")
        except BusyError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=fit, args=(which,)) for which in (model, model)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("finished") == 1 and any("another thread is training" in outcome for outcome in outcomes)
    assert model.layers[0].fit(x, np.zeros((20_000, 16)), epochs=1, progress=False).state == "finished"


def test_another_thread_that_predicts_meanwhile_gets_an_answer_or_is_told(data, model):
    x, y = data
    odd, done = [], threading.Event()

    def predict():
        while not done.is_set():
            try:
                if not np.isfinite(model(x)).all():
                    odd.append("not finite")
            except BusyError:
                time.sleep(0.001)

    thread = threading.Thread(target=predict)
    thread.start()
    try:
        history = model.fit(x, y, epochs=300, progress=False)
    finally:
        done.set()
        thread.join()
    assert not odd and len(history) == 300
