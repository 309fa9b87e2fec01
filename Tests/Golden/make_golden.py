"""Computes the golden cases with PyTorch on the CPU, in double precision: networks under do() at several layers, their losses
and every gradient. The tests of the engine read the files; PyTorch is needed only here:

    pip install torch==2.13.0 numpy
    python Tests/Golden/make_golden.py

Each case is one safetensors file. Its metadata, all text:

    activation   after every layer but the last
    widths       of the features, the hidden layers and the output: "3,16,16,1"
    sites        where do() acts: "0,2"; site k is the input of layer k, the last site is the output; "" for nowhere
    loss         "standard" or "intervention"
    loss_type    "mse", "mae" or "cross_entropy"

Its tensors, all F64:

    parameters            weight (outputs, inputs) and bias of each layer, one after the other, flat
    x                     (rows, features)
    mask.{site}           1 where do() sets a value, else 0; (rows, width) or (1, width), shared by all rows
    values.{site}         (rows, width) or (1, width)
    y                     (rows, outputs)
    target                (rows, outputs), or (rows, 1) class indices
    loss_mask             where the loss is "intervention" and has a mask; it broadcasts against y as numpy does
    loss                  (1,)
    grad_y, grad_x, grad_parameters, grad_values.{site}    of the loss, each of the shape of what it belongs to

Entries that no answer may depend on (an input that do() overwrites, a value under a mask of 0) are NaN in some files.
PyTorch computed those cases with other numbers in their place, twice, and got the same answer to the bit.
"""

import json
from pathlib import Path

import torch
from torch.nn import functional as F

FOLDER = Path(__file__).parent

ACTIVATIONS = {
    "identity": lambda h: h,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "gelu": F.gelu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "silu": F.silu,
}

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def draw_parameters(generator, widths):
    """Weight and bias of each layer, uniform as torch.nn.Linear draws them."""
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        bound = inputs**-0.5
        weight = torch.empty(outputs, inputs).uniform_(-bound, bound, generator=generator)
        bias = torch.empty(outputs).uniform_(-bound, bound, generator=generator)
        layers.append((weight, bias))
    return layers


def network(x, layers, activation, edits):
    """The meaning of do() in one line: torch.where, at the input of every layer and at the output."""
    h = x
    for k, (weight, bias) in enumerate(layers):
        if k in edits:
            h = torch.where(edits[k][0] != 0, edits[k][1], h)
        h = F.linear(h, weight, bias)
        if k < len(layers) - 1:
            h = ACTIVATIONS[activation](h)
    if len(layers) in edits:
        h = torch.where(edits[len(layers)][0] != 0, edits[len(layers)][1], h)
    return h


def loss_of(y, target, loss, loss_type, loss_mask):
    if loss_type == "cross_entropy":
        each = F.cross_entropy(y, target[:, 0].long(), reduction="none")[:, None]
    else:
        each = (y - target).square() if loss_type == "mse" else (y - target).abs()
    if loss == "standard" or loss_mask is None:
        return each.mean()
    each, kept = torch.broadcast_tensors(each, (loss_mask == 0).double())
    return (each * kept).sum() / kept.sum().clamp(min=1)


def solve(case, fill):
    """Loss and gradients of a case, with `fill` wherever it holds NaN."""

    def leaf(tensor):
        return torch.where(tensor.isnan(), fill, tensor).requires_grad_()

    layers = [(leaf(weight), leaf(bias)) for weight, bias in case["layers"]]
    x = leaf(case["x"])
    edits = {site: (mask, leaf(values)) for site, (mask, values) in case["edits"].items()}
    y = network(x, layers, case["activation"], edits)
    y.retain_grad()
    loss = loss_of(y, case["target"], case["loss"], case["loss_type"], case["loss_mask"])
    loss.backward()

    def gradient(tensor):
        return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad

    answer = {
        "y": y.detach(),
        "loss": loss.detach().reshape(1),
        "grad_y": gradient(y),
        "grad_x": gradient(x),
        "grad_parameters": torch.cat([gradient(tensor).flatten() for pair in layers for tensor in pair]),
    }
    for site, (_, values) in edits.items():
        answer[f"grad_values.{site}"] = gradient(values)
    return answer


