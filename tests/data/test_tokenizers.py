"""Text to numbers and back, also from what a run keeps."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.legend import Legend
from deepgui.data.normalize import Normalizer
from deepgui.data.tokenizers import (
    BOS,
    EOS,
    MASK,
    PAD,
    UNK,
    BytePairs,
    Bytes,
    Characters,
    TextForm,
    Unknown,
    Words,
    batch_of,
    padded,
    tokenizer,
    tokenizer_of,
)

VERSE = "To be, or not to be:\nthat is the question — whether 'tis nobler; café 日本 🙂\n"
BYTES = {"byte": Bytes.learn([], [PAD]), "bpe": BytePairs.learn([VERSE * 20], [PAD], size=300)}


def kinds():
    return {
        "character": Characters.learn([VERSE], [PAD, MASK]),
        "byte": Bytes.learn([], [PAD]),
        "word": Words.learn([VERSE], [PAD, UNK]),
        "bpe": BytePairs.learn([VERSE * 20], [PAD], size=300),
    }


@pytest.mark.parametrize("kind", ["character", "byte", "bpe"])
def test_text_comes_back_exactly(kind: str) -> None:
    made = kinds()[kind]
    assert made.decode(made.encode(VERSE)) == VERSE
    assert made.decode(torch.from_numpy(made.encode(VERSE))) == VERSE
    assert made.encode("").tolist() == []


@pytest.mark.parametrize("kind", ["byte", "bpe"])
@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_bytes_can_write_any_text(kind: str, text: str) -> None:
    made = BYTES[kind]
    assert made.decode(made.encode(text)) == text


@pytest.mark.parametrize("kind", ["character", "byte", "word", "bpe"])
def test_a_runs_legend_alone_reads_and_writes_text(kind: str) -> None:
    made = kinds()[kind]
    field = Field("tokens", "tokens", (8,), "int64", made.vocabulary, text=made.form)
    legend = Legend.from_json(Legend((field,), field, Normalizer()).to_json())
    assert legend.inputs == (field,)
    again = tokenizer_of(legend.inputs[0])
    assert again.encode(VERSE).tolist() == made.encode(VERSE).tolist()
    assert again.decode(made.encode(VERSE)) == made.decode(made.encode(VERSE))
    assert again.id_of(PAD) == 0


def test_a_legend_from_before_there_was_text_is_still_read() -> None:
    state = Field("x", "vector", (2,)).state()
    del state["text"]
    assert Field.from_state(json.loads(json.dumps(state))) == Field("x", "vector", (2,))


def test_byte_pairs_are_learnt_the_same_way_twice_and_shorten_text() -> None:
    first, second = (BytePairs.learn([VERSE * 20], [PAD], size=300) for _ in range(2))
    assert (first.vocabulary, first.form) == (second.vocabulary, second.form)
    assert len(first) == 300
    assert len(first.encode(VERSE)) < len(VERSE.encode()) / 2
    with pytest.raises(DataError, match="at least 257 tokens"):
        BytePairs.learn([VERSE], [PAD], size=100)


def test_special_tokens_stand_first_and_are_no_text() -> None:
    made = tokenizer((PAD, UNK, BOS, EOS, "a", "b"), TextForm("character", begin=True, end=True))
    ids = made.framed("ab?").tolist()
    assert ids == [2, 4, 5, 1, 3]
    assert made.decode(ids) == "ab"
    assert made.decode(ids, specials=True) == "<bos>ab<unk><eos>"
    assert made.id_of(MASK) is None


@pytest.mark.parametrize("learn", [Bytes.learn, BytePairs.learn])
def test_text_that_looks_like_a_special_token_stays_text(learn) -> None:
    sized = {"size": 300} if learn == BytePairs.learn else {}
    made = learn(["<mask> " * 50], [PAD, MASK], **sized)
    ids = made.encode("<mask>")
    assert made.id_of(MASK) not in ids.tolist()
    assert made.decode(ids) == "<mask>"


def test_what_a_vocabulary_lacks_is_named_with_its_place() -> None:
    made = Characters.learn(["abc"], [])
    with pytest.raises(Unknown) as caught:
        made.encode("abcabz")
    assert (caught.value.position, caught.value.text) == (5, "z")


def test_rare_words_are_unknown_and_frequent_ones_come_first() -> None:
    made = Words.learn(["the cat, the dog; the cat\n", "a bird"], [UNK], least=2)
    assert made.vocabulary == (UNK, "the", "cat")
    assert made.encode("the bird").tolist() == [1, 0]
    assert Words.learn(["b b a a c"], [UNK], size=3).vocabulary == (UNK, "a", "b")
    assert Words.learn(["The THE the"], [UNK], lower=True).encode("THE").tolist() == [1]


def test_joined_words_read_like_a_sentence() -> None:
    text = "It's so, (he said): don't!\nGo."
    made = Words.learn([text], [])
    assert made.decode(made.encode(text)) == text


def test_padding_marks_what_is_no_text() -> None:
    made = Characters.learn(["abc"], [PAD])
    tokens, padding, lengths = padded([made.encode("abc"), made.encode("a")], 2, 0)
    assert tokens.tolist() == [[1, 2], [1, 0]]
    assert padding.tolist() == [[False, False], [False, True]]
    assert lengths.tolist() == [2, 1]


def test_typed_text_comes_as_the_fields_have_it() -> None:
    made = Characters.learn(["abc"], [PAD, UNK])
    tokens = Field("tokens", "tokens", (4,), "int64", made.vocabulary, text=made.form)
    fields = (tokens, Field("padding", "padding", (4,), "bool"), Field("length", "length", (), "int64"))
    batch = batch_of(["ab", "caz", "abcabc"], fields)
    assert batch["tokens"].tolist() == [[2, 3, 0, 0], [4, 2, 1, 0], [2, 3, 4, 2]]
    assert batch["padding"].sum(1).tolist() == [2, 1, 0]
    assert batch["length"].tolist() == [2, 3, 4]


def test_typed_text_that_a_network_cannot_take_is_refused() -> None:
    made = Characters.learn(["abc"], [])
    field = Field("tokens", "tokens", (4,), "int64", made.vocabulary, text=made.form)
    with pytest.raises(DataError, match="'z' is not in the vocabulary"):
        batch_of(["abcz"], [field])
    with pytest.raises(DataError, match="too short: the network takes 4 tokens"):
        batch_of(["abc"], [field])
    with pytest.raises(DataError, match="x was not made of text"):
        tokenizer_of(Field("x", "tokens", (4,), "int64"))
