# %% [markdown]
# # Fine-tuning a pretrained network on interventions
#
# Severity is on no record. The worse it is, the higher the dose that a doctor chooses, and the worse the recovery: it confounds the two.
#
#     severity ~ N(0, 1)     age ~ N(0, 1)
#     dose     = severity + noise
#     recovery = dose + sin(2 age) - 2 severity + noise
#
# A network that is trained on what was observed answers "how do those recover who *were given* dose d?". It is a good answer, and the
# wrong one to "what if we *give* dose d?". A small experiment puts it right, without beginning anew.

# %%
import torch
from torch import nn

from causal_engine import CausalMLP

torch.manual_seed(0)


def outcome(dose: torch.Tensor, age: torch.Tensor, severity: torch.Tensor) -> torch.Tensor:
    return dose + torch.sin(2 * age) - 2 * severity + 0.2 * torch.randn_like(dose)


def patients(rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """x = (dose, age) as doctors chose and found them, and the severity that nobody wrote down."""
    severity, age = torch.randn(2, rows, 1)
    return torch.cat([severity + 0.5 * torch.randn(rows, 1), age], dim=1), severity


# %% [markdown]
# ## Pretraining, in plain PyTorch, on 2000 observed patients

# %%
x, severity = patients(2000)
y = outcome(x[:, :1], x[:, 1:], severity)
pretrained = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(pretrained.parameters(), lr=0.02)
for _ in range(200):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(pretrained(x), y)
    loss.backward()
    optimizer.step()

# %% [markdown]
# ## What it believes of do(dose = d)
# `from_torch` takes the network over, weights and all. The truth is E[recovery | do(dose = d), age] = d + sin(2 age): setting the dose
# leaves severity alone, which is 0 on average.

# %%
model = CausalMLP.from_torch(pretrained, feature_names=["dose", "age"])
doses = torch.linspace(-2, 2, 9)
test, _ = patients(1000)


def interventional_error(model: CausalMLP) -> float:
    """The root mean squared error of E[recovery | do(dose = d), age] over doses and patients."""
    with torch.no_grad():
        errors = [model.do(dose=float(d))(test) - (d + torch.sin(2 * test[:, 1:])) for d in doses]
    return torch.cat(errors).pow(2).mean().sqrt().item()


def slope(model: CausalMLP) -> float:
    """By how much recovery changes for each unit of dose that is set."""
    with torch.no_grad():
        return ((model.do(dose=1.0)(test) - model.do(dose=-1.0)(test)).mean() / 2).item()


error_before, slope_before = interventional_error(model), slope(model)
print(f"before: interventional error {error_before:.2f}, effect of a unit of dose {slope_before:+.2f} (truth: +1)")

# %% [markdown]
# ## The experiment: 500 patients whose dose was set by lot
# The record still holds the dose that their doctors had in mind. `interventions` says what was done instead: the mask that the first
# feature was set, the values to what.

# %%
x_set, severity = patients(500)
assigned = torch.zeros(500, 2)
assigned[:, :1] = 4 * torch.rand(500, 1) - 2
y_set = outcome(assigned[:, :1], x_set[:, 1:], severity)
under = {0: (torch.tensor([1.0, 0.0]), assigned)}

# %% [markdown]
# ## Fine-tuning: the lower layers stay as they are
# What they know, which combinations of dose and age matter, holds under do() too. The last layer learns how these act.

# %%
for layer in model.layers[:-1]:
    layer.requires_grad_(False)
lower = [parameter.detach().clone() for layer in model.layers[:-1] for parameter in layer.parameters()]
optimizer = torch.optim.Adam((parameter for parameter in model.parameters() if parameter.requires_grad), lr=0.01)
for _ in range(100):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x_set, interventions=under), y_set)
    loss.backward()
    optimizer.step()

error_after, slope_after = interventional_error(model), slope(model)
lower_is_as_it_was = all(map(torch.equal, lower, model.parameters()))
print(f"after:  interventional error {error_after:.2f}, effect of a unit of dose {slope_after:+.2f} (truth: +1)")
print(f"the lower layers are as they were: {lower_is_as_it_was}")
