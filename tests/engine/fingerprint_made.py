"""Files of the small project whose stages and what they use are made while the files are loaded."""

from __future__ import annotations

FILES = {
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
