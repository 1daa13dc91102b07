"""Whether the engines say the same, to the last digit.

The peers must agree in every cell. Throng withholds cells that fewer than the floor of viewers stand behind, and some beside
them so that they do not follow from the rest; every number that it does show must be theirs.
"""

from questions import FLOOR


class Disagreement(Exception):
    """Two engines answered differently."""


def same(where, one, other):
    """Holds two peers to each other."""
    if {key: n for key, n in one.items() if n} != {key: n for key, n in other.items() if n}:
        found = sorted(key for key in one.keys() | other.keys() if one.get(key, 0) != other.get(key, 0))
        told = [(key, one.get(key), other.get(key)) for key in found[:3]]
        raise Disagreement(f"{where}: the peers differ in {len(found)} cells: {told}")


def check(where, shown, truth, small):
    """Numbers compared and cells withheld. `small`: whether a cell is, which gives a reason to withhold others."""
    compared = withheld = 0
    for key in shown.keys() | truth.keys():
        said, true = shown.get(key), truth.get(key, 0)
        if said is not None:
            compared += 1
            if said != true:
                raise Disagreement(f"{where} {key}: {said}, but the peers say {true}")
        elif true:
            withheld += 1
            if true >= FLOOR and not small:
                raise Disagreement(f"{where} {key}: withheld, though {true} are behind it and nothing beside it is small")
    return compared, withheld
