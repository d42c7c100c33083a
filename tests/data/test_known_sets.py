"""Well-known sets from a server that works, breaks, lies or is not there."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import os
import pickle
import struct
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from deepgui.data import download, known_sets, planetoid_original
from deepgui.data.cifar10 import read_cifar10
from deepgui.data.download import Remote, fetch
from deepgui.data.errors import DataError
from deepgui.data.idx import read_idx_folder
from deepgui.data.known_sets import KnownSet, NotHere
from deepgui.data.known_sources import known_sets as declared
from deepgui.data.planetoid import PLANETOID_PARAMS, planetoid
from deepgui.data.planetoid_original import inert, to_npz
from deepgui.data.progress import GivenUp, Progress, listening
from deepgui.data.sources import sources

BODY = bytes(i * 7 % 251 for i in range(300_000))


@dataclass
class Server:
    """Files by path, and how the server misbehaves.

    Attributes:
        breaks: bytes after which each answer ends too soon, one number an answer.
        ranges: whether it can go on in the middle.
        asked: (path, Range header) of every request.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)

    def remote(self, name: str, digest: str = "", **more: Any) -> Remote:
        digest = digest or f"sha256:{hashlib.sha256(self.files.get(name, b'')).hexdigest()}"
        return Remote((f"{self.address}/{name}",), name, digest, len(self.files.get(name, b"")), **more)


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server(files={"body.bin": BODY})

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, wanted = self.path.lstrip("/"), self.headers.get("Range", "")
            told.asked.append((name, wanted))
            if name not in told.files:
                self.send_error(404)
                return
            body, first = told.files[name], 0
            if wanted and told.ranges:
                first = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if first >= len(body):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body) - first))
            self.end_headers()
            stop = told.breaks.pop(0) if told.breaks else len(body)
            self.wfile.write(body[first : first + stop])

        def log_message(self, *_: object) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.address = f"http://127.0.0.1:{running.server_address[1]}"
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield told
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, no waiting, and no proxy between this machine and itself."""
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "PAUSE", 0.0)
    return tmp_path / "home"


def test_a_file_is_fetched_once_with_progress(server: Server, tmp_path: Path) -> None:
    heard: list[Progress] = []
    with listening(heard.append):
        path = fetch(server.remote("body.bin"), tmp_path)
    assert path.read_bytes() == BODY
    assert str(heard[-1]) == "300 of 300 kB of body.bin downloaded"
    assert [p.done for p in heard] == sorted(p.done for p in heard)
    assert len({p.done for p in heard}) > 3
    fetch(server.remote("body.bin"), tmp_path)
    assert len(server.asked) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["body.bin"]


def test_a_connection_that_breaks_is_taken_up_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.breaks = [100_000, 50_000]
    assert fetch(server.remote("body.bin"), tmp_path).read_bytes() == BODY
    assert server.asked == [("body.bin", ""), ("body.bin", "bytes=100000-"), ("body.bin", "bytes=150000-")]


def test_one_that_keeps_breaking_is_said_and_gone_on_with_the_next_time(server: Server, tmp_path: Path) -> None:
    server.breaks = [10_000] * download.ATTEMPTS
    with pytest.raises(DataError, match=r"not complete: the connection to 127.0.0.1:\d+ keeps breaking") as told:
        fetch(server.remote("body.bin"), tmp_path)
    assert "try again later" in str(told.value)
    assert not (tmp_path / "body.bin").exists()
    server.asked.clear()
    assert fetch(server.remote("body.bin"), tmp_path).read_bytes() == BODY
    assert server.asked == [("body.bin", "bytes=40000-")]


def test_a_server_that_cannot_go_on_in_the_middle_begins_anew(server: Server, tmp_path: Path) -> None:
    server.breaks, server.ranges = [100_000], False
    assert fetch(server.remote("body.bin"), tmp_path).read_bytes() == BODY


def test_what_came_completely_before_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "body.bin.part").write_bytes(BODY)
    assert fetch(server.remote("body.bin"), tmp_path).read_bytes() == BODY
    (tmp_path / "body.bin").unlink()
    (tmp_path / "body.bin.part").write_bytes(BODY + b"more than there is")
    assert fetch(server.remote("body.bin"), tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 64, "md5:" + "0" * 32])
def test_another_file_than_the_published_one_is_thrown_away(server: Server, tmp_path: Path, digest: str) -> None:
    with pytest.raises(DataError, match="its checksum is not the published one"):
        fetch(server.remote("body.bin", digest), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_giving_up_keeps_what_came(server: Server, tmp_path: Path) -> None:
    def heed(progress: Progress) -> None:
        if progress.done > 100:
            raise GivenUp

    with pytest.raises(GivenUp), listening(heed):
        fetch(server.remote("body.bin"), tmp_path)
    kept = (tmp_path / "body.bin.part").stat().st_size
    assert 100_000 < kept < len(BODY)
    assert fetch(server.remote("body.bin"), tmp_path).read_bytes() == BODY
    assert server.asked[-1] == ("body.bin", f"bytes={kept}-")


def test_another_address_is_asked_where_the_first_does_not_have_it(server: Server, tmp_path: Path) -> None:
    remote = server.remote("body.bin")
    two = replace(remote, urls=(f"{server.address}/gone", *remote.urls))
    assert fetch(two, tmp_path).read_bytes() == BODY
    with pytest.raises(DataError, match="answers 404 Not Found"):
        fetch(server.remote("gone", "md5:0"), tmp_path)


def idx_bytes(values: np.ndarray) -> bytes:
    head = struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(head + values.astype(np.uint8).tobytes())


def small_mnist(server: Server) -> KnownSet:
    chance = np.random.default_rng(0)
    for name, count in (("train", 40), ("t10k", 10)):
        server.files[f"{name}-images-idx3-ubyte.gz"] = idx_bytes(chance.integers(0, 255, (count, 6, 6)))
        server.files[f"{name}-labels-idx1-ubyte.gz"] = idx_bytes(np.arange(count) % 3)
    files = tuple(server.remote(name) for name in server.files if name.endswith(".gz"))
    return KnownSet("small", "Small MNIST", "", files, "", "", ("classification",), read_idx_folder)


def test_a_set_is_here_only_when_all_of_it_is(server: Server, home: Path) -> None:
    known = small_mnist(server)
    with pytest.raises(NotHere) as told:
        known.spec().open({"path": ""})
    assert str(told.value) == (
        f"Small MNIST is not on this machine yet: download it ({known.size_text}) in the data section or with "
        "deepgui data fetch small, or set path to a folder that has it"
    )
    assert told.value.id == "small"
    broken = replace(known, files=(*known.files, server.remote("gone", "md5:0")))
    with pytest.raises(DataError, match="answers 404"):
        known_sets.download(broken)
    assert not known.here
    asked = len(server.asked)
    folder = known_sets.download(known)
    assert len(server.asked) == asked  # what had come was kept
    table = known.spec().open({"path": ""})
    assert (len(table), len(table.fixed["test"])) == (50, 10)
    assert [p.name for p in (home / "data").iterdir()] == [folder.name] == ["small"]


def test_a_folder_of_ones_own_is_read_by_the_same_reader(server: Server, tmp_path: Path) -> None:
    known = small_mnist(server)
    (tmp_path / "own").mkdir()
    for remote in known.files:
        (tmp_path / "own" / remote.name).write_bytes(server.files[remote.name])
    assert len(known.spec().open({"path": str(tmp_path / "own")})) == 50
    assert server.asked == []


def test_without_a_network_the_way_out_is_named(tmp_path: Path) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as closed:
        port = closed.server_address[1]
    remote = Remote((f"http://127.0.0.1:{port}/x",), "x", "md5:0")
    known = KnownSet("far", "Far Away", "", (remote,), "", "", (), read_idx_folder)
    with pytest.raises(DataError) as told:
        known_sets.download(known)
    assert str(told.value).startswith(
        f"Far Away cannot be downloaded: no connection to 127.0.0.1:{port} (connection ref"
    )
    assert str(told.value).endswith("; connect to the network, or set path to a folder that has Far Away")


def archive(*members: tuple[str, bytes | str]) -> bytes:
    """A .tar.gz; a text for bytes makes a link to it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def record(label: int, value: int) -> bytes:
    return bytes([label]) + bytes([value]) * 3072


