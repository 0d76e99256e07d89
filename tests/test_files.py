"""A file that is written anew is whole or as it was, whatever goes wrong."""

from __future__ import annotations

import dataclasses
import errno
import os
import stat
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from hyperspy_coreloss import SpectrumDataset, load_dataset, load_emulator, load_pretrained
from hyperspy_coreloss.components.emulator import SpectrumEmulator
from hyperspy_coreloss.files import (
    check_folder_writable,
    check_writable,
    keep_replaced,
    replace_file,
)
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.simulation.site_record import (
    SiteRecord,
    load_site_record,
    save_site_record,
)
from tests.made_sites import site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD, NEW = b"old \x00\xff" * 1000, b"new \xfe" * 5000


class Interrupted(BaseException):
    """What the user does when it takes too long."""


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(OLD)
    return path


def only_file(path):
    """Return the content of the one file of a folder."""
    assert [other.name for other in path.parent.iterdir()] == [path.name]
    return path.read_bytes()


def full_disk(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def small_disk():
    """A disk that takes no file above one kilobyte, for as long as it is entered."""
    resource = pytest.importorskip("resource", reason="file sizes are limited as Unix does")

    class SmallDisk:
        def __enter__(self):
            self.limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, self.limits[1]))

        def __exit__(self, *error):
            resource.setrlimit(resource.RLIMIT_FSIZE, self.limits)

    return SmallDisk()


def test_new_content_takes_the_place_of_the_old(old):
    with replace_file(old) as path:
        path.write_bytes(NEW)
        assert old.read_bytes() == OLD
    assert only_file(old) == NEW


def test_a_new_file_appears_with_its_content(tmp_path):
    with replace_file(tmp_path / "new.bin") as path:
        path.write_bytes(NEW)
        assert path.parent == tmp_path
        assert not (tmp_path / "new.bin").exists()
    assert only_file(tmp_path / "new.bin") == NEW


def test_names_may_be_text(old):
    with replace_file(str(old)) as path:
        path.write_bytes(NEW)
    assert only_file(old) == NEW


@pytest.mark.parametrize("fault", [ValueError, OSError, KeyboardInterrupt, Interrupted])
def test_an_old_file_survives_a_body_that_fails(old, fault):
    with pytest.raises(fault), replace_file(old) as path:
        path.write_bytes(NEW)
        raise fault
    assert only_file(old) == OLD


