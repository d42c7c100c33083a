"""What torch.nn's signatures do not say, as data.

Everything else about a layer (its parameters, their types and defaults, its ports, its help) is read
from PyTorch by :mod:`deepgui.catalog.introspect`.
"""

from __future__ import annotations

from deepgui.catalog.spec import Infer, PortSpec, Value

CATEGORIES = {
    "linear": "Linear",
    "conv": "Convolution",
    "pooling": "Pooling",
    "adaptive": "Loss",
    "padding": "Padding",
    "batchnorm": "Normalization",
    "instancenorm": "Normalization",
    "normalization": "Normalization",
    "activation": "Activation",
    "dropout": "Dropout",
    "sparse": "Embedding",
    "rnn": "Recurrent",
    "transformer": "Attention",
    "distance": "Math",
    "flatten": "Shape",
    "fold": "Shape",
    "pixelshuffle": "Shape",
    "channelshuffle": "Shape",
    "upsampling": "Shape",
    "loss": "Loss",
}
"""Palette heading by the module of torch.nn.modules in which a layer is defined."""

CATEGORY_OF = {"MultiheadAttention": "Attention"}

LEFT_OUT = {
    "Module": "the base class of all layers",
    "Container": "the deprecated base class of containers",
    "Sequential": "a drawing is a sequence already",
    "ModuleList": "a container; it computes nothing",
    "ModuleDict": "a container; it computes nothing",
    "ParameterList": "a container; it computes nothing",
    "ParameterDict": "a container; it computes nothing",
    "RNNBase": "the base class of RNN, LSTM and GRU",
    "RNNCellBase": "the base class of the cells",
    "NLLLoss2d": "deprecated; NLLLoss does the same",
    "DataParallel": "a wrapper for training on several devices; it computes nothing of its own",
}
"""Names of torch.nn that are no layers to place, with the reason. Lazy twins are left out by their base class."""

TENSORS = frozenset({"weight", "pos_weight"})
"""Constructor arguments that are tensors and set by hand: the weights of classes in a loss."""

HIDDEN = frozenset(
    {"device", "dtype", "size_average", "reduce", "process_group", "custom_encoder", "custom_decoder", "options"}
    | {"distance_function", "min_value", "max_value"}
)
"""Arguments that are deprecated, internal, or set for the whole network rather than for one layer."""

HIDDEN_INPUTS = frozenset({"output_size"})
"""Arguments of ``forward`` that are neither tensors nor settings worth a place."""

INFERRED = {
    "in_channels": 1,
    "in_features": -1,
    "num_features": 1,
    "num_channels": 1,
    "input_size": -1,
    "embed_dim": -1,
    "d_model": -1,
    "normalized_shape": -1,
}
"""Size arguments that the first input's dimension gives."""

INFERRED_FROM: dict[tuple[str, str], Infer] = {
    ("Bilinear", "in1_features"): Infer("input1", -1),
    ("Bilinear", "in2_features"): Infer("input2", -1),
}

DEFAULTS: dict[tuple[str, str], Value] = {
    ("RNN", "batch_first"): True,
    ("LSTM", "batch_first"): True,
    ("GRU", "batch_first"): True,
    ("MultiheadAttention", "batch_first"): True,
    ("Transformer", "batch_first"): True,
    ("TransformerEncoderLayer", "batch_first"): True,
    ("TransformerDecoderLayer", "batch_first"): True,
    ("TransformerEncoder", "batch_first"): True,
    ("TransformerDecoder", "batch_first"): True,
    ("Softmax", "dim"): -1,
    ("LogSoftmax", "dim"): -1,
    ("Softmin", "dim"): -1,
    ("Transformer", "activation"): "relu",
    ("TransformerEncoderLayer", "activation"): "relu",
    ("TransformerDecoderLayer", "activation"): "relu",
}
"""Defaults of ours where PyTorch's is a trap (batch second, an implicit dimension) or no literal."""

STARTERS: dict[str, Value] = {
    "out_channels": 16,
    "kernel_size": 3,
    "out_features": 32,
    "hidden_size": 32,
    "num_heads": 4,
    "nhead": 4,
    "num_layers": 2,
    "output_size": 1,
    "padding": 1,
    "value": 0.0,
    "threshold": 0.0,
    "num_embeddings": 1000,
    "embedding_dim": 32,
    "num_groups": 4,
    "groups": 2,
    "upscale_factor": 2,
    "downscale_factor": 2,
    "size": 5,
    "norm_type": 2.0,
}
"""What the palette proposes for required arguments, by name."""

