"""The ctypes table says the same as causal.h: functions, their order and arguments, structures, and numbers that have names."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import causal_engine
from causal_engine import _bindings, errors
from causal_engine._bindings import FUNCTIONS, STRUCTURES, library

HEADER = Path(__file__).resolve().parents[2] / "include" / "causal.h"


@pytest.fixture(scope="module")
def header():
    if not HEADER.is_file():
        pytest.skip("causal.h is not beside this package")
    return re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)


@pytest.fixture(scope="module")
def prototypes(header):
    """Each function's arguments as they are written in C, by name and in order."""
    found = re.findall(r"^(?:causal_status|const char \*)\s*(causal_\w+)\(([^)]*)\);", header, flags=re.MULTILINE)
    return {name: [] if arguments.strip() == "void" else [" ".join(a.split()) for a in arguments.split(",")] for name, arguments in found}


def in_ctypes(argument):
    """What the table should hold for an argument; handles, arrays, functions and places to write to are all addresses."""
    if re.fullmatch(r"const char \*\w+", argument):
        return ctypes.c_char_p
    if "*" in argument or "[" in argument:
        return ctypes.c_void_p
    kind = argument.rsplit(" ", 1)[0]
    return {"size_t": ctypes.c_size_t, "double": ctypes.c_double, "uint64_t": ctypes.c_uint64, "causal_parallel": ctypes.c_void_p}.get(
        kind, ctypes.c_int)


def test_functions_have_the_same_names_in_the_same_order(prototypes):
    assert len(prototypes) > 50
    assert list(FUNCTIONS) == list(prototypes)


def test_every_mention_of_a_function_in_the_header_was_understood(header, prototypes):
    typedefs = re.findall(r"typedef \w+ \(\*causal_\w+\)", header)
    assert len(re.findall(r"\bcausal_\w+\(", header)) == len(prototypes) and len(typedefs) == 3


def test_functions_take_the_same_arguments(prototypes):
    for name, arguments in prototypes.items():
        assert list(FUNCTIONS[name]) == [in_ctypes(argument) for argument in arguments], name


def test_every_function_is_set_up():
    for name, arguments in FUNCTIONS.items():
        function = getattr(library, name)
        assert tuple(function.argtypes) == arguments
        gives_text = name in ("causal_last_error", "causal_status_name")
        assert function.restype is (ctypes.c_char_p if gives_text else ctypes.c_int)
        assert gives_text or function.errcheck is not None


def structures_in(header):
    """Each structure's fields by name and in order."""
    found = {}
    for name, body in re.findall(r"typedef struct (causal_\w+) \{(.*?)\}", header, flags=re.DOTALL):
        found[name] = [re.search(r"(\w+)(?:\[\d+\])?$", field.strip()).group(1) for field in body.split(";") if field.strip()]
    return found


def test_structures_have_the_same_fields_in_the_same_order(header):
    wanted = structures_in(header)
    assert set(STRUCTURES) == set(wanted)
    for name, fields in wanted.items():
        assert [field[0] for field in STRUCTURES[name]._fields_] == fields, name


def test_structures_lie_in_memory_as_the_c_compiler_lays_them(header, tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    lines = []
    for name, structure in STRUCTURES.items():
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        for field, *_ in structure._fields_:
            lines.append(f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));')
    source = "#include <stdio.h>\n#include <stddef.h>\n#include <causal.h>\nint main(void) {\n" + "\n".join(lines) + "\nreturn 0; }\n"
    (tmp_path / "sizes.c").write_text(source)
    subprocess.run([compiler, "-std=c99", "-I", HEADER.parent, "-o", tmp_path / "sizes", tmp_path / "sizes.c"], check=True)
    printed = subprocess.run([tmp_path / "sizes"], check=True, capture_output=True, text=True).stdout.splitlines()
    ours = []
    for name, structure in STRUCTURES.items():
        ours.append(f"{name} {ctypes.sizeof(structure)}")
        for field, *_ in structure._fields_:
            place = getattr(structure, field)
            ours.append(f"{name}.{field} {place.offset} {place.size}")
    assert printed == ours


def enumerators(header, name):
    body = re.search(rf"typedef enum {name} \{{(.*?)\}}", header, flags=re.DOTALL).group(1)
    return {key: int(value) for key, value in re.findall(r"(CAUSAL_\w+) = (\d+)", body)}


# The exception of each status, as the design pairs them.
EXCEPTIONS = {
    "NULL": "ArgumentError", "HANDLE": "HandleError", "BUSY": "BusyError", "DTYPE": "DTypeError", "SHAPE": "ShapeError",
    "VALUE": "InvalidValueError", "NAME": "UnknownNameError", "CYCLE": "CycleError", "FILE": "CheckpointError",
    "MEMORY": "OutOfMemoryError", "STATE": "StateError", "DIVERGED": "DivergenceError",
}


def test_every_status_has_its_exception(header):
    statuses = enumerators(header, "causal_status")
    assert statuses.pop("CAUSAL_OK") == 0
    for name, number in statuses.items():
        assert library.causal_status_name(number).decode() == name
        error = errors.error_for(number, "text")
        assert type(error).__name__ == EXCEPTIONS[name.removeprefix("CAUSAL_ERROR_")]
        assert isinstance(error, causal_engine.CausalError) and str(error) == "text"
    assert type(errors.error_for(99, "text")) is causal_engine.CausalError


def test_states_of_a_trainer_have_the_same_numbers(header):
    for name, number in enumerators(header, "causal_trainer_state").items():
        assert getattr(_bindings, name.removeprefix("CAUSAL_TRAINER_")) == number


def test_the_documented_exceptions_are_also_pythons_own():
    for kinds, own in {
        ("ShapeError", "InvalidValueError", "UnknownNameError", "CycleError", "CheckpointError", "OutOfMemoryError"): ValueError,
        ("ArgumentError", "DTypeError"): TypeError,
        ("UnknownNameError",): KeyError,
    }.items():
        for kind in kinds:
            assert issubclass(getattr(causal_engine, kind), own) and issubclass(getattr(causal_engine, kind), causal_engine.CausalError)


def test_a_library_that_is_not_there_is_an_import_error_that_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("CAUSAL_LIBRARY", str(tmp_path / "none"))
    with pytest.raises(ImportError, match="CAUSAL_LIBRARY names no file"):
        _bindings.library_path()
    (tmp_path / "none").write_text("not a library")
    assert _bindings.library_path() == str(tmp_path / "none")
    with pytest.raises(ImportError, match="cannot be loaded"):
        _bindings._open(str(tmp_path / "none"))


def test_the_package_has_the_version_of_its_library():
    version = ctypes.c_char_p()
    library.causal_version(ctypes.byref(version))
    assert version.value.decode() == causal_engine.__version__
