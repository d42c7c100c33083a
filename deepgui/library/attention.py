"""Blocks of transformers."""

from __future__ import annotations

from functools import partial

from deepgui.builder import Block, Handle
from deepgui.library.drawing import Settings, choice, drawn, features

block = partial(drawn, "Attention blocks")

SIZES: Settings = {"embed_dim": features(), "num_heads": 8, "dim_feedforward": 2048, "dropout": 0.1}
ACTIVATION = choice("relu", "gelu", doc="What stands between the two linear layers of the feed-forward part.")


@block(
    "FeedForward",
    "Two linear layers with a rectifier between them, at every position by itself (Vaswani et al. 2017).",
    embed_dim=features(),
    dim_feedforward=2048,
    dropout=0.1,
    activation=ACTIVATION,
)
def feed_forward(net: Block) -> None:
    x = net.add("Input", shape=(16, 64))
    x = net.add("Linear", x, out_features="=dim_feedforward", name="linear1")
    x = net.add("ReLU", x, name="relu", bypass="=activation != 'relu'")
    x = net.add("GELU", x, name="gelu", bypass="=activation != 'gelu'")
    x = net.add("Dropout", x, p="=dropout", name="dropout")
    net.add("Output", net.add("Linear", x, out_features="=embed_dim", name="linear2"))


FEEDING: Settings = {"dim_feedforward": "=dim_feedforward", "dropout": "=dropout", "activation": "=activation"}


@block(
    "SwiGLU",
    "A feed-forward layer of which one half opens the gates of the other (Shazeer 2020).",
    embed_dim=features(),
    hidden_features=2048,
)
def swiglu(net: Block) -> None:
    x = net.add("Input", shape=(16, 64))
    gate = net.add("Linear", x, out_features="=hidden_features", bias=False, name="w1")
    gate = net.add("SiLU", gate, name="silu")
    up = net.add("Linear", x, out_features="=hidden_features", bias=False, name="w3")
    y = net.add("mul", gate, up, name="gated")
    net.add("Output", net.add("Linear", y, out_features="=embed_dim", bias=False, name="w2"))


def _attend(net: Block, query: Handle, memory: Handle, name: str, number: int, mask: Handle | None = None) -> Handle:
    """Attention as PyTorch has it, and dropout."""
    wires: Settings = {} if mask is None else {"attn_mask": mask}
    y = net.add(
        "MultiheadAttention", query, memory, memory, num_heads="=num_heads", dropout="=dropout", name=name, **wires
    )
    return net.add("Dropout", y, p="=dropout", name=f"dropout{number}")


@block(
    "EncoderPostNorm",
    "Self-attention and feed-forward, each normalised behind its sum: the encoder layer of Vaswani et al. 2017.",
    **SIZES,
    activation=ACTIVATION,
    eps=1e-5,
)
def encoder_post_norm(net: Block) -> None:
    x = net.add("Input", shape=(16, 64))
    y = _attend(net, x, x, "self_attn", 1)
    x = net.add("LayerNorm", net.add("add", x, y, name="sum1"), eps="=eps", name="norm1")
    y = net.add(feed_forward(), x, **FEEDING, name="feed_forward")
    y = net.add("Dropout", y, p="=dropout", name="dropout2")
    x = net.add("LayerNorm", net.add("add", x, y, name="sum2"), eps="=eps", name="norm2")
    net.add("Output", x)


@block(
    "EncoderPreNorm",
    "Self-attention and feed-forward, each normalised before it starts: an encoder layer that trains without "
    "warm-up (Xiong et al. 2020).",
    **SIZES,
    activation=ACTIVATION,
    eps=1e-5,
)
def encoder_pre_norm(net: Block) -> None:
    x = net.add("Input", shape=(16, 64))
    y = net.add("LayerNorm", x, eps="=eps", name="norm1")
    x = net.add("add", x, _attend(net, y, y, "self_attn", 1), name="sum1")
    y = net.add("LayerNorm", x, eps="=eps", name="norm2")
    y = net.add(feed_forward(), y, **FEEDING, name="feed_forward")
    y = net.add("Dropout", y, p="=dropout", name="dropout2")
    net.add("Output", net.add("add", x, y, name="sum2"))


@block(
    "DecoderPostNorm",
    "Looks at what it has written, then at the memory, each sum normalised: the decoder layer of Vaswani et al. 2017.",
    **SIZES | {"embed_dim": features("target")},
    activation=ACTIVATION,
)
def decoder_post_norm(net: Block) -> None:
    x = net.add("Input", shape=(12, 64), name="target")
    memory = net.add("Input", shape=(16, 64), name="memory")
    y = _attend(net, x, x, "self_attn", 1, net.add("causal_mask", x, dim=1, name="mask"))
    x = net.add("LayerNorm", net.add("add", x, y, name="sum1"), name="norm1")
    y = _attend(net, x, memory, "multihead_attn", 2)
    x = net.add("LayerNorm", net.add("add", x, y, name="sum2"), name="norm2")
    y = net.add(feed_forward(), x, **FEEDING, name="feed_forward")
    y = net.add("Dropout", y, p="=dropout", name="dropout3")
    net.add("Output", net.add("LayerNorm", net.add("add", x, y, name="sum3"), name="norm3"))


