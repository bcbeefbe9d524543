"""The library's Fraction does and means what Python's own does."""

from fractions import Fraction as Fraction
