"""Raw files: found, fetched, refused; never half-written, never written over."""

import gzip
import hashlib
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from miniatures import Published, Server
from torchvision.datasets import MNIST, SVHN

from ecot.data import fetch
from ecot.data.arrays import SPLITS, load
from ecot.data.prepare import prepare
from ecot.errors import EcotError

Tree = Callable[[Path], dict[str, tuple[int, int]]]


def assert_prepared(out: Path, published: Published) -> None:
    for split in SPLITS:
        images, labels = load(out, split)
        np.testing.assert_array_equal(images, published.arrays[f"{split}_images"])
        np.testing.assert_array_equal(labels, published.arrays[f"{split}_labels"])


def refusal(published: Published, root: Path, out: Path, *, download: bool = True) -> str:
    """The message with which `prepare` refuses; it must be one line and leave no output."""
    with pytest.raises(EcotError) as refused:
        prepare(published.name, root, out, download=download)
    assert not out.exists()
    assert not out.with_suffix(".json").exists()
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_fetches_on_demand(published: Published, tmp_path: Path, tree: Tree) -> None:
    root, out = tmp_path / "a" / "root", tmp_path / "out" / "x.npz"
    prepare(published.name, root, out)
    assert_prepared(out, published)
    assert set(tree(root)) == set(published.files)


def test_files_in_place_need_no_network_and_are_only_read(
    published: Published, server: Server, tmp_path: Path, tree: Tree
) -> None:
    root, out = tmp_path / "root", tmp_path / "x.npz"
    published.put_under(root)
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    before = tree(root)
    for folder in folders:
        folder.chmod(0o555)
    prepare(published.name, root, out)
    for folder in folders:
        folder.chmod(0o755)
    assert_prepared(out, published)
    assert server.asked == []
    assert tree(root) == before


def test_fetches_only_what_is_missing(published: Published, server: Server, tmp_path: Path, tree: Tree) -> None:
    published.put_under(tmp_path / "root")
    last = list(published.files)[-1]
    (tmp_path / "root" / last).unlink()
    kept = tree(tmp_path / "root")
    prepare(published.name, tmp_path / "root", tmp_path / "x.npz")
    assert_prepared(tmp_path / "x.npz", published)
    assert {name.removesuffix(".gz") for name in server.asked} == {Path(last).name}
    assert kept.items() <= tree(tmp_path / "root").items()


def cut_short(server: Server, name: str) -> None:
    server.declared[name] = len(server.answers[name])
    server.answers[name] = server.answers[name][:-20]


def damage(server: Server, name: str) -> None:
    server.answers[name] = server.answers[name][:-20] + bytes(20)


def empty(server: Server, name: str) -> None:
    server.answers[name] = b""


def remove(server: Server, name: str) -> None:
    del server.answers[name]


def hang(server: Server, name: str) -> None:
    server.hang = True


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (cut_short, "damaged or cut short"),
        (damage, "damaged or cut short"),
        (empty, "damaged or cut short"),
        (remove, "404"),
        (hang, "timed out"),
    ],
)
def test_a_bad_answer_is_refused_and_leaves_nothing(
    published: Published,
    server: Server,
    tmp_path: Path,
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Server, str], None],
    reason: str,
) -> None:
    monkeypatch.setattr(fetch, "TIMEOUT", 0.3)
    first = next(iter(published.files))
    served = next(name for name in server.answers if name.removesuffix(".gz") == Path(first).name)
    spoil(server, served)
    root = tmp_path / "root"
    message = refusal(published, root, tmp_path / "x.npz")
    assert reason in message
    assert f"{Path(first).name}, " in message
    assert f"not found in {(root / first).parent} and not fetched ({server.url}{served}: " in message
    assert f"by hand, download {server.url}{served}, " in message
    assert f" into {(root / first).parent}" in message
    assert ("unpack with gunzip" in message) == served.endswith(".gz")
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("name", ["endless", "endless.gz"])
def test_a_server_that_sends_for_ever_is_hung_up_on(server: Server, tmp_path: Path, name: str) -> None:
    server.answers[name] = gzip.compress(b"x" * 1000) if name.endswith(".gz") else b"x" * 1000
    server.declared[name], server.endless = 1 << 50, True
    fetch._download(server.url + name, tmp_path / "raw", 1000)
    assert (tmp_path / "raw").stat().st_size <= 1001
    assert all(path.stat().st_size <= 1000 + fetch.ARCHIVE_MARGIN for path in tmp_path.iterdir())


def test_an_archive_that_unpacks_without_end_is_cut(server: Server, tmp_path: Path) -> None:
    server.answers["bomb.gz"] = gzip.compress(bytes(50 << 20))
    fetch._download(server.url + "bomb.gz", tmp_path / "raw", 1000)
    assert (tmp_path / "raw").stat().st_size == 1001