def test_an_archive_is_unpacked_without_what_nobody_wants_and_never_outside(server: Server, home: Path) -> None:
    server.files["set.tar.gz"] = archive(
        ("cifar/data_batch_1.bin", record(3, 9) + record(0, 255)),
        ("cifar/test_batch.bin", record(9, 0)),
        ("cifar/readme.html", b"no data"),
        ("cifar/../../../outside.bin", b"no"),
        ("/absolute.bin", b"no"),
        ("cifar/link.bin", "/etc/passwd"),
    )
    known = KnownSet(
        "c", "C", "", (server.remote("set.tar.gz"),), "", "", (), read_cifar10, members=("data*.bin", "test*.bin")
    )
    folder = known_sets.download(known)
    assert sorted(p.name for p in folder.rglob("*")) == ["data_batch_1.bin", "test_batch.bin"]
    assert not list(home.rglob("outside.bin")) + list(home.rglob("absolute.bin"))
    table = known.spec().open({"path": ""})
    assert table.get(torch.tensor([0, 2]))["label"].tolist() == [3, 9]
    assert table.fixed["test"].tolist() == [2]
    evil = replace(known, id="evil", members=())
    with pytest.raises(DataError, match="cannot be unpacked"):
        known_sets.download(evil)
    assert not evil.here
    assert not list(home.rglob("outside.bin"))


