"""Why a pixel has no prediction: the codes of the quality map."""

from __future__ import annotations

from enum import IntEnum


class Quality(IntEnum):
    """Reason codes of the quality map; every code but ``GOOD`` goes with NaN predictions.

    When several reasons hold, the one listed first is given.
    """

    GOOD = 0
    MASKED = 1
    NOT_FINITE = 2
    EMPTY = 3
    NEGATIVE = 4
    SATURATED = 5
    NO_ONSET = 6
    WINDOW_NOT_COVERED = 7

    @property
    def reason(self) -> str:
        """The reason in words."""
        return _REASONS[self]


_REASONS = {
    Quality.GOOD: "predicted",
    Quality.MASKED: "excluded by the navigation mask",
    Quality.NOT_FINITE: "NaN or infinite channels",
    Quality.EMPTY: "all channels are zero",
    Quality.NEGATIVE: "negative counts",
    Quality.SATURATED: "saturated detector: the maximum is a plateau or the largest integer",
    Quality.NO_ONSET: "no edge onset rises clearly above the noise in the searched range",
    Quality.WINDOW_NOT_COVERED: "the spectrum ends inside the window that the onset asks for",
}
