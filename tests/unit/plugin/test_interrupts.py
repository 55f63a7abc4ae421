"""Interrupts that come at a bad time take effect a little later."""

from __future__ import annotations

import signal

import pytest

from lago_acceptance.plugin import interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_takes_effect_at_the_end_of_the_block(number: signal.Signals):
    before, reached = signal.getsignal(number), []
    with pytest.raises(KeyboardInterrupt), interrupts.deferred():
        signal.raise_signal(number)
        reached.append("the end")
    assert reached == ["the end"]
    assert signal.getsignal(number) is before


def test_without_an_interrupt_nothing_is_raised():
    before = signal.getsignal(signal.SIGINT)
    with interrupts.deferred():
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_what_the_block_raises_comes_first():
    with pytest.raises(ZeroDivisionError), interrupts.deferred():
        signal.raise_signal(signal.SIGINT)
        raise ZeroDivisionError