def safetensors_bytes(tensors, metadata):
    """The same bytes on every run, which the safetensors package does not promise: its metadata comes in any order."""
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in sorted(tensors.items()):
        raw = tensor.contiguous().numpy().astype("<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def write(name, **case):
    answer = solve(case, 0.0)
    other = solve(case, 1.75)
    assert all(torch.equal(answer[key], other[key]) for key in answer), f"{name}: a hidden NaN would be seen"
    assert all(tensor.isfinite().all() for tensor in answer.values()), name

    widths = [case["x"].shape[1]] + [weight.shape[0] for weight, _ in case["layers"]]
    tensors = {
        "parameters": torch.cat([tensor.flatten() for pair in case["layers"] for tensor in pair]),
        "x": case["x"],
        "target": case["target"],
        **answer,
    }
    for site, (mask, values) in case["edits"].items():
        tensors[f"mask.{site}"], tensors[f"values.{site}"] = mask, values
    if case["loss_mask"] is not None:
        tensors["loss_mask"] = case["loss_mask"]
    metadata = {
        "activation": case["activation"],
        "widths": ",".join(map(str, widths)),
        "sites": ",".join(map(str, sorted(case["edits"]))),
        "loss": case["loss"],
        "loss_type": case["loss_type"],
    }
    path = FOLDER / f"{name}.safetensors"
    path.write_bytes(safetensors_bytes(tensors, metadata))
    assert path.stat().st_size < 20_000, name
    print(f"{path.name:44} {path.stat().st_size:6} bytes   loss {answer['loss'].item():.6f}")


class Draw:
    """A seeded source of masks, values and data for one case."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def mask(self, *shape, share=0.4):
        return (torch.rand(*shape, generator=self.generator) < share).double()

    def classes(self, rows, count):
        return torch.randint(count, (rows, 1), generator=self.generator).double()

    def layers(self, *widths):
        return draw_parameters(self.generator, widths)


def activation_case(index, name):
    """Every site in use, masks and values shared or per row in all four combinations. Row 0 is zero, under no mask before the
    output, and reaches activations at exactly 0, where some have a kink."""
    draw = Draw(100 + index)
    rows, widths = 6, (3, 5, 4, 2)
    layers = draw.layers(*widths)
    layers[0][1].zero_()
    x = draw.normal(rows, 3)
    x[0] = 0
    edits = {}
    for site, width in enumerate(widths):
        mask = draw.mask(1 if site in (2, 3) else rows, width, share=0.35)
        if site < 2:
            mask[0] = 0
        edits[site] = (mask, draw.normal(1 if site in (1, 3) else rows, width))
    write(f"activation_{name}", layers=layers, activation=name, x=x, edits=edits, target=draw.normal(rows, 2),
          loss="standard", loss_type="mse", loss_mask=None)


def saturated_case(name):
    """Far from zero: softplus is linear above 20, the others are flat."""
    draw = Draw(200)
    layers = draw.layers(3, 6, 2)
    write(f"saturated_{name}", layers=layers, activation=name, x=25 * draw.normal(5, 3),
          edits={1: (draw.mask(5, 6), draw.normal(5, 6))}, target=draw.normal(5, 2),
          loss="standard", loss_type="mae", loss_mask=None)


def hidden_nan_case():
    """NaN in every place that must not be read: features and hidden units that are overwritten, values under a mask of 0, and
    a whole row of features above hidden units that are all set."""
    draw = Draw(300)
    rows, widths = 7, (4, 5, 5, 3)
    layers = draw.layers(*widths)
    x = draw.normal(rows, 4)
    masks = {0: draw.mask(rows, 4), 1: draw.mask(rows, 5), 2: draw.mask(rows, 5), 3: draw.mask(rows, 3, share=0.3)}
    masks[0][2] = 0
    masks[1][2] = 1                                     # row 2: nothing of x is read any more
    masks[0][5] = 0
    masks[3][5] = 1                                     # row 5: the output itself is set
    edits = {}
    for site, mask in masks.items():
        values = draw.normal(*mask.shape)
        edits[site] = (mask, torch.where(mask == 0, torch.nan, values))
    x = torch.where(masks[0] != 0, torch.nan, x)
    x[2] = torch.nan
    x[5] = torch.nan
    write("hidden_nan", layers=layers, activation="gelu", x=x, edits=edits, target=draw.normal(rows, 3),
          loss="intervention", loss_type="mse", loss_mask=masks[3])


def main():
    for path in FOLDER.glob("*.safetensors"):
        path.unlink()

    for index, name in enumerate(ACTIVATIONS):
        activation_case(index, name)
    for name in ("softplus", "gelu", "elu", "tanh", "sigmoid"):
        saturated_case(name)
    hidden_nan_case()

    draw = Draw(400)
    write("plain", layers=draw.layers(3, 16, 16, 1), activation="relu", x=draw.normal(9, 3), edits={}, target=draw.normal(9, 1),
          loss="standard", loss_type="mse", loss_mask=None)

    draw = Draw(401)
    write("linear", layers=draw.layers(3, 2), activation="relu", x=draw.normal(4, 3),
          edits={0: (torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([[torch.nan, 0.5, torch.nan]]))}, target=draw.normal(4, 2),
          loss="standard", loss_type="mae", loss_mask=None)

    draw = Draw(402)
    sites = {k: (draw.mask(8, 6), draw.normal(1, 6)) for k in (1, 3, 4)}
    write("deep", layers=draw.layers(4, 6, 6, 6, 6, 3), activation="tanh", x=draw.normal(8, 4), edits=sites,
          target=draw.normal(8, 3), loss="standard", loss_type="mse", loss_mask=None)

    draw = Draw(403)
    write("odd_widths", layers=draw.layers(17, 25, 9), activation="leaky_relu", x=draw.normal(5, 17),
          edits={0: (draw.mask(5, 17), draw.normal(5, 17)), 1: (draw.mask(1, 25), draw.normal(5, 25))},
          target=draw.normal(5, 9), loss="standard", loss_type="mse", loss_mask=None)

    draw = Draw(404)
    write("classes", layers=draw.layers(3, 8, 4), activation="elu", x=draw.normal(10, 3),
          edits={0: (draw.mask(10, 3), draw.normal(1, 3)), 1: (draw.mask(10, 8), draw.normal(10, 8))},
          target=draw.classes(10, 4), loss="standard", loss_type="cross_entropy", loss_mask=None)

    draw = Draw(405)
    write("intervention_classes", layers=draw.layers(3, 8, 4), activation="sigmoid", x=draw.normal(10, 3),
          edits={1: (draw.mask(10, 8), draw.normal(10, 8))}, target=draw.classes(10, 4),
          loss="intervention", loss_type="cross_entropy", loss_mask=draw.mask(10, 1))

    draw = Draw(406)
    mask = draw.mask(1, 3)
    write("intervention_mae", layers=draw.layers(2, 7, 3), activation="softplus", x=draw.normal(6, 2),
          edits={2: (mask, draw.normal(6, 3))}, target=draw.normal(6, 3),
          loss="intervention", loss_type="mae", loss_mask=mask)

    draw = Draw(407)
    write("mask_wider_than_prediction", layers=draw.layers(3, 8, 1), activation="relu", x=draw.normal(10, 3),
          edits={0: (draw.mask(10, 3), draw.normal(10, 3))}, target=draw.normal(10, 1),
          loss="intervention", loss_type="mse", loss_mask=draw.mask(10, 3))

    draw = Draw(408)
    write("everything_masked", layers=draw.layers(3, 8, 2), activation="gelu", x=draw.normal(4, 3),
          edits={2: (torch.ones(1, 2), draw.normal(4, 2))}, target=draw.normal(4, 2),
          loss="intervention", loss_type="mse", loss_mask=torch.ones(1, 2))


if __name__ == "__main__":
    main()
