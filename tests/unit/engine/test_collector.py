from __future__ import annotations

import gc
from contextlib import suppress

from changeover.engine.collector import paused


def test_it_is_off_inside_and_on_again_afterwards_whatever_happened() -> None:
    with suppress(ZeroDivisionError), paused():
        assert not gc.isenabled()
        raise ZeroDivisionError
    assert gc.isenabled()


def test_the_inner_of_two_blocks_leaves_it_to_the_outer() -> None:
    with paused():
        with paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
