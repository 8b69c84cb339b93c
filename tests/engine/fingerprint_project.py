"""A small project with a stage for each way in which code can depend on other code."""

from __future__ import annotations

from tests.engine import fingerprint_made

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
    **fingerprint_made.FILES,
}
