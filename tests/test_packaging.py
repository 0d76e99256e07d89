"""What is published is complete, and everything that describes the project says the same."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import PurePosixPath

import pytest
import yaml

from release import check
from tests.paths import PACKAGE, ROOT

#: Names on conda-forge, where they differ from those on PyPI.
_CONDA_NAMES = {
    "dask[array]": "dask-core",
    "hyperspy": "hyperspy-base",
    "matplotlib": "matplotlib-base",
    "torch": "pytorch",
}
_MATRIX = re.compile(r'python: (\[.*"3\.\d+".*\])')


def _text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def _files():
    """Return the files of the package, as paths from the root."""
    shipped = (path for path in PACKAGE.rglob("*") if path.is_file())
    names = {path.relative_to(PACKAGE.parent).as_posix() for path in shipped}
    return {name for name in names if "__pycache__" not in name and "/." not in name}


@pytest.fixture(scope="module")
def project():
    return check.project()


@pytest.fixture(scope="module")
def recipe():
    return yaml.safe_load(_text("release/recipe/recipe.yaml"))


@pytest.fixture(scope="module")
def citation():
    return yaml.safe_load(_text("CITATION.cff"))


@pytest.fixture(scope="module")
def listed():
    """What the list of HyperSpy's extensions gets."""
    return yaml.safe_load(_text("release/hyperspy_extensions_list.yml"))


