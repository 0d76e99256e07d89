"""Claims about what compiled functions are given."""

from __future__ import annotations

import numpy as np
import pytest

from hyperspy_coreloss.spectra.compiled import compiled, plain_array

TYPES = ["bool", "i1", "u1", ">i2", "<i4", ">i8", "u8", "f2", ">f4", "f8", ">f8", "longdouble"]


@compiled
def total(values):
    summed = 0.0
    for value in values.ravel():
        summed += value
    return summed


@pytest.mark.parametrize("dtype", TYPES)
def test_every_real_data_type_can_be_compiled_for(dtype):
    values = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)[:, ::-1]
    plain = plain_array(values)
    np.testing.assert_array_equal(plain, values)
    assert plain.flags.c_contiguous
    assert plain.flags.writeable
    assert total(plain) == 4


@pytest.mark.parametrize("dtype", ["i4", "f4"])
def test_masked_values_become_nan(dtype):
    masked = np.ma.array(np.arange(6).reshape(2, 3), mask=False, dtype=dtype)
    assert plain_array(masked).dtype == np.dtype(dtype)
    masked[1, 2] = np.ma.masked
    plain = plain_array(masked)
    assert np.isnan(plain[1, 2])
    np.testing.assert_array_equal(plain.ravel()[:5], np.arange(5))


def test_an_array_that_is_plain_is_not_copied():
    values = np.ones((2, 3), dtype=np.float32)
    assert np.shares_memory(plain_array(values), values)
    values.flags.writeable = False
    assert plain_array(values).flags.writeable
