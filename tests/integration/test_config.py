"""Settings as a user meets them: the file, the variables, and what is said about what is wrong."""

import json
import pathlib
import re

import pytest

from harness import TOP, definition, run_cli


def check(tmp_path, text, *arguments, **env):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return run_cli("config", "check", "--config", path, *arguments, env=env, cwd=tmp_path)


def test_a_good_file_is_ok(tmp_path):
    done = check(tmp_path, "server:\n  listen: 127.0.0.1:0\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("config.yaml: ok\n")


def test_without_a_file_the_built_in_settings_are_ok(tmp_path):
    done = run_cli("config", "check", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "no file, built-in settings: ok\n")


def test_every_fault_is_named_with_its_line(tmp_path):
    done = check(tmp_path, "server:\n  listne: x\n  threads: many\nbogus: 1\n")
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert "config.yaml:2: server.listne is not a setting; did you mean server.listen?" in lines[0]
    assert "config.yaml:3: server.threads must be a whole number from 1 to 256" in lines[1]
    assert "config.yaml:4: bogus is not a setting" in lines[2]


def test_faults_are_json_for_scripts(tmp_path):
    done = check(tmp_path, "log:\n  level: loud\n", "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 1
    assert said["ok"] is False
    (fault,) = said["faults"]
    assert fault["where"].endswith("config.yaml:2")
    assert "error, warn, info or debug" in fault["text"]


def test_an_unknown_time_zone_is_a_fault(tmp_path):
    done = check(tmp_path, "scheduler:\n  timezone: Asia/Atlantis\n")
    assert done.returncode == 1
    assert 'scheduler.timezone: unknown time zone "Asia/Atlantis"' in done.stderr


def test_a_mistyped_variable_is_a_fault(tmp_path):
    done = check(tmp_path, "", CARILLON_SERVER_LISTNE="127.0.0.1:0")
    assert done.returncode == 1
    assert "CARILLON_SERVER_LISTNE: no setting has this variable; did you mean CARILLON_SERVER_LISTEN?" in done.stderr


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("wakeup: postgres\n", "wakeup.mode"),
        ("wakeup: redis\n", "wakeup.mode"),
        ("roles: [api]\n", "roles"),
    ],
)
def test_what_this_version_cannot_do_is_refused_by_check_and_serve(tmp_path, text, where):
    done = check(tmp_path, text)
    assert done.returncode == 1
    assert f"carillon: {where}: " in done.stderr
    served = run_cli("serve", "--config", tmp_path / "config.yaml", cwd=tmp_path)
    assert served.returncode == 1
    assert f"carillon: {where}: " in served.stderr
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_not_there_is_a_fault_when_it_was_named(tmp_path):
    done = run_cli("config", "check", "--config", tmp_path / "none.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "none.yaml: cannot open the settings: No such file or directory" in done.stderr


def test_the_file_may_be_named_by_word_and_variable(tmp_path):
    (tmp_path / "my.yaml").write_text("bogus: 1\n")
    for done in (
        run_cli("config", "check", "my.yaml", cwd=tmp_path),
        run_cli("config", "check", cwd=tmp_path, env={"CARILLON_CONFIG": "my.yaml"}),
    ):
        assert done.returncode == 1
        assert "my.yaml:1: bogus is not a setting" in done.stderr


def test_show_tells_where_each_value_came_from_and_no_secret(tmp_path):
    (tmp_path / "config.yaml").write_text("server:\n  threads: 3\ndatabase:\n  host: h\n  pw: hunter2\n")
    done = run_cli("config", "show", cwd=tmp_path, env={"CARILLON_LOG_LEVEL": "debug"})
    assert done.returncode == 0
    assert re.search(r"^  threads: 3 +# \./config\.yaml:2$", done.stdout, re.M)
    assert re.search(r"^  level: debug +# CARILLON_LOG_LEVEL$", done.stdout, re.M)
    assert re.search(r'^  # url: "postgresql://h:5432/" ', done.stdout, re.M)
    assert "hunter2" not in done.stdout
    as_json = run_cli("config", "show", "--json", cwd=tmp_path, env={"CARILLON_LOG_LEVEL": "debug"})
    assert json.loads(as_json.stdout)["log"]["level"] == {"value": "debug", "from": "environment"}
    assert "hunter2" not in as_json.stdout


def test_the_manual_has_the_reference_that_the_program_prints():
    printed = run_cli("config", "reference")
    assert printed.returncode == 0
    assert printed.stdout.strip() in (TOP / "docs" / "configuration.md").read_text()


def test_the_example_in_the_manual_is_a_good_file(tmp_path):
    manual = (TOP / "docs" / "configuration.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", manual, re.S)
    assert examples
    for example in examples:
        done = check(tmp_path, example)
        assert done.returncode == 0, (example, done.stderr)


def test_the_server_does_what_the_file_says(make_carillon):
    one = make_carillon(config="server:\n  max_body: 2KiB\n  instance: here\nlog:\n  level: debug\n")
    assert one.api.post("/schedules", {"name": "x" * 4096}).status == 413
    (listening,) = one.log_events("listening")
    assert listening["instance"] == "here"
    assert listening["settings"] == "./config.yaml"


def test_depth_and_length_of_a_batch_are_as_configured(make_carillon, receiver):
    one = make_carillon(config="server:\n  max_json_depth: 10\n  max_batch_items: 3\n")

    def nested(levels):
        """A definition whose task.data makes it so deep in all."""
        data = "x"
        for _ in range(levels - 2):
            data = [data]
        return definition(receiver.url, task={"data": data})

    assert one.api.post("/schedules", nested(10)).status == 201
    deep = one.api.post("/schedules", nested(11))
    assert deep.status == 400 and "nested too deeply" in deep.json()["detail"]
    batch = [definition(receiver.url, key=str(i)) for i in range(4)]
    assert one.api.post("/schedules/batch", batch[:3]).status == 200
    long = one.api.post("/schedules/batch", batch)
    assert long.status == 413 and "at most 3 items" in long.json()["detail"]
    assert len(one.api.get("/schedules").json()) == 3  # one of the batch replaced the first


def test_members_without_effect_are_told_at_the_start(make_carillon):
    one = make_carillon(config="scheduler:\n  table: schedule_queue\n", CARILLON_SEVER_LISTEN="x")
    told = {event["where"] for event in one.log_events("setting without effect")}
    assert told == {"scheduler.table", "CARILLON_SEVER_LISTEN"}


def test_listening_beyond_loopback_warns(make_carillon):
    def warnings(one):
        return [e for e in one.log_events() if e["level"] == "warn" and "beyond loopback" in e["msg"]]

    assert not warnings(make_carillon())
    assert len(warnings(make_carillon(CARILLON_SERVER_LISTEN="0.0.0.0:0"))) == 1


def test_the_database_is_made_with_its_folder(make_carillon, tmp_path):
    path = tmp_path / "down" / "x.db"
    make_carillon(CARILLON_DATABASE_URL=f"sqlite:{path}")
    assert pathlib.Path(path).exists()


def test_a_second_instance_on_one_embedded_database_is_refused(make_carillon):
    one = make_carillon()
    two = make_carillon(start=False, CARILLON_DATABASE_URL=f"sqlite:{one.folder}/carillon.db")
    with pytest.raises(AssertionError, match="ended with 1"):
        two.start()
    (failed,) = two.log_events("cannot start")
    assert failed["error"] == "conflict"
    assert one.api.get("/healthz").status == 200


def test_an_address_in_use_is_an_error_that_says_so(make_carillon):
    one = make_carillon()
    two = make_carillon(start=False, CARILLON_SERVER_LISTEN=one.url.removeprefix("http://"))
    with pytest.raises(AssertionError, match="ended with 1"):
        two.start()
    (failed,) = two.log_events("cannot start")
    assert "in use" in failed["detail"]
