"""Networks that read or write sequences."""

from __future__ import annotations

from deepgui import Network
from deepgui.library.attention import decoder_pre_norm, encoder_pre_norm, gpt2_layer
from deepgui.library.positions import learned_positions
from deepgui.project.values import DataConfig, Project, TrainingConfig
from drawn.places import place


def char_gpt() -> Project:
    """A transformer decoder that goes on with text, character by character."""
    net = Network("char_gpt")
    x = net.add("Input", shape=(64,), dtype="int64", name="tokens", at=place(0, 0))
    x = net.add("Embedding", x, num_embeddings=128, embedding_dim=64, name="token_embedding", at=place(1, 0))
    x = net.add(learned_positions(), x, length=64, name="positions", at=place(2, 0))
    x = net.add(gpt2_layer(), x, num_heads=4, dropout=0.0, repeat=2, name="layers", at=place(0, 1))
    x = net.add("LayerNorm", x, name="final_norm", at=place(1, 1))
    x = net.add("Linear", x, out_features=128, bias=False, name="scores", at=place(2, 1))
    net.add("Output", x, name="next", at=place(3, 1))
    training = TrainingConfig(
        objective="next_token",
        optimizer="AdamW",
        optimizer_options={"lr": 3e-3},
        scheduler="OneCycleLR",
        epochs=1,
        batch_size=16,
        clip_grad_norm=1.0,
    )
    return net.project("Char GPT", data=DataConfig("python_text", {"stride": 32}), training=training)


def masked_text() -> Project:
    """A transformer encoder that fills gaps in words."""
    net = Network("masked_text")
    x = net.add("Input", shape=(48,), dtype="int64", name="masked", at=place(0, 0))
    x = net.add("Embedding", x, num_embeddings=128, embedding_dim=64, name="token_embedding", at=place(1, 0))
    x = net.add(learned_positions(), x, length=48, name="positions", at=place(2, 0))
    x = net.add(
        encoder_pre_norm(), x, num_heads=4, dim_feedforward=256, dropout=0.0, repeat=2, name="layers", at=place(0, 1)
    )
    x = net.add("LayerNorm", x, name="final_norm", at=place(1, 1))
    x = net.add("Linear", x, out_features=128, name="scores", at=place(2, 1))
    net.add("Output", x, name="hidden", at=place(3, 1))
    training = TrainingConfig(
        objective="masked_token",
        optimizer="AdamW",
        optimizer_options={"lr": 3e-3},
        scheduler="OneCycleLR",
        epochs=2,
        batch_size=32,
    )
    data = DataConfig("python_text", {"context": 48, "stride": 48, "mask_token": True})
    return net.project("Masked text", data=data, training=training)


def date_translation() -> Project:
    """An encoder reads a date as people write it, a decoder writes it as 2026-11-20."""
    net = Network("date_translation")
    source = net.add("Input", shape=(28,), dtype="int64", name="source", at=place(0, 0))
    x = net.add("Embedding", source, num_embeddings=64, embedding_dim=64, name="source_embedding", at=place(1, 0))
    x = net.add(learned_positions(), x, length=28, name="source_positions", at=place(2, 0))
    sizes = {"num_heads": 4, "dim_feedforward": 128, "dropout": 0.0}
    memory = net.add(encoder_pre_norm(), x, **sizes, name="encoder", at=place(3, 0))
    written = net.add("Input", shape=(11,), dtype="int64", name="written", at=place(0, 1))
    y = net.add("Embedding", written, num_embeddings=15, embedding_dim=64, name="written_embedding", at=place(1, 1))
    y = net.add(learned_positions(), y, length=11, name="written_positions", at=place(2, 1))
    y = net.add(decoder_pre_norm(), y, memory, **sizes, name="decoder", at=place(3, 1))
    y = net.add("Linear", y, out_features=15, name="scores", at=place(1, 2))
    net.add("Output", y, name="next", at=place(2, 2))
    training = TrainingConfig(
        objective="sequence_to_sequence",
        optimizer="AdamW",
        optimizer_options={"lr": 2e-3},
        scheduler="OneCycleLR",
        epochs=12,
        batch_size=64,
    )
    return net.project("Date translation", data=DataConfig("dates"), training=training)


def mackey_glass_lstm() -> Project:
    """An LSTM looks back over a chaotic series and says what comes next."""
    net = Network("mackey_glass_lstm")
    x = net.add("Input", shape=(50, 1), name="window", at=place(0, 0))
    x = net.add("LSTM", x, hidden_size=32, name="lstm", at=place(1, 0))["output"]
    x = net.add("select", x, dim=1, index=-1, name="last_step", at=place(2, 0))
    x = net.add("Linear", x, out_features=1, name="forecast", at=place(0, 1))
    net.add("Output", x, name="future", at=place(1, 1))
    training = TrainingConfig(
        objective="regression", optimizer_options={"lr": 5e-3}, scheduler="OneCycleLR", epochs=20, batch_size=32
    )
    return net.project("Mackey-Glass LSTM", data=DataConfig("mackey_glass"), training=training)


def names_gru() -> Project:
    """A GRU reads a name in both directions and says from which of five tongues it is."""
    net = Network("names_gru")
    tokens = net.add("Input", shape=(10,), dtype="int64", name="tokens", at=place(0, 0))
    padding = net.add("Input", shape=(10,), dtype="bool", name="padding", at=place(0, 1))
    x = net.add("Embedding", tokens, num_embeddings=34, embedding_dim=16, padding_idx=0, name="letters", at=place(1, 0))
    x = net.add("GRU", x, hidden_size=32, bidirectional=True, name="gru", at=place(2, 0))["output"]
    ended = net.add("unsqueeze", padding, dim=-1, name="column", at=place(1, 1))
    x = net.add("masked_fill", x, ended, value=-1.0, name="leave_out_padding", at=place(2, 1))
    x = net.add("amax", x, dim=1, name="strongest", at=place(0, 2))
    x = net.add("Linear", x, out_features=5, name="scores", at=place(1, 2))
    net.add("Output", x, name="tongue", at=place(2, 2))
    training = TrainingConfig(optimizer_options={"lr": 5e-3}, epochs=12, batch_size=32)
    return net.project("Names GRU", data=DataConfig("names"), training=training)


SAMPLES = {
    "mackey_glass_lstm": mackey_glass_lstm,
    "names_gru": names_gru,
    "char_gpt": char_gpt,
    "masked_text": masked_text,
    "date_translation": date_translation,
}
