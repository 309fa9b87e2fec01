"""What a fit tells: epochs in order, a bar, a plot."""

import numpy as np
import pytest

from causal_engine import CausalMLP, Epoch, History


def fitted(**arguments):
    x = np.random.default_rng(0).normal(size=(30, 3))
    model = CausalMLP(3, [4], 1, seed=0)
    return model, model.fit(x, x[:, 0], **{"epochs": 12, "batch_size": 7, "progress": False, **arguments}), x


def test_one_entry_an_epoch():
    model, history, x = fitted(validation_data=None)
    assert len(history) == 12 and model.history is history and history.state == "finished"
    assert all(isinstance(epoch, Epoch) for epoch in history)
    assert history.loss.tolist() == [epoch.loss for epoch in history]
    assert history[-1] == history[11] and len(history[2:5]) == 3 and list(history[2:5]) == list(history)[2:5]
    assert np.isnan(history.validation_loss).all() and (history.seconds >= 0).all()
    assert (history.learning_rate == 0.01).all()


def test_a_fit_without_a_history_yet():
    assert CausalMLP(3, [], 1).history is None
    empty = History()
    assert len(empty) == 0 and empty.best_epoch is None and "0 epochs" in repr(empty)


def test_the_same_run_is_equal_whatever_time_it_took():
    assert fitted()[1] == fitted()[1]
    assert fitted()[1] != fitted(seed=9)[1] and fitted()[1] != fitted(epochs=11)[1] and fitted()[1] != 5


def test_the_best_epoch_is_that_of_validation_where_there_is_any():
    history = History([Epoch(3.0, 1.0, 0.1, 0.0), Epoch(1.0, 2.0, 0.1, 0.0), Epoch(2.0, 0.5, 0.1, 0.0)], "finished")
    assert history.best_epoch == 2
    assert History([epoch._replace(validation_loss=np.nan) for epoch in history]).best_epoch == 1


def test_it_shows_itself_in_one_line_and_in_a_short_table():
    _, history, x = fitted(epochs=500, validation_data=(np.zeros((4, 3)), np.zeros(4)))
    assert repr(history).startswith("History(500 epochs, finished, loss ") and "\n" not in repr(history)
    assert 2 <= history._repr_html_().count("<tr><td>") <= 11


def test_a_bar_is_shown_only_where_it_is_wanted(capsys):
    fitted(progress=True)
    shown = capsys.readouterr()
    assert "12/12 epochs" in shown.err and "loss" in shown.err and not shown.out
    fitted(progress=False)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("validated", [True, False])
def test_it_plots_itself(validated):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    _, history, x = fitted(validation_data=(np.ones((4, 3)), np.ones(4)) if validated else None)
    axes = history.plot()
    try:
        assert [line.get_label() for line in axes.get_lines()] == ["training", "validation"][:1 + validated]
        np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), history.loss)
        assert axes.get_xlabel() == "epoch" and axes.get_ylabel() == "loss" and axes.get_yscale() == "log"
        assert history.plot(axes) is axes
        axes.figure.canvas.draw()
        assert History().plot(pyplot.figure().subplots()).get_yscale() in ("linear", "log")
    finally:
        pyplot.close("all")
