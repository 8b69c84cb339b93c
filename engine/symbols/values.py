"""Live objects as text: what a function carries that its source does not show."""

from __future__ import annotations

import copyreg
import functools
import hashlib
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .files import Project
from .graph import Node
from .places import file_of_module, is_foreign, place_of, source_file
from .reference import ENGINE

_PLAIN = (bool, int, float, complex, str, type(None), type(...), type(NotImplemented))


class LiveValues:
    """Describes values and gathers in `starts` the project's symbols that they bring along."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.starts: list[Node] = []
        self._open: list[int] = []
        self._files: dict[str, str] = {}  # of modules that were loaded by path

    def describe(self, value: Any, name: str) -> str:
        """Text that is equal in every process; `name` tells in an error where the value was met.

        Raises LookupError when the value has no content that could be compared.
        """
        if type(value) in _PLAIN:
            exact = hex(value) if type(value) is int else repr(value)
            return f"{type(value).__name__} {exact}"
        if type(value) is bytes:
            return f"bytes {hashlib.sha256(value).hexdigest()}"
        if id(value) in self._open:
            return f"outer {len(self._open) - self._open.index(id(value))}"
        self._open.append(id(value))
        try:
            return (
                self._container(value, name) or self._code(value, name) or self._object(value, name)
            )
        finally:
            self._open.pop()

    def _container(self, value: Any, name: str) -> str:
        kind = type(value)
        if kind in (list, tuple):
            return f"{kind.__name__}[{','.join(self.describe(item, name) for item in value)}]"
        if kind in (set, frozenset):
            return f"{kind.__name__}[{','.join(sorted(self.describe(v, name) for v in value))}]"
        if kind is dict:
            pairs = (f"{self.describe(k, name)}:{self.describe(v, name)}" for k, v in value.items())
            return f"dict[{','.join(pairs)}]"
        return ""

    def _code(self, value: Any, name: str) -> str:
        if isinstance(value, types.FunctionType):
            return self._function(value, name)
        if isinstance(value, types.MethodType):
            own = self.describe(value.__self__, name)
            return f"method {self.describe(value.__func__, name)} of {own}"
        if isinstance(value, functools.partial):
            parts = (value.func, value.args, value.keywords)
            return f"partial({','.join(self.describe(part, name) for part in parts)})"
        if isinstance(value, types.ModuleType):
            return self._module(value)
        if isinstance(value, type):
            return self._class(value, name)
        if isinstance(value, types.BuiltinFunctionType):
            bound_to: Any = value.__self__
            is_method = not isinstance(bound_to, (types.ModuleType, type(None)))
            bound = self.describe(bound_to, name) if is_method else ""
            return f"builtin {value.__module__}.{value.__qualname__} {bound}"
        owner = type(value).__module__.partition(".")[0]
        if owner in {ENGINE, "prefect"} and callable(getattr(value, "fn", None)):
            return f"stage {self.describe(value.fn, name)}"
        if hasattr(value, "__wrapped__") and is_foreign(file_of_module(owner)):
            return f"{type(value).__qualname__} around {self.describe(value.__wrapped__, name)}"
        return ""

    def _function(self, fn: types.FunctionType, name: str) -> str:
        file = source_file(fn)
        if file is None or is_foreign(file):
            if file is None and not is_foreign(file_of_module(fn.__module__)):
                raise LookupError(no_source(fn))
            return self._library_function(fn, name)
        module = self._adopt(file, fn.__globals__.get("__name__", ""))
        qualname = _qualname(fn)
        nested = self._find(fn, module, qualname)
        text = f"function {module}.{qualname}{nested}"
        cells = zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True)
        for variable, cell in cells:
            try:
                held = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
            text += f" {variable}={self.describe(held, f'{variable} of {qualname}')}"
        if nested:
            defaults = (fn.__defaults__, fn.__kwdefaults__)
            text += f" {self.describe(defaults, f'a default of {qualname}')}"
        return text

    def _library_function(self, fn: types.FunctionType, name: str) -> str:
        """A library's function by its name, and the project's functions that it wraps."""
        held = [getattr(fn, "__wrapped__", None), *(cell_values(fn) or ())]
        ours = [v for v in held if isinstance(v, (types.FunctionType, functools.partial))]
        around = ",".join(self.describe(value, name) for value in ours)
        return f"library {fn.__module__}.{fn.__qualname__} {around}"

    def _find(self, fn: types.FunctionType, module: str, qualname: str) -> str:
        """Enters the symbol that holds the function; returns what tells a nested one apart."""
        summary = self.project.summary(module)
        assert summary is not None
        line = str(fn.__code__.co_firstlineno)
        inner = [e for e in summary["inner"].get(line, ()) if e[0] == fn.__code__.co_name]
        top = qualname.partition(".")[0]
        symbols = [top] if top in summary["symbols"] else [symbol for _, _, symbol in inner]
        if not symbols:
            raise LookupError(
                f"{module}.{qualname} is not in {self.project.locate(module)} as that file is now. "
                "Import the module again, or start a new process, so that code and file agree."
            )
        for symbol in symbols:
            self.starts.append((module, symbol))
            hints = summary["symbols"][symbol].get("hints", ())
            self.starts += [("", hint) for hint in hints]
        if not inner and "<locals>" not in qualname:
            return ""
        hashes = sorted({digest for _, digest, _ in inner})
        # Several on one line can be told apart by what they compile to alone.
        return f" {hashes}" + ("" if len(hashes) == 1 else _compiled(fn.__code__))

    def _adopt(self, file: str, live_name: str) -> str:
        self._files[live_name] = file
        root, module = place_of(file, live_name)
        self.project.adopt(root, module)
        found = self.project.locate(module)
        if found is None or (found != file and not Path(found).samefile(file)):
            raise LookupError(
                f"the module {module!r} is {found} and not {file}. Two files of the project answer "
                "to one name; rename one of them."
            )
        return module

    def _module(self, module: types.ModuleType) -> str:
        file = file_of_module(module.__name__) or getattr(module, "__file__", None) or ""
        if not file or is_foreign(file):
            return f"module {module.__name__}"
        name = self._adopt(file, module.__name__)
        self.starts.append((name, "**"))
        return f"module {name}"

    def _class(self, cls: type, name: str) -> str:
        methods = [
            fn for fn in map(_plain, vars(cls).values()) if isinstance(fn, types.FunctionType)
        ]
        known = file_of_module(cls.__module__) or self._files.get(cls.__module__, "")
        files = (source_file(fn) for fn in methods if fn.__module__ == cls.__module__)
        file = known or next((file for file in files if file), "")
        if not file and (cls.__module__ == "__main__" or cls.__module__ not in sys.modules):
            raise LookupError(no_source(cls))
        if not file or is_foreign(file):
            return f"class {cls.__module__}.{cls.__qualname__}"
        module = self._adopt(file, cls.__module__)
        summary = self.project.summary(module)
        top = cls.__qualname__.partition(".")[0]
        is_there = summary is not None and top in summary["symbols"]
        self.starts.append((module, top if is_there else "*"))
        text = f"class {module}.{cls.__qualname__}"
        if "<locals>" in cls.__qualname__:
            text += ",".join(self.describe(f, name) for f in methods if source_file(f) == file)
        return text

    def _object(self, value: Any, name: str) -> str:
        """Any other object by what copying it would copy."""
        try:
            reduce = copyreg.dispatch_table.get(type(value))
            parts: Any = reduce(value) if reduce else value.__reduce_ex__(4)
        except Exception as error:
            raise LookupError(
                f"{name} holds a {type(value).__module__}.{type(value).__qualname__}, whose content "
                f"cannot be compared ({error}). Make it inside the function, or pass a plain value."
            ) from error
        if isinstance(parts, str):
            return f"object {type(value).__module__}.{parts}"
        make, arguments, *state = parts
        listed = [list(part) if hasattr(part, "__next__") else part for part in state]
        return f"object {self.describe((make, arguments, *listed), name)}"


def cell_values(fn: types.FunctionType) -> list[Any]:
    """What the closure holds, cells without a value left out."""
    found = []
    for cell in fn.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:
            continue
    return found


def no_source(fn: Callable[..., Any]) -> str:
    return (
        f"no source file for {getattr(fn, '__qualname__', fn)!r} (it was made in a notebook, at a "
        "prompt or by exec), so a change of its code could not be seen. Write it to a .py file and "
        "import it from there."
    )


def _qualname(fn: types.FunctionType) -> str:
    # `functools.wraps` renames the function but not its code.
    return str(getattr(fn.__code__, "co_qualname", fn.__qualname__))


def _plain(attribute: Any) -> Any:
    attribute = getattr(attribute, "fget", attribute)
    return getattr(attribute, "__func__", attribute)


def _compiled(code: types.CodeType) -> str:
    constants = sorted(
        _compiled(value) if isinstance(value, types.CodeType) else _constant(value)
        for value in code.co_consts
    )
    return hashlib.sha256(f"{code.co_code.hex()} {code.co_names} {constants}".encode()).hexdigest()


def _constant(value: Any) -> str:
    if isinstance(value, frozenset):
        return f"frozenset {sorted(map(_constant, value))}"
    return f"{type(value).__name__} {value!r}"
