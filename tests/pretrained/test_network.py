"""The networks leave torch as the user has set it, and give the same bits whatever that is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch

from hyperspy_coreloss.components.emulator import load_emulator
from hyperspy_coreloss.pretrained import network
from hyperspy_coreloss.pretrained.network import evaluate, one_thread
from tests.fresh import run_fresh

THREADS = 2


@pytest.fixture(autouse=True)
def two_threads():
    """What a user has set, and what was set before."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def inputs(rng, pretrained):
    """Enough for torch to share the work among threads, if it may."""
    return rng.random((512, pretrained.weights["input_mean"].shape[1]), dtype=np.float32)


def equal(some, others):
    """Whether two evaluations give the same bits."""
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


def in_a_thread(task):
    with ThreadPoolExecutor(1) as fresh:
        return fresh.submit(task).result()


def used_threads():
    """Return the number of threads at which torch works, without torch setting it anew."""
    pools = network._THREADPOOLS.info()
    return {pool["num_threads"] for pool in pools if pool["user_api"] == "openmp"}


def counted(monkeypatch):
    """Return what each multiplication of a network finds: its number of threads."""
    found = []

    def baddbmm(*arguments, real=torch.baddbmm):
        result = real(*arguments)
        found.append((torch.get_num_threads(), max(used_threads())))
        return result

    monkeypatch.setattr(torch, "baddbmm", baddbmm)
    return found


@pytest.mark.parametrize("where", ["the main thread", "a fresh thread", "the thread of before"])
def test_networks_run_in_one_thread(pretrained, inputs, monkeypatch, where):
    evaluate(pretrained, inputs)  # the weights are kept: no more is set up below
    found = counted(monkeypatch)

    def task():
        return evaluate(pretrained, inputs)

    if where == "the main thread":
        task()
    elif where == "a fresh thread":
        in_a_thread(task)
    else:
        in_a_thread(lambda: (torch.get_num_threads(), task()))
    assert set(found) == {(1, 1)}
    # The hidden layers, the outputs, and the direct connection.
    assert len(found) == len(pretrained.hidden) + 2


def test_the_number_of_threads_is_the_users_before_and_after(pretrained, inputs):
    def task():
        before = torch.get_num_threads()
        evaluate(pretrained, inputs)
        return before, torch.get_num_threads()

    assert task() == in_a_thread(task) == (THREADS, THREADS)
    assert in_a_thread(torch.get_num_threads) == THREADS


def test_after_a_fault_the_number_of_threads_is_the_users(pretrained):
    with pytest.raises(RuntimeError, match="size"):
        evaluate(pretrained, np.zeros((256, 7), np.float32))
    assert torch.get_num_threads() == THREADS


def test_a_limit_ends_with_the_outermost_one():
    with one_thread():
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == THREADS


def test_other_threads_keep_theirs_meanwhile():
    inside, outside = Barrier(2, timeout=30), Barrier(2, timeout=30)

    def limited():
        with one_thread():
            inside.wait()
            found = torch.get_num_threads()
            outside.wait()
        return found, torch.get_num_threads()

    with ThreadPoolExecutor(1) as other:
        running = other.submit(limited)
        inside.wait()
        found = torch.get_num_threads(), in_a_thread(torch.get_num_threads)
        outside.wait()
        assert running.result() == (1, THREADS)
    assert found == (THREADS, THREADS)


def test_many_threads_at_once_give_the_bits_of_one(pretrained, inputs):
    expected = evaluate(pretrained, inputs)
    start = Barrier(8, timeout=60)

    def task(number):
        start.wait()
        same = [equal(evaluate(pretrained, inputs), expected) for _ in range(5)]
        return all(same), torch.get_num_threads()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(task, range(8))) == [(True, THREADS)] * 8
    assert torch.get_num_threads() == THREADS


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 8])
def test_the_users_number_changes_no_bit(pretrained, inputs, threads):
    expected = evaluate(pretrained, inputs)
    torch.set_num_threads(threads)
    assert equal(evaluate(pretrained, inputs), expected)


def test_signals_predicted_by_many_threads_get_the_bits_of_one(image):
    eager = image[0]
    lazy = eager.as_lazy()
    lazy.data = lazy.data.rechunk((1, 2, 1024))
    expected = eager.predict_properties(resolution=0.5, show_progressbar=False).data

    def task(number):
        given = (eager, lazy)[number % 2]
        result = given.predict_properties(resolution=0.5, show_progressbar=False)
        if result._lazy:
            result.compute(show_progressbar=False)
        return np.array_equal(result.data, expected), torch.get_num_threads()

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(task, range(12))) == [(True, THREADS)] * 12
    assert torch.get_num_threads() == in_a_thread(torch.get_num_threads) == THREADS


def test_emulators_keep_to_it_too():
    emulator = load_emulator()
    centre = emulator.arrays["centre"]
    expected = emulator.mixture(emulator.sites), emulator.mixture_gradient(centre)
    for number in (1, 4):
        torch.set_num_threads(number)
        for task in (lambda call: call(), in_a_thread):
            np.testing.assert_array_equal(
                task(lambda: emulator.mixture(emulator.sites)), expected[0]
            )
            np.testing.assert_array_equal(
                task(lambda: emulator.mixture_gradient(centre)), expected[1]
            )
        assert torch.get_num_threads() == in_a_thread(torch.get_num_threads) == number


def test_a_setting_of_before_the_first_prediction_is_kept():
    run_fresh("""
        from concurrent.futures import ThreadPoolExecutor
        import numpy as np
        import torch
        torch.set_num_threads(3)
        from hyperspy_coreloss.data import silica_spectrum_image
        spectra, _ = silica_spectrum_image((3, 2))
        spectra.as_lazy().predict_properties(resolution=0.5, show_progressbar=False).compute()
        assert torch.get_num_threads() == 3
        with ThreadPoolExecutor(1) as fresh:
            assert fresh.submit(torch.get_num_threads).result() == 3
        """)
