"""A thread that waits is woken, and no change is lost."""

import threading
import time

from syncer.wakeup import Wakeup

LONG = 60.0


def test_a_ring_before_the_wait_is_not_lost() -> None:
    wakeup, began = Wakeup(), time.monotonic()
    wakeup.ring()
    wakeup.wait(LONG)
    assert time.monotonic() - began < LONG
    assert not wakeup.take_change()


def test_a_change_wakes_a_waiting_thread_and_is_taken_once() -> None:
    wakeup = Wakeup()
    thread = threading.Thread(target=wakeup.wait, args=[LONG])
    thread.start()
    wakeup.change()
    thread.join(LONG / 2)
    assert not thread.is_alive()
    assert wakeup.has_changed()
    assert wakeup.take_change()
    assert not wakeup.take_change()


def test_a_stop_wakes_the_thread_and_stays() -> None:
    wakeup = Wakeup()
    wakeup.stop()
    wakeup.wait(LONG)
    assert wakeup.stopped.is_set()
