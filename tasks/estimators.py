"""Which implementation computes: scikit-learn's own, or the one of scikit-learn-intelex (oneDAL).

What was measured on two cores decides the choice `auto`. t-SNE: oneDAL takes a tenth of
scikit-learn's time and keeps as many neighbours. KMeans: scikit-learn takes less processor time
(60,000 × 40 points, an iteration with 100 / 1,000 / 2,000 clusters: .016 / .12 / .24 s against
.020 / .18 / .43 s; at 784 dimensions they are level), and the clusterings of a sweep run side by
side, where oneDAL takes no limit for one of them alone.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from engine import InputError
from engine.environment import usable_cores

if TYPE_CHECKING:
    import numpy as np
    from threadpoolctl import ThreadpoolController

Backend = Literal["auto", "intelex", "scikit-learn"]

BACKENDS = ("auto", "intelex", "scikit-learn")
# What a result depends on; where intelex is not installed its version counts as none.
PACKAGES = ("scikit-learn", "scikit-learn-intelex", "numpy", "scipy")


def has_intelex() -> bool:
    """Whether scikit-learn-intelex is installed."""
    return importlib.util.find_spec("sklearnex") is not None


def choose_backend(task: Literal["kmeans", "tsne"], backend: Backend) -> str:
    """The implementation for a task, "intelex" or "scikit-learn"; raises InputError.

    intelex is loaded by this, so that `limited_to` finds it.
    """
    if backend not in BACKENDS:
        raise InputError(f"backend = {backend!r}: choose one of {', '.join(BACKENDS)}")
    if backend == "intelex" and not has_intelex():
        raise InputError(
            "backend = 'intelex': scikit-learn-intelex is not installed here; choose 'auto'"
        )
    chosen: str = backend
    if backend == "auto":
        chosen = "intelex" if task == "tsne" and has_intelex() else "scikit-learn"
    if chosen == "intelex":
        importlib.import_module("sklearnex")
    return chosen


def fit_kmeans_model(
    points: np.ndarray, initial: np.ndarray, *, max_iter: int, backend: Backend = "auto"
) -> Any:
    """A fitted KMeans (Lloyd) that began at the centroids `initial` (k, d).

    Its own attributes tell what it found; `backend_of` tells which implementation ran.

    Arguments:
        points: float32 (n, d), more rows than clusters; may be read-only.
    """
    options = {"n_init": 1, "max_iter": max_iter}
    if choose_backend("kmeans", backend) == "scikit-learn":
        from sklearn.cluster import KMeans
    else:
        from sklearnex.cluster import KMeans

        options["copy_x"] = False  # oneDAL reads the array where it lies
    with _quiet():
        return KMeans(len(initial), init=initial, **options).fit(points)


def nearest_centroids(model: Any, points: np.ndarray) -> np.ndarray:
    """Number of the nearest centroid of each row, int32 (n,), by a fitted KMeans of either kind."""
    import numpy as np

    with _quiet():
        return np.asarray(model.predict(points))


def fit_tsne_model(
    points: np.ndarray, *, perplexity: float, iterations: int, seed: int, backend: Backend = "auto"
) -> Any:
    """A fitted t-SNE to two dimensions, begun at the first two principal components.

    Begun there, distances between groups mean something (Kobak & Berens 2019). `verbose` stays off:
    with it scikit-learn-intelex would step aside without a word.

    Arguments:
        points: float32 (n, d), n > perplexity.
    """
    if choose_backend("tsne", backend) == "scikit-learn":
        from sklearn.manifold import TSNE

        jobs: int | None = usable_cores()
    else:
        from sklearnex.manifold import TSNE

        jobs = None  # all cores; a number would be refused outside the main thread
    with _quiet():
        return TSNE(
            perplexity=perplexity, max_iter=iterations, init="pca", random_state=seed, n_jobs=jobs
        ).fit(points)


def backend_of(model: Any) -> str:
    """Which implementation fitted the model, "intelex" or "scikit-learn".

    scikit-learn-intelex hands over to scikit-learn where it lacks something; only what it computed
    itself carries these attributes.
    """
    module = type(model).__module__.partition(".")[0]
    own = {"_onedal_estimator", "_init"} & vars(model).keys()
    return "intelex" if module in ("sklearnex", "daal4py") and own else "scikit-learn"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what callers count and report, and that a thread cannot limit oneDAL's threads."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "'Threading' parallel backend", UserWarning)
        yield


class _Threads:
    """The process's number of threads: set by the first of several users, reset by the last.

    OpenBLAS and oneDAL keep one number for the whole process. If each of two cells that run at once
    set and reset it, the first to end would hand all cores to the other one.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._users = 0
        self._restore = contextlib.ExitStack()

    @contextlib.contextmanager
    def limit(self, threads: int) -> Iterator[None]:
        libraries = _libraries()
        with self._mutex:
            self._users += 1
            if self._users == 1:
                self._restore.enter_context(libraries.limit(limits=threads, user_api="blas"))
                self._restore.callback(_set_onedal, _set_onedal(threads))
        try:
            # OpenMP counts for each thread on its own.
            with libraries.limit(limits=threads, user_api="openmp"):
                yield
        finally:
            with self._mutex:
                self._users -= 1
                if self._users == 0:
                    self._restore.close()


_THREADS = _Threads()


def limited_to(threads: int) -> contextlib.AbstractContextManager[None]:
    """Keep BLAS, OpenMP and oneDAL to some threads in the block.

    With one thread sums always run in the same order, so that equal recipes give equal bytes
    (scikit-learn issue 27518). Of blocks that run at once in one process the first decides.
    """
    return _THREADS.limit(threads)


@functools.cache
def _libraries() -> ThreadpoolController:
    """The threaded libraries of this process, found once: the search takes longer than a fit."""
    import scipy.linalg  # noqa: F401  # only what is loaded can be found
    import sklearn.cluster  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _set_onedal(threads: int | None) -> int | None:
    """Set oneDAL's threads and return what it had; None where it is not loaded."""
    if threads is None or "daal4py" not in sys.modules:
        return None
    import daal4py

    before = int(daal4py.num_threads())
    daal4py.daalinit(threads)
    return before
