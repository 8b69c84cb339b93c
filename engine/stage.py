"""Stages: plain functions made incremental."""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import platform
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, overload

from engine.artifact import Artifact, Pending, in_order, leaves, walk
from engine.environment import version_of
from engine.errors import InputError, StageError
from engine.recipe import Recipe, canonical
from engine.record import NAME
from engine.store import code_cache

P = ParamSpec("P")
R = TypeVar("R")

_REGISTRY: weakref.WeakSet[Stage[Any, Any]] = weakref.WeakSet()


@dataclass(frozen=True)
class Options:
    """How a stage is run; none of it enters its key but `packages`.

    Arguments:
        packages: distributions whose version the result depends on; one that is not installed
            counts as None, so an optional backend can be named.
        retries: how often a failed computation is tried again.
        retry_delay: seconds before the first retry, doubled for each further one.
        timeout: seconds; the stage then runs in a process of its own, which is stopped.
        own_process: run it in a process of its own, so that a cancelled run stops native code
            and its memory goes back when it ends.
        extends: a parameter, e.g. "epochs", whose larger value goes on from the result of a
            smaller one (see `engine.work.earlier`).
        ignore: parameters that cannot change the result and stay out of the key.
        parallel: whether mapped calls run side by side; False for small ones that mostly hold the
            interpreter's lock, which threads only slow down.
    """

    packages: tuple[str, ...] = ()
    retries: int = 0
    retry_delay: float = 1.0
    timeout: float | None = None
    ignore: tuple[str, ...] = ()
    parallel: bool = True
    own_process: bool = False
    extends: str = ""


class Bound(NamedTuple):
    """A stage's arguments, sorted into inputs (artifacts) and parameters."""

    inputs: dict[str, Any]
    params: dict[str, Any]