@block(
    "DecoderPreNorm",
    "Looks at what it has written, then at the memory, each normalised before it starts (Xiong et al. 2020).",
    **SIZES | {"embed_dim": features("target")},
    activation=ACTIVATION,
)
def decoder_pre_norm(net: Block) -> None:
    x = net.add("Input", shape=(12, 64), name="target")
    memory = net.add("Input", shape=(16, 64), name="memory")
    y = net.add("LayerNorm", x, name="norm1")
    mask = net.add("causal_mask", x, dim=1, name="mask")
    x = net.add("add", x, _attend(net, y, y, "self_attn", 1, mask), name="sum1")
    y = net.add("LayerNorm", x, name="norm2")
    x = net.add("add", x, _attend(net, y, memory, "multihead_attn", 2), name="sum2")
    y = net.add("LayerNorm", x, name="norm3")
    y = net.add(feed_forward(), y, **FEEDING, name="feed_forward")
    y = net.add("Dropout", y, p="=dropout", name="dropout3")
    net.add("Output", net.add("add", x, y, name="sum3"))


def heads(net: Block, x: Handle, name: str, size: str = "embed_dim") -> Handle:
    """N×L×E as heads: N×H×L×(E/H). ``size`` is the block's parameter that says how large E is."""
    x = net.add("unflatten", x, dim=-1, sizes=f"=(num_heads, {size} // num_heads)", name=f"{name}_heads")
    return net.add("transpose", x, dim0=1, dim1=2, name=name)


def joined(net: Block, x: Handle) -> Handle:
    """The heads side by side again: N×L×E."""
    x = net.add("transpose", x, dim0=1, dim1=2, name="swapped")
    return net.add("flatten", x, start_dim=2, name="joined")


@block(
    "CausalSelfAttention",
    "Every position looks at itself and at earlier ones: the attention of GPT-2 (Radford et al. 2019).",
    embed_dim=features(),
    num_heads=12,
    dropout=0.1,
)
def causal_self_attention(net: Block) -> None:
    x = net.add("Input", shape=(16, 96))
    x = net.add("Linear", x, out_features="=3 * embed_dim", name="c_attn")
    parts = net.add("chunk", x, chunks=3, dim=-1, name="qkv")
    query, key, value = (heads(net, parts[f"output_{i}"], name) for i, name in enumerate(("query", "key", "value")))
    x = net.add("scaled_dot_product_attention", query, key, value, is_causal=True, name="attention")
    x = net.add("Linear", joined(net, x), out_features="=embed_dim", name="c_proj")
    net.add("Output", net.add("Dropout", x, p="=dropout", name="resid_dropout"))


@block(
    "CrossAttention",
    "One sequence asks, another answers: how text steers a picture in latent diffusion (Rombach et al. 2022).",
    embed_dim=features("query"),
    num_heads=8,
)
def cross_attention(net: Block) -> None:
    x = net.add("Input", shape=(16, 64), name="query")
    context = net.add("Input", shape=(7, 48), name="context")
    query = heads(net, net.add("Linear", x, out_features="=embed_dim", bias=False, name="to_q"), "q")
    key = heads(net, net.add("Linear", context, out_features="=embed_dim", bias=False, name="to_k"), "k")
    value = heads(net, net.add("Linear", context, out_features="=embed_dim", bias=False, name="to_v"), "v")
    y = net.add("scaled_dot_product_attention", query, key, value, name="attention")
    net.add("Output", net.add("Linear", joined(net, y), out_features="=embed_dim", name="to_out"))


@block(
    "GPT2MLP",
    "The feed-forward part of GPT-2, four times as wide as the stream (Radford et al. 2019).",
    embed_dim=features(),
    dropout=0.1,
)
def gpt2_mlp(net: Block) -> None:
    x = net.add("Input", shape=(16, 96))
    x = net.add("Linear", x, out_features="=4 * embed_dim", name="c_fc")
    x = net.add("GELU", x, approximate="tanh", name="act")
    x = net.add("Linear", x, out_features="=embed_dim", name="c_proj")
    net.add("Output", net.add("Dropout", x, p="=dropout", name="drop"))


@block(
    "GPT2Layer",
    "Causal self-attention and a feed-forward part, each normalised first: a layer of GPT-2 (Radford et al. 2019).",
    num_heads=12,
    dropout=0.1,
)
def gpt2_layer(net: Block) -> None:
    x = net.add("Input", shape=(16, 96))
    y = net.add("LayerNorm", x, name="ln_1")
    y = net.add(causal_self_attention(), y, num_heads="=num_heads", dropout="=dropout", name="attn")
    x = net.add("add", x, y, name="sum1")
    y = net.add("LayerNorm", x, name="ln_2")
    y = net.add(gpt2_mlp(), y, dropout="=dropout", name="mlp")
    net.add("Output", net.add("add", x, y, name="sum2"))


@block(
    "BertLayer",
    "Self-attention that leaves out padding, and a feed-forward part (Devlin et al. 2018).",
    embed_dim=features("hidden_states"),
    num_heads=12,
    dropout=0.1,
    eps=1e-12,
)
def bert_layer(net: Block) -> None:
    x = net.add("Input", shape=(16, 96), name="hidden_states")
    padding = net.add("Input", shape=(16,), dtype="bool", name="padding")
    y = net.add(
        "MultiheadAttention",
        x,
        x,
        x,
        key_padding_mask=padding,
        num_heads="=num_heads",
        dropout="=dropout",
        name="attention",
    )
    y = net.add("Dropout", y, p="=dropout", name="attention_dropout")
    x = net.add("LayerNorm", net.add("add", x, y, name="sum1"), eps="=eps", name="attention_norm")
    y = net.add("Linear", x, out_features="=4 * embed_dim", name="intermediate")
    y = net.add("GELU", y, name="gelu")
    y = net.add("Linear", y, out_features="=embed_dim", name="output")
    y = net.add("Dropout", y, p="=dropout", name="output_dropout")
    net.add("Output", net.add("LayerNorm", net.add("add", x, y, name="sum2"), eps="=eps", name="output_norm"), name="y")
