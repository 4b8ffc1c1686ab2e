"""The service's GraphQL schema speaks of the same values as the model: each enum has what its list in C has."""

import pathlib
import re

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
SDL = (TOP / "src" / "api" / "graphql" / "schema.graphql").read_text()
HEADERS = "\n".join(p.read_text() for p in sorted((TOP / "src").rglob("*.h")))

ENUMS = {
    "ScheduleType": "SCHEDULE_TYPE_LIST",
    "ScheduleState": "SCHEDULE_STATE_LIST",
    "TaskType": "TASK_TYPE_LIST",
    "FailedPolicy": "FAILED_POLICY_LIST",
    "Misfire": "MISFIRE_LIST",
    "Overlap": "OVERLAP_LIST",
    "TaskBody": "TASK_BODY_LIST",
    "RedisMode": "REDIS_MODE_LIST",
    "RunState": "RUN_STATE_LIST",
    "MissedReason": "MISSED_LIST",
    "EventKind": "HISTORY_KIND_LIST",
}


def values_of_enum(name: str) -> list[str]:
    body = re.search(rf"^enum {name} {{\n(.*?)^}}", SDL, re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"^  (\w+)$", re.sub(r'""".*?"""', "", body, flags=re.DOTALL), re.MULTILINE)


def words_of_list(name: str) -> list[str]:
    body = re.search(rf"#define {name}\(X\)((?:.*\\\n)*.*)", HEADERS)[1]
    return re.findall(r'X\(\w+, "([^"]+)"\)', body)


@pytest.mark.parametrize("enum", ENUMS)
def test_an_enum_has_the_values_of_its_list(enum):
    words = words_of_list(ENUMS[enum])
    assert words
    assert values_of_enum(enum) == [word.upper().replace("-", "_") for word in words]


SHAPES = (TOP / "src" / "api" / "schemas.c").read_text()


def fields_of(kind: str, name: str) -> set[str]:
    """Member names as JSON has them: snake_case."""
    body = re.search(rf"^{kind} {name} {{\n(.*?)^}}", SDL, re.MULTILINE | re.DOTALL)[1]
    names = re.findall(r"^  (\w+)(?:\(|:)", re.sub(r'""".*?"""', "", body, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[A-Z]", lambda m: "_" + m[0].lower(), n) for n in names}


def members_of(*arrays: str) -> set[str]:
    found = set()
    for array in arrays:
        body = re.search(rf"(?:define {array}(?:\(\w+\))?|{array}\[\] =)(.*?)(?:\n\n|\}};)", SHAPES, re.DOTALL)[1]
        found |= {a or b for a, b in re.findall(r'\{\s*"(\w+)",|^\s+"(\w+)",', body, re.MULTILINE)}
    assert found
    return found


def test_a_definition_has_the_members_that_rest_takes():
    assert fields_of("input", "ScheduleInput") == members_of("definition_members", "TIMING_MEMBERS", "POLICY_MEMBERS")
    assert fields_of("input", "TaskInput") == members_of("task_members")
    assert fields_of("input", "ClientInput") == members_of("client_members")
    # tls has one member, which is spelled out
    assert fields_of("input", "TargetInput") == members_of("connection_members") - {"tls"} | {"tls_insecure"}


def test_what_is_read_has_the_members_that_rest_gives():
    definition = members_of("definition_members", "TIMING_MEMBERS", "POLICY_MEMBERS")
    schedule = fields_of("type", "Schedule") - {"definition", "history"}
    # `runs` is the list of them here; the count has a name of its own, as the other has
    renamed = {"run_count" if m == "runs" else "open_run_count" if m == "open_runs" else m
               for m in members_of("schedule_members")}
    assert schedule == definition | renamed | {"runs"}
    assert fields_of("type", "Run") == members_of("run_members") | {"schedule"}
    assert fields_of("type", "Instance") == members_of("instance_members")
    assert fields_of("type", "Backfilled") == members_of("backfilled_members")
    assert fields_of("type", "Redriven") == members_of("redriven_members")
