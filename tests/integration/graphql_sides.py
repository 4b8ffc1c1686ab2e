"""The same things done to a service by REST and by GraphQL, each with what came of it told alike."""

import datetime
import json
import re

from graphql_ground import GraphQL, as_input, enum_of, input_pointer
from harness import wait_until

PAGE = 100
GROUP = "same"


class Refused:
    """Why something was refused: a word for the kind, and the places of what is wrong.

    `partial`: GraphQL's own types refused it, which tell one fault, before anything was asked.
    """

    def __init__(self, kind, places=(), partial=False):
        self.kind = kind
        self.places = set(places)
        self.partial = partial

    def agrees_with(self, other):
        if not isinstance(other, Refused):
            return False
        if other.partial:
            return self.kind == "invalid" and bool(other.places) and other.places <= self.places
        return self.kind == other.kind and self.places == other.places

    def __repr__(self):
        return f"<refused {self.kind} {sorted(self.places)}{' by its types' if self.partial else ''}>"


class Side:
    def __init__(self, api):
        self.api = api
        self.graphql = GraphQL(api)
        self.ids = {}  # of schedules by what the test calls them

    def id(self, name):
        return self.ids.get(name, "01935b5e-7f2a-7c3e-9d55-0a1b2c3d4e5f")

    def schedules(self):
        found = self.api.get("/schedules", query={"group": GROUP, "limit": PAGE}).json()
        assert len(found) < PAGE
        return found

    def runs(self, name):
        """Newest first, those that outlive their schedule too."""
        answer = self.api.get(f"/schedules/{self.id(name)}/runs", query={"limit": PAGE})
        return answer.json() if answer.status == 200 else []

    def run_id(self, name, number):
        """Of a dead one, where there is one."""
        runs = self.runs(name)
        runs = [r for r in runs if r["state"] == "dead"] or runs
        return runs[number % len(runs)]["id"] if runs else self.id("nobody")

    def settle(self):
        """Until nothing is under way or about to be: what waits for a retry waits long."""

        def settled():
            soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
            for schedule in self.schedules():
                if schedule["next_at"] and datetime.datetime.fromisoformat(schedule["next_at"].replace("Z", "+00:00")) < soon:
                    return False
                if any(r["state"] == "running" or (r["state"] == "pending" and r["due_at"]) for r in self.api.runs(schedule["id"])):
                    return False
            return True

        wait_until(settled, "every run ended or waits")

    def remember(self, name, schedule):
        self.ids[name] = schedule["id"]
        return {"name": schedule["name"], "version": schedule["version"], "state": schedule["state"]}


class RestSide(Side):
    def _call(self, method, path, body=None, if_version=None, query=None):
        headers = {} if if_version is None else {"If-Match": f'"{if_version}"'}
        answer = self.api.call(method, path, body, headers=headers, query=query)
        if answer.status < 300:
            return answer.json(), answer.status
        problem = answer.json()
        kind = problem["type"].removeprefix("urn:carillon:problem:")
        places = [self._place(e) for e in problem.get("errors", [])]
        # A target that cannot be read is an argument that is wrong.
        if kind == "syntax" and places and all(p.startswith("parameter ") for p in places):
            kind = "invalid"
        return Refused(kind, places), answer.status

    @staticmethod
    def _place(error):
        if "header" in error:
            return "header " + error["header"]
        if "parameter" in error:
            return "parameter " + camelled(error["parameter"])
        return input_pointer(error.get("pointer", ""))

    def _told(self, answer, how):
        return answer if isinstance(answer, Refused) else how(answer)

    def register(self, name, definition):
        answer, status = self._call("POST", "/schedules", definition)
        return self._told(answer, lambda a: {"created": status == 201, **self.remember(name, a)})

    def register_many(self, items):
        answer, _ = self._call("POST", "/schedules/batch", [definition for _, definition in items])
        return self._told(answer, lambda a: [self._item(name, one) for (name, _), one in zip(items, a)])

    def _item(self, name, one):
        if "problem" not in one:
            return {"created": one["status"] == 201, **self.remember(name, one)}
        problem = one["problem"]
        kind = problem["type"].removeprefix("urn:carillon:problem:")
        return Refused(kind, [self._place(e) for e in problem.get("errors", [])])

    def replace(self, name, definition, if_version):
        answer, _ = self._call("PUT", f"/schedules/{self.id(name)}", definition, if_version)
        return self._told(answer, lambda a: self.remember(name, a))

    def delete(self, name, if_version):
        answer, _ = self._call("DELETE", f"/schedules/{self.id(name)}", if_version=if_version)
        return self._told(answer, lambda a: a["count"])

    def delete_matching(self, filters):
        answer, _ = self._call("DELETE", "/schedules", query=filters)
        return self._told(answer, lambda a: a["count"])

    def pause(self, name, if_version):
        return self._act(name, "pause", if_version)

    def resume(self, name, if_version):
        return self._act(name, "resume", if_version)

    def _act(self, name, what, if_version):
        answer, _ = self._call("POST", f"/schedules/{self.id(name)}/{what}", if_version=if_version)
        return self._told(answer, lambda a: self.remember(name, a))

    def trigger(self, name, if_version):
        answer, _ = self._call("POST", f"/schedules/{self.id(name)}/trigger", if_version=if_version)
        return self._told(answer, lambda a: a["state"])

    def backfill(self, name, begin, end, dry):
        answer, _ = self._call("POST", f"/schedules/{self.id(name)}/backfill", {"from": begin, "to": end, "dry_run": dry})
        return self._told(answer, lambda a: (a["created"], a["skipped"], a["dry_run"]))

    def redrive(self, name, number):
        answer, _ = self._call("POST", f"/runs/{self.run_id(name, number)}/redrive")
        return self._told(answer, lambda a: a["state"])

    def discard(self, name, number):
        answer, _ = self._call("DELETE", f"/runs/{self.run_id(name, number)}")
        return self._told(answer, lambda a: a["state"])

    def redrive_many(self, which):
        body = {}
        if "ids" in which:
            body["ids"] = [self.run_id(*w) for w in which["ids"]]
        if "schedule" in which:
            body["schedule_id"] = self.id(which["schedule"])
        if "all" in which:
            body["state"] = "dead"
        if "limit" in which:
            body["limit"] = which["limit"]
        answer, _ = self._call("POST", "/runs/redrive", body)
        return self._told(answer, lambda a: (a["redriven"], a["refused"], a["more"], sorted(e["detail"] for e in a["errors"])))

    def preview(self, definition, count, begin):
        answer, _ = self._call("POST", "/preview", definition, query={"n": count, "from": begin})
        if isinstance(answer, Refused):
            return answer
        times = [(t["at"], t["local"], enum_of(t["note"]) if "note" in t else None) for t in answer["times"]]
        return answer["timezone"], times, answer.get("describe")

    def reset(self):
        answer, _ = self._call("POST", "/admin/reset")
        return self._told(answer, lambda a: (a["schedules"], a["runs"]))


