"""What makes a stage incremental: recipe, fingerprint, store, record, lock, plan.

Knows nothing of machine learning, imports nothing of the project's other packages, and loads
neither Prefect nor any array library before a stage needs it.
"""

from __future__ import annotations

from engine import work
from engine.artifact import Artifact, Pending
from engine.call import Selection
from engine.errors import DamagedObject, InputError, LatentflowError, StageError, StoreError
from engine.flow import Flow, Run, flow
from engine.formats import File, Picture
from engine.outcome import Cause, Outcome, Reason
from engine.parameters import Parameters
from engine.plan import Plan
from engine.recipe import Recipe
from engine.session import load, source, source_folder
from engine.stage import Stage, stage
from engine.store import Store

__all__ = [
    "Artifact",
    "Cause",
    "DamagedObject",
    "File",
    "Flow",
    "InputError",
    "LatentflowError",
    "Outcome",
    "Parameters",
    "Pending",
    "Picture",
    "Plan",
    "Reason",
    "Recipe",
    "Run",
    "Selection",
    "Stage",
    "StageError",
    "Store",
    "StoreError",
    "flow",
    "load",
    "source",
    "source_folder",
    "stage",
    "work",
]
