"""Schedules over REST as an application uses them: lists, pages, filters, versions and deletions on the built binary."""

import re

import pytest

from harness import definition

FAR = "2090-01-01T00:00:00Z"


def far(key, **members):
    return definition("http://127.0.0.1:9/", "date", FAR, key, **members)


def client(**members):
    whole = {"operation": "op", "application": "app", "group": "g", "key": "k", "type": "t"}
    return {**whole, **members}


def pages(api, path):
    """All items, page by page, as the Link header leads."""
    found = []
    while path:
        answer = api.get(path)
        assert answer.status == 200, answer
        found.append(answer.json())
        link = re.fullmatch(r'<([^>]*)>; rel="next"', answer.headers.get("Link", ""))
        path = link.group(1) if link else None
    return found


def test_a_list_is_empty_first_and_then_in_order_of_registration(carillon):
    assert carillon.api.get("/schedules").json() == []
    ids = [carillon.api.register(far(str(i)))["id"] for i in range(3)]
    assert [s["id"] for s in carillon.api.get("/schedules").json()] == ids


def test_pages_follow_each_other_while_rows_come_and_go(carillon):
    api = carillon.api
    ids = [r["id"] for r in api.post("/schedules/batch", [far(f"{i:03}") for i in range(250)]).json()]
    got = pages(api, "/schedules?limit=100")
    assert [len(p) for p in got] == [100, 100, 50]
    assert [s["id"] for p in got for s in p] == ids

    first = api.get("/schedules?limit=100")
    following = re.fullmatch(r'<([^>]*)>; rel="next"', first.headers["Link"]).group(1)
    assert api.delete(f"/schedules/{ids[50]}").status == 200
    assert api.delete(f"/schedules/{ids[100]}").status == 200
    late = api.register(far("late"))["id"]
    rest = [s["id"] for p in pages(api, following) for s in p]
    assert rest == ids[101:] + [late]


@pytest.mark.parametrize("query", ["", "?name=", "?limit=5"])
def test_what_matches_everything_deletes_nothing(carillon, query):
    carillon.api.register(definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *"))
    answer = carillon.api.delete("/schedules" + query)
    assert answer.status == 422, answer
    assert len(carillon.api.get("/schedules").json()) == 1


@pytest.mark.parametrize("member", ["operation", "application", "group", "key", "type"])
def test_each_member_of_the_client_filters_and_deletes(carillon, member):
    api = carillon.api
    mine = api.register({**far("a"), "client": client(**{member: "mine, with comma"})})["id"]
    other = api.register({**far("b"), "client": client(**{member: "other"})})["id"]
    found = api.get("/schedules", query={member: "mine, with comma"}).json()
    assert [s["id"] for s in found] == [mine]
    answer = api.delete("/schedules?" + f"{member}=mine%2C%20with%20comma")
    assert (answer.status, answer.json()) == (200, {"count": 1})
    assert [s["id"] for s in api.get("/schedules").json()] == [other]


def test_name_filters_by_prefix_and_state_by_state(carillon):
    api = carillon.api
    one = api.register({**far("1"), "name": "alpha one"})["id"]
    two = api.register({**far("2"), "name": "alpha two", "paused": True})["id"]
    api.register({**far("3"), "name": "beta"})
    assert [s["id"] for s in api.get("/schedules", query={"name": "alpha"}).json()] == [one, two]
    assert [s["id"] for s in api.get("/schedules", query={"name": "alpha", "state": "paused"}).json()] == [two]
    assert api.get("/schedules", query={"state": "asleep"}).status == 422


def test_put_replaces_what_if_match_names_and_nothing_else(carillon):
    api = carillon.api
    made = api.post("/schedules", far("1"))
    path, tag = f"/schedules/{made.json()['id']}", made.headers["ETag"]
    changed = {**far("1"), "name": "changed"}
    assert api.put(path, changed, headers={"If-Match": '"99"'}).status == 412
    assert api.get(path).json()["name"] == "test 1"
    answer = api.put(path, changed, headers={"If-Match": tag})
    assert answer.status == 200
    assert answer.headers["ETag"] != tag
    assert api.get(path).json()["name"] == "changed"
    assert api.post(path + "/update", {**far("1"), "name": "again"}).status == 200
    assert api.get(path).json()["name"] == "again"
    assert api.delete(path, headers={"If-Match": tag}).status == 412
    assert api.delete(path).status == 200
    assert api.get(path).status == 404
    assert api.put(path, changed).status == 404


def test_put_cannot_take_another_schedules_identity(carillon):
    api = carillon.api
    first = api.register(far("1"))["id"]
    api.register(far("2"))
    answer = api.put(f"/schedules/{first}", far("2"))
    assert answer.status == 409, answer
    assert [s["client"]["key"] for s in api.get("/schedules").json()] == ["1", "2"]


def test_of_two_with_one_identity_in_a_batch_the_last_wins(carillon):
    api = carillon.api
    batch = [{**far("1"), "name": "first"}, {"name": "broken"}, {**far("1"), "name": "last"}]
    results = api.post("/schedules/batch", batch).json()
    assert [r["status"] for r in results] == [201, 422, 200]
    assert results[0]["id"] == results[2]["id"]
    assert [s["name"] for s in api.get("/schedules").json()] == ["last"]


def test_a_refused_definition_leaves_nothing_behind(carillon):
    api = carillon.api
    answer = api.post("/schedules", {**far("1"), "overlapp": "skip"})
    assert answer.status == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/overlapp"]
    assert api.get("/schedules").json() == []
