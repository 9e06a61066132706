"""Walks plain data along the models of the format.

So references and the grid are checked in every row, also in rows that are wrong elsewhere: all
problems of a file come in one go.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from timevalg.clinic.finding import Path
from timevalg.clinic.format import Row
from timevalg.clinic.scalars import Grid, Ref

Marker = Grid | Ref


@dataclass(frozen=True)
class Shape:
    """What may stand at a place: a row, a list, a mapping with free keys, or a single value."""

    row: type[Row] | None = None
    each: Shape | None = None
    is_list: bool = False
    marker: Marker | None = None


@dataclass(frozen=True)
class Place:
    """A row or a marked value, where it stands, and what stands there."""

    path: Path
    what: type[Row] | Marker
    value: Any


@cache
def fields(row: type[Row]) -> dict[str, Shape]:
    """Give the keys that a row may have, with the shape of each."""
    return {
        field.alias or name: _shape(field.annotation, tuple(field.metadata))
        for name, field in row.model_fields.items()
    }


def _shape(annotation: Any, metadata: tuple[Any, ...] = ()) -> Shape:
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _shape(inner, (*metadata, *more))
    marker = next((m for m in metadata if isinstance(m, Grid | Ref)), None)
    if marker is not None:
        return Shape(marker=marker)
    if get_origin(annotation) in (Union, types.UnionType):
        return next((s for a in get_args(annotation) if (s := _shape(a)) != Shape()), Shape())
    if get_origin(annotation) is list:
        return Shape(each=_shape(get_args(annotation)[0]), is_list=True)
    if get_origin(annotation) is dict:
        return Shape(each=_shape(get_args(annotation)[1]))
    if isinstance(annotation, type) and issubclass(annotation, Row):
        return Shape(row=annotation)
    return Shape()


def places(row: type[Row], value: Any, path: Path) -> list[Place]:
    """Give all rows and marked values in the data of a row, itself first."""
    found: list[Place] = []
    _collect(Shape(row=row), value, path, found)
    return found


def _collect(shape: Shape, value: Any, path: Path, found: list[Place]) -> None:
    if shape.marker is not None:
        found.append(Place(path, shape.marker, value))
    elif shape.row is not None and isinstance(value, dict):
        found.append(Place(path, shape.row, value))
        for key, inner in _telling(shape.row):
            if key in value:
                _collect(inner, value[key], (*path, key), found)
    elif shape.each is not None and shape.is_list and isinstance(value, list):
        for index, item in enumerate(value):
            _collect(shape.each, item, (*path, index), found)
    elif shape.each is not None and not shape.is_list and isinstance(value, dict):
        for key, item in value.items():
            _collect(shape.each, item, (*path, key), found)


@cache
def _telling(row: type[Row]) -> list[tuple[str, Shape]]:
    return [(key, shape) for key, shape in fields(row).items() if shape != Shape()]


def row_at(row: type[Row], steps: Path) -> type[Row] | None:
    """Give the kind of row to which a path inside a row leads; None if to something else."""
    shape = Shape(row=row)
    for step in steps:
        if shape.row is not None:
            shape = fields(shape.row).get(str(step), Shape())
        else:
            shape = shape.each or Shape()
    return shape.row


def size(value: Any, limit: int) -> int:
    """Count the values inside a value, not much beyond the limit."""
    if isinstance(value, dict) and not any(isinstance(v, dict | list) for v in value.values()):
        return 1 + 2 * len(value)  # most rows
    count, stack = 0, [value]
    while stack and count <= limit:
        item = stack.pop()
        count += 1
        if isinstance(item, dict):
            count += len(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            if len(item) > limit:
                return count + len(item)
            stack.extend(item)
    return count
