"""Fixtures: the real MNIST if it is at hand, miniature data sets, and a local server that hands them out."""

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from miniatures import Published, Server, idx, mat, random_arrays
from torchvision.datasets import MNIST, SVHN

from ecot.data.fetch import RawFile
from ecot.data.sets import mnist as mnist_set
from ecot.data.sets import svhn as svhn_set


@pytest.fixture(scope="session")
def mnist_root() -> Path:
    root = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist"
    if not root.is_dir():
        pytest.skip(f"the real MNIST is not at {root}")
    return root


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rsplit("/", 1)[-1]
            state.asked.append(name)
            if state.hang:
                state.released.wait(30)
            if name not in state.answers:
                self.send_error(404)
                return
            answer = state.answers[name]
            self.send_response(200)
            self.send_header("Content-Length", str(state.declared.get(name, len(answer))))
            self.end_headers()
            try:
                self.wfile.write(answer)
                while state.endless:
                    self.wfile.write(bytes(1 << 16))
            except ConnectionError:
                self.close_connection = True  # the caller only wanted the address

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        state.url = f"http://127.0.0.1:{httpd.server_port}/"
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield state
        state.released.set()
        httpd.shutdown()
        thread.join()


def _raw_files(published: Published) -> tuple[RawFile, ...]:
    return tuple(
        RawFile(path, len(content), hashlib.sha256(content).hexdigest()) for path, content in published.files.items()
    )


@pytest.fixture
def mnist(server: Server, monkeypatch: pytest.MonkeyPatch) -> Published:
    arrays = random_arrays((1, 28, 28))
    files = {
        f"MNIST/raw/{stem}-{kind}-idx{axes}-ubyte": idx(arrays[f"{split}_{kind}"].squeeze())
        for split, stem in (("train", "train"), ("test", "t10k"))
        for kind, axes in (("images", 3), ("labels", 1))
    }
    server.answers |= {f"{Path(path).name}.gz": gzip.compress(content) for path, content in files.items()}
    md5s = [(name, hashlib.md5(answer).hexdigest()) for name, answer in server.answers.items()]
    monkeypatch.setattr(MNIST, "resources", md5s)
    monkeypatch.setattr(MNIST, "mirrors", [server.url])
    published = Published("mnist", files, arrays)
    monkeypatch.setattr(mnist_set, "FILES", _raw_files(published))
    return published


@pytest.fixture
def svhn(server: Server, monkeypatch: pytest.MonkeyPatch) -> Published:
    arrays = random_arrays((3, 32, 32))
    files = {
        f"{split}_32x32.mat": mat(arrays[f"{split}_images"], arrays[f"{split}_labels"]) for split in ("train", "test")
    }
    server.answers |= files
    entries = {
        name.split("_")[0]: [server.url + name, name, hashlib.md5(content).hexdigest()]
        for name, content in files.items()
    }
    monkeypatch.setattr(SVHN, "split_list", entries)
    published = Published("svhn", files, arrays)
    monkeypatch.setattr(svhn_set, "FILES", _raw_files(published))
    return published


@pytest.fixture(params=["mnist", "svhn"])
def published(request: pytest.FixtureRequest) -> Published:
    """Each of the two fetched data sets in turn."""
    found: Published = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def tree() -> Callable[[Path], dict[str, tuple[int, int]]]:
    """Every file under a folder with its size and time of change."""

    def of(root: Path) -> dict[str, tuple[int, int]]:
        stats = {str(path.relative_to(root)): path.stat() for path in root.rglob("*") if path.is_file()}
        return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}

    return of
