"""Sources of well-known sets, fetched on demand from where their publishers put them.

Checksums are the publishers'; where they gave none, those of the file at a fixed revision of their repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from deepgui.catalog.spec import Value
from deepgui.data import idx, sound_folder, text_windows
from deepgui.data.cifar10 import cifar10_fields, read_cifar10
from deepgui.data.download import Remote
from deepgui.data.known_sets import KnownSet
from deepgui.data.planetoid import PLANETOID_PARAMS, planetoid
from deepgui.data.planetoid_original import to_npz
from deepgui.data.source_spec import SourceSpec

_RAW = "https://raw.githubusercontent.com"
_MNIST = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
_FASHION = (f"{_RAW}/zalandoresearch/fashion-mnist/master/data/fashion/",)
_CORA = f"{_RAW}/kimiyoung/planetoid/af6abf468a772cc055bec88c52e4d6f51b7c37e3/data/"
_SHAKESPEARE = f"{_RAW}/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt"
_DIGITS = "https://github.com/Jakobovski/free-spoken-digit-dataset"
_DIGITS_REVISION = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"

_SPOKEN: Mapping[str, Value] = {"test_numbers": "0-4", "rate": 8000}  # as the recordings are made and compared


def _idx(places: tuple[str, ...], *files: tuple[str, int, str]) -> tuple[Remote, ...]:
    return tuple(Remote(tuple(p + name for p in places), name, f"md5:{md5}", size) for name, size, md5 in files)


def _cora() -> tuple[Remote, ...]:
    files = {
        "ind.cora.x": (22_119, "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab"),
        "ind.cora.y": (4_054, "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1"),
        "ind.cora.tx": (148_025, "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a"),
        "ind.cora.ty": (28_135, "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad"),
        "ind.cora.allx": (257_305, "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543"),
        "ind.cora.ally": (47_959, "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71"),
        "ind.cora.graph": (59_847, "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d"),
        "ind.cora.test.index": (5_000, "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875"),
    }
    return tuple(Remote((_CORA + name,), name, f"sha256:{sha}", size) for name, (size, sha) in files.items())


_KNOWN = (
    KnownSet(
        "mnist",
        "MNIST",
        "70,000 handwritten digits, 28×28 grey; 10,000 of them for testing.",
        _idx(
            _MNIST,
            ("train-images-idx3-ubyte.gz", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            ("train-labels-idx1-ubyte.gz", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
            ("t10k-images-idx3-ubyte.gz", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
            ("t10k-labels-idx1-ubyte.gz", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
        ),
        "CC BY-SA 3.0",
        "http://yann.lecun.com/exdb/mnist/",
        ("classification",),
        idx.read_idx_folder,
        fields=idx.idx_fields,
    ),
    KnownSet(
        "fashion_mnist",
        "Fashion-MNIST",
        "70,000 pictures of clothes in ten classes, 28×28 grey; 10,000 of them for testing.",
        _idx(
            _FASHION,
            ("train-images-idx3-ubyte.gz", 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            ("train-labels-idx1-ubyte.gz", 29_515, "25c81989df183df01b3e8a0aad5dffbe"),
            ("t10k-images-idx3-ubyte.gz", 4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
            ("t10k-labels-idx1-ubyte.gz", 5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        "MIT",
        "https://github.com/zalandoresearch/fashion-mnist",
        ("classification",),
        idx.read_idx_folder,
        fields=idx.idx_fields,
    ),
    KnownSet(
        "cifar10",
        "CIFAR-10",
        "60,000 colour photographs in ten classes, 32×32; 10,000 of them for testing.",
        (
            Remote(
                ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
                "cifar-10-binary.tar.gz",
                "md5:c32a1d4ab5d03f1284b67883e8d87530",
                170_052_171,
            ),
        ),
        "none stated; to be cited as Krizhevsky 2009",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        ("classification",),
        read_cifar10,
        members=("*.bin", "batches.meta.txt"),
        fields=cifar10_fields,
    ),
    KnownSet(
        "cora",
        "Cora",
        "2,708 papers in seven fields that cite each other, with the split that results are compared on.",
        _cora(),
        "MIT",
        "https://github.com/kimiyoung/planetoid",
        ("classification",),
        planetoid,
        PLANETOID_PARAMS,
        prepare=to_npz,
    ),
    KnownSet(
        "tinyshakespeare",
        "Tiny Shakespeare",
        "40,000 lines of Shakespeare's plays, a million characters, for language models.",
        (
            Remote(
                (_SHAKESPEARE,),
                "input.txt",
                "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                1_115_394,
            ),
        ),
        "public domain",
        "https://github.com/karpathy/char-rnn",
        ("next_token", "masked_token"),
        text_windows.read_text_source,
        text_windows.TEXT_PARAMS,
        content="input.txt",
        again=text_windows.read_text_source,
    ),
    KnownSet(
        "spoken_digits",
        "Free Spoken Digits",
        "3,000 recordings of six people saying a digit; the numbers 0 to 4 of each are for testing.",
        (Remote((f"{_DIGITS}/archive/{_DIGITS_REVISION}.tar.gz",), "free-spoken-digits.tar.gz"),),
        "CC BY-SA 4.0",
        _DIGITS,
        ("classification",),
        sound_folder.read_sound_folder,
        tuple(replace(p, default=_SPOKEN.get(p.name, p.default)) for p in sound_folder.PARAMS),
        options={"classes_from": "name"},
        members=("recordings/*.wav",),
        check=("recordings/*.wav", "sha256:954ea1cf5c26624532853cc6ef905de1efeb89365398c0ce58fe829927db0667"),
        content="recordings",
        fields=sound_folder.sound_folder_fields,
        about=17_000_000,
    ),
)

_BY_ID = MappingProxyType({known.id: known for known in _KNOWN})


def known_sets() -> Mapping[str, KnownSet]:
    """All well-known sets by id."""
    return _BY_ID


SOURCES: tuple[SourceSpec, ...] = tuple(known.spec() for known in _KNOWN)
