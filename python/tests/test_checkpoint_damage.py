"""Files from anyone: whatever is cut off, altered or made up is refused, and a failed save destroys nothing."""

import json
import os
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_engine import CausalLayerRewiring, CausalMLP, CheckpointError


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "model"
    CausalMLP(3, [], 1, seed=2).save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("place") / "model"


def refused(place, content):
    place.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        CausalMLP.load(place)
    assert str(place) in str(caught.value) and isinstance(caught.value, ValueError)


def test_a_file_cut_off_anywhere_is_refused(whole, place):
    for length in range(len(whole)):
        refused(place, whole[:length])


def test_any_altered_byte_is_refused(whole, place):
    rng = np.random.default_rng(0)
    for position in range(len(whole)):
        altered = bytearray(whole)
        altered[position] ^= int(rng.integers(1, 256))
        refused(place, bytes(altered))


@given(st.binary(max_size=300), st.booleans())
def test_noise_is_refused(place, noise, framed):
    refused(place, struct.pack("<Q", len(noise)) + noise if framed else noise)


@pytest.mark.parametrize("header", [2**63, 2**64 - 1, 2**40, 100_000_000, 0])
def test_a_header_of_any_claimed_length_is_refused(place, header):
    refused(place, struct.pack("<Q", header) + b"{}")


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 50_000, b"{" + b" " * 100_000, b'{"__metadata__":{"a":1}}', b"null"])
def test_deep_or_odd_json_is_refused(place, content):
    refused(place, struct.pack("<Q", len(content)) + content)


def test_more_bytes_than_there_should_be_are_refused(whole, place):
    refused(place, whole + b"\0")


def test_a_failed_save_leaves_the_file_that_was_there(whole, tmp_path):
    (tmp_path / "model").write_bytes(whole)
    model = CausalMLP(3, [], 1)
    model.close()
    with pytest.raises(RuntimeError):
        model.save(tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == whole and os.listdir(tmp_path) == ["model"]


def test_paths_that_lead_nowhere_are_errors_that_name_them(tmp_path):
    model = CausalMLP(3, [], 1)
    for path in (tmp_path, tmp_path / "none" / "model"):
        with pytest.raises(CheckpointError, match="cannot write") as caught:
            model.save(path)
        assert str(path) in str(caught.value) and isinstance(caught.value, OSError)
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(CheckpointError, match="cannot read"):
            CausalMLP.load(path)
    for path in (None, 5, ["a"]):
        with pytest.raises(TypeError):
            model.save(path)
        with pytest.raises(TypeError):
            CausalMLP.load(path)
    with pytest.raises(ValueError, match="NUL"):
        model.save("a\0b")


NOTES = [
    "", "x", "[]", "{}", "[" * 5000, "5", '{"class": 5}', *(json.dumps({"class": "any", **entries}) for entries in (
        {"seed": "x"}, {"seed": -1}, {"feature_names": ["a"]}, {"feature_names": 5}, {"fits": [1]}, {"fits": -1}, {"fits": 2**70},
        {"fits": float("inf")}, {"activation": [1]}, {"edges": 5}, {"edges": [[0]]}, {"edges": [[0, 9]]}, {"edges": [["a", 1]]},
        {"edges": [[0, 1], [1, 0]]}, {"edges": [[0, 1]]},
    ))]


@pytest.mark.parametrize("make", [lambda: CausalMLP(3, [], 1, seed=2), lambda: CausalLayerRewiring(3, 3), lambda: CausalLayerRewiring(3, 1)],
                         ids=["mlp", "layer", "narrow layer"])
@pytest.mark.parametrize("note", NOTES, ids=lambda note: note[:60])
def test_a_note_of_anyone_is_harmless(note, make, place):
    model, x = make(), np.ones((2, 3))
    model.network.save(model._address, place, note)
    try:
        twin = type(model).load(place)
    except CheckpointError as error:
        assert "note" in str(error) and str(place) in str(error)
    else:
        assert np.array_equal(twin(x), model(x)) and repr(twin)
        twin.fit(x, model(x), epochs=1, progress=False)
