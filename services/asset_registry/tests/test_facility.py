"""The rules of facilities."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.asset_registry.aggregate import Facility
from shared.contracts.asset_registry import FacilityRegistered
from shared.errors import Invalid, Rejected

NOON = datetime(2021, 3, 9, 4, tzinfo=UTC)
HALL = FacilityRegistered(
    facility_id="hall",
    name="政务中心",
    uscc="11530121MB198972XH",
    region_code="530114",
    timezone="Asia/Shanghai",
    address="呈贡区",
    floor_area_m2=12629,
)


def faults_of(registration: FacilityRegistered) -> dict[str, list[str]]:
    """What is wrong with a registration, which must have recorded nothing."""
    facility = Facility("hall")

    with pytest.raises(Invalid) as refused:
        facility.register(registration, NOON)

    assert facility.new_events == []
    return {field: list(whys) for field, whys in refused.value.errors.items()}


def test_a_facility_is_registered_once() -> None:
    facility = Facility("hall")

    facility.register(HALL, NOON)

    assert facility.new_events == [(HALL, NOON)]
    again = Facility.replay("hall", [HALL])
    with pytest.raises(Rejected, match="registered already"):
        again.register(replace(HALL, name="新名"), NOON)
    assert again.new_events == []


def test_a_code_is_valid_although_it_embeds_another_region_than_the_facilitys() -> None:
    facility = Facility("hall")

    facility.register(replace(HALL, region_code="530114"), NOON)

    assert HALL.uscc[2:8] == "530121"
    assert facility.exists


@pytest.mark.parametrize(
    "uscc",
    [
        "",
        "11530121MB198972XG",  # the check character is H
        "11530121MB198972X",
        "11530121mb198972xh",
        "11530121 MB198972XH",
        "11530121-MB198972XH",
        " 11530121MB198972XH",
        "11530121MB198972XH\n",
        "11530121MB198972XH0",
        "１１５３０１２１MB198972XH",
        "11530121MI198972XH",  # I, O, S, V and Z are not used
    ],
)
def test_a_code_with_a_wrong_check_character_or_written_otherwise_is_refused(uscc: str) -> None:
    assert list(faults_of(replace(HALL, uscc=uscc))) == ["uscc"]


@pytest.mark.parametrize("region", ["530114", "530114000000"])
def test_a_region_code_has_six_digits_or_twelve(region: str) -> None:
    facility = Facility("hall")

    facility.register(replace(HALL, region_code=region), NOON)

    assert facility.exists


@pytest.mark.parametrize("region", ["", "53011", "5301140", "53011a", "５３０１１４", "²³0114", "-53011", "530114\n"])
def test_a_region_code_of_anything_else_is_refused(region: str) -> None:
    assert list(faults_of(replace(HALL, region_code=region))) == ["region_code"]


@pytest.mark.parametrize("timezone", ["", "Asia/Kunming", "asia/shanghai", "UTC+8", "../etc/passwd"])
def test_a_time_zone_is_one_of_the_iana_data_base(timezone: str) -> None:
    assert list(faults_of(replace(HALL, timezone=timezone))) == ["timezone"]
