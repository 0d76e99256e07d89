"""Checks of the distributions and of what a release says of itself.

``python -m release.check dist`` builds wheel and source distribution into ``dist/``, checks them,
and predicts with the wheel in a fresh environment. ``python -m release.check tag`` checks that
version, changes and address are those of a release. ``python -m release.check links`` gives the
links of the README the address of the repository, without which they are dead on PyPI.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PACKAGE = "hyperspy_coreloss"
#: In bytes. PyPI takes 100 MB a file; data that grow should not reach it unnoticed.
LARGEST = 30e6

# Makes a file as of a microscope, and reads the maps that the command has made of it.
_MAKE = """
from hyperspy_coreloss.data import silica_spectrum_image
silica_spectrum_image((8, 6))[0].save("image.hspy")
"""
_READ = """
import hyperspy.api as hs, numpy as np
maps = hs.load("maps/image.hspy")
assert type(maps).__name__ == "CoreLossPropertySignal", type(maps)
share = np.isfinite(maps.data).mean()
assert share > 0.8, f"{share:.0%} of the values are finite"
print(f"fresh environment: {share:.0%} of {maps.data.size} values predicted")
"""


def project() -> dict[str, Any]:
    """Return the table ``project`` of pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def tracked() -> set[str]:
    """Return the paths of the files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {path for path in listed.stdout.split("\0") if path and (ROOT / path).exists()}


def belongs_to_sdist(path: str) -> bool:
    """Return whether a file of the repository is in the source distribution."""
    return not re.fullmatch(r"training/sites/[^/]+\.npz", path)


def problems_of_sdist(names: set[str], files: set[str]) -> list[str]:
    """Return what is wrong with a source distribution: names of its files, and the repository's."""
    made = {"PKG-INFO", "setup.cfg"}
    expected = {path for path in files if belongs_to_sdist(path)}
    extra = {name for name in names - expected - made if not name.startswith(f"{PACKAGE}.egg-info")}
    return [f"the sdist lacks {name}" for name in sorted(expected - names)] + [
        f"the sdist has {name}, which is not of the repository" for name in sorted(extra)
    ]


def problems_of_wheel(names: set[str], files: set[str]) -> list[str]:
    """Return what is wrong with a wheel: names of its files, and those of the repository."""
    expected = {path for path in files if path.startswith(f"{PACKAGE}/")}
    extra = {name for name in names - expected if ".dist-info/" not in name}
    licences = {f"licenses/{name}" for name in project()["license-files"]}
    described = {name.partition(".dist-info/")[2] for name in names}
    return [
        *(f"the wheel lacks {name}" for name in sorted(expected - names)),
        *(f"the wheel has {name}, which is not of the package" for name in sorted(extra)),
        *(f"the wheel lacks {name}" for name in sorted(licences - described)),
    ]


def problems_of_release(tag: str, repository: str) -> list[str]:
    """Return why a tag of a repository cannot be released.

    Parameters
    ----------
    tag
        Name of the tag, ``v`` and the version.
    repository
        Address of the repository, ``https://github.com/owner/name``.
    """
    described = project()
    version = described["version"]
    address = described.get("urls", {}).get("Repository")
    changes = (ROOT / "CHANGES.md").read_text(encoding="utf-8")
    problems = []
    if tag != f"v{version}":
        problems.append(f"the tag is {tag}, but pyproject.toml has the version {version}")
    if not re.search(rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$", changes, re.MULTILINE):
        problems.append(f"CHANGES.md needs the heading '## {version} (YYYY-MM-DD)'")
    if address != repository:
        problems.append(
            f"the repository is {repository}, but [project.urls] in pyproject.toml has {address}"
        )
    return problems


def with_absolute_links(text: str, address: str, tag: str) -> str:
    """Return a page whose relative links and pictures have the address of a repository.

    Parameters
    ----------
    text
        Page in Markdown.
    address
        Address of the repository, ``https://github.com/owner/name``.
    tag
        Name of the tag whose files are linked.
    """

    def absolute(match: re.Match[str]) -> str:
        kind = "raw" if match[1].startswith("!") else "blob"
        return f"{match[1]}({address}/{kind}/{tag}/{match[2]})"

    return re.sub(r"(!?\[[^\]]*\])\((?!https?://|#)([^)\s]+)\)", absolute, text)


def check_distributions(folder: Path) -> list[str]:
    """Build both distributions into a folder, and return what is wrong with them."""
    shutil.rmtree(folder, ignore_errors=True)
    _run(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT))
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    files = tracked()
    with zipfile.ZipFile(wheel) as archive:
        problems = problems_of_wheel(set(archive.namelist()), files)
    with tarfile.open(sdist) as archive:
        members = {member.name.partition("/")[2] for member in archive if not member.isdir()}
    problems += problems_of_sdist(members, files)
    for path in (wheel, sdist):
        size = path.stat().st_size
        print(f"{path.name}: {size / 1e6:.1f} MB")
        if size > LARGEST:
            problems.append(f"{path.name} has {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}")
    _run(sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(sdist))
    _run(sys.executable, "-m", "check_wheel_contents", str(wheel))
    return problems


def predict_with(wheel: Path) -> None:
    """Install a wheel into a fresh environment, and predict a generated file there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "environment", with_pip=True)
        scripts = folder / "environment" / ("Scripts" if os.name == "nt" else "bin")
        constraints = ROOT / "constraints.txt"
        pip = ("-m", "pip", "install", "--quiet", "--constraint", str(constraints))
        _run(str(scripts / "python"), *pip, str(wheel))
        _run(str(scripts / "python"), "-c", _MAKE, folder=folder)
        command = ("predict", "image.hspy", "--output", "maps", "--resolution", "0.5")
        _run(str(scripts / "hyperspy-coreloss"), *command, folder=folder)
        _run(str(scripts / "python"), "-c", _READ, folder=folder)


def _run(*command: str, folder: Path = ROOT) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, cwd=folder, env={**environment, "MPLBACKEND": "agg"}, check=True)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m release.check")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("dist", help="build and check wheel and source distribution, into dist/")
    tag = commands.add_parser("tag", help="check version, changes and address of a release")
    tag.add_argument("tag")
    tag.add_argument("repository")
    links = commands.add_parser("links", help="give the links of README.md an address")
    links.add_argument("tag")
    links.add_argument("repository")
    arguments = parser.parse_args()
    if arguments.command == "links":
        readme = ROOT / "README.md"
        text = readme.read_text(encoding="utf-8")
        linked = with_absolute_links(text, arguments.repository, arguments.tag)
        readme.write_text(linked, encoding="utf-8")
        return
    if arguments.command == "tag":
        problems = problems_of_release(arguments.tag, arguments.repository)
    else:
        problems = check_distributions(ROOT / "dist")
        if not problems:
            predict_with(next((ROOT / "dist").glob("*.whl")))
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
