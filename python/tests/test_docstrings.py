"""Who has never seen the code finds in each docstring every parameter, and what can go wrong."""

import builtins
import inspect
import re
from importlib.util import find_spec

import pytest

import causal_engine as engine
from causal_engine.features import IntervenedModel

ESTIMATORS = ["CausalMLPClassifier", "CausalMLPRegressor"] if find_spec("sklearn") else []
PUBLIC = {name: getattr(engine, name) for name in [*engine.__all__, *ESTIMATORS]} | {"IntervenedModel": IntervenedModel}
if ESTIMATORS:
    from causal_engine._intervened_estimator import IntervenedEstimator

    PUBLIC["IntervenedEstimator"] = IntervenedEstimator
ERRORS = {name: kind for name, kind in PUBLIC.items() if isinstance(kind, type) and issubclass(kind, Exception)}
CLASSES = {name: kind for name, kind in PUBLIC.items() if isinstance(kind, type) and name not in ERRORS}
MADE_HERE = {"Discovery", "Sortability", "Trace", "Gradients", "Estimate", "Epoch", "History", "IntervenedModel", "IntervenedEstimator"}      # and not by a user
BUILT = {name: kind for name, kind in CLASSES.items() if name not in MADE_HERE | {"CausalMetrics"}}


def methods():
    """Every public function, with the name under which a user meets it."""
    for name, kind in CLASSES.items():
        for part in kind.__mro__:
            if part.__module__.startswith("causal_engine"):
                for method, value in vars(part).items():
                    function = getattr(value, "__func__", value.fget if isinstance(value, property) else value)
                    if inspect.isfunction(function) and (method == "__call__" or not method.startswith("_")):
                        yield f"{name}.{method}", function
    for name, value in PUBLIC.items():
        if inspect.isfunction(value):
            yield name, value


METHODS = dict(methods())


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls", "args", "kwargs")]


def section(text, title):
    """The names that a section of a numpydoc text is about."""
    found = re.search(rf"^( *){title}\n *-+\n(.*?)(?=\n\s*\n\1\S|\Z)", text, re.MULTILINE | re.DOTALL)
    return None if found is None else re.findall(rf"^{found[1]}(\*{{0,2}}\w[\w, *]*)", found[2], re.MULTILINE)


@pytest.mark.parametrize("name", METHODS)
def test_a_function_names_its_parameters(name):
    text = METHODS[name].__doc__
    assert text and text.strip()[0].isprintable(), f"{name} has no docstring"
    missing = [parameter for parameter in parameters(METHODS[name]) if not re.search(rf"\b{parameter}\b", text)]
    assert not missing, f"{name} does not say what {missing} are"


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_explained(name):
    assert inspect.cleandoc(PUBLIC[name].__doc__ or "").split("\n\n")[0].endswith((".", ":")), f"{name} has no docstring"


@pytest.mark.parametrize("name", BUILT)
def test_a_class_that_users_build_has_parameters_errors_and_examples(name):
    kind = BUILT[name]
    if "__init__" in vars(kind):
        named = re.findall(r"\w+", " ".join(section(kind.__doc__, "Parameters")))
        assert set(parameters(kind.__init__)) - {"feature_names"} <= set(named), name
    assert ">>> " in kind.__doc__, f"{name} has no example"
    somewhere = [kind.__doc__, *(function.__doc__ for method, function in METHODS.items() if method.startswith(f"{name}."))]
    assert any(section(text, "Raises") for text in somewhere) or "errors" in somewhere[1], f"{name} tells no errors"


@pytest.mark.parametrize("name", sorted(MADE_HERE & CLASSES.keys()))
def test_what_the_package_makes_has_its_attributes(name):
    text = CLASSES[name].__doc__
    assert section(text, "Attributes")
    assert name in ("Gradients", "Epoch") or re.search(r"\bmakes?\b", text), f"{name} does not say what makes it"


def test_errors_that_are_named_exist():
    texts = {**{name: kind.__doc__ for name, kind in CLASSES.items()}, **{name: function.__doc__ for name, function in METHODS.items()}}
    named = {error for text in texts.values() for line in section(text, "Raises") or [] for error in re.findall(r"\w+", line)}
    assert {"ShapeError", "InvalidValueError", "UnknownNameError", "CycleError", "CheckpointError", "DivergenceError", "StateError"} <= named
    assert all(error in ERRORS or hasattr(builtins, error) for error in named), named
    warned = {line for text in texts.values() for line in section(text, "Warns") or []}
    assert warned == {"CausalWarning"}


def test_the_text_of_a_module_is_that_of_the_plain_class():
    pytest.importorskip("torch")
    from causal_engine._torch_model import module_class

    for kind in engine.CausalMLP, engine.CausalUnit, engine.CausalLayerRewiring:
        module = module_class(kind)
        for name in "forward", "fit", "parameters", "state_dict", "load_state_dict", "save", "load":
            assert inspect.getdoc(getattr(module, name)), f"{module.__name__}.{name}"
        assert inspect.getdoc(module.do if hasattr(module, "do") else module.forward)
