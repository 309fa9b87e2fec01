"""Many at once, and many times."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from causal_engine import set_threads


def test_threads_ask_one_model(mixed):
    rows = mixed.first(60)

    def ask(k):
        view = mixed.model.do(treated=lambda age: age > 40 + k % 5)
        return view.sample(200, seed=k % 3), view.counterfactual(rows, draws=5), view.mean("score", draws=200).value

    alone = [ask(k) for k in range(15)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, [*range(15)] * 4))
    for k, (sample, counterfactual, mean) in enumerate(together):
        pd.testing.assert_frame_equal(sample, alone[k % 15][0])
        np.testing.assert_array_equal(counterfactual["grade"], alone[k % 15][1]["grade"])
        assert mean == alone[k % 15][2]


def test_one_fails_and_the_others_do_not(linear):
    def ask(k):
        try:
            return linear.model.do(x=lambda z: 1 / 0 if k % 2 else z).sample(50)["x"].sum()
        except ZeroDivisionError:
            return None

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(60)))
    assert answers[1::2] == [None] * 30 and len(set(answers[::2])) == 1 and answers[0] is not None


def test_the_number_of_threads_changes_nothing(curved):
    asked = []
    for threads in (1, 2, 3):
        set_threads(threads)
        model = curved.fit(curved.data, epochs=5)
        asked.append((model.sample(3_000), model.do(b=lambda a: a).mean("d", draws=5_000).value))
    for sample, mean in asked[1:]:
        pd.testing.assert_frame_equal(sample, asked[0][0])
        assert mean == asked[0][1]


def test_the_model_may_be_learned_anew_while_it_is_asked(linear):
    model = linear.fit(linear.data, epochs=2)
    with ThreadPoolExecutor(2) as pool:
        answers = pool.submit(lambda: [len(model.do(x=1).sample(300)) for _ in range(150)])
        for _ in range(5):
            model.fit(linear.data, epochs=2, progress=False)
        assert answers.result() == [300] * 150


def test_views_outlive_the_name_of_their_model(linear):
    view = linear.fit(linear.data, epochs=2).do(x=1)
    assert len(view.sample(5)) == 5
