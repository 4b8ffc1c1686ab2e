"""docs/graphql.md: its examples are asked from top to bottom and answered as it says, and no field is left out."""

import re

from harness import TOP, definition, wait_until
from receiver import answer

PAGE = (TOP / "docs" / "graphql.md").read_text()
DEAD = {"failed_policy": "retry_dlq", "max_retry_count": 0}


def examples():
    """Documents, each with the code of the error that it is to end in."""
    for block in re.findall(r"```graphql\n(.*?)```", PAGE, re.S):
        expected = re.search(r"^# => (\w+)$", block, re.M)
        yield block, expected[1] if expected else None


def test_every_example_is_answered_as_the_page_says(make_carillon, receiver):
    api, schedule = make_carillon(CARILLON_ADMIN_RESET="true").api, None
    receiver.rule("/dead", answer(500))
    for key in "xyz":
        api.register(definition(receiver.url + "/dead", key=key, task=dict(DEAD)))
    wait_until(lambda: len(api.get("/runs", query={"state": "dead"}).json()) == 3, "three dead runs")
    for document, expected in examples():
        if '"{id}"' in document:
            document = document.replace("{id}", schedule)
        if '"{run}"' in document:
            document = document.replace("{run}", wait_until(lambda: api.runs(schedule), "a run")[0]["id"])
        if '"{dead}"' in document:
            document = document.replace("{dead}", api.get("/runs", query={"state": "dead"}).json()[0]["id"])
        got = api.post("/graphql", {"query": document})
        assert got.status == 200, (document, got)
        found = got.json()
        assert [e["extensions"]["code"] for e in found.get("errors", [])] == ([expected] if expected else []), (document, got)
        for name, value in (found["data"] or {}).items():
            assert value is not None or expected, (document, name)
        if "registerSchedule" in found["data"]:
            schedule = found["data"]["registerSchedule"]["id"]
        if "registerSchedules" in found["data"]:
            assert [r["created"] for r in found["data"]["registerSchedules"]] == [True, False]


def test_no_field_is_left_out(carillon):
    got = carillon.api.post("/graphql", {"query": "{ __schema { queryType { fields { name } } mutationType { fields { name } } } }"})
    schema = got.json()["data"]["__schema"]
    asked = "\n".join(document for document, _ in examples())
    for field in schema["queryType"]["fields"] + schema["mutationType"]["fields"]:
        assert re.search(rf"^  {field['name']}\b", asked, re.M), f"no example asks for {field['name']}"
