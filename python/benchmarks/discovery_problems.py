"""Problems whose graph is known, for `bench_discovery.py`: linear, nonlinear, with interventions, and the measurements of Sachs et al. (2005)."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Problem(NamedTuple):
    """Rows, what was set in them, and the truth: an adjacency matrix and an order of its variables; the condition of each row, where it is told."""

    rows: Array
    marks: Array | None
    truth: Array
    order: Array
    conditions: Array | None = None


def standardised(rows: Array) -> Array:
    return (rows - rows.mean(axis=0)) / rows.std(axis=0)


def signed(rng: np.random.Generator, *shape: int) -> Array:
    """Uniform on +-[0.5, 2]."""
    return rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)


def random_graph(rng: np.random.Generator, variables: int, edges: float) -> tuple[Array, Array]:
    """Erdos and Renyi's, of so many expected edges, and an order."""
    order = rng.permutation(variables)
    upper = np.triu(rng.random((variables, variables)) < min(1.0, 2 * edges / (variables * (variables - 1))), 1)
    truth = np.zeros((variables, variables), int)
    truth[np.ix_(order, order)] = upper
    return truth, order


def linear(variables: int, per_variable: int, rows: int, seed: int) -> Problem:
    """ER graph with `per_variable` expected edges a variable, unit noise; as it comes, not standardised."""
    rng = np.random.default_rng(seed)
    truth, order = random_graph(rng, variables, per_variable * variables)
    weights, x = truth * signed(rng, variables, variables), np.zeros((rows, variables))
    for v in order:
        x[:, v] = x @ weights[:, v] + rng.normal(size=rows)
    return Problem(x, None, truth, order)


def networks(variables: int, per_variable: int, rows: int, seed: int) -> Problem:
    """Each variable a sum of 100 sigmoids of its parents, and unit noise."""
    rng = np.random.default_rng(seed)
    truth, order = random_graph(rng, variables, per_variable * variables)
    x = np.zeros((rows, variables))
    for v in order:
        parents = np.flatnonzero(truth[:, v])
        x[:, v] = rng.normal(size=rows)
        if len(parents):
            x[:, v] += 1 / (1 + np.exp(-x[:, parents] @ signed(rng, len(parents), 100))) @ signed(rng, 100)
    return Problem(standardised(x), None, truth, order)


