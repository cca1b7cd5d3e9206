"""Compiled execution."""

from engine.execution.executor import CompilingExecutor
from engine.execution.marks import batched, by_class, pure
from engine.execution.plans import DocumentPlans

__all__ = ["CompilingExecutor", "DocumentPlans", "batched", "by_class", "pure"]
