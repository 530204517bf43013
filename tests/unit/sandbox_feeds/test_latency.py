"""Waiting times of feeds."""

import math
from statistics import median, stdev

from changeover_sandbox.feeds.latency import Latency


def test_a_feed_waits_always_the_same() -> None:
    latency = Latency(0.3, 0.5, 1)
    assert latency.of("a") == latency.of("a") == Latency(0.3, 0.5, 1).of("a")
    assert latency.of("a") != latency.of("b")


def test_over_many_feeds_the_waits_are_log_normal_about_the_median() -> None:
    latency = Latency(0.3, 0.5, 1)
    waits = [latency.of(str(number)) for number in range(2000)]
    assert 0.28 < median(waits) < 0.32
    assert 0.47 < stdev(map(math.log, waits)) < 0.53


def test_a_new_seed_gives_new_waits_and_a_median_of_zero_none() -> None:
    latency = Latency(0.3, 0.5, 1)
    before = latency.of("a")
    latency.change(0.3, 0.5, 2)
    assert latency.of("a") != before
    latency.change(0.0, 0.0, 0)
    assert latency.of("a") == 0.0
