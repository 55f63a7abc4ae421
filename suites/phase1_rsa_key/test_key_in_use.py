"""Phase 1: Lago has loaded the mounted key, signs with it, and it is nowhere else."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import rsa_key

pytestmark = [pytest.mark.smoke, pytest.mark.phase1]


def test_lago_loads_its_key(facts, judge):
    judge(rsa_key.is_loaded(facts))


def test_every_process_holds_the_mounted_key(facts, settings, judge):
    judge(rsa_key.is_the_mounted_one(facts, settings))


def test_the_api_serves_the_public_half_of_the_mounted_key(facts, settings, judge):
    judge(rsa_key.public_half_is_served(facts, settings))


def test_a_token_that_the_api_signs_verifies(facts, settings, judge):
    judge(rsa_key.signed_token_verifies(facts, settings))


def test_docker_exec_has_the_key_too(facts, judge):
    judge(rsa_key.is_there_in_docker_exec(facts))


def test_no_key_material_in_files_environment_or_logs(facts, settings, judge):
    judge(rsa_key.is_nowhere_else(facts, settings))
