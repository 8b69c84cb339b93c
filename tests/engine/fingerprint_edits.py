"""Edits of the small project, each with the stages that it has to reach and no others."""

from __future__ import annotations

from typing import NamedTuple

NEAR = {"calls", "by_module", "made_over", "by_name"}  # that reach tasks.near.near
MAKE = {"made_three", "made_five", "made_nested"}


class Edit(NamedTuple):
    """One replacement in one file of the project and the stages that it reaches."""

    name: str
    file: str
    old: str
    new: str
    stages: frozenset[str] | set[str] = frozenset()


CHANGES = [
    Edit("two calls away", "tasks/deep/far.py", "x - 3", "x - 4", NEAR),
    Edit("constant of another module", "tasks/constants.py", "SCALE = 2", "SCALE = 3", NEAR),
    Edit(
        "re-exported helper",
        "tasks/exported.py",
        "x + 1",
        "x + 2",
        {"exported", "imported_by_name"},
    ),
    Edit("annotated and derived", "tasks/constants.py", "1.5", "1.6", {"annotated", "derived"}),
    Edit("derived", "tasks/constants.py", "BASE * 4", "BASE * 5", {"derived"}),
    Edit("augmented", "tasks/constants.py", "SUM += 10", "SUM += 11", {"summed"}),
    Edit("unpacked", "tasks/constants.py", "(2, 3, 4)", "(5, 3, 4)", {"unpacked"}),
    Edit("other branch", "tasks/constants.py", "WORD = 32", "WORD = 31", {"conditional"}),
    Edit("test of a branch", "tasks/constants.py", "2**31", "2**30", {"conditional"}),
    Edit("except", "tasks/constants.py", "LIMIT = 7", "LIMIT = 8", {"tried"}),
    Edit("try", "tasks/constants.py", "library.limit", "library.most", {"tried"}),
    Edit("module of a try", "tasks/constants.py", "nowhere_at_all", "nowhere_else", {"tried"}),
    Edit("loop", "tasks/constants.py", "range(3)", "range(4)", {"looped"}),
    Edit("body of a loop", "tasks/constants.py", "number * number", "number + 1", {"looped"}),
    Edit("with", "tasks/constants.py", '"one"', '"two"', {"opened"}),
    Edit("update", "tasks/constants.py", "b=2", "b=3", {"updated"}),
    Edit("item", "tasks/constants.py", '["x"] = 5', '["x"] = 6', {"stored", "aliased"}),
    Edit("item of an item", "tasks/constants.py", "= [0]", "= [1]", {"nested_store"}),
    Edit("chained change", "tasks/constants.py", "append(3)", "append(4)", {"nested_store"}),
    Edit(
        "change through an alias",
        "tasks/constants.py",
        "ALIAS = TABLE\n",
        'ALIAS = TABLE\nALIAS["y"] = 1\n',
        {"stored", "aliased"},
    ),
    Edit(
        "change from a loop",
        "tasks/constants.py",
        "ALIAS = TABLE\n",
        "ALIAS = TABLE\nfor table in (TABLE, OPTIONS):\n    table.clear()\n",
        {"stored", "aliased", "updated"},
    ),
    Edit(
        "change of a constant deleted",
        "tasks/constants.py",
        "OPTIONS.update(b=2)\n",
        "",
        {"updated"},
    ),
    Edit(
        "change from another module",
        "tasks/wiring.py",
        "STEP = 3",
        'STEP = 3\nc.TABLE["z"] = 1',
        {"tasks.wiring.*"},
    ),
    Edit(
        "change of an imported name",
        "tasks/plugged.py",
        '@register("one")',
        'OPTIONS["p"] = 1\n\n@register("one")',
        {"tasks.plugged.*"},
    ),
    Edit("string that is used", "tasks/constants.py", '"used"', '"worn"', {"text"}),
    Edit("string in the body", "tasks/wiring.py", "that counts", "that matters", {"text"}),
    Edit("own default", "tasks/wiring.py", "times: int = 2", "times: int = 3", {"calls"}),
    Edit(
        "constant as default",
        "tasks/wiring.py",
        "STEP = 3",
        "STEP = 4",
        {"by_default", "other_stage"},
    ),
    Edit("default of a helper", "tasks/wiring.py", "extra=4", "extra=5", {"with_helper"}),
    Edit("other stage", "tasks/wiring.py", "x + step", "x - step", {"by_default", "other_stage"}),
    Edit("recursion", "tasks/wiring.py", "x != 0", "x > 0", {"even"}),
    Edit(
        "inherited method",
        "tasks/shapes.py",
        "self._area() +",
        "self._area() -",
        {"inherits", "reaches_inner", "by_bound"},
    ),
    Edit("class attribute", "tasks/shapes.py", "SIDES = 4", "SIDES = 5", {"inherits", "by_bound"}),
    Edit(
        "property",
        "tasks/shapes.py",
        "return 1\n\n    class",
        "return 2\n\n    class",
        {"inherits", "reaches_inner", "by_bound"},
    ),
    Edit(
        "nested class",
        "tasks/shapes.py",
        "return 10",
        "return 11",
        {"inherits", "reaches_inner", "by_bound"},
    ),
    Edit(
        "field's default",
        "tasks/shapes.py",
        "width: int = 3",
        "width: int = 4",
        {"fields", "by_instance", "by_parameter"},
    ),
    Edit(
        "field's name",
        "tasks/shapes.py",
        "names: list",
        "titles: list",
        {"fields", "by_instance", "by_parameter"},
    ),
    Edit(
        "order of fields",
        "tasks/shapes.py",
        "first: int\n    second: str",
        "zero: int = 0\n    first: str",
        {"tuple_fields"},
    ),
    Edit(
        "no field any more",
        "tasks/shapes.py",
        "height: float",
        "height: ClassVar[float]",
        {"fields", "by_instance", "by_parameter"},
    ),
    Edit(
        "inherited field",
        "tasks/shapes.py",
        "depth: int",
        "deepness: int",
        {"fields", "by_instance", "by_parameter"},
    ),
    Edit("key of a typed dict", "tasks/shapes.py", "key: int", "lock: int", {"typed_dict"}),
    Edit("default of a tuple's field", "tasks/shapes.py", '"b"', '"c"', {"tuple_fields"}),
    Edit("instance", "tasks/shapes.py", "width=5", "width=6", {"by_instance"}),
    Edit("closure's value", "tasks/made.py", "stage(make(3))", "stage(make(4))", {"made_three"}),
    Edit(
        "closure over a closure", "tasks/made.py", "then=make(2)", "then=make(9)", {"made_nested"}
    ),
    Edit("factory", "tasks/made.py", "k + 1", "k + 2", MAKE),
    Edit("inside the factory", "tasks/made.py", "then(x) + k", "then(x) - k", MAKE),
    Edit(
        "helper of the factory",
        "tasks/made.py",
        "x * factor",
        "factor * x",
        {*MAKE, "uses_partial", "part", "local_import"},
    ),
    Edit("closure over a function", "tasks/made.py", "over(near)", "over(lonely)", {"made_over"}),
    Edit("object in a closure", "tasks/made.py", "level=4", "level=5", {"made_settings"}),
    Edit(
        "class of an object in a closure",
        "tasks/made.py",
        "return self.level",
        "return -self.level",
        {"made_settings"},
    ),
    Edit("partial", "tasks/made.py", "factor=2", "factor=3", {"uses_partial", "part"}),
    Edit(
        "decorator",
        "tasks/made.py",
        "print(label)",
        "print(label, label)",
        {"decorated", "other_decorated"},
    ),
    Edit("decorator's argument", "tasks/made.py", '@timed("a")', '@timed("c")', {"decorated"}),
    Edit("under a decorator", "tasks/made.py", "x + 7", "x + 9", {"decorated"}),
    Edit(
        "library's decorator",
        "tasks/made.py",
        "lru_cache\n",
        "lru_cache(maxsize=3)\n",
        {"uses_cached"},
    ),
    Edit(
        "under a library's decorator",
        "tasks/near.py",
        "    return x\n",
        "    return -x\n",
        {"uses_cached", "local_import", "by_name", "matches"},
    ),
    Edit(
        "registered function",
        "tasks/plugged.py",
        "return 1\n\n@register",
        "return 5\n\n@register",
        {"by_registry"},
    ),
    Edit(
        "registration",
        "tasks/plugins.py",
        "REGISTRY[name]",
        "REGISTRY[name + name]",
        {"by_registry"},
    ),
    Edit(
        "registered subclass",
        "tasks/plugged.py",
        "def grow(self):\n        return 1",
        "def grow(self):\n        return 2",
        {"by_subclass"},
    ),
    Edit(
        "dispatched function",
        "tasks/plugged.py",
        "def _(x: int):\n    return 1",
        "def _(x: int):\n    return 2",
        {"by_dispatch"},
    ),
    Edit("dispatched type", "tasks/plugged.py", "_(x: int)", "_(x: str)", {"by_dispatch"}),
    Edit("global set by a call", "tasks/plugins.py", "FILLED = 3", "FILLED = 4", {"by_fill"}),
    Edit(
        "lambda in a table", "tasks/dynamic.py", "lambda x: x + 1", "lambda x: x + 2", {"by_lambda"}
    ),
    Edit("library's function in a table", "tasks/dynamic.py", "op.sub", "op.add", {"by_lambda"}),
    Edit(
        "function in a table", "tasks/dynamic.py", "x * 3", "x * 4", {"by_table", "comprehension"}
    ),
    Edit("global statement", "tasks/dynamic.py", "state = 5", "state = 6", {"by_global"}),
    Edit("star import", "tasks/starred.py", "x + 2", "x + 3", {"starring", "handed_on", "matches"}),
    Edit("star import in a table", "tasks/starred.py", "x + 1", "x + 4", {"by_table", "handed_on"}),
    Edit(
        "one of two definitions",
        "tasks/dynamic.py",
        "return 2\n\ndef",
        "return 3\n\ndef",
        {"defined_twice"},
    ),
    Edit("effect of an import", "tasks/effects.py", "seed(3)", "seed(4)", {"tasks.dynamic.*"}),
    Edit(
        "function beside an effect",
        "tasks/effects.py",
        "random.random()",
        "random.gauss()",
        {"with_effects"},
    ),
]