def test_what_an_archive_holds_is_checked_where_the_archive_has_no_checksum(server: Server) -> None:
    server.files["set.tar.gz"] = archive(("x/a.bin", record(1, 1)), ("x/b.txt", b"changes"))
    remote = replace(server.remote("set.tar.gz"), digest="")
    good = "sha256:" + hashlib.sha256(b"a.bin\0" + hashlib.sha256(record(1, 1)).digest()).hexdigest()
    known = KnownSet("c", "C", "", (remote,), "", "", (), read_cifar10, check=("*.bin", good))
    assert known_sets.download(known).is_dir()
    with pytest.raises(DataError, match="not what was published"):
        known_sets.download(replace(known, id="d", check=("*.bin", good[:-1] + "x")))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (record(1, 1)[:-5], "the file is cut off"),
        (record(2, 0) + record(11, 0), "picture 2 has the class 11"),
        (b"", "cut off"),
    ],
)
def test_damaged_pictures_are_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "data_batch_1.bin").write_bytes(content)
    with pytest.raises(DataError, match=says):
        read_cifar10({"path": str(tmp_path)})


class _Python2(pickle._Pickler):  # type: ignore[name-defined]
    """Writes texts and bytes as Python 2 wrote its ``str``."""

    dispatch = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def _string(self, text: Any) -> None:
        data = text.encode() if isinstance(text, str) else text
        self.write(b"T" + struct.pack("<i", len(data)) + data)
        self.memoize(text)

    dispatch[bytes] = dispatch[str] = _string


class csr_matrix:  # noqa: N801
    """As scipy's, as far as a pickle shows it."""


def _pickled(value: Any) -> bytes:
    buffer = io.BytesIO()
    _Python2(buffer, protocol=2).dump(value)
    return buffer.getvalue()


def _sparse(dense: np.ndarray) -> csr_matrix:
    made, rows = csr_matrix(), [np.flatnonzero(row) for row in dense]
    starts = np.cumsum([0, *map(len, rows)])
    made.__dict__.update(_shape=dense.shape, indptr=starts.astype(np.int32))
    made.__dict__.update(indices=np.concatenate(rows).astype(np.int32), data=dense[dense != 0].astype(np.float32))
    return made


def test_the_published_citation_network_is_read_as_it_was_meant(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    words, labels = (chance.random((640, 5)) < 0.4).astype(np.float32), np.eye(3, dtype=np.int32)[np.arange(640) % 3]
    test = chance.permutation(np.arange(600, 640))
    links = {i: [(i + 1) % 640, (i + 9) % 640] for i in range(640)}
    parts = {"x": _sparse(words[:60]), "y": labels[:60], "allx": _sparse(words[:600]), "ally": labels[:600]}
    parts |= {"tx": _sparse(words[test]), "ty": labels[test], "graph": links}
    for name, value in parts.items():
        (tmp_path / f"ind.cora.{name}").write_bytes(_pickled(value))
    (tmp_path / "ind.cora.test.index").write_text("\n".join(map(str, test)))
    (tmp_path / "made").mkdir()
    to_npz(tmp_path, tmp_path / "made")
    table = planetoid({"path": str(tmp_path / "made"), "row_normalize": False})
    got = table.get(torch.arange(640))
    assert np.array_equal(got["features"].numpy(), words)
    assert got["label"].tolist() == [i % 3 for i in range(640)]
    assert {name: len(rows) for name, rows in table.fixed.items()} == {"train": 60, "validation": 500, "test": 40}
    assert got["edges"].shape == (2, 2 * 2 * 640)


def test_a_pickle_runs_nothing(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "made by a pickle"),)

    found = inert(pickle.dumps([Evil(), 5], 2))
    assert not (tmp_path / "made by a pickle").exists()
    assert (found[0].called.endswith(".mkdir"), found[1]) == (True, 5)
    (tmp_path / "ind.cora.test.index").write_text("0")
    for name in planetoid_original.PARTS:
        (tmp_path / f"ind.cora.{name}").write_bytes(pickle.dumps(Evil(), 2))
    with pytest.raises(DataError, match="the files of cora cannot be read"):
        to_npz(tmp_path, tmp_path)


def test_what_is_declared_is_public_checked_and_open_to_folders() -> None:
    assert list(declared()) == ["mnist", "fashion_mnist", "cifar10", "cora", "tinyshakespeare", "spoken_digits"]
    for known in declared().values():
        assert known.licence
        assert known.homepage.startswith("http")
        assert sources()[known.id].params[0].name == "path"
        assert not sources()[known.id].params[0].required
        for remote in known.files:
            assert all(url.startswith("https://") for url in remote.urls)
            assert remote.digest or known.check[1]
    assert [p.name for p in PLANETOID_PARAMS] == [p.name for p in sources()["cora"].params]
