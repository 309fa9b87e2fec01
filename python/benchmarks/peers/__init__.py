"""Who is measured: this engine and what else can do the same work, each in processes of its own."""

# The module of each.
PEERS = {
    "engine": "in_engine", "engine-in-torch": "in_torch", "torch": "in_torch", "torch-fused": "in_torch", "torch-compile": "in_torch",
    "jax": "in_jax", "jax-scan": "in_jax", "numpy": "in_numpy", "torch-compile-step": "in_torch",
}
ON_REQUEST = ("torch-compile-step",)        # measured where it is asked for