STARTERS_OF: dict[tuple[str, str], Value] = {
    (f"{pool}Pool{d}d", "kernel_size"): 2 for pool in ("Max", "Avg", "LP") for d in (1, 2, 3)
}
STARTERS_OF |= {(f"MaxUnpool{d}d", "kernel_size"): 2 for d in (1, 2, 3)}

CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("*", "reduction"): ("mean", "sum", "none"),
    ("*", "activation"): ("relu", "gelu"),
    ("*", "nonlinearity"): ("tanh", "relu"),
    ("GELU", "approximate"): ("none", "tanh"),
    ("KLDivLoss", "reduction"): ("mean", "batchmean", "sum", "none"),
    ("EmbeddingBag", "mode"): ("mean", "sum", "max"),
    ("Upsample", "mode"): ("nearest", "linear", "bilinear", "bicubic", "trilinear", "nearest-exact"),
    ("Conv1d", "padding"): ("valid", "same"),
    ("Conv2d", "padding"): ("valid", "same"),
    ("Conv3d", "padding"): ("valid", "same"),
    ("ConvTranspose1d", "padding_mode"): ("zeros",),
    ("ConvTranspose2d", "padding_mode"): ("zeros",),
    ("ConvTranspose3d", "padding_mode"): ("zeros",),
}

MINIMUM = {
    **dict.fromkeys(("in_channels", "out_channels", "in_features", "out_features", "num_features", "num_channels"), 1),
    **dict.fromkeys(("kernel_size", "stride", "dilation", "groups", "num_layers", "hidden_size", "input_size"), 1),
    **dict.fromkeys(("embed_dim", "num_heads", "nhead", "d_model", "num_groups", "num_embeddings", "embedding_dim"), 1),
    **dict.fromkeys(("in1_features", "in2_features", "dim_feedforward", "upscale_factor", "downscale_factor"), 1),
    **dict.fromkeys(("p", "dropout", "output_padding", "proj_size", "eps", "label_smoothing"), 0),
}
"""Smallest accepted value by argument name."""

TYPES = {"cutoffs": "ints", "embed_dim": "int", "num_heads": "int", "dropout": "float", "kdim": "int", "vdim": "int"}
"""Types of arguments that have neither a telling annotation nor a telling default."""

_SEQUENCE = ("N L *", "L N *")
_INTEGERS = ("int64", "int32")

OUTPUTS: dict[str, tuple[PortSpec, ...]] = {
    "RNN": (PortSpec("output", path=(0,)), PortSpec("h_n", path=(1,))),
    "GRU": (PortSpec("output", path=(0,)), PortSpec("h_n", path=(1,))),
    "LSTM": (PortSpec("output", path=(0,)), PortSpec("h_n", path=(1, 0)), PortSpec("c_n", path=(1, 1))),
    "LSTMCell": (PortSpec("h_1", path=(0,)), PortSpec("c_1", path=(1,))),
    "MultiheadAttention": (
        PortSpec("attn_output", path=(0,)),
        PortSpec("attn_output_weights", path=(1,), when=("need_weights", True)),
    ),
    "AdaptiveLogSoftmaxWithLoss": (PortSpec("output", path=(0,)), PortSpec("loss", path=(1,))),
}

WITH_INDICES: tuple[PortSpec, ...] = (
    PortSpec("output", when=("return_indices", False)),
    PortSpec("output", path=(0,), when=("return_indices", True)),
    PortSpec("indices", path=(1,), when=("return_indices", True)),
)
"""Outputs of every pooling layer that has ``return_indices``."""