def test_every_file_of_the_package_is_shipped():
    """Models, data and templates too: a pattern of the package data matches each."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        patterns = check.tomllib.load(file)["tool"]["setuptools"]["package-data"][check.PACKAGE]
    others = {
        str(PurePosixPath(name).relative_to(check.PACKAGE))
        for name in _files()
        if not name.endswith(".py")
    }
    assert {name for name in others if not any(fnmatch(name, one) for one in patterns)} == set()
    for pattern in patterns:
        assert any(fnmatch(name, pattern) for name in others), f"nothing is {pattern}"


def test_every_folder_with_code_is_a_package():
    """The build finds packages by their ``__init__.py``."""
    folders = {PurePosixPath(name).parent for name in _files() if name.endswith(".py")}
    assert {f for f in folders if not (PACKAGE.parent / f / "__init__.py").exists()} == set()


def test_a_wheel_is_refused_for_what_it_lacks_and_for_what_is_too_much():
    files = {"hyperspy_coreloss/a.py", "hyperspy_coreloss/data/b.nc", "tests/test_a.py"}
    licences = {"x.dist-info/licenses/LICENSE", "x.dist-info/licenses/LICENSE-DATA"}
    package = {"hyperspy_coreloss/a.py", "hyperspy_coreloss/data/b.nc"}
    assert check.problems_of_wheel(package | licences, files) == []
    (lacks,) = check.problems_of_wheel(package - {"hyperspy_coreloss/data/b.nc"} | licences, files)
    assert lacks == "the wheel lacks hyperspy_coreloss/data/b.nc"
    (extra,) = check.problems_of_wheel(package | licences | {"tests/test_a.py"}, files)
    assert extra == "the wheel has tests/test_a.py, which is not of the package"
    assert check.problems_of_wheel(package, files) == [
        "the wheel lacks licenses/LICENSE",
        "the wheel lacks licenses/LICENSE-DATA",
    ]


def test_a_source_distribution_has_all_but_the_sites_of_the_campaign():
    files = {"README.md", "training/sites/a_1.npz", "training/numerics/sites/cutoff/a_1.npz"}
    assert check.problems_of_sdist({"README.md", "PKG-INFO"}, files) == [
        "the sdist lacks training/numerics/sites/cutoff/a_1.npz"
    ]
    assert check.problems_of_sdist(files | {"notes.txt"}, files)[0].startswith(
        "the sdist has notes.txt"
    )


def test_a_release_needs_its_version_its_changes_and_its_address(monkeypatch, tmp_path):
    address = "https://github.com/owner/name"
    described = {"version": "1.2.0", "urls": {"Repository": address}}
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(check, "project", lambda: described)
    changes = tmp_path / "CHANGES.md"
    changes.write_text("# Changes\n\n## 1.2.0 (2026-11-30)\n", encoding="utf-8")
    assert check.problems_of_release("v1.2.0", address) == []
    assert "the tag is v1.1.0" in check.problems_of_release("v1.1.0", address)[0]
    assert "the repository is else" in check.problems_of_release("v1.2.0", "else")[0]
    changes.write_text("# Changes\n\n## 1.2.0 (unreleased)\n", encoding="utf-8")
    assert "needs the heading" in check.problems_of_release("v1.2.0", address)[0]
    del described["urls"]
    assert len(check.problems_of_release("v1.2.0", address)) == 2


def test_version_name_licence_and_address_are_the_same_everywhere(project, recipe, citation):
    assert recipe["package"]["name"] == project["name"]
    assert recipe["context"]["version"] == str(citation["version"]) == project["version"]
    assert recipe["about"]["license"] == project["license"]
    assert recipe["about"]["license_file"] == project["license-files"]
    assert recipe["about"]["summary"] == project["description"]
    assert project["license"].startswith(citation["license"])
    address = project.get("urls", {}).get("Repository")
    assert citation.get("repository-code") == recipe["about"].get("repository") == address
    assert f"## {project['version']} (" in _text("CHANGES.md")


def test_the_list_of_extensions_gets_what_the_project_says_of_itself(project, listed):
    expected = {"name": project["name"], "description": project["description"]}
    if "urls" in project:
        expected["repository"] = project["urls"]["Repository"]
    assert listed == expected
    assert "|" not in listed["description"], "the description is a cell of a table in Markdown"


def test_the_recipe_has_the_requirements_of_the_package(project, recipe):
    expected = {f"python >={project['requires-python'].removeprefix('>=')}"}
    for requirement in project["dependencies"]:
        name, _, bound = requirement.partition(">=")
        expected.add(f"{_CONDA_NAMES.get(name, name)} >={bound}")
    lowest = recipe["context"]["python_min"]
    listed = [one.replace("${{ python_min }}", lowest) for one in recipe["requirements"]["run"]]
    assert sorted(listed) == sorted(expected)
    (script,) = recipe["build"]["python"]["entry_points"]
    assert dict([script.split(" = ")]) == project["scripts"]


def test_the_tests_run_on_every_python_that_is_named(project):
    (matrix,) = _MATRIX.findall(_text(".github/workflows/tests.yml"))
    tested = set(json.loads(matrix))
    found = {re.fullmatch(r".*:: (3\.\d+)", one) for one in project["classifiers"]}
    named = {match[1] for match in found if match}
    assert named <= tested
    assert project["requires-python"] == ">=" + min(named, key=lambda one: int(one[2:]))


def test_the_readme_of_a_release_has_no_link_that_is_dead_outside_the_repository():
    address = "https://github.com/owner/name"
    text = check.with_absolute_links(_text("README.md"), address, "v1.2.0")
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    own = [link.removeprefix(address) for link in links if link.startswith(address)]
    assert own
    for link in own:
        kind, tag, path = link.removeprefix("/").split("/", 2)
        assert (kind, tag) == ("raw" if path.endswith(".png") else "blob", "v1.2.0")
        assert (ROOT / path.partition("#")[0]).exists()


def test_the_paper_and_the_data_can_be_cited(citation):
    by_type = {reference["type"]: reference for reference in citation["references"]}
    assert by_type["article"]["year"] == 2019
    assert by_type["data"]["license"] == "CC-BY-4.0"
    assert "Creative Commons Attribution 4.0 International" in _text("LICENSE-DATA")


def test_actions_are_pinned_by_hash():
    """A tag of an action can be moved to other code."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for action in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
