"""For one role: the starts at which each resource could serve it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping


class Fits:
    """Resource id → starts, in the order of the file.

    Kept as ints for whole sets of starts; as bytes too, once single starts are asked for (a byte
    of a bytes object is found at once, a bit of a long int only by shifting all of it).

    Parameters
    ----------
    masks : mapping
        Resource id → bits of the starts.
    """

    __slots__ = ("_bytes", "_rows", "_union", "masks")

    def __init__(
        self,
        masks: Mapping[str, int],
        known: dict[str, bytes] | None = None,
        union: Union | None = None,
    ) -> None:
        self.masks = masks
        self._bytes: dict[str, bytes] = known or {}
        self._union = union
        self._rows: list[tuple[str, bytes]] | None = None

    def changed(self, masks: Mapping[str, int]) -> Fits:
        """Give the fits with some resources' starts replaced."""
        known = self._bytes.copy()
        for name in masks:
            known.pop(name, None)
        union = None if self._union is None else self._union.changed(masks)
        return Fits({**self.masks, **masks}, known, union)

    def union(self) -> int:
        """Give the starts at which any of them could serve; cheap again after a change."""
        if self._union is None:
            self._union = Union.of(self.masks)
        return self._union.bits

    def among(self, names: Collection[str]) -> Fits:
        """Give the fits of some resources only."""
        return Fits({name: bits for name, bits in self.masks.items() if name in names})

    def serves(self, name: str, cell: int) -> bool:
        """Tell whether a resource could serve at one start; an unknown one could not."""
        data = self._data(name)
        return len(data) > cell >> 3 and data[cell >> 3] >> (cell & 7) & 1 == 1

    def at(self, cell: int) -> list[str]:
        """Give all that could serve at one start, in order."""
        if self._rows is None:
            self._rows = [(name, self._data(name)) for name in self.masks]
        byte, bit = cell >> 3, 1 << (cell & 7)
        return [name for name, data in self._rows if len(data) > byte and data[byte] & bit]

    def _data(self, name: str) -> bytes:
        data = self._bytes.get(name)
        if data is None:
            bits = self.masks.get(name, 0)
            data = bits.to_bytes((bits.bit_length() + 7) >> 3, "little")
            self._bytes[name] = data
        return data


class Union:
    """The union of masks as a tree of pairs: one mask's change costs its way to the top.

    Parameters
    ----------
    tree : list of int
        Node 1 is the top; node i is the union of nodes 2i and 2i + 1; the masks are the leaves.
    places : mapping
        Resource id → its mask's node.
    """

    __slots__ = ("_places", "_tree")

    def __init__(self, tree: list[int], places: Mapping[str, int]) -> None:
        self._tree, self._places = tree, places

    @classmethod
    def of(cls, masks: Mapping[str, int]) -> Union:
        """Make the tree of some masks."""
        count = max(1, len(masks))
        tree = [0] * count + (list(masks.values()) or [0])
        for at in range(count - 1, 0, -1):
            tree[at] = tree[2 * at] | tree[2 * at + 1]
        return cls(tree, {name: count + number for number, name in enumerate(masks)})

    @property
    def bits(self) -> int:
        """The union of all."""
        return self._tree[1]

    def changed(self, masks: Mapping[str, int]) -> Union:
        """Give the tree with some masks replaced."""
        tree = self._tree.copy()
        for name, bits in masks.items():
            at = self._places[name]
            tree[at] = bits
            while at > 1:
                bits |= tree[at ^ 1]
                at >>= 1
                tree[at] = bits
        return Union(tree, self._places)


class Able:
    """The resources that can serve a role at one start, in order, looked up when first needed.

    Parameters
    ----------
    fits : Fits
    cell : int
        The start.
    """

    __slots__ = ("_cell", "_fits", "_found", "_left")

    def __init__(self, fits: Fits, cell: int) -> None:
        self._fits, self._cell = fits, cell
        self._found: list[str] = []
        self._left: Iterator[str] = iter(fits.masks)

    def at(self, number: int) -> str | None:
        """Give the number-th of them, counted from 0; None if there are not so many."""
        found = self._found
        while number >= len(found):
            for name in self._left:
                if self._fits.serves(name, self._cell):
                    found.append(name)
                    break
            else:
                return None
        return found[number]

    def __iter__(self) -> Iterator[str]:
        number = 0
        while (name := self.at(number)) is not None:
            yield name
            number += 1

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._fits.serves(name, self._cell)
