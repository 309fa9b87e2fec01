"""What main.c runs inside its own process. doses, responses, answers, parameters and epochs are memory of C; numpy reads and
writes it where it is."""

import matplotlib
import numpy as np

import causal_engine

matplotlib.use("Agg")
import matplotlib.pyplot as plt

dose, learned, answer, numbers = (np.frombuffer(memory, np.float32) for memory in (doses, responses, answers, parameters))
loss = np.frombuffer(epochs).reshape(-1, 4)[:, 0]       # a causal_epoch is four doubles

print("Python: C had set", causal_engine.get_threads(), "threads")
assert causal_engine.get_threads() == 3, "this is another copy of the engine"
causal_engine.set_threads(1)

model = causal_engine.CausalMLP(input_dim=2, hidden_dims=[16, 16], output_dim=1)
for tensor in model.parameters():
    tensor.flat, numbers = numbers[: tensor.size], numbers[tensor.size :]
x = np.zeros((len(dose), 2), np.float32)
answer[:] = model(x, interventions={0: ([0, 1], np.stack([0 * dose, dose], axis=1))})[:, 0]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.semilogy(np.arange(1, len(loss) + 1), loss, color="#1f6f8b")
left.set(title="Trained in C", xlabel="epoch", ylabel="mean squared error")
right.plot(dose, 2 * np.sin(dose), color="#e0a030", linewidth=5, alpha=0.5, label="truth")
right.plot(dose, learned, color="#1f6f8b", label="predicted in C")
right.plot(dose[::4], answer[::4], "o", color="black", markersize=3, label="in Python, parameters from C")
right.set(title="Dose and response", xlabel="v", ylabel="y under do(x1 = v), x0 = 0")
right.legend(frameon=False, fontsize=8, loc="upper left")
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
figure.savefig(picture, dpi=110)