def camelled(parameter):
    return {"n": "first", "limit": "first", "cursor": "after"}.get(parameter, parameter)


SCHEDULE = "{ id name version state }"


class GraphQLSide(Side):
    def _call(self, kind, field, variables, types, selection=""):
        """One field; the answer's value. What GraphQL's own types refuse has no data."""
        given = {k: v for k, v in variables.items() if v is not None}
        declared = ", ".join(f"${k}: {types[k]}" for k in given)
        passed = ", ".join(f"{k}: ${k}" for k in given)
        document = f"{kind}{f'({declared})' if declared else ''} {{ it: {field}{f'({passed})' if passed else ''} {selection} }}"
        answer = self.graphql.ask(document, given)
        if not answer.errors:
            assert answer.status == 200, answer
            return answer.data["it"]
        assert len(answer.errors) == 1, answer
        error = answer.errors[0]
        if "path" not in error:
            return Refused("invalid", [self._coerced(error["message"], given)], partial=True)
        assert error["path"] == ["it"] and answer.status == 200, answer
        told = error["extensions"]
        places = [self._place(f.get("pointer"), f["detail"]) for f in told.get("errors", [])]
        if places:
            assert told.get("pointer") == told["errors"][0].get("pointer"), told
        return Refused(told["code"].replace("_", "-"), places)

    @staticmethod
    def _place(pointer, detail):
        """Without the argument that it begins with, where that stands for the body."""
        if pointer is None:
            return ""
        first, _, rest = pointer[1:].partition("/")
        if first in ("definition", "which"):
            return f"/{rest}" if rest else ""
        return {"ifVersion": "header If-Match"}.get(first, f"parameter {rest or first}" if first in ("filter", "first") else pointer)

    @staticmethod
    def _coerced(message, given):
        """Where the value of a variable was refused, as a pointer."""
        at = re.search(r'at "([^"]*)"', message)
        steps = at[1].replace("[", ".").replace("]", "").split(".") if at else []
        named = re.search(r'field "(\w+)"', message)
        if named:
            steps.append(named[1])
        steps = [s for s in steps if s]
        if steps and steps[0] in given:
            steps = steps[1:]
        return "".join("/" + s for s in steps)

    def _told(self, answer, how):
        return answer if isinstance(answer, Refused) else how(answer)

    def register(self, name, definition):
        answer = self._call(
            "mutation", "registerSchedule", {"definition": as_input(definition)}, {"definition": "ScheduleInput!"},
            f"{{ created schedule {SCHEDULE} }}",
        )  # fmt: skip
        return self._told(answer, lambda a: {"created": a["created"], **self._remember(name, a["schedule"])})

    def _remember(self, name, schedule):
        told = self.remember(name, schedule)
        return {**told, "state": told["state"].lower()}

    def register_many(self, items):
        answer = self._call(
            "mutation", "registerSchedules", {"definitions": [as_input(d) for _, d in items]}, {"definitions": "[ScheduleInput!]!"},
            f"{{ created schedule {SCHEDULE} error {{ code detail errors {{ pointer detail }} }} }}",
        )  # fmt: skip
        return self._told(answer, lambda a: [self._item(name, one) for (name, _), one in zip(items, a)])

    def _item(self, name, one):
        if one["schedule"]:
            assert one["error"] is None
            return {"created": one["created"], **self._remember(name, one["schedule"])}
        assert one["created"] is False
        error = one["error"]
        return Refused(error["code"].replace("_", "-"), [f["pointer"] or "" for f in error["errors"]])

    def replace(self, name, definition, if_version):
        answer = self._call(
            "mutation", "replaceSchedule", {"id": self.id(name), "definition": as_input(definition), "ifVersion": if_version},
            {"id": "ID!", "definition": "ScheduleInput!", "ifVersion": "Long"}, f"{{ created schedule {SCHEDULE} }}",
        )  # fmt: skip
        return self._told(answer, lambda a: self._remember(name, a["schedule"]))

    def delete(self, name, if_version):
        variables = {"id": self.id(name), "ifVersion": if_version}
        answer = self._call("mutation", "deleteSchedule", variables, {"id": "ID!", "ifVersion": "Long"}, "{ count }")
        return self._told(answer, lambda a: a["count"])

    def delete_matching(self, filters):
        wanted = {k: enum_of(v) if k == "state" else v for k, v in filters.items()}
        if any("\0" in v for v in wanted.values()):  # which no variable can hold: it is JSON
            members = ", ".join(f"{k}: {json.dumps(v)}" for k, v in wanted.items())
            answer = self._call("mutation", f"deleteSchedules(filter: {{{members}}})", {}, {}, "{ count }")
        else:
            answer = self._call("mutation", "deleteSchedules", {"filter": wanted}, {"filter": "ScheduleFilter!"}, "{ count }")
        return self._told(answer, lambda a: a["count"])

    def pause(self, name, if_version):
        return self._act(name, "pauseSchedule", if_version)

    def resume(self, name, if_version):
        return self._act(name, "resumeSchedule", if_version)

    def _act(self, name, what, if_version):
        variables = {"id": self.id(name), "ifVersion": if_version}
        answer = self._call("mutation", what, variables, {"id": "ID!", "ifVersion": "Long"}, SCHEDULE)
        return self._told(answer, lambda a: self._remember(name, a))

    def trigger(self, name, if_version):
        variables = {"id": self.id(name), "ifVersion": if_version}
        answer = self._call("mutation", "triggerSchedule", variables, {"id": "ID!", "ifVersion": "Long"}, "{ id state }")
        return self._told(answer, lambda a: a["state"].lower())

    def backfill(self, name, begin, end, dry):
        variables = {"id": self.id(name), "from": begin, "to": end, "dryRun": dry}
        types = {"id": "ID!", "from": "String!", "to": "String!", "dryRun": "Boolean"}
        answer = self._call("mutation", "backfillSchedule", variables, types, "{ created skipped dryRun }")
        return self._told(answer, lambda a: (a["created"], a["skipped"], a["dryRun"]))

    def redrive(self, name, number):
        answer = self._call("mutation", "redriveRun", {"id": self.run_id(name, number)}, {"id": "ID!"}, "{ id state }")
        return self._told(answer, lambda a: a["state"].lower())

    def discard(self, name, number):
        answer = self._call("mutation", "discardRun", {"id": self.run_id(name, number)}, {"id": "ID!"}, "{ id state }")
        return self._told(answer, lambda a: a["state"].lower())

    def redrive_many(self, which):
        given = {k: v for k, v in which.items() if k in ("all", "limit")}
        if "ids" in which:
            given["ids"] = [self.run_id(*w) for w in which["ids"]]
        if "schedule" in which:
            given["scheduleId"] = self.id(which["schedule"])
        answer = self._call(
            "mutation", "redriveRuns", {"which": given}, {"which": "RedriveInput!"}, "{ redriven refused more errors { id detail } }"
        )
        return self._told(answer, lambda a: (a["redriven"], a["refused"], a["more"], sorted(e["detail"] for e in a["errors"])))

    def preview(self, definition, count, begin):
        answer = self._call(
            "query", "preview", {"definition": as_input(definition), "first": count, "from": begin},
            {"definition": "PreviewInput!", "first": "Int", "from": "DateTime"},
            "{ timezone times { at local note } describe { en ko } }",
        )  # fmt: skip
        return self._told(answer, lambda a: (a["timezone"], [(t["at"], t["local"], t["note"]) for t in a["times"]], a["describe"]))

    def reset(self):
        return self._told(self._call("mutation", "reset", {}, {}, "{ schedules runs }"), lambda a: (a["schedules"], a["runs"]))


def same(ours, theirs):
    """What REST told and what GraphQL told."""
    if isinstance(ours, Refused) or isinstance(theirs, Refused):
        return isinstance(ours, Refused) and ours.agrees_with(theirs)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(same(a, b) for a, b in zip(ours, theirs))
    return json.dumps(ours) == json.dumps(theirs)
