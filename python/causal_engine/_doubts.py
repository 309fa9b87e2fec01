"""What `fit` warns of: interventions that can be carried out, and that a user most likely did not mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._intervention import Edit
from .errors import warn


class _Site:
    """What was seen of the interventions at one site."""

    def __init__(self) -> None:
        self.sets = False       # the mask sets something, in some row
        self.gives = False      # there is a value other than 0, set or not
        self.is_meant = False   # something tells that values of 0 are what was set


class Doubts:
    """Looks at training rows, all at once or batch by batch, and then says what is odd about what was set in them.

    Values that are not finite are no doubts but errors of the engine's own. Zeros are: an array of them for each row is what one
    gets who makes it and forgets to fill it. That 0 was meant is told by one number or one row of numbers for all rows, by x being
    0 somewhere where it was set, and at hidden units, where it is the usual way to switch one off.
    """

    def __init__(self, output: int) -> None:
        self._output = output
        self._rows = 0
        self._learns = False
        self._sites: dict[int, _Site] = {}

    def see(self, x: NDArray[Any], edits: Sequence[Edit]) -> None:
        """Rows x (rows, features) and what is set in them."""
        self._rows += len(x)
        self._learns = self._learns or not any(edit.site == self._output and edit.mask.all() for edit in edits)
        for edit in edits:
            site = self._sites.setdefault(edit.site, _Site())
            mask = edit.mask != 0
            site.sets = site.sets or bool(mask.any())
            site.gives = site.gives or bool(np.any(edit.values))
            site.is_meant = site.is_meant or edit.site > 0 or len(edit.given_shape) < 2 or bool((mask & (x == 0)).any())

    def warn(self, name: str) -> None:
        """Says what is odd about the rows of this name, all of which were seen."""
        for text in self.about(name):
            warn(text)

    def about(self, name: str) -> Iterator[str]:
        """What `warn` says."""
        if not self._rows:
            return
        for k, site in self._sites.items():
            if not site.sets and site.gives:
                yield f"{name}: do_mask at layer {k} is 0 in all of the {self._rows} rows, so that do_values are not used"
            if site.sets and not site.gives and not site.is_meant:
                yield (f"{name}: do_values at layer {k} are 0 in all of the {self._rows} rows, and x is not: were they ever filled in? If 0 is "
                       "what was set, give the number 0 for them")
        if not self._learns:
            yield f"{name}: do_mask sets every output in all of the {self._rows} rows, so that nothing is learned"
