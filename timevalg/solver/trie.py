"""A persistent map: setting a key gives a new map that shares nearly all of the old one.

A hash trie with 32 branches at each node and dicts as leaves; setting copies one leaf and
the few nodes above it, so it costs about a microsecond at any size. Source: P. Bagwell, "Ideal
Hash Trees", 2001.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_LEAF = 96
_DEEPEST = 60


class Trie(Mapping[K, V], Generic[K, V]):
    """An immutable mapping with cheap changed copies; the order of its keys means nothing."""

    __slots__ = ("_root", "_size")

    def __init__(self, root: Any = None, size: int = 0) -> None:
        self._root: Any = {} if root is None else root
        self._size = size

    @classmethod
    def of(cls, items: Mapping[K, V]) -> Trie[K, V]:
        """Make a map of many items at once."""
        return cls(_node([(hash(k), k, v) for k, v in items.items()], 0), len(items))

    def get(self, key: Any, default: Any = None) -> Any:
        """Give the value of a key, or the default."""
        node, rest = self._root, hash(key)
        while type(node) is list:
            node, rest = node[rest & 31], rest >> 5
        return node.get(key, default)

    def __getitem__(self, key: K) -> V:
        node, rest = self._root, hash(key)
        while type(node) is list:
            node, rest = node[rest & 31], rest >> 5
        value: V = node[key]
        return value

    def __contains__(self, key: object) -> bool:
        node, rest = self._root, hash(key)
        while type(node) is list:
            node, rest = node[rest & 31], rest >> 5
        return key in node

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[K]:
        stack = [self._root]
        while stack:
            node = stack.pop()
            if type(node) is list:
                stack.extend(node)
            else:
                yield from node

    def set(self, key: K, value: V) -> Trie[K, V]:
        """Give the map with the key set."""
        root, leaf = self._copied(key)
        grown = key not in leaf
        leaf[key] = value
        if len(leaf) > _LEAF:
            root = _split(root, hash(key))
        return Trie(root, self._size + grown)

    def without(self, key: K) -> Trie[K, V]:
        """Give the map without the key; itself if it has none."""
        if key not in self:
            return self
        root, leaf = self._copied(key)
        del leaf[key]
        return Trie(root, self._size - 1)

    def _copied(self, key: K) -> tuple[Any, dict[K, V]]:
        """Copy the path to a key's leaf; gives the new root and the new leaf."""
        node, rest = self._root, hash(key)
        if type(node) is not list:
            leaf = dict(node)
            return leaf, leaf
        root = here = list(node)
        while True:
            at, rest = rest & 31, rest >> 5
            below = here[at]
            if type(below) is not list:
                leaf = here[at] = dict(below)
                return root, leaf
            here[at] = list(below)
            here = here[at]


def _node(items: list[tuple[int, K, V]], depth: int) -> Any:
    if len(items) <= _LEAF or depth >= _DEEPEST:
        return {k: v for _, k, v in items}
    parts: list[list[tuple[int, K, V]]] = [[] for _ in range(32)]
    for item in items:
        parts[item[0] >> depth & 31].append(item)
    return [_node(part, depth + 5) for part in parts]


def _split(root: Any, where: int) -> Any:
    """Split the leaf on a path that this change has just copied."""
    depth, above, node = 0, None, root
    while type(node) is list:
        above, node = node, node[where >> depth & 31]
        depth += 5
    if depth >= _DEEPEST:
        return root
    split = _node([(hash(k), k, v) for k, v in node.items()], depth)
    if above is None:
        return split
    above[where >> depth - 5 & 31] = split
    return root
