"""The numbers in what was seen from outside."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.measurements import Measurement
from lago_acceptance.probes.survey import PublicSurvey


def of_survey(survey: PublicSurvey) -> Iterator[Measurement]:
    """For each public name the days until the first of its certificates expires."""
    left: dict[str, float] = {}
    for (host, _), handshake in survey.handshakes.items():
        if handshake.certificate:
            days = handshake.certificate.days_left(survey.now)
            left[host] = min(days, left.get(host, days))
    for host, days in left.items():
        yield Measurement("certificate_days", round(days, 2), host)