SAME = [
    Edit("comment", "tasks/wiring.py", "# a comment", "# another\n    # and one more"),
    Edit("docstring of a function", "tasks/wiring.py", "Two calls away.", "It."),
    Edit("docstring of a helper", "tasks/near.py", '"""Calls another module."""\n    ', ""),
    Edit("docstring of a module", "tasks/wiring.py", "Stages that use functions", "Stages"),
    Edit("docstring of a class", "tasks/shapes.py", "SIDES = 0", '"""A shape."""\n\n    SIDES = 0'),
    Edit(
        "formatting", "tasks/wiring.py", "nearby(x) * times", "(\n        nearby( x )*times\n    )"
    ),
    Edit("annotated argument", "tasks/wiring.py", "times: int", 'times: "float | None"'),
    Edit("annotated result", "tasks/wiring.py", "-> float", "-> dict[str, list[int]]"),
    Edit("annotated helper", "tasks/near.py", "def near(x):", "def near(x: int) -> int:"),
    Edit("annotated variable", "tasks/wiring.py", "value: int = 3", "value = 3"),
    Edit(
        "declared variable", "tasks/wiring.py", "value: int = 3", "other: str\n    value: int = 3"
    ),
    Edit("annotated constant", "tasks/constants.py", "BASE: float = 1.5", "BASE = 1.5"),
    Edit("declared constant", "tasks/constants.py", "UNUSED = 0", "UNUSED = 0\nLATER: int"),
    Edit("annotated field", "tasks/shapes.py", "width: int", "width: float"),
    Edit("annotated tuple", "tasks/shapes.py", "first: int", "first: str"),
    Edit(
        "annotation in a plain class",
        "tasks/shapes.py",
        "SIDES = 0",
        "size: int\n    SIDES: int = 0",
    ),
    Edit("retries", "tasks/wiring.py", "stage(retries=2)", "stage(retries=3, timeout=9)"),
    Edit("no options", "tasks/wiring.py", "@stage(retries=2)", "@stage"),
    Edit(
        "unrelated function",
        "tasks/deep/far.py",
        "def far",
        "def new(x):\n    return 0\n\n\ndef far",
    ),
    Edit(
        "unrelated import",
        "tasks/wiring.py",
        "import json as js",
        "import decimal\nimport json as js",
    ),
    Edit("unrelated constant", "tasks/constants.py", "UNUSED = 0", "UNUSED = 1"),
    Edit(
        "for type checkers",
        "tasks/wiring.py",
        "    import decimal",
        "    from fractions import Fraction",
    ),
    Edit(
        "future", "tasks/near.py", "from .deep", "from __future__ import annotations\n\nfrom .deep"
    ),
    Edit("exports", "tasks/starred.py", '["star_one", "star_two"]', '["star_two", "star_one"]'),
    Edit(
        "loop variable and stage of one name",
        "tasks/near.py",
        "def lonely(x):",
        "def lonely(x):\n    pass",
    ),
    Edit("absolute import", "tasks/deep/far.py", "from ..constants", "from tasks.constants"),
    Edit("unregistered function", "tasks/plugged.py", "return 3", "return 4"),
    Edit(
        "main",
        "tasks/wiring.py",
        "STEP = 3",
        'if __name__ == "__main__":\n    print(calls(1))\n\nSTEP = 3',
    ),
    Edit(
        "string nobody keeps", "tasks/near.py", "    return away", '    "a remark"\n    return away'
    ),
]

RENAMED = {
    "alias of a function": (
        "tasks/wiring.py",
        {"near as nearby": "near as close", "nearby(x)": "close(x)"},
    ),
    "alias of a module": (
        "tasks/wiring.py",
        {"constants as c": "constants as con", " c.": " con."},
    ),
    "alias of a library": ("tasks/wiring.py", {"json as js": "json", "js.dumps": "json.dumps"}),
    "import moved into the function": (
        "tasks/wiring.py",
        {
            "import json as js\n": "",
            "    value: int = 3": "    import json as js\n    value: int = 3",
            "from tasks.near import near as nearby\n": "",
            "    # a comment": "    from tasks.near import near as nearby",
        },
    ),
    "import moved out of the function": (
        "tasks/dynamic.py",
        {
            "    import tasks.near as local_near\n": "",
            "    from tasks.made import scale as local_scale\n": "",
            "import operator as op": (
                "import operator as op\nimport tasks.near as local_near\n"
                "from tasks.made import scale as local_scale"
            ),
        },
    ),
}