PORTS: dict[tuple[str, str], tuple[PortSpec, ...]] = {
    ("RNN", "hx"): (PortSpec("h_0", optional=True, argument="hx"),),
    ("GRU", "hx"): (PortSpec("h_0", optional=True, argument="hx"),),
    ("LSTM", "hx"): (PortSpec("h_0", optional=True, argument="hx"), PortSpec("c_0", optional=True, argument="hx")),
    ("RNNCell", "hx"): (PortSpec("h_0", optional=True, argument="hx"),),
    ("GRUCell", "hx"): (PortSpec("h_0", optional=True, argument="hx"),),
    ("LSTMCell", "hx"): (PortSpec("h_0", optional=True, argument="hx"), PortSpec("c_0", optional=True, argument="hx")),
    ("RNN", "input"): (PortSpec("input", layouts=("N L H_in", "L N H_in")),),
    ("GRU", "input"): (PortSpec("input", layouts=("N L H_in", "L N H_in")),),
    ("LSTM", "input"): (PortSpec("input", layouts=("N L H_in", "L N H_in")),),
    ("MultiheadAttention", "query"): (PortSpec("query", layouts=("N L E", "L N E")),),
    ("MultiheadAttention", "key"): (PortSpec("key", fallback="query", layouts=("N S E", "S N E")),),
    ("MultiheadAttention", "value"): (PortSpec("value", fallback="key", layouts=("N S E", "S N E")),),
    ("TransformerEncoderLayer", "src"): (PortSpec("src", layouts=("N S E", "S N E")),),
    ("TransformerDecoderLayer", "tgt"): (PortSpec("tgt", layouts=("N T E", "T N E")),),
    ("TransformerDecoderLayer", "memory"): (PortSpec("memory", layouts=("N S E", "S N E")),),
    ("TransformerEncoder", "src"): (PortSpec("src", layouts=("N S E", "S N E")),),
    ("TransformerDecoder", "tgt"): (PortSpec("tgt", layouts=("N T E", "T N E")),),
    ("TransformerDecoder", "memory"): (PortSpec("memory", layouts=("N S E", "S N E")),),
    ("Transformer", "src"): (PortSpec("src", layouts=("N S E", "S N E")),),
    ("Transformer", "tgt"): (PortSpec("tgt", layouts=("N T E", "T N E")),),
    ("Embedding", "input"): (PortSpec("input", dtypes=_INTEGERS),),
    ("EmbeddingBag", "input"): (PortSpec("input", dtypes=_INTEGERS),),
    ("BatchNorm1d", "input"): (PortSpec("input", layouts=("N C", "N C L")),),
    ("InstanceNorm1d", "input"): (PortSpec("input", layouts=("N C L",)),),
    ("Softmax2d", "input"): (PortSpec("input", layouts=("N C H W",)),),
    ("GroupNorm", "input"): (PortSpec("input", layouts=("N C *",)),),
    ("PixelShuffle", "input"): (PortSpec("input", layouts=("N C H W",)),),
    ("PixelUnshuffle", "input"): (PortSpec("input", layouts=("N C H W",)),),
    ("Linear", "input"): (PortSpec("input", layouts=("N *",)),),
    ("Flatten", "input"): (PortSpec("input", layouts=("N *",)),),
}
"""Ports that replace the argument of ``forward`` of the same name."""

SPATIAL = {"1d": "L", "2d": "H W", "3d": "D H W"}
"""Dimensions behind ``N C`` by the suffix of the layer's name."""

SPATIAL_MODULES = frozenset({"conv", "pooling", "padding", "batchnorm", "instancenorm", "dropout", "upsampling"})

SHORTENED = frozenset({"RNN", "GRU", "LSTM"})
"""Layers whose meta kernels run step by step: shapes are found on a short sequence and stretched."""

DOCS = {
    "CrossMapLRN2d": "Normalizes each value by those at the same place in the neighbouring channels. "
    "LocalResponseNorm does the same for any number of dimensions.",
}
"""Help for layers that have no docstring."""

ALIASES: dict[str, tuple[str, ...]] = {
    "Linear": ("dense", "fully connected", "fc", "affine"),
    "Conv2d": ("convolution", "cnn"),
    "Conv1d": ("convolution", "cnn", "temporal"),
    "ConvTranspose2d": ("deconvolution", "upconvolution"),
    "MaxPool2d": ("max pooling", "subsampling", "downsample"),
    "AvgPool2d": ("average pooling", "subsampling"),
    "AdaptiveAvgPool2d": ("global average pooling", "gap"),
    "BatchNorm1d": ("batch normalisation", "bn"),
    "BatchNorm2d": ("batch normalisation", "bn"),
    "LayerNorm": ("layer normalisation", "ln"),
    "RMSNorm": ("root mean square",),
    "ReLU": ("rectifier", "activation"),
    "SiLU": ("swish",),
    "Sigmoid": ("logistic",),
    "Flatten": ("vectorise", "reshape"),
    "Unflatten": ("reshape", "view"),
    "Dropout": ("regularisation",),
    "Embedding": ("lookup", "word vectors", "token"),
    "MultiheadAttention": ("self attention", "mha", "transformer"),
    "TransformerEncoderLayer": ("bert", "self attention", "block"),
    "TransformerDecoderLayer": ("gpt", "cross attention", "block"),
    "TransformerEncoder": ("bert", "self attention", "stack"),
    "TransformerDecoder": ("gpt", "cross attention", "stack"),
    "Transformer": ("seq2seq", "translation", "encoder decoder"),
    "LSTM": ("recurrent", "memory", "sequence"),
    "GRU": ("recurrent", "gated", "sequence"),
    "RNN": ("recurrent", "elman", "sequence"),
    "Upsample": ("resize", "interpolate"),
    "PixelShuffle": ("super resolution", "depth to space"),
    "CrossEntropyLoss": ("classification", "log loss"),
    "MSELoss": ("mean squared error", "l2"),
    "L1Loss": ("mean absolute error", "mae"),
}
"""Other words that people search for."""
