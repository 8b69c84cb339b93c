"""The command line: a thin face of the engine and the flows."""

import os

# Looking for plug-ins of pydantic reads the metadata of every installed package, some 50 ms.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
