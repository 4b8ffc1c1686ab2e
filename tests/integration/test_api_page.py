"""docs/api.md: its examples are sent from top to bottom and answered as it says, and no call is left out."""

import re

from harness import TOP, wait_until

PAGE = (TOP / "docs" / "api.md").read_text()
# Streams, and what has a page of its own.
ELSEWHERE = {("GET", "/events"), ("GET", "/graphql"), ("POST", "/graphql")}


def examples():
    for block in re.findall(r"```http\n(.*?)```", PAGE, re.S):
        head, _, rest = block.partition("\n\n") if "\n\n" in block else (block, "", "")
        text = rest or head
        body, _, status = text.rpartition("=> ")
        lines = (head if rest else body).strip().splitlines()
        method, target = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        yield method, target, headers, body.strip() if rest else None, int(status)


def test_every_example_is_answered_as_the_page_says(carillon):
    api, schedule = carillon.api, None
    for method, target, headers, body, status in examples():
        path = target
        if "{id}" in path:
            path = path.replace("{id}", schedule)
        if "{run}" in path:
            runs = wait_until(lambda: api.runs(schedule), "a run")
            path = path.replace("{run}", runs[0]["id"])
        answer = api.call(method, path, body.encode() if body else None, headers=headers)
        assert answer.status == status, (method, target, answer)
        if method == "POST" and target == "/schedules":
            schedule = answer.json()["id"]
        if target.endswith("/batch"):
            assert [r["status"] for r in answer.json()] == [201, 422]


def test_no_call_is_left_out(carillon):
    told = {(m, re.sub(r"\{run\}|0{8}-[0-9-]+", "{id}", t.split("?")[0])) for m, t, *_ in examples()}
    there = {
        (method.upper(), path) for path, methods in carillon.api.get("/openapi.json").json()["paths"].items() for method in methods
    }
    assert there - told - ELSEWHERE == set()
    assert told - there == set()


def test_the_limits_it_names_are_settings():
    reference = (TOP / "docs" / "configuration.md").read_text()
    for name in set(re.findall(r"`(server\.[a-z_]+)`", PAGE)):
        assert f"| `{name}` |" in reference, name
