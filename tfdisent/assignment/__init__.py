"""Exact assignment of a batch inside the graph: to classes, or each row to its own column."""

from tfdisent.assignment.balanced import balanced_assignment
from tfdisent.assignment.linear import linear_assignment

__all__ = ["balanced_assignment", "linear_assignment"]