def test_what_arrived_whole_is_kept(published: Published, server: Server, tmp_path: Path, tree: Tree) -> None:
    *whole, last = published.files
    served = next(name for name in server.answers if name.removesuffix(".gz") == Path(last).name)
    damage(server, served)
    message = refusal(published, tmp_path / "root", tmp_path / "x.npz")
    assert message.startswith(f"{published.name}: {Path(last).name} not found")
    assert set(tree(tmp_path / "root")) == set(whole)


def test_no_network(published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:  # bound but not listening: whoever calls is turned away
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        monkeypatch.setattr(MNIST, "mirrors", [nowhere])
        monkeypatch.setattr(
            SVHN, "split_list", {k: [nowhere + f, f, md5] for k, (_, f, md5) in SVHN.split_list.items()}
        )
        message = refusal(published, tmp_path / "root", tmp_path / "x.npz")
    assert "Connection refused" in message
    for path in published.files:
        assert Path(path).name in message


def test_downloading_turned_off(published: Published, server: Server, tmp_path: Path) -> None:
    message = refusal(published, tmp_path / "root", tmp_path / "x.npz", download=False)
    assert "downloading is turned off" in message
    assert server.url in message
    assert server.asked == []
    assert not (tmp_path / "root").exists()


def test_the_second_mirror_helps(
    mnist: Published, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:1/", server.url])
    prepare("mnist", tmp_path / "root", tmp_path / "x.npz")
    assert_prepared(tmp_path / "x.npz", mnist)


def test_another_publication_is_refused(
    mnist: Published, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where torchvision expects it."""
    name = "train-labels-idx1-ubyte"
    content = mnist.files[f"MNIST/raw/{name}"]
    other = gzip.compress(content[:-1] + bytes([content[-1] ^ 1]))
    server.answers[f"{name}.gz"] = other
    md5s = [(n, hashlib.md5(other).hexdigest() if n == f"{name}.gz" else m) for n, m in MNIST.resources]
    monkeypatch.setattr(MNIST, "resources", md5s)
    message = refusal(mnist, tmp_path / "root", tmp_path / "x.npz")
    assert hashlib.sha256(content).hexdigest() in message
    assert not (tmp_path / "root/MNIST/raw" / name).exists()


@pytest.mark.parametrize(
    ("harm", "fault"),
    [(lambda content: content[:-7], "bytes instead of"), (lambda content: content[::-1], "SHA-256")],
)
def test_a_damaged_file_in_place_is_named_and_left_alone(
    published: Published, server: Server, tmp_path: Path, harm: Callable[[bytes], bytes], fault: str
) -> None:
    published.put_under(tmp_path)
    *_, last = published.files
    (tmp_path / last).write_bytes(harm(published.files[last]))
    message = refusal(published, tmp_path, tmp_path / "x.npz")
    assert message.startswith(f"{tmp_path / last} is not the published file (")
    assert fault in message
    assert f"delete it to fetch it anew, or download {server.url}" in message
    assert (tmp_path / last).read_bytes() == harm(published.files[last])
    assert server.asked == []


def test_a_root_that_cannot_be_made(published: Published, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    message = refusal(published, tmp_path / "file" / "root", tmp_path / "x.npz")
    assert "Not a directory" in message


def test_an_interrupted_download_leaves_nothing(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(url: str, path: Path, size: int) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "_download", half)
    with pytest.raises(KeyboardInterrupt):
        prepare(published.name, tmp_path / "root", tmp_path / "x.npz")
    assert list((tmp_path / "root").iterdir()) == []
    assert not (tmp_path / "x.npz").exists()


def test_a_leftover_processed_folder_is_not_read(mnist: Published, tmp_path: Path) -> None:
    """torchvision's class would load these pickles instead of the files that were checked."""
    mnist.put_under(tmp_path)
    (tmp_path / "MNIST/processed").mkdir()
    for name in ("training.pt", "test.pt"):
        (tmp_path / "MNIST/processed" / name).write_bytes(b"not a tensor")
    prepare("mnist", tmp_path, tmp_path / "x.npz")
    assert_prepared(tmp_path / "x.npz", mnist)


def test_street_digits_take_their_digits_from_mnist(mnist: Published, tmp_path: Path) -> None:
    prepare("street_digits", tmp_path / "root", tmp_path / "x.npz")
    images, labels = load(tmp_path / "x.npz", "train")
    assert images.shape == (12, 3, 32, 32)
    np.testing.assert_array_equal(labels, mnist.arrays["train_labels"])
