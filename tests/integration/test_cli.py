"""The command line: help, next, and the commands that talk to a server."""

import json
import os
import re

import pytest

from harness import TOP, definition, run_cli, wait_until
from receiver import answer

COMMANDS = ["serve", "add", "list", "get", "delete", "trigger", "pause", "resume", "backfill", "runs", "redrive", "discard", "instances", "health", "doctor", "export", "import", "next", "config check", "config show",
            "config reference", "version"]


# --- help and mistakes ---


def test_help_lists_every_command():
    done = run_cli("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command}\b", done.stdout, re.M), command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_page(command):
    done = run_cli(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"carillon {command}: ")
    for section in ("Usage", "Description", "Options", "Examples", "Exit status"):
        assert re.search(rf"^{section}$", done.stdout, re.M), section
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert run_cli("help", *command.split()).stdout == done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_manual_has_every_page(command):
    page = run_cli(*command.split(), "--help").stdout.rstrip()
    assert page in (TOP / "docs" / "cli.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], ""),
        (["lst"], "unknown command lst"),
        (["list", "--bogus"], "unknown option --bogus"),
        (["list", "--limit"], "--limit needs a value: N"),
        (["list", "--limit", "0"], "--limit must be"),
        (["list", "--state", "a", "--state", "b"], "--state is given twice"),
        (["list", "--json=yes"], "--json takes no value"),
        (["list", "extra"], "too many arguments: extra"),
        (["get"], "missing: ID"),
        (["backfill", "x", "y"], "missing: ID FROM TO"),
        (["redrive"], "name the runs in one way"),
        (["redrive", "a", "--all"], "name the runs in one way"),
        (["runs", "--limit", "x"], "--limit must be"),
        (["add"], "missing: FILE|-"),
        (["next", "* * *"], "5 fields"),
        (["next", "* * * * *", "-n", "0"], "--count must be 1 to 1000"),
        (["next", "* * * * *", "-z", "Nowhere"], 'unknown time zone "Nowhere"'),
        (["next", "* * * * *", "--from", "soon"], "--from"),
        (["list", "--url", "ftp://x"], "http:// or https://"),
        (["serve", "--ready-fd", "77"], "no open file descriptor"),
        (["config"], ""),
    ],
)
def test_a_wrong_command_line_is_status_2_and_says_what(arguments, said):
    done = run_cli(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_version():
    assert re.fullmatch(r"carillon \d+\.\d+\.\d+\n", run_cli("version").stdout)
    assert run_cli("--version").stdout == run_cli("version").stdout
    assert json.loads(run_cli("version", "--json").stdout)["version"] in run_cli("version").stdout


def test_output_that_cannot_be_written_is_a_failure():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    import subprocess

    from harness import binary, clean_environment

    with open("/dev/full", "wb") as full:
        done = subprocess.run([binary(), "version"], stdout=full, stderr=subprocess.PIPE, env=clean_environment(),
                              check=False)
    assert done.returncode == 1
    assert b"No space left" in done.stderr


# --- next ---


def times(*arguments):
    done = run_cli("next", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_next_shows_utc_and_local():
    said = times("30 * * * * *", "--timezone", "Asia/Seoul", "--from", "2026-11-23T18:00:00", "-n", "2")
    assert said["timezone"] == "Asia/Seoul"
    assert [o["utc"] for o in said["occurrences"]] == ["2026-11-23T09:00:30Z", "2026-11-23T09:01:30Z"]
    assert said["occurrences"][0]["local"] == "2026-11-23T18:00:30+09:00"
    assert said["description"]


def test_next_is_strictly_after_and_five_by_default():
    said = times("0 0 * * *", "--timezone", "UTC", "--from", "2026-01-01T00:00:00Z")
    assert [o["utc"][:10] for o in said["occurrences"]] == [f"2026-01-0{d}" for d in range(2, 7)]


def test_next_notes_daylight_saving():
    moved = times("30 2 * * *", "-z", "America/New_York", "--from", "2026-03-07T12:00:00", "-n", "1")
    assert moved["occurrences"] == [
        {"utc": "2026-03-08T07:00:00Z", "local": "2026-03-08T03:00:00-04:00", "note": "moved"}
    ]
    merged = times("30 1 * * *", "-z", "America/New_York", "--from", "2026-10-31T12:00:00", "-n", "2")
    assert [(o["utc"], o["note"]) for o in merged["occurrences"]] == [
        ("2026-11-01T05:30:00Z", "merged"),
        ("2026-11-02T06:30:00Z", None),
    ]
    table = run_cli("next", "30 2 * * *", "-z", "America/New_York", "--from", "2026-03-07T12:00:00", "-n", "1").stdout
    assert "does not exist" in table
    assert not any(line.endswith(" ") for line in table.splitlines())


def test_next_takes_the_zone_of_the_settings(tmp_path):
    (tmp_path / "config.yaml").write_text("scheduler:\n  timezone: Europe/Berlin\n")
    done = run_cli("next", "@daily", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["timezone"] == "Europe/Berlin"
    done = run_cli("next", "@daily", "--json", cwd=tmp_path, env={"CARILLON_SCHEDULER_TIMEZONE": "UTC"})
    assert json.loads(done.stdout)["timezone"] == "UTC"


def test_next_refuses_what_can_never_match():
    done = run_cli("next", "0 0 30 2 *")
    assert done.returncode == 2
    assert "no date matches" in done.stderr


# --- with a server ---

FAR = "2090-01-01T00:00:00"


def add(one, *definitions, arguments=()):
    text = json.dumps(definitions[0] if len(definitions) == 1 else list(definitions))
    return run_cli("add", "-", *arguments, url=one.url, stdin=text)


def test_a_schedule_is_added_shown_fired_and_deleted(carillon, receiver, tmp_path):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(definition(receiver.url + "/cli", "date", FAR, name="초인종 bell")))
    added = run_cli("add", path, url=carillon.url)
    assert added.returncode == 0, added.stderr
    found = re.fullmatch(r"registered (\S+)  초인종 bell  next 2089-12-31T15:00:00Z\n", added.stdout)
    assert found, added.stdout
    schedule_id = found.group(1)

    again = run_cli("add", path, "--json", url=carillon.url)
    assert json.loads(again.stdout)["id"] == schedule_id
    assert run_cli("add", path, url=carillon.url).stdout.startswith("replaced " + schedule_id)

    table = run_cli("list", url=carillon.url)
    assert table.returncode == 0
    head, row = table.stdout.splitlines()
    assert head.split() == ["ID", "NAME", "WHEN", "STATE", "NEXT", "LAST", "RUN"]
    assert row.startswith(schedule_id) and "초인종 bell" in row and "active" in row

    shown = run_cli("get", schedule_id, url=carillon.url)
    assert re.search(rf"^task\.connection\.host +{re.escape(receiver.url)}/cli$", shown.stdout, re.M)
    assert json.loads(run_cli("get", schedule_id, "--json", url=carillon.url).stdout)["id"] == schedule_id

    fired = run_cli("trigger", schedule_id, url=carillon.url)
    assert fired.returncode == 0, fired.stderr
    run_id = re.match(r"run (\S+) pending  scheduled at ", fired.stdout).group(1)
    (request,) = receiver.wait_for(1, "/cli")
    assert request.headers["Carillon-Run-Id"] == run_id

    assert run_cli("delete", schedule_id, url=carillon.url).stdout == "deleted\n"
    gone = run_cli("get", schedule_id, url=carillon.url)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "404" in gone.stderr
    missing = run_cli("get", schedule_id, "--json", url=carillon.url)
    assert (missing.returncode, json.loads(missing.stdout)["status"]) == (1, 404)


def test_a_schedule_is_paused_and_resumed(carillon, receiver):
    add(carillon, definition(receiver.url, "cron", "0 0 1 1 *"))
    (schedule,) = json.loads(run_cli("list", "--json", url=carillon.url).stdout)
    paused = run_cli("pause", schedule["id"], url=carillon.url)
    assert (paused.returncode, paused.stdout) == (0, f"paused {schedule['id']}  next -\n")
    resumed = run_cli("resume", schedule["id"], url=carillon.url)
    assert resumed.stdout == f"active {schedule['id']}  next {schedule['next_at']}\n"
    assert "(404)" in run_cli("pause", "00000000-0000-7000-8000-000000000000", url=carillon.url).stderr


def test_runs_are_shown_redriven_discarded_and_backfilled(carillon, receiver):
    receiver.rule("/x", answer(500))
    task = {"failed_policy": "retry_dlq", "max_retry_count": 0}
    made = [carillon.api.register(definition(receiver.url + "/x", key=f"k{i}", task=task))["id"] for i in range(3)]
    dead = wait_until(lambda: len(r := carillon.api.get("/runs?state=dead").json()) == 3 and r, "three dead runs")
    table = run_cli("runs", "--state", "dead", url=carillon.url).stdout.splitlines()
    assert len(table) == 4 and all("status 500" in line or "500" in line for line in table[1:])
    assert len(json.loads(run_cli("runs", made[0], "--json", url=carillon.url).stdout)) == 1

    gone = run_cli("discard", dead[0]["id"], url=carillon.url)
    assert gone.stdout.startswith(f"run {dead[0]['id']} cancelled  scheduled at ")
    assert "(409)" in run_cli("discard", dead[0]["id"], url=carillon.url).stderr
    receiver.rule("/x", answer(200))
    both = run_cli("redrive", dead[1]["id"], dead[0]["id"], url=carillon.url)
    assert both.returncode == 1
    assert both.stdout.splitlines()[0] == "1 redriven, 1 refused"
    assert dead[0]["id"] + ": only a dead run" in both.stdout
    rest = run_cli("redrive", "--all", url=carillon.url)
    assert (rest.returncode, rest.stdout) == (0, "1 redriven, 0 refused\n")
    wait_until(lambda: len(carillon.api.get("/runs?state=succeeded").json()) == 2, "both succeed")

    add(carillon, definition(receiver.url + "/y", "cron", "0 0 * * *", key="daily"))
    daily = carillon.api.get("/schedules?key=daily").json()[0]["id"]
    range_ = ("backfill", daily, "2026-01-01T00:00:00", "2026-01-04T00:00:00")
    assert run_cli(*range_, "--dry-run", url=carillon.url).stdout == "3 would be made, 0 skipped\n"
    assert run_cli(*range_, url=carillon.url).stdout == "3 made, 0 skipped\n"
    assert run_cli(*range_, url=carillon.url).stdout == "0 made, 3 skipped\n"
    receiver.wait_for(3, "/y")


def test_a_refusal_names_the_member_at_fault(carillon, receiver):
    wrong = definition(receiver.url, "cron", "61 * * * *")
    done = add(carillon, wrong)
    assert done.returncode == 1
    assert "(422)" in done.stderr
    assert re.search(r"^  /schedule: ", done.stderr, re.M)


def test_a_batch_is_judged_one_by_one(carillon, receiver):
    good = definition(receiver.url, "date", FAR, key="a")
    done = add(carillon, good, {**good, "type": "sometimes"}, {**good, "name": "again"})
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("registered ")
    assert lines[1].startswith("refused    item 1: ")
    assert any(line.startswith("replaced   ") for line in lines[2:])
    assert "1 of 3 were refused" in done.stderr


def test_a_broken_file_is_named_with_its_line(carillon, tmp_path):
    path = tmp_path / "broken.json"
    path.write_text('{"name": "x",\n "type" "now"}')
    done = run_cli("add", path, url=carillon.url)
    assert done.returncode == 1
    assert re.search(r"broken\.json: line 2, column \d+: ", done.stderr)
    done = run_cli("add", tmp_path / "none.json", url=carillon.url)
    assert done.returncode == 1
    assert "No such file" in done.stderr


def test_list_filters_and_follows_pages(carillon, receiver):
    many = [definition(receiver.url, "date", FAR, key=f"k{i}") for i in range(1203)]
    many[7]["client"]["application"] = "other, with comma & more"
    assert add(carillon, *many).returncode == 0
    everything = json.loads(run_cli("list", "--json", url=carillon.url).stdout)
    assert len({s["id"] for s in everything}) == 1203
    assert len(json.loads(run_cli("list", "--json", "-n", "1001", url=carillon.url).stdout)) == 1001
    other = json.loads(
        run_cli("list", "--json", "--application", "other, with comma & more", url=carillon.url).stdout
    )
    assert [s["client"]["key"] for s in other] == ["k7"]
    assert json.loads(run_cli("list", "--json", "--state", "paused", url=carillon.url).stdout) == []
    refused = run_cli("list", "--state", "asleep", url=carillon.url)
    assert refused.returncode == 1
    assert "(422)" in refused.stderr or "(400)" in refused.stderr


def test_names_from_outside_cannot_act_on_the_terminal(carillon, receiver):
    add(carillon, definition(receiver.url, "date", FAR, name="evil\u001b[2J\u009b\nname"))
    done = run_cli("list", url=carillon.url)
    assert "evil?[2J??name" in done.stdout
    assert len(done.stdout.splitlines()) == 2


def test_no_server_is_a_failure_that_says_where_it_looked():
    done = run_cli("list", url="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "http://127.0.0.1:1" in done.stderr
    assert "is the server running there?" in done.stderr


def test_a_proxy_in_the_environment_is_not_asked_for_this_machine(carillon):
    done = run_cli("list", url=carillon.url, env={"http_proxy": "http://127.0.0.1:1"})
    assert done.returncode == 0, done.stderr


def test_health_is_the_exit_status_of_a_server_that_reaches_its_database(carillon):
    done = run_cli("health", url=carillon.url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ready\n", "")
    assert run_cli("health", url="http://127.0.0.1:1").returncode == 1
