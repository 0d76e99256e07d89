"""The rooms of the package, and the order of the modules in each: imports point down.

``python -m tests.house`` writes the table of CONTRIBUTING.md from this list and from the first
line of each module's docstring.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from tests.paths import PACKAGE, ROOT


@dataclass(frozen=True)
class Room:
    """A folder, or a single file, with its modules from the bottom up."""

    name: str
    modules: tuple[str, ...] = ()


#: From the bottom up. A module may import modules before it in its room, and any of lower rooms.
ROOMS = (
    Room("errors"),
    Room("read_only"),
    Room("processes"),
    Room("files"),
    Room("provenance"),
    Room("properties"),
    Room(
        "pages",
        (
            "tables",
            "pictures",
            "templates",
            "ticks",
            "layers",
            "histograms",
            "printed",
            "numbers",
            "interactive",
        ),
    ),
    Room(
        "spectra",
        (
            "compiled",
            "energy",
            "counting",
            "quality",
            "scaling",
            "spikes",
            "background",
            "edges",
            "onset",
            "gaps",
            "broadening",
            "low_loss_axis",
            "pedestal",
            "peak_curves",
            "zero_loss_peaks",
            "zero_loss",
            "recipe",
            "certainty",
            "preparation",
            "rises",
            "alignment",
            "preprocessing",
            "low_loss",
            "scattering",
            "low_loss_simulation",
            "edge_transforms",
            "spread",
            "microscope",
            "measurement",
            "edge_model",
            "edge_fit",
            "agreement",
            "fit_figure",
            "calibration",
            "reference_fit",
        ),
    ),
    Room(
        "dataset",
        (
            "continued_fraction",
            "population",
            "elements",
            "voronoi",
            "surroundings",
            "surroundings_scene",
            "computed_site",
            "condensation",
            "content",
            "hdf5",
            "table_files",
            "tables",
            "netcdf",
            "layout",
            "dataset",
            "shipped",
            "summary",
            "splits",
            "inputs",
            "acquisition",
            "minerals",
            "reference",
            "surroundings_drawing",
            "plotting",
            "card",
        ),
    ),
    Room(
        "pretrained",
        (
            "tensor_file",
            "store",
            "intervals",
            "quantised",
            "references",
            "results",
            "auxiliary",
            "network",
            "arrays",
            "trust",
            "inference",
            "training_record",
            "model",
            "families",
            "card",
        ),
    ),
    Room(
        "training",
        (
            "regressor",
            "ensemble",
            "side_by_side",
            "left_out",
            "baselines",
            "evaluation",
            "settings_search",
            "model_training",
            "site_references",
            "measured_draws",
            "region_errors",
            "measured_training",
            "shipped_family",
            "cross_validation",
            "accuracy",
        ),
    ),
    Room(
        "signals",
        (
            "damage",
            "axes",
            "options",
            "stacks",
            "metadata",
            "held_out_errors",
            "memory",
            "joining",
            "progress",
            "scratch",
            "positions",
            "resemblance",
            "computed_spectra",
            "spectrum_axis",
            "spectrum_files",
            "low_loss",
            "navigation_mask",
            "other_edges",
            "prediction_plan",
            "layers",
            "scale_bar",
            "panels",
            "map_figure",
            "plotting",
            "summary",
            "pixel_table",
            "data_frame",
            "gridded",
            "region_mean",
            "place",
            "computed_pixels",
            "measured_spectrum",
            "nearest_sites",
            "explorer_panels",
            "exploration",
            "explorer",
            "pixel_preview",
            "draggable_range",
            "interactive_prediction",
            "prediction_form",
            "notebook_widgets",
            "window_widgets",
            "report_layers",
            "report_tables",
            "report_words",
            "report",
            "slicing",
            "derived",
            "presented_signal",
            "property_signal",
            "lazy",
        ),
    ),
    Room("data", ("silica_image",)),
    Room("prediction"),
    Room("calibration"),
    Room("batch"),
    Room(
        "components",
        (
            "energy_component",
            "curves",
            "fine_structure",
            "template_signals",
            "edge_step",
            "template",
            "emulator",
            "emulator_training",
            "property_elnes",
        ),
    ),
    Room(
        "study",
        (
            "held_out",
            "learning_curves",
            "excitation_energy",
            "noisy_spectrum",
            "experiments",
            "tables",
            "figures",
            "report",
        ),
    ),
    Room(
        "simulation",
        (
            "labels",
            "closed_shells",
            "structures",
            "topology",
            "structure_files",
            "virtual_structures",
            "tasks",
            "projectors",
            "recursion",
            "core_hole",
            "engine_settings",
            "warm_start",
            "engine",
            "relaxation",
            "populations",
            "site_record",
            "projected_density",
            "comparison",
            "basis_set",
            "cell_size",
            "convergence",
            "site_simulation",
            "locks",
            "campaign",
            "collect",
            "atomistic.composition",
            "atomistic.network",
            "atomistic.melt",
            "atomistic.learned_potential",
            "atomistic.glass",
            "atomistic.heat",
            "atomistic.silanol",
            "atomistic.production",
            "atomistic.description",
            "atomistic",
            "castep.files",
            "castep.output",
            "castep.optados",
            "castep.labels",
            "castep.spectra",
            "castep.sites",
            "castep",
        ),
    ),
    Room(
        "cli",
        (
            "options",
            "dataset_commands",
            "prediction_commands",
            "simulation_commands",
            "structure_commands",
            "training_commands",
            "commands",
        ),
    ),
)

#: They run inside ``import hyperspy.api``, with the standard library only.
OUTSIDE = ("", "_attach", "_autoload")

_BEGIN, _END = "<!-- rooms: python -m tests.house -->\n", "<!-- end of rooms -->\n"


def path_of(module: str):
    """Return the file of a module of the package, by its name without that of the package."""
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def places() -> dict[str, tuple[int, int]]:
    """Return the rank of the room, and the place in it, of every module."""
    found = {}
    for rank, room in enumerate(ROOMS):
        # The folder itself exports what its modules define.
        found[room.name] = (rank, len(room.modules))
        for place, module in enumerate(room.modules):
            found[f"{room.name}.{module}"] = (rank, place)
    return found


def first_line(module: str) -> str:
    """Return the first sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(path_of(module).read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split())


def rooms_table() -> str:
    """Return the rooms and their modules, from the top down, as Markdown."""
    lines = []
    for room in reversed(ROOMS):
        shown = f"`{room.name}/`" if room.modules else f"`{room.name}.py`"
        lines.append(f"- **{shown}** {first_line(room.name)}")
        lines += [
            f"  - `{module}` {first_line(f'{room.name}.{module}')}"
            for module in reversed(room.modules)
        ]
    return "\n".join(lines) + "\n"


def contributing(text: str) -> str:
    """Return CONTRIBUTING.md with the table of today."""
    head, rest = text.split(_BEGIN)
    return head + _BEGIN + rooms_table() + _END + rest.split(_END)[1]


if __name__ == "__main__":
    page = ROOT / "CONTRIBUTING.md"
    page.write_text(contributing(page.read_text(encoding="utf-8")), encoding="utf-8")
