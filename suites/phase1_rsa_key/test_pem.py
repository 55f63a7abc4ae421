"""Phase 1: the RSA key is a PEM on the host, and every process of Lago mounts it read-only."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import rsa_pem

pytestmark = [pytest.mark.smoke, pytest.mark.phase1]


def test_the_key_is_mounted_into_every_process_that_needs_it(facts, settings, judge):
    judge(rsa_pem.is_mounted_everywhere(facts, settings))


def test_the_pem_is_a_file(facts, settings, judge):
    judge(rsa_pem.is_a_file(facts, settings))


def test_only_its_owner_may_read_the_pem(facts, settings, judge):
    judge(rsa_pem.is_private(facts, settings))


def test_the_pem_is_a_private_rsa_key_that_lago_can_use(facts, settings, judge):
    judge(rsa_pem.is_a_key_that_lago_can_use(facts, settings))


def test_the_mount_is_read_only_and_the_same_everywhere(facts, settings, judge):
    judge(rsa_pem.is_mounted_read_only_and_the_same(facts, settings))
