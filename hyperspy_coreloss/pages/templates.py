"""Templates of pages: those of a room extend the page of this one, so that all look alike."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def page_environment(room: str) -> Environment:
    """Return the environment of the templates of a room.

    They may extend ``page.html.jinja``, which has the style sheet, and import the macros of
    ``parts.html.jinja``. What is not there is an error, and texts are escaped.

    Parameters
    ----------
    room
        Name of the room, whose folder holds the templates.
    """
    folders = (f"hyperspy_coreloss.{room}", "hyperspy_coreloss.pages")
    return Environment(
        loader=ChoiceLoader([PackageLoader(folder, ".") for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