class Stage(Generic[P, R]):
    """A function `arrays + parameters → arrays` whose result is looked up before it is computed.

    Arguments before the `*` are inputs: the caller hands in handles (or lists and dicts of
    handles), the function sees values. Arguments after it are parameters. `fn` is the plain
    function, which knows nothing of a store.
    """

    def __init__(self, fn: Callable[P, R], options: Options, label: str = "") -> None:
        self.fn = fn
        self.options = options
        self.label = label
        functools.update_wrapper(self, fn, updated=())
        self.name: str = getattr(fn, "__name__", type(fn).__name__)
        self._signature = inspect.signature(fn)
        kinds = self._signature.parameters.values()
        self._inputs = [p.name for p in kinds if p.kind is p.POSITIONAL_OR_KEYWORD]
        self._params = [p.name for p in kinds if p.kind is p.KEYWORD_ONLY]
        unfit = [str(p) for p in kinds if p.name not in {*self._inputs, *self._params}]
        if unfit:
            raise StageError(
                f"stage {self.name}: {unfit[0]} is not allowed; inputs stand by name before a *, "
                "parameters after it"
            )
        if not NAME.fullmatch(self.name):
            raise StageError(
                f"{self.name!r} cannot be the name of a stage: its records are named after it, "
                "so it is a function's name of at most 100 letters a to z, digits and _"
            )
        unknown = sorted(set(options.ignore) - set(self._params))
        if unknown:
            raise StageError(f"stage {self.name}: ignore names {unknown}, which it does not take")
        if options.extends and options.extends not in self._params:
            raise StageError(
                f"stage {self.name}: it extends {options.extends!r}, which is none of its parameters"
            )
        _REGISTRY.add(self)

    def __repr__(self) -> str:
        return f"<stage {self.slot}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Stages travel to other processes by name."""
        return _find, (self.fn.__module__, self.fn.__qualname__, self.label)

    @property
    def slot(self) -> str:
        """The stage's name with its label."""
        return f"{self.name}[{self.label}]" if self.label else self.name

    def labelled(self, label: str) -> Stage[P, R]:
        """The same stage under a label, for a flow that uses it more than once."""
        other = Stage(self.fn, self.options, label)
        other.__dict__["code"] = self.code
        return other

    @functools.cached_property
    def code(self) -> Mapping[str, str]:
        """Symbol → hash of all project code that the function reaches, as first read."""
        from engine.fingerprint import fingerprint

        return fingerprint(self.fn, cache=code_cache())

    @functools.cached_property
    def env(self) -> Mapping[str, str | None]:
        """The versions that the result depends on."""
        versions = {name: version_of(name) for name in self.options.packages}
        return {"python": ".".join(platform.python_version_tuple()[:2]), **versions}

    @functools.cached_property
    def outputs(self) -> tuple[type[tuple[Any, ...]], tuple[str, ...]] | None:
        """The NamedTuple that the function returns and its fields, or None for a single output."""
        returned = self._signature.return_annotation
        if isinstance(returned, str):
            scope = inspect.unwrap(self.fn).__globals__
            returned = scope.get(returned)
        fields = getattr(returned, "_fields", None)
        return (returned, tuple(str(field) for field in fields)) if fields else None

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the artifacts: `stage`, or `stage.field` for each field."""
        if self.outputs is None:
            return (self.name,)
        return tuple(f"{self.name}.{field}" for field in self.outputs[1])

    def pack(self, handles: Sequence[Any]) -> Any:
        """Handles in the shape that the function returns."""
        return handles[0] if self.outputs is None else self.outputs[0](*handles)

    def unpack(self, value: Any) -> tuple[Any, ...]:
        """What the function returned, as one value an output; raises StageError on a mismatch."""
        if self.outputs is None:
            return (value,)
        if not isinstance(value, self.outputs[0]):
            raise StageError(
                f"stage {self.name} promises a {self.outputs[0].__name__} and returned a "
                f"{type(value).__name__}"
            )
        return tuple(value)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Bound:
        """Sort a call's arguments; raises InputError for a missing, unknown or misplaced one."""
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise InputError(f"stage {self.name}: {error}") from None
        bound.apply_defaults()
        # In one order, since the key knows no order of dict keys: equal keys, equal arguments.
        given = {n: bound.arguments[n] for n in self._inputs}
        optional = {n for n in given if self._signature.parameters[n].default is None}
        inputs = {n: in_order(v) for n, v in given.items() if v is not None or n not in optional}
        params = {n: in_order(bound.arguments[n]) for n in self._params}
        for name, value in inputs.items():
            for place, item in leaves(value, name):
                if not isinstance(item, Artifact | Pending | Mapping | list | tuple):
                    raise InputError(
                        f"stage {self.name}: {place} is an input and takes an artifact, not a "
                        f"{type(item).__name__}; parameters stand after the *"
                    )
        for name, value in params.items():
            if any(True for _ in walk(value)):
                raise InputError(
                    f"stage {self.name}: {name} is a parameter and takes no artifact; "
                    "inputs stand before the *"
                )
        return Bound(inputs, params)

    def recipe(self, bound: Bound) -> Recipe:
        """What the result of this call depends on; pure, opens nothing but source files."""
        inputs = {}
        for name, value in bound.inputs.items():
            for place, item in leaves(value, name):
                if isinstance(item, Pending):
                    raise StageError(f"{place} of {self.slot} is not known yet")
                inputs[place] = item.digest if isinstance(item, Artifact) else f"empty {item}"
        params = {
            name: canonical(value, f"{self.name}.{name}")
            for name, value in bound.params.items()
            if name not in self.options.ignore
        }
        return Recipe(self.name, self.code, params, inputs, self.env)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Look the result up or compute it; takes and returns handles."""
        from engine.session import current

        result: R = current().perform(self, self.bind(args, kwargs), self.label)
        return result

    def map(
        self, *args: Any, over: Mapping[str, Sequence[Any] | Mapping[str, Any]], **kwargs: Any
    ) -> list[Any]:
        """Call the stage once for each combination of the values in `over`, several at a time.

        Arguments:
            over: argument → its values, as a list or as a dict label → value; the combinations
                come in the order of `itertools.product`.

        Returns:
            One result a combination. Each is cached on its own: one more value computes only
            the new combinations.
        """
        from engine.session import current

        names = list(over)
        choices = [_labelled_values(name, over[name]) for name in names]
        cells = []
        for combination in itertools.product(*choices):
            chosen = {name: value for name, (_, value) in zip(names, combination, strict=True)}
            label = ",".join(text for text, _ in combination)
            label = f"{self.label},{label}" if self.label else label
            cells.append((label, self.bind(args, {**kwargs, **chosen})))
        labels = [label for label, _ in cells]
        if len(set(labels)) != len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise InputError(f"stage {self.name}: {twice} stands twice in what it is mapped over")
        return current().perform_all(self, cells)

    def each(
        self, rows: Mapping[str, Mapping[str, Any]], /, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Call the stage once for each row of arguments, several at a time.

        Where `map` takes every combination, here arguments go side by side: a model's decoder with
        that model's points.

        Arguments:
            rows: label → the arguments that are this row's own, by name.
            args, kwargs: what all rows share.

        Returns:
            Label → result; each is cached on its own.
        """
        from engine.session import current

        cells = []
        for label, own in rows.items():
            full = f"{self.label},{label}" if self.label else label
            cells.append((full, self.bind(args, {**kwargs, **own})))
        return dict(zip(rows, current().perform_all(self, cells), strict=True))


def _find(module: str, name: str, label: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found.labelled(label) if label else found


def _labelled_values(name: str, values: Any) -> list[tuple[str, Any]]:
    if isinstance(values, Mapping):
        return [(f"{name}={label}", value) for label, value in values.items()]
    handles = any(isinstance(v, Artifact | Pending) for v in values)
    if handles:
        return [(f"{name}={index}", value) for index, value in enumerate(values)]
    return [(f"{name}={value}", value) for value in values]


@overload
def stage(fn: Callable[P, R], /) -> Stage[P, R]: ...


@overload
def stage(
    *,
    packages: Sequence[str] = (),
    retries: int = 0,
    retry_delay: float = 1.0,
    timeout: float | None = None,
    ignore: Sequence[str] = (),
    parallel: bool = True,
    own_process: bool = False,
    extends: str = "",
) -> Callable[[Callable[P, R]], Stage[P, R]]: ...


def stage(fn: Any = None, /, **options: Any) -> Any:
    """Make a function a stage: `@stage`, or `@stage(packages=…, retries=…)` (see `Options`)."""
    if fn is not None:
        return Stage(fn, Options())
    for name in ("packages", "ignore"):
        options[name] = tuple(options.get(name) or ())
    return lambda function: Stage(function, replace(Options(), **options))


def read_all_code() -> None:
    """Fingerprint every stage imported so far.

    A run does so at its start: what it computes hours later is the code that was loaded now,
    even if a file has been edited in between.
    """
    for known in list(_REGISTRY):
        if "code" not in known.__dict__ and known.fn.__module__ in sys.modules:
            _ = known.code
