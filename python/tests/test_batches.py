"""Training on batches that come one by one, and on frames whose columns are named."""

import numpy as np
import pytest

from causal_engine import ArgumentError, CausalMLP, DivergenceError, InvalidValueError, ShapeError, StateError, UnknownNameError


@pytest.fixture
def data(rng):
    x = rng.normal(size=(100, 3)).astype(np.float32)
    return x, (x @ [[1], [2], [-3]]).astype(np.float32), rng.random((100, 3)) < 0.3


def pieces(*arrays, size=32):
    return [tuple(array[k:k + size] for array in arrays) for k in range(0, len(arrays[0]), size)]


def fitted(x, y=None, model=None, **options):
    model = CausalMLP(3, [8], 1, seed=0) if model is None else model
    history = model.fit(x, y, epochs=options.pop("epochs", 5), progress=False, **options)
    return model, history


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.parameters(), other.parameters()))


@pytest.mark.parametrize("options", [
    {}, {"optimizer": "sgd", "momentum": 0.9, "lr": 0.01}, {"schedule": "cosine", "clip_grad": 0.5}, {"weight_decay": 0.1, "optimizer": "adamw"},
    {"schedule": "step", "step_size": 2}])
def test_the_same_bits_as_one_array_in_its_own_order(data, options):
    x, y, mask = data
    values = np.full_like(x, 0.5)
    validation = (x[:20], y[:20])
    whole, history = fitted(x, y, interventions={0: (mask, values)}, batch_size=32, shuffle=False, validation_data=validation, **options)
    batches = [(x, y, {0: (m, v)}) for x, y, m, v in pieces(x, y, mask, values)]
    for source in batches, tuple(batches), (lambda: iter(batches)), (lambda: (batch for batch in batches)):
        model, streamed = fitted(source, validation_data=validation, **options)
        assert same(model, whole) and streamed == history and streamed.state == "finished"
    shuffled, _ = fitted(x, y, interventions={0: (mask, values)}, batch_size=32, **options)
    assert not same(shuffled, whole)


def test_patience_with_validation_data(data):
    x, y, _ = data
    noise = np.random.default_rng(1).normal(size=y.shape)
    options = {"epochs": 60, "patience": 2, "validation_data": (x[:30], noise[:30]), "lr": 0.05}
    whole, history = fitted(x, y, batch_size=32, shuffle=False, **options)
    model, streamed = fitted(pieces(x, y), **options)
    assert streamed.state == history.state == "stopped early" and same(model, whole)
    with pytest.raises(InvalidValueError, match="expected validation data"):
        fitted(pieces(x, y), patience=2)


def test_an_iterator_serves_one_epoch(data):
    x, y, _ = data
    one, _ = fitted(iter(pieces(x, y)), epochs=1)
    assert same(one, fitted(pieces(x, y), epochs=1)[0])
    with pytest.raises(InvalidValueError, match="ends after one epoch"):
        fitted(iter(pieces(x, y)), epochs=2)


def test_what_is_no_batch_is_an_error_and_leaves_a_model_that_works(data):
    x, y, _ = data
    bad = x[:32].copy()
    bad[3, 1] = np.nan
    for source, kind, text in [
        ([(x, y), (bad, y[:32])], InvalidValueError, "row 3, column 1"), ([(x, y), (x[:, :2], y)], ShapeError, "after 100 rows of epoch 0"),
        ([x], ArgumentError, "batch 0 is ndarray"), ([(x,)], ArgumentError, "batch 0 is tuple"), ([], StateError, "no batch"),
        (5, ArgumentError, "expected batches"), ([(x[:0], y[:0])], ShapeError, "no rows"),
    ]:
        model = CausalMLP(3, [8], 1, seed=0)
        with pytest.raises(kind, match=text):
            fitted(source, model=model)
        assert np.isfinite(model(x)).all() and fitted(x, y, model)[1].state == "finished"
    with pytest.raises(ArgumentError, match="in each batch"):
        CausalMLP(3, [8], 1).fit(pieces(x, y), interventions={0: ([1, 0, 0], 1.0)})
    with pytest.raises(DivergenceError, match="epoch 0"):
        fitted(pieces(x, y), optimizer="sgd", lr=1e30)


def test_a_source_that_fails_ends_the_fit(data):
    x, y, _ = data

    def broken():
        yield x, y
        raise OSError("the disk is gone")
    model = CausalMLP(3, [8], 1, seed=0)
    with pytest.raises(OSError, match="the disk is gone"):
        fitted(broken, model=model)
    assert np.isfinite(model(x)).all()


# ---------------------------------------------------------------- frames

NAMES = ["dose", "age", "weight"]


@pytest.fixture
def frame(data):
    pandas = pytest.importorskip("pandas")
    x, y, _ = data
    return pandas.DataFrame(x, columns=NAMES).assign(bmi=y)[["age", "bmi", "weight", "dose"]]


def test_y_by_the_names_of_columns(data, frame):
    x, y, _ = data
    model, _ = fitted(frame, "bmi")
    assert model.feature_names == ("age", "weight", "dose") and model.output_names == ("bmi",)
    named = CausalMLP(3, [8], 1, seed=0, feature_names=NAMES)
    fitted(frame, ["bmi"], named, validation_data=frame[:10])
    assert same(named, fitted(x, y)[0])
    with pytest.raises(UnknownNameError, match="'bmj'"):
        fitted(frame, "bmj")
    with pytest.raises(ArgumentError, match="expected batches"):
        fitted(5, "bmi")


def test_batches_that_are_frames(data, frame):
    x, y, _ = data
    named = CausalMLP(3, [8], 1, seed=0, feature_names=NAMES)
    fitted([frame[k:k + 32] for k in range(0, 100, 32)], "bmi", named)
    assert same(named, fitted(x, y, shuffle=False)[0])


def test_arrow_and_parquet(data, frame, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    x, y, _ = data
    table = pyarrow.Table.from_pandas(frame)
    parquet.write_table(table, tmp_path / "rows.parquet")
    expected, _ = fitted(x, y, shuffle=False)

    def file():
        return parquet.ParquetFile(tmp_path / "rows.parquet").iter_batches(batch_size=32)
    for source in table.to_batches(max_chunksize=32), file, lambda: table.to_reader(max_chunksize=32):
        named = CausalMLP(3, [8], 1, seed=0, feature_names=NAMES)
        fitted(source, "bmi", named)
        assert same(named, expected)
    whole, _ = fitted(table, "bmi", shuffle=False)
    assert whole.feature_names == ("age", "weight", "dose")


def test_a_data_loader_of_torch(data):
    torch = pytest.importorskip("torch")
    x, y, _ = data
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=32)
    assert same(fitted(loader)[0], fitted(x, y, shuffle=False)[0])
