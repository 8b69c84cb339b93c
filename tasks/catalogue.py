"""The data sets: where they come from, what they must hash to, who made them."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.containers import Container


@dataclass(frozen=True)
class Remote:
    """One file: its address and, where known, its own sha256.

    A copy on this machine has a name in `data/`, an absolute path, or `package:path` for a file in
    an installed Python package. A downloaded container whose sha256 is known is compared before it
    is opened.
    """

    url: str
    sha256: str = ""


@dataclass(frozen=True)
class Source:
    """One place that has the whole data set.

    Arguments:
        files: one file, or one a part in the order of the parts.
        container: how the content lies in them.
        member: the file inside a zip.
        remedy: how to get a copy that another package brings; empty for a file in `data/`.
    """

    files: tuple[Remote, ...]
    container: Container
    member: str = ""
    remedy: str = ""

    @property
    def title(self) -> str:
        """The address that messages show."""
        first = self.files[0].url
        return first if len(self.files) == 1 else first.rpartition("/")[0] + "/"


@dataclass(frozen=True)
class Dataset:
    """A data set whose content is known by hash.

    Arguments:
        parts: (name, sha256 of the content) each; images and labels as idx, text with CRLF.
        mirrors: tried in this order.
        bundled: the copy on this machine, tried last: in `data/`, or brought by another package;
            None where there is none.
        suffix: of the canonical file: `.txt` as it is, `.npz` with one member a part.
        download_limit: bytes that one file may have.
        content_limit: bytes that the unpacked parts may have together.
        classes: names of the labels 0, 1, … of a set of images; none for a table.
        white: the brightest value of its pixels.
    """

    name: str
    title: str
    rows: int
    parts: tuple[tuple[str, str], ...]
    mirrors: tuple[Source, ...]
    bundled: Source | None
    suffix: str
    licence: str
    citation: str
    download_limit: int
    content_limit: int
    classes: tuple[str, ...] = ()
    white: int = 255


_UCI = "https://archive.ics.uci.edu"

WIFI = Dataset(
    name="wifi",
    title="Wireless Indoor Localization: 7 signal strengths (dBm) and a room",
    rows=2_000,
    parts=(("text", "2ae62faa28071e47b875d6bb64175238574a8d1366d1b64ab355bc1c87220294"),),
    mirrors=(
        Source(
            (Remote(f"{_UCI}/static/public/422/wireless+indoor+localization.zip"),),
            "zip",
            member="wifi_localization.txt",
        ),
        Source(
            (Remote(f"{_UCI}/ml/machine-learning-databases/00422/wifi_localization.txt"),), "text"
        ),
    ),
    bundled=Source((Remote("wifi_localization.txt"),), "text"),
    suffix=".txt",
    licence="CC BY 4.0",
    citation="Bhatt, R. (2017). Wireless Indoor Localization. UCI Machine Learning Repository. "
    "https://doi.org/10.24432/C51880",
    download_limit=1_000_000,
    content_limit=1_000_000,
)

# sha256 of the gzipped files, the same on every mirror.
_MNIST_FILES = (
    (
        "train-images-idx3-ubyte.gz",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    (
        "train-labels-idx1-ubyte.gz",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
)

MNIST = Dataset(
    name="mnist",
    title="MNIST: 60,000 + 10,000 handwritten digits, 28 × 28 grey pixels",
    rows=70_000,
    parts=(
        ("x_train", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        ("y_train", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        ("x_test", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        ("y_test", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
    mirrors=(
        Source(
            (
                Remote(
                    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
                    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
                ),
            ),
            "npz",
        ),
        Source(
            tuple(
                Remote(f"https://ossci-datasets.s3.amazonaws.com/mnist/{file}", sha256)
                for file, sha256 in _MNIST_FILES
            ),
            "idx.gz",
        ),
        Source(
            tuple(
                Remote(f"https://storage.googleapis.com/cvdf-datasets/mnist/{file}", sha256)
                for file, sha256 in _MNIST_FILES
            ),
            "idx.gz",
        ),
    ),
    bundled=Source((Remote("mnist.npz"),), "npz"),
    suffix=".npz",
    licence="CC BY-SA 3.0",
    citation="LeCun, Y., Cortes, C., Burges, C. J. C. (1998). The MNIST database of handwritten digits.",
    download_limit=16_000_000,
    content_limit=60_000_000,
    classes=tuple("0123456789"),
)

# sha256 of the publisher's gzipped files; Debian packs the same content anew.
_FASHION_FILES = (
    (
        "train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    (
        "train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
)


def _fashion_at(address: str) -> Source:
    files = tuple(Remote(f"{address}/{file}", sha256) for file, sha256 in _FASHION_FILES)
    return Source(files, "idx.gz")


FASHION_MNIST = Dataset(
    name="fashion-mnist",
    title="Fashion-MNIST: 60,000 + 10,000 articles of clothing, 28 × 28 grey pixels",
    rows=70_000,
    parts=(
        ("x_train", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        ("y_train", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        ("x_test", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        ("y_test", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    ),
    mirrors=(
        # The publisher's own address has no https; the pinned hashes make up for it.
        _fashion_at("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"),
        _fashion_at("https://storage.googleapis.com/tensorflow/tf-keras-datasets"),
    ),
    bundled=Source(
        tuple(Remote(f"/usr/share/datasets/fashion-mnist/{file}") for file, _ in _FASHION_FILES),
        "idx.gz",
        remedy="install Debian's package: apt install dataset-fashion-mnist",
    ),
    suffix=".npz",
    licence="MIT",
    citation="Xiao, H., Rasul, K., Vollgraf, R. (2017). Fashion-MNIST: a Novel Image Dataset for "
    "Benchmarking Machine Learning Algorithms. arXiv:1708.07747. Copyright (c) 2017 Zalando SE",
    download_limit=40_000_000,
    content_limit=60_000_000,
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
)

DIGITS_8X8 = Dataset(
    name="digits8x8",
    title="Optical recognition of handwritten digits: 1,797 digits, 8 × 8 pixels of 0 to 16",
    rows=1_797,
    parts=(
        ("x", "359cd13f0f514122884198b78a131df597421cbf5e93a76678fa96fc548f0d96"),
        ("y", "ce71631c1f31ce56fa54f31d1d498fafacff59b001e6c30c4a5e29508aa277ad"),
    ),
    mirrors=(),
    bundled=Source(
        (Remote("sklearn:datasets/data/digits.csv.gz"),),
        "csv.gz",
        remedy="install scikit-learn again: make env",
    ),
    suffix=".npz",
    licence="CC BY 4.0",
    citation="Alpaydin, E., Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI Machine "
    "Learning Repository. https://doi.org/10.24432/C50P49",
    download_limit=1_000_000,
    content_limit=1_000_000,
    classes=tuple("0123456789"),
    white=16,
)

DATASETS = (WIFI, MNIST, FASHION_MNIST, DIGITS_8X8)
