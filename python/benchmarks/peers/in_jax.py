"""JAX: a compiled function for each step, and one for a whole run of steps (lax.scan)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .problem import BETA1, BETA2, EPSILON, LEARNING_RATE, Problem, Weights

State = tuple[Any, Any, Any, Any]       # parameters, both moments, steps done


def predict(parameters: Any, x: Any) -> Any:
    for weight, bias in parameters[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = parameters[-1]
    return x @ weight + bias


def error(parameters: Any, x: Any, y: Any, mask: Any, values: Any) -> Any:
    return jnp.mean((predict(parameters, jnp.where(mask, values, x)) - y) ** 2)


def step(state: State, batch: Any) -> tuple[State, Any]:
    """Adam, as torch.optim's."""
    parameters, first, second, count = state
    loss, gradient = jax.value_and_grad(error)(parameters, *batch)
    count = count + 1
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradient)
    rate, root = LEARNING_RATE / (1 - BETA1 ** count), jnp.sqrt(1 - BETA2 ** count)
    parameters = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + EPSILON), parameters, first, second)
    return (parameters, first, second, count), loss


class Steps:
    """One call of a compiled function a step; it may reuse the memory of the state that it is given."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.data = [jnp.asarray(problem.batches_of(array)) for array in problem.data]
        self.compiled = jax.jit(step, donate_argnums=0)
        self.batches = list(zip(*self.data))

    def _begin(self) -> State:
        parameters = [(jnp.array(weight.T), jnp.array(bias)) for weight, bias in self.problem.weights]
        zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
        return jax.block_until_ready((parameters, *zeros, jnp.zeros((), jnp.float32)))

    def _run(self, state: State, epochs: int, batches: int) -> State:
        for _ in range(epochs):
            for batch in self.batches[:batches]:
                state, _ = self.compiled(state, batch)
        return jax.block_until_ready(state)

    def train(self, epochs: int) -> float:
        state = self._begin()
        start = time.perf_counter()
        self._run(state, epochs, self.problem.batches)
        return (time.perf_counter() - start) / (epochs * self.problem.batches)

    def learn(self, epochs: int, batches: int) -> Weights:
        parameters, *_ = self._run(self._begin(), epochs, batches)
        return [(np.array(weight).T, np.array(bias)) for weight, bias in parameters]

    def one_row(self) -> Callable[[], object]:
        compiled, x = jax.jit(partial(predict, self._begin()[0])), jnp.asarray(self.problem.data[0][:1])
        return lambda: jax.block_until_ready(compiled(x))


@partial(jax.jit, donate_argnums=0)
def scan(state: State, data: Any, epochs: Any) -> State:
    return jax.lax.fori_loop(0, epochs, lambda _, state: jax.lax.scan(step, state, data)[0], state)


class Scan(Steps):
    def _run(self, state: State, epochs: int, batches: int) -> State:
        return jax.block_until_ready(scan(state, [array[:batches] for array in self.data], epochs))


VERSION = f"JAX {jax.__version__}"
PEERS = {"jax": Steps, "jax-scan": Scan}
