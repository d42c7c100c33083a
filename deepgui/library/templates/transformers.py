"""Transformers."""

from __future__ import annotations

from deepgui.builder import Handle, Network
from deepgui.library import attention, positions
from deepgui.library.drawing import Settings
from deepgui.library.templates.catalogue import published
from deepgui.project.values import Project


@published(
    "Transformer",
    63_082_496,
    "The base model of “Attention Is All You Need”: six layers that read, six that write (Vaswani et al. 2017).",
)
def transformer(
    vocabulary: int = 37_000,
    length: int = 128,
    embed_dim: int = 512,
    num_heads: int = 8,
    dim_feedforward: int = 2048,
    depth: int = 6,
) -> Project:
    """One table of words serves both sides and the output, as in the paper."""
    net = Network("Transformer")
    source = net.add("Input", shape=(length,), dtype="int64", name="source")
    target = net.add("Input", shape=(length,), dtype="int64", name="target")
    words = net.add("Embedding", source, num_embeddings=vocabulary, embedding_dim=embed_dim, name="embedding")
    sizes: Settings = {"num_heads": num_heads, "dim_feedforward": dim_feedforward, "repeat": depth}
    memory = net.add(attention.encoder_post_norm(), _placed(net, words, "source"), **sizes, name="encoder")
    again = net.add(
        "Embedding",
        target,
        num_embeddings=vocabulary,
        embedding_dim=embed_dim,
        shares=words,
        name="target_embedding",
    )
    x = net.add(attention.decoder_post_norm(), _placed(net, again, "target"), memory, **sizes, name="decoder")
    x = net.add("Linear", x, out_features=vocabulary, bias=False, shares=words, name="generator")
    net.add("Output", x, name="next_words")
    return net.project("Transformer")


def _placed(net: Network, words: Handle, side: str) -> Handle:
    """Words scaled by the root of their size, with their places."""
    size = net.network().nodes[words.node].params["embedding_dim"]
    assert isinstance(size, int)
    x = net.add("mul", words, other=size**0.5, name=f"{side}_scaled")
    x = net.add(positions.sinusoidal_positions(), x, name=f"{side}_positions")
    return net.add("Dropout", x, p=0.1, name=f"{side}_dropout")


@published(
    "GPT-2 small",
    124_439_808,
    "Twelve layers that guess the next word, which they read off the table of words itself (Radford et al. 2019).",
)
def gpt2(
    vocabulary: int = 50_257, length: int = 1024, embed_dim: int = 768, num_heads: int = 12, depth: int = 12
) -> Project:
    net = Network("GPT2")
    tokens = net.add("Input", shape=(length,), dtype="int64", name="tokens")
    words = net.add("Embedding", tokens, num_embeddings=vocabulary, embedding_dim=embed_dim, name="wte")
    place = net.add("arange", tokens, dim=1, name="place")
    place = net.add("Embedding", place, num_embeddings=length, embedding_dim=embed_dim, name="wpe")
    x = net.add("Dropout", net.add("add", words, place, name="sum"), p=0.1, name="drop")
    x = net.add(attention.gpt2_layer(), x, num_heads=num_heads, repeat=depth, name="h")
    x = net.add("LayerNorm", x, name="ln_f")
    x = net.add("Linear", x, out_features=vocabulary, bias=False, shares=words, name="lm_head")
    net.add("Output", x, name="next_token")
    return net.project("GPT-2 small")


@published(
    "BERT-base",
    109_482_240,
    "Twelve layers that read a text in both directions, with a pooler for its first word (Devlin et al. 2018).",
)
def bert(
    vocabulary: int = 30_522, length: int = 512, embed_dim: int = 768, num_heads: int = 12, depth: int = 12
) -> Project:
    """Its inputs are tokens, the segment of each, and 1 for a token and 0 for padding."""
    net = Network("BERT")
    tokens, segments, mask = (
        net.add("Input", shape=(length,), dtype="int64", name=name) for name in ("tokens", "segments", "attention_mask")
    )
    words = net.add("Embedding", tokens, num_embeddings=vocabulary, embedding_dim=embed_dim, name="word_embeddings")
    place = net.add("arange", tokens, dim=1, name="place")
    place = net.add("Embedding", place, num_embeddings=length, embedding_dim=embed_dim, name="position_embeddings")
    segment = net.add("Embedding", segments, num_embeddings=2, embedding_dim=embed_dim, name="token_type_embeddings")
    x = net.add("add", net.add("add", words, segment, name="sum1"), place, name="sum2")
    x = net.add("Dropout", net.add("LayerNorm", x, eps=1e-12, name="embedding_norm"), p=0.1, name="dropout")
    padding = net.add("eq", mask, other=0, name="padding")
    x = net.add(attention.bert_layer(), x, padding, num_heads=num_heads, repeat=depth, name="layer")
    net.add("Output", x, name="sequence")
    x = net.add("slice", x, index=":, 0", name="first")
    x = net.add("Tanh", net.add("Linear", x, out_features=embed_dim, name="pooler"), name="tanh")
    net.add("Output", x, name="pooled")
    return net.project("BERT-base")


@published(
    "ViT-B/16",
    86_567_656,
    "Twelve encoder layers that read a picture as a sentence of 16×16 squares (Dosovitskiy et al. 2020).",
)
def vit(
    image: int = 224,
    classes: int = 1000,
    patch_size: int = 16,
    embed_dim: int = 768,
    num_heads: int = 12,
    depth: int = 12,
) -> Project:
    net = Network("ViT")
    x = net.add("Input", shape=(3, image, image), name="image")
    x = net.add(positions.patch_embedding(), x, patch_size=patch_size, embed_dim=embed_dim, name="patches")
    x = net.add(positions.learned_positions(), x, name="positions")
    x = net.add(
        attention.encoder_pre_norm(),
        x,
        num_heads=num_heads,
        dim_feedforward=4 * embed_dim,
        dropout=0.0,
        activation="gelu",
        eps=1e-6,
        repeat=depth,
        name="layers",
    )
    x = net.add("LayerNorm", x, eps=1e-6, name="ln")
    x = net.add("slice", x, index=":, 0", name="class_token")
    net.add("Output", net.add("Linear", x, out_features=classes, name="head"), name="scores")
    return net.project("ViT-B/16")
