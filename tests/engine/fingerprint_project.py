"""A small project with a stage for each way in which code can depend on other code."""

from __future__ import annotations

FILES = {
    "tasks/__init__.py": """
        from .exported import exported_helper
    """,
    "tasks/exported.py": """
        def exported_helper(x):
            return x + 1
    """,
    "tasks/deep/__init__.py": "",
    "tasks/deep/far.py": """
        from ..constants import SCALE

        def far(x):
            return _farther(x) * SCALE

        def _farther(x):
            return x - 3
    """,
    "tasks/near.py": '''
        from .deep.far import far as away

        def near(x):
            """Calls another module."""
            return away(x)

        def lonely(x):
            return x
    ''',
    "tasks/constants.py": """
        import sys

        SCALE = 2
        BASE: float = 1.5
        DERIVED = BASE * 4
        SUM = 1
        SUM += 10
        LEFT, (RIGHT, *REST) = 1, (2, 3, 4)
        if sys.maxsize > 2**31:
            WORD = 64
        else:
            WORD = 32
        try:
            import nowhere_at_all as library
            LIMIT = library.limit
        except ImportError:
            library = None
            LIMIT = 7
        SQUARES = []
        for number in range(3):
            SQUARES.append(number * number)
        OPTIONS = {"a": 1}
        OPTIONS.update(b=2)
        TABLE = {}
        TABLE["x"] = 5
        ALIAS = TABLE
        NESTED = {"in": {}}
        NESTED["in"]["deep"] = [0]
        NESTED["in"].setdefault("list", []).append(3)
        with open(__file__) as stream:
            FIRST = stream.readline() or "one"
        TEXT = "used"
        UNUSED = 0
    """,
    "tasks/wiring.py": '''
        """Stages that use functions and constants."""
        from __future__ import annotations

        import json as js
        from typing import TYPE_CHECKING

        from engine import stage
        import tasks.near
        import tasks.constants as c
        from tasks import constants, exported_helper
        from tasks.constants import BASE, OPTIONS, TEXT
        from tasks.near import near as nearby

        if TYPE_CHECKING:
            import decimal

        STEP = 3

        @stage(retries=2)
        def calls(x, *, times: int = 2) -> float:
            """Two calls away."""
            # a comment
            return nearby(x) * times

        @stage
        def by_module(x):
            return tasks.near.near(x)

        @stage()
        def exported(x):
            return exported_helper(x)

        @stage
        def annotated(x):
            return x * BASE

        @stage
        def derived(x):
            return x * c.DERIVED

        @stage
        def summed(x):
            return x + constants.SUM

        @stage
        def unpacked(x):
            return x + c.RIGHT

        @stage
        def conditional(x):
            return x + c.WORD

        @stage
        def tried(x):
            return x + c.LIMIT

        @stage
        def looped(x):
            return [y for y in c.SQUARES if y > x]

        @stage
        def updated(x):
            return OPTIONS["b"] + x

        @stage
        def aliased(x):
            return c.ALIAS

        @stage
        def stored(x):
            return c.TABLE

        @stage
        def nested_store(x):
            return c.NESTED

        @stage
        def opened(x):
            return c.FIRST

        @stage
        def text(x):
            value: int = 3
            return js.dumps([TEXT, "a string that counts", value])

        @stage
        def shadowed(nearby, *, STEP=1):
            exported_helper = [constants for constants in nearby]
            return exported_helper, STEP

        @stage
        def by_default(x, *, step=STEP):
            return x + step

        def _helper(x, extra=4):
            return x + extra

        @stage
        def with_helper(x):
            return _helper(x)

        @stage
        def other_stage(x):
            return by_default.fn(x)

        @stage
        def even(x):
            return x == 0 or odd(x - 1)

        def odd(x):
            return x != 0 and even.fn(x - 1)
    ''',
    "tasks/shapes.py": """
        from dataclasses import dataclass, field
        from typing import ClassVar, NamedTuple, TypedDict

        class Shape:
            SIDES = 0

            def area(self):
                return self._area() + self.border

            def _area(self):
                return 0

            @property
            def border(self):
                return 1

            class Inner:
                def value(self):
                    return 10

        class Square(Shape):
            SIDES = 4

            def _area(self):
                return 16

        class Mixin:
            depth: int

        @dataclass
        class Options(Mixin):
            width: int = 3
            names: list = field(default_factory=list)
            height: float = 2.0

        class Result(NamedTuple):
            first: int
            second: str = "b"

        class Row(TypedDict):
            key: int

        class Plain:
            def f(self):
                return 1

        INSTANCE = Options(width=5)
        BOUND = Square().area
    """,
    "tasks/with_classes.py": """
        from engine import stage

        from . import shapes
        from .shapes import Options, Result, Row, Square

        @stage
        def inherits(x):
            return Square().area()

        @stage
        def reaches_inner(x):
            return shapes.Shape.Inner().value()

        @stage
        def fields(x):
            return Options(width=x)

        @stage
        def tuple_fields(x):
            return Result(x)

        @stage
        def typed_dict(x):
            return Row(key=x)

        @stage
        def by_instance(x):
            return shapes.INSTANCE.width + x

        @stage
        def by_parameter(x, *, options: Options = None):
            return options.width

        @stage
        def by_bound(x):
            return shapes.BOUND()
    """,
    "tasks/made.py": """
        import functools

        from engine import stage

        from .near import lonely, near

        def scale(x, factor):
            return x * factor

        def make(k, then=None):
            offset = k + 1
            def inner(x, *, k=k):
                return scale(x, offset) if then is None else then(x) + k
            return inner

        def over(function):
            def outer(x):
                def middle(y):
                    return function(y)
                return middle(x)
            return outer

        class Settings:
            def __init__(self, level):
                self.level = level

            def read(self):
                return self.level

        def configured(settings):
            return lambda x: settings.read() + x

        def timed(label):
            def decorate(function):
                @functools.wraps(function)
                def wrapper(*args, **kwargs):
                    print(label)
                    return function(*args, **kwargs)
                return wrapper
            return decorate

        made_three = stage(make(3))
        made_five = stage(make(5))
        made_over = stage(over(near))
        made_nested = stage(make(1, then=make(2)))
        made_settings = stage(configured(Settings(level=4)))
        first_lambda, second_lambda = stage(lambda x: x + 1), stage(lambda x: x + 2)

        twice = functools.partial(scale, factor=2)
        part = stage(twice)

        @stage
        def uses_partial(x):
            return twice(x)

        @stage(retries=1)
        @timed("a")
        def decorated(x):
            return x + 7

        @stage
        @timed(label="b")
        def other_decorated(x):
            return x + 8

        @functools.lru_cache
        def cached(x):
            return lonely(x)

        @stage
        def uses_cached(x):
            return cached(x)
    """,
    "tasks/starred.py": """
        def star_one(x):
            return x + 1

        def star_two(x):
            return x + 2

        __all__ = ["star_one", "star_two"]
    """,
    "tasks/plugins.py": """
        REGISTRY = {}
        SHAPES = []

        def register(name):
            def add(function):
                REGISTRY[name] = function
                return function
            return add

        def plain(function):
            return function

        class Base:
            def __init_subclass__(cls):
                SHAPES.append(cls)

        def _fill():
            global FILLED
            FILLED = 3

        FILLED = 0
        _ready = _fill()
    """,
    "tasks/plugged.py": """
        from functools import singledispatch

        from engine import stage

        from .constants import OPTIONS
        from .plugins import FILLED, REGISTRY, SHAPES, Base, plain, register

        @register("one")
        def plug_one(x):
            return 1

        @register("two")
        def plug_two(x):
            return 2

        @plain
        def unplugged(x):
            return 3

        class Leaf(Base):
            def grow(self):
                return 1

        @singledispatch
        def area(x):
            return 0

        @area.register
        def _(x: int):
            return 1

        @stage
        def by_registry(x):
            return REGISTRY["one"](x)

        @stage
        def by_subclass(x):
            return [shape().grow() for shape in SHAPES]

        @stage
        def by_dispatch(x):
            return area(x)

        @stage
        def by_fill(x):
            return FILLED
    """,
    "tasks/effects.py": """
        import random

        random.seed(3)

        def drawn():
            return random.random()
    """,
    "tasks/dynamic.py": """
        import functools
        import importlib
        import operator as op

        from engine import stage
        from tasks import near, starred
        from tasks.effects import drawn
        from tasks.starred import *

        if op.truth(1):
            def either(x):
                return 1
        else:
            def either(x):
                return 2

        def _by_three(x):
            return x * 3

        TABLE = {"add": lambda x: x + 1, "take": op.sub}
        FUNCTIONS = {"one": star_one, "three": _by_three}
        state = 0

        def _bump():
            global state
            state = 5

        @stage
        def by_lambda(x):
            return TABLE["add"](x)

        @stage
        def by_table(x):
            return FUNCTIONS["three"](x)

        @stage
        def local_import(x):
            from tasks.made import scale as local_scale
            import tasks.near as local_near
            return local_scale(x, 2) + local_near.lonely(x)

        @stage
        def comprehension(x):
            return {y: _by_three(y) for y in x if y}

        @stage
        def matches(x):
            match x:
                case {"a": near.lonely}:
                    return 1
                case [_by_three, *rest] if star_two(rest):
                    return _by_three

        @stage
        def by_global(x):
            return state

        @stage
        def starring(x):
            return star_two(x)

        @stage
        def by_name(x):
            return getattr(near, x)(1)

        @stage
        def handed_on(x):
            return sorted(vars(starred))

        @stage
        def imported_by_name(x):
            return importlib.import_module("tasks.exported").exported_helper(x)

        @stage
        def defined_twice(x):
            return either(x)

        @stage
        def with_effects(x):
            return drawn()

        @stage
        def walrus(x):
            if (near := x) and (lambda _by_three: _by_three)(x):
                return near
    """,
}