def perturbed_networks(variables: int, per_variable: int, rows: int, seed: int) -> Problem:
    """The simulation of SDCD (Nazaret et al. 2024; `random_model_gaussian_global_variance(hard=True)` of its package) drawn with numpy: networks of
    standardised parents, half of the rows observational, in the others each variable in turn set to N(0, 0.1)."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(variables)
    pairs = np.argwhere(np.triu(np.ones((variables, variables)), 1))
    truth = np.zeros((variables, variables), int)
    for a, b in pairs[rng.choice(len(pairs), per_variable * variables, replace=False)]:
        truth[order[a], order[b]] = 1
    layers = [(signed(rng, truth[:, v].sum(), 100), signed(rng, 100)) for v in range(variables)]
    scales: dict[int, tuple[Array, Array]] = {}

    def sample(count: int, target: int | None = None) -> Array:
        x = np.zeros((count, variables))
        for v in order:
            parents = np.flatnonzero(truth[:, v])
            if v == target:
                x[:, v] = rng.normal(0, 0.1, count)
                continue
            x[:, v] = rng.normal(size=count)
            if len(parents):
                mean, scale = scales.setdefault(v, (x[:, parents].mean(axis=0), x[:, parents].std(axis=0)))
                x[:, v] += 1 / (1 + np.exp(-(x[:, parents] - mean) / scale @ layers[v][0])) @ layers[v][1]
        return x

    observed, each = rows // 2, rows // 2 // variables
    parts = [sample(observed), *(sample(each, v) for v in range(variables))]
    marks = np.repeat(np.vstack([np.zeros(variables), np.eye(variables)]), [observed, *[each] * variables], axis=0)
    return Problem(standardised(np.concatenate(parts)), marks.astype(np.uint8), truth, order)


def linear_experiment(per_variable: int, rows: int, seed: int) -> tuple[Problem, Problem]:
    """d = 10, ER graph: half of the rows observational, in the others each variable in turn set to N(0, 2); and 3,200 observational rows of the
    same model."""
    rng = np.random.default_rng(seed)
    truth, order = random_graph(rng, 10, 10 * per_variable)
    weights = truth * signed(rng, 10, 10)

    def sample(targets: Array) -> Array:
        x = np.zeros((len(targets), 10))
        for v in order:
            own = x @ weights[:, v] + rng.normal(size=len(x))
            x[:, v] = np.where(targets == v, rng.normal(0, 2, len(x)), own)
        return x

    targets = np.concatenate([np.full(rows // 2, -1), np.arange(rows // 2) % 10])
    marks = (targets[:, None] == np.arange(10)).astype(np.uint8)
    return Problem(sample(targets), marks, truth, order), Problem(sample(np.full(3_200, -1)), None, truth, order)


def hiding(variables: int, per_variable: int, rows: int, hidden: int, seed: int, *, experiment: bool) -> Problem:
    """A linear problem of which the variables with the most effects are not seen; in an experiment half of the rows set each other one in turn to N(0, 2). The
    truth is the graph of what is seen."""
    rng = np.random.default_rng(seed)
    count = variables + hidden
    truth, order = random_graph(rng, count, per_variable * count)
    weights, seen = truth * signed(rng, count, count), np.sort(np.argsort(-truth.sum(axis=1))[hidden:])
    targets = np.full(rows, -1)
    if experiment:
        targets[rows // 2:] = np.resize(seen, rows - rows // 2)
    x = np.zeros((rows, count))
    for v in order:
        x[:, v] = np.where(targets == v, rng.normal(0, 2, rows), x @ weights[:, v] + rng.normal(size=rows))
    marks = (targets[:, None] == seen).astype(np.uint8) if experiment else None
    return Problem(x[:, seen], marks, truth[np.ix_(seen, seen)], np.searchsorted(seen, [v for v in order if v in seen]))


SMALL = {
    "chain": [(0, 1), (1, 2), (2, 3), (3, 4)], "fork": [(0, 1), (0, 2), (0, 3), (0, 4)], "collider": [(0, 4), (1, 4), (2, 4), (3, 4)],
    "confounder": [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4)], "complex": [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)],
}


def small(name: str, seed: int) -> Problem:
    """Five variables, 1,000 rows, weights of which none cancel."""
    rng = np.random.default_rng(seed)
    x, weights = np.zeros((1000, 5)), np.zeros((5, 5))
    for (cause, effect), weight in zip(SMALL[name], (1.2, -0.8, 0.9, 1.5, -1.1)):
        weights[cause, effect] = weight
    for v in range(5):
        x[:, v] = x @ weights[:, v] + rng.normal(size=1000)
    return Problem(standardised(x), None, (weights != 0).astype(int), np.arange(5))


# The consensus of 17 edges; the first seven conditions in order, their sizes, and what each set.
_CONSENSUS = "pkc pka,pkc praf,pka praf,pkc pmek,pka pmek,praf pmek,pmek perk,pka perk,perk akt,pka akt,pkc p38,pka p38,pkc jnk,pka jnk,plcg pip3,plcg pip2,pip3 pip2"
_SACHS = ["praf", "pmek", "plcg", "pip2", "pip3", "perk", "akt", "pka", "pkc", "p38", "jnk"]
_CONDITIONS = [("cd3cd28", 853, None), ("icam2", 902, None), ("aktinhib", 911, "akt"), ("g0076", 723, "pkc"), ("psitect", 810, "pip2"),
               ("u0126", 799, "pmek"), ("ly294002", 848, "pip3")]


def sachs(with_interventions: bool, *, takes_logarithms: bool = False, tells_conditions: bool = False) -> Problem | None:
    """The first condition, or the seven of 5,846 rows that are usually taken: the other two, without anti-CD3/CD28, activate instead of inhibit.
    None where the package `cdt`, which carries the data, is not installed."""
    found = find_spec("cdt")
    if found is None or not found.submodule_search_locations:
        return None
    with open(Path(found.submodule_search_locations[0], "data", "resources", "cyto_full_data.csv")) as file:
        rows = np.array([[float(number) for number in line] for line in list(csv.reader(file))[1:]])
    truth = np.zeros((11, 11), int)
    for edge in _CONSENSUS.split(","):
        cause, effect = edge.split()
        truth[_SACHS.index(cause), _SACHS.index(effect)] = 1
    used = _CONDITIONS if with_interventions else _CONDITIONS[:1]
    conditions = np.repeat([name for name, _, _ in used], [size for _, size, _ in used])
    marks = np.column_stack([np.isin(conditions, [name for name, _, target in used if target == variable]) for variable in _SACHS]).astype(np.uint8)
    taken = rows[:len(conditions)]
    return Problem(standardised(np.log(taken) if takes_logarithms else taken), marks if with_interventions else None, truth, np.arange(11),
                   conditions if tells_conditions else None)
