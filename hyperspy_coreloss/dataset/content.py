"""The SHA-256 of the content of a data set, whatever file it is in."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.population import OTHER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hyperspy_coreloss.dataset.computed_site import ComputedSite

# Fields of a site that contain dataclasses.
_NESTED = ("structure", "spectrum", "projected_densities")


def content_sha256(words: Mapping[str, Any], sites: Iterable[ComputedSite]) -> str:
    """Return the SHA-256 of a data set.

    Parameters
    ----------
    words
        What the data set says of itself, JSON-ready.
    sites
        Its sites, in their order.
    """
    digest = hashlib.sha256()
    digest.update(_json(words))
    for site in sites:
        for item in (site, site.structure, site.spectrum, *site.projected_densities.values()):
            _update(digest, item)
    return digest.hexdigest()


def _update(digest: Any, instance: Any) -> None:
    """Add the arrays of a dataclass instance to a digest, then its other fields."""
    words: dict[str, Any] = {"kind": type(instance).__name__}
    for name, value in vars(instance).items():
        if isinstance(value, np.ndarray):
            array = np.ascontiguousarray(value)
            digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        # Without a population, a data set is the same as before populations were recorded.
        elif name not in _NESTED and (name, value) != ("population", OTHER):
            words[name] = value
    digest.update(_json(words))


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