def test_an_old_file_survives_a_disk_that_does_not_take_the_new_one(old, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"), replace_file(old) as path:
        path.write_bytes(NEW)
    assert only_file(old) == OLD


def test_an_old_file_survives_a_disk_that_ends_within_the_new_one(old, small_disk):
    with pytest.raises(OSError, match="large"), small_disk, replace_file(old) as path:
        path.write_bytes(NEW)
    assert only_file(old) == OLD


def test_of_a_file_that_failed_and_was_not_there_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"), replace_file(tmp_path / "new") as path:
        path.write_bytes(NEW)
    assert list(tmp_path.iterdir()) == []


def test_content_is_on_the_disk_before_the_name_changes_hands(old, monkeypatch):
    flushed = []

    def fsync(handle, real=os.fsync):
        flushed.append((os.fstat(handle).st_size, old.read_bytes()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with replace_file(old) as path:
        path.write_bytes(NEW)
    assert flushed == [(len(NEW), OLD)]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_a_file_keeps_its_permissions(old, mode):
    old.chmod(mode)
    with replace_file(old) as path:
        path.write_bytes(NEW)
    assert stat.S_IMODE(old.stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o027, 0o077])
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        with replace_file(tmp_path / "ours") as path:
            path.write_bytes(NEW)
        (tmp_path / "any").write_bytes(NEW)
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    ours, others = ((tmp_path / name).stat().st_mode for name in ("ours", "any"))
    assert ours == others


def test_a_place_is_checked_without_a_trace(old):
    check_writable(old)
    check_writable(old.with_name("new.bin"))
    check_folder_writable(old.parent)
    check_folder_writable(old.parent / "new" / "folder")
    assert only_file(old) == OLD


@pytest.mark.parametrize("name", ["", "missing/new.bin", "file.bin/new.bin"])
def test_a_place_that_takes_no_file_is_noticed(old, name):
    with pytest.raises(OSError, match="folder"):
        check_writable(old.parent / name)
    assert only_file(old) == OLD


@pytest.mark.parametrize("name", ["file.bin", "file.bin/new/folder"])
def test_a_place_that_takes_no_folder_is_noticed(old, name):
    with pytest.raises(NotADirectoryError, match=r"file\.bin is not a folder"):
        check_folder_writable(old.parent / name)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_noticed(tmp_path):
    tmp_path.chmod(0o500)
    for check in (check_writable, check_folder_writable):
        with pytest.raises(PermissionError):
            check(tmp_path / "new.bin")


def made_record(number):
    return SiteRecord(
        alpha=np.random.default_rng(number).normal(size=(4, 3, 50)),
        beta=np.ones((4, 3, 50)),
        norm=np.ones((4, 3)),
        cell=8.0 * np.eye(3),
        positions=np.zeros((1, 3)),
        numbers=np.array([8]),
        site=number,
        label={"bond_length": 1.61},
    )


@dataclasses.dataclass(frozen=True)
class Writer:
    """Makes one of many things, saves it, and tells from a file which it is."""

    make: Callable[[int], Any]
    save: Callable[[Any, Path], None]
    identify: Callable[[Path], int]


WRITERS = {
    "model": Writer(
        lambda number: dataclasses.replace(load_pretrained(), version=str(number)),
        PretrainedModel.save,
        lambda path: int(PretrainedModel.load(path).version),
    ),
    "emulator": Writer(
        lambda number: dataclasses.replace(load_emulator(), name=str(number)),
        SpectrumEmulator.save,
        lambda path: int(SpectrumEmulator.load(path).name),
    ),
    "data set": Writer(
        lambda number: SpectrumDataset((site(f"site {number}"),), str(number), "CC0"),
        SpectrumDataset.save,
        lambda path: int(load_dataset(path).description),
    ),
    "site record": Writer(made_record, save_site_record, lambda path: load_site_record(path).site),
}


@pytest.fixture(params=WRITERS)
def writer(request):
    return WRITERS[request.param]


@pytest.fixture
def saved(writer, tmp_path):
    writer.save(writer.make(1), tmp_path / "saved.file")
    return tmp_path / "saved.file"


def test_what_is_saved_again_is_the_new(writer, saved):
    writer.save(writer.make(2), saved)
    assert only_file(saved)
    assert writer.identify(saved) == 2


def test_what_was_saved_survives_a_disk_that_does_not_take_more(writer, saved, monkeypatch):
    content = only_file(saved)
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        writer.save(writer.make(2), saved)
    assert only_file(saved) == content
    assert writer.identify(saved) == 1


def test_what_was_saved_survives_a_disk_that_ends_within_the_file(writer, saved, small_disk):
    content, other = only_file(saved), writer.make(2)
    with pytest.raises(OSError, match="large"), small_disk:
        writer.save(other, saved)
    assert only_file(saved) == content
    assert writer.identify(saved) == 1
    writer.save(other, saved)
    assert writer.identify(saved) == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_what_is_saved_again_keeps_its_permissions(writer, saved):
    saved.chmod(0o640)
    writer.save(writer.make(2), saved)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o640


@pytest.mark.parametrize("failure", [OSError, Interrupted])
def test_what_others_overwrite_is_kept_until_they_are_done(old, failure):
    with pytest.raises(failure), keep_replaced(old):
        old.write_bytes(NEW[:7])
        raise failure
    assert only_file(old) == OLD
    with keep_replaced(old):
        assert not old.exists()
        old.write_bytes(NEW)
    assert only_file(old) == NEW


def test_a_folder_that_others_overwrite_is_kept_too(tmp_path):
    store = tmp_path / "maps.zspy"
    (store / "group").mkdir(parents=True)
    (store / "group" / "0").write_bytes(OLD)
    with pytest.raises(Interrupted), keep_replaced(store):
        (store / "other").mkdir(parents=True)
        raise Interrupted
    assert [path.relative_to(store).as_posix() for path in store.rglob("*")] == ["group", "group/0"]
    assert [path.name for path in tmp_path.iterdir()] == ["maps.zspy"]


def test_an_old_file_that_cannot_be_put_back_is_not_lost(old, monkeypatch):
    with pytest.raises(OSError, match=r"No space left"), keep_replaced(old):
        old.write_bytes(NEW[:7])
        monkeypatch.setattr("pathlib.Path.unlink", lambda *_, **_options: full_disk())
        raise Interrupted
    (kept,) = old.parent.rglob(f".{old.name}.*.old/{old.name}")
    assert kept.read_bytes() == OLD


def test_a_file_in_a_folder_that_takes_no_other_is_overwritten(old, monkeypatch):
    monkeypatch.setattr("tempfile.mkdtemp", lambda **_: full_disk())
    with keep_replaced(old):
        old.write_bytes(NEW)
    assert only_file(old) == NEW


def test_what_others_write_anew_need_not_exist(tmp_path):
    with keep_replaced(tmp_path / "new"):
        (tmp_path / "new").write_bytes(NEW)
    assert only_file(tmp_path / "new") == NEW


def test_a_file_that_cannot_be_moved_is_overwritten(old, monkeypatch):
    monkeypatch.setattr("pathlib.Path.rename", full_disk)
    with keep_replaced(old):
        old.write_bytes(NEW)
    assert only_file(old) == NEW
