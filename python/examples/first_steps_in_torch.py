# %% [markdown]
# # First steps in PyTorch
#
# A notebook written for PyTorch, with `CausalMLP` imported from this package. y = x1 + 2 x2 - 3 x3 + noise. Half of the rows come from an
# experiment that set x2 to 0.5: their y is what x2 = 0.5 brought about, but the x2 on record is the value from before.

# %%
import tempfile
from pathlib import Path

import torch
from torch.utils.data import DataLoader, TensorDataset

from causal_engine import CausalLosses, CausalMetrics, CausalMLP

torch.manual_seed(0)

# %% [markdown]
# ## A model, and what it answers under do()
# It is a `torch.nn.Module`. `interventions` maps a layer to a mask and values: layer 0 is the features.

# %%
model = CausalMLP(input_dim=3, hidden_dims=[16, 16], output_dim=1)
causal_loss = CausalLosses(intervention_weight=1.0)
do_mask = torch.tensor([0.0, 1.0, 0.0])
do_values = torch.tensor([0.0, 0.5, 0.0])
x = torch.randn(10, 3)
y_pred = model(x, interventions={0: (do_mask, do_values)})
print(f"{model}: {sum(p.numel() for p in model.parameters())} parameters, answers of shape {tuple(y_pred.shape)}")

# %% [markdown]
# ## The data of the experiment

# %%
effects = torch.tensor([[1.0], [2.0], [-3.0]])
rows = 800
x = torch.randn(rows, 3)
masks = torch.zeros(rows, 3)
masks[: rows // 2, 1] = 1
happened = torch.where(masks != 0, do_values, x)                # what x was when y came about
y = happened @ effects + 0.1 * torch.randn(rows, 1)
batches = DataLoader(TensorDataset(x, y, masks), batch_size=64, shuffle=True)

# %% [markdown]
# ## Training
# The loop is the usual one. A model that is told of the experiment learns the effect of x2; one that is not takes the x2 on record for
# the x2 that acted.


# %%
def trained(told: bool, epochs: int = 40) -> CausalMLP:
    torch.manual_seed(1)
    model = CausalMLP(3, [16, 16], 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        for xs, ys, mask in batches:
            optimizer.zero_grad()
            predicted = model(xs, interventions={0: (mask, do_values)} if told else None)
            loss = causal_loss.total_causal_loss(predicted, ys)
            loss.backward()
            optimizer.step()
    return model.eval()


def effect(model: CausalMLP) -> torch.Tensor:
    """By how much y changes, on average, when x2 is set to 1 instead of 0."""
    with torch.no_grad():
        high, low = (model(x, {0: (do_mask, value)}).mean() for value in (1.0, 0.0))
    return high - low


model, blind = trained(told=True), trained(told=False)
effect_error, blind_error = (
    CausalMetrics.causal_effect_estimation_error(torch.tensor(2.0), effect(each)).item() for each in (model, blind))
print(f"effect of x2 (truth: 2): told {effect(model):.2f}, not told {effect(blind):.2f}")

# %% [markdown]
# ## Gradients
# No gradient goes back through a value that was set: not a small one, 0.0. The value itself gets one, and the first layer's other
# weights too. Several passes, here a factual and a counterfactual one, may come before one `backward()`.

# %%
point = torch.randn(5, 3, requires_grad=True)
dose = torch.tensor([0.0, 0.5, 0.0], requires_grad=True)
factual, counterfactual = model(point), model(point, {0: (do_mask, dose)})
counterfactual.sum().backward(retain_graph=True)
intervened_gradient, dose_gradient = point.grad[:, 1].abs().max().item(), dose.grad[1].item()
print(f"gradient of x2 where it was set: {intervened_gradient}; of the value that it was set to: {dose_gradient / 5:.2f} a row")
causal_loss.counterfactual_loss(factual, counterfactual, torch.zeros(5, 1), torch.zeros(5, 1)).backward()

# %% [markdown]
# ## Inside the network
# Any hidden unit can be set: layer 1 is the input of the second layer. With all of them set, nothing of x is left in the answer.

# %%
switched_off = model(x, {1: (torch.ones(16), 0.0)})
spread_inside = switched_off.std().item()
print(f"spread of the answers: {model(x).std():.2f}; with the first hidden layer set to 0: {spread_inside:.2f}")

# %% [markdown]
# ## Keeping it
# `state_dict` is PyTorch's, with the names of the same network in PyTorch. `save` writes a safetensors file, which `load` reads without
# torch too.

# %%
with tempfile.TemporaryDirectory() as folder:
    torch.save(model.state_dict(), Path(folder, "state.pt"))
    model.save(Path(folder, "model.safetensors"))
    twin = CausalMLP(3, [16, 16], 1)
    twin.load_state_dict(torch.load(Path(folder, "state.pt")))
    loaded = CausalMLP.load(Path(folder, "model.safetensors"))
same = torch.equal(twin(x), model(x)) and torch.equal(loaded(x), model(x))
print(f"{list(model.state_dict())[0]}, ...; the copies give the same answers: {same}")
