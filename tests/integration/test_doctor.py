"""carillon doctor and GET /admin/doctor: each check seen with what is sound and with what is not."""

import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import threading

import pytest

from harness import TOP, binary, definition, run_cli, wait_until
from kafka_peer import MockKafka
from receiver import hold
from redis_peer import Redis, free_port

NEVER = "http://127.0.0.1:9/"


def doctor(one=None, *arguments, env=None):
    """The report of one run, by id, with the exit status under "exit"."""
    done = run_cli("doctor", "--json", *arguments, env=env or one.environment(), cwd=one.folder if one else None)
    assert done.stderr == "", done.stderr
    return report(json.loads(done.stdout), done.returncode)


def report(found, status=None):
    checks = {check["id"]: check for check in found["checks"]}
    return {**checks, "status": found["status"], "exit": status, "view": found["view"]}


def asked(one):
    answer_ = one.api.get("/admin/doctor")
    assert answer_.status == 200, answer_
    return report(answer_.json())


def status(found):
    """Those that are neither ok nor skipped."""
    return {
        id: check["status"] for id, check in found.items()
        if isinstance(check, dict) and check["status"] not in ("ok", "skipped")
    }


def database(one):
    return one.folder / "carillon.db"


def change(one, *statements):
    """As somebody who edits the database by hand."""
    with sqlite3.connect(database(one)) as db:
        for statement in statements:
            db.execute(statement)
    db.close()


def traces(folder):
    """Everything in a folder: names, sizes, times of change and contents, but of what is locked in memory."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "carillon.log":
            stat = path.stat()
            found[path.name] = (stat.st_size, stat.st_mtime_ns, b"" if path.name.endswith("-shm") else path.read_bytes())
    return found


@pytest.fixture
def stopped(make_carillon):
    """An instance that ran, with a schedule that is due once a year."""
    one = make_carillon()
    one.id = one.api.register(definition(NEVER, "cron", "0 0 1 1 *"))["id"]
    assert one.stop() == 0
    return one


# --- what is sound ---


def test_a_sound_installation_has_nothing_but_ok(carillon):
    carillon.api.register(definition(NEVER, "cron", "0 0 1 1 *"))
    found = doctor(carillon)
    assert (status(found), found["exit"], found["status"], found["view"]) == ({}, 0, "ok", "command line")
    assert found["tables.active_without_next"]["seen"] == "all 1 schedules looked at"


def test_a_running_instance_says_the_same_of_itself(carillon):
    found = asked(carillon)
    assert (status(found), found["status"], found["view"]) == ({}, "ok", "instance")
    assert found.keys() == doctor(carillon).keys()


def test_the_manual_has_every_check(carillon):
    told = re.findall(r"^\| `([a-z_.]+)` \|", (TOP / "docs" / "doctor.md").read_text(), re.M)
    assert told == [check["id"] for check in carillon.api.get("/admin/doctor").json()["checks"]]


def test_people_get_lines_with_what_to_do(carillon):
    done = run_cli("doctor", env=carillon.environment())
    assert done.returncode == 0
    assert "ok       database.connection" in done.stdout
    assert "what to do" not in done.stdout
    assert done.stdout.endswith(" 0 warnings, 0 failures, 3 skipped\n")


def test_it_leaves_no_trace_of_a_service_that_was_stopped(stopped):
    before = traces(stopped.folder)
    found = doctor(stopped, "--deep")
    assert status(found) == {"instances": "warning"}
    assert found["exit"] == 3
    assert "carillon serve" in found["instances"]["advice"]
    assert traces(stopped.folder) == before


def test_it_leaves_no_trace_of_a_service_that_crashed(make_carillon):
    one = make_carillon()
    one.api.register(definition(NEVER, "cron", "0 0 1 1 *"))
    one.kill9()
    before = traces(one.folder)
    assert "carillon.db-wal" in before
    found = doctor(one)
    assert status(found) == {"instances": "warning"}
    assert found["tables.active_without_next"]["seen"] == "all 1 schedules looked at"
    assert traces(one.folder) == before


@pytest.fixture
def restored(make_carillon):
    """A crashed instance's database as the manual copies and restores it: without the log's index."""
    one = make_carillon()
    one.api.register(definition(NEVER, "cron", "0 0 1 1 *", task={"history_check": True}))
    wait_until(lambda: (one.folder / "history.db-wal").stat().st_size > 0, "an event is moved to the history")
    one.kill9()
    for name in ("carillon.db", "history.db"):
        assert (one.folder / f"{name}-wal").stat().st_size > 0, name
        (one.folder / f"{name}-shm").unlink()
    return one


def test_a_backup_that_was_restored_with_its_log_is_not_condemned(restored):
    before = traces(restored.folder)
    found = doctor(restored, "--deep")
    assert status(found) == {"database.connection": "warning", "history": "warning"}
    assert found["exit"] == 3
    for check in ("database.connection", "history"):
        assert "was not shut down cleanly" in found[check]["seen"]
        assert "carillon serve recovers it" in found[check]["advice"]
    assert all(found[check]["status"] == "skipped" for check in ("database.schema", "database.pages", "tables.overdue"))
    assert traces(restored.folder) == before
    restored.start()
    assert len(restored.api.get("/schedules").json()) == 1
    assert status(asked(restored)) == {}


def test_it_makes_no_database(tmp_path):
    env = {"CARILLON_DATABASE_URL": f"sqlite:{tmp_path}/none/carillon.db"}
    found = doctor(env=env)
    assert status(found) == {"database.connection": "warning"}
    assert found["exit"] == 3
    assert not (tmp_path / "none").exists()


def test_a_service_that_starts_meanwhile_is_not_held_up(stopped):
    ended = threading.Event()
    seen = []

    def look():
        while not ended.is_set():
            seen.append(doctor(stopped))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(3):
            stopped.start()
            stopped.api.register(definition(NEVER, "cron", "0 0 1 1 *", key="2"))
            assert stopped.stop() == 0
    finally:
        ended.set()
        thread.join()
    assert seen
    for found in seen:
        assert status(found) in ({}, {"instances": "warning"}), found


# --- settings and limits ---


def test_faults_of_the_settings_are_told_with_their_line(tmp_path):
    (tmp_path / "config.yaml").write_text("log:\n  level: loud\n")
    found = doctor(None, "--config", tmp_path / "config.yaml", env={"PATH": os.environ["PATH"]})
    assert (found["exit"], found["configuration"]["status"]) == (1, "failure")
    assert "config.yaml:2" in found["configuration"]["seen"]
    assert "config check" in found["configuration"]["advice"]
    assert found["database.connection"]["status"] == "skipped"


def test_a_setting_without_effect_is_a_warning(make_carillon):
    one = make_carillon(CARILLON_SCHEDULER_TABLE="mine")
    found = doctor(one)
    assert status(found) == {"configuration": "warning"}
    assert "scheduler.table" in found["configuration"]["seen"]
    assert status(asked(one)) == {"configuration": "warning"}


def test_too_few_files_are_told(carillon):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    done = subprocess.run(
        [binary(), "doctor", "--json"], env=carillon.environment(), capture_output=True, text=True, check=False, preexec_fn=few
    )
    found = report(json.loads(done.stdout), done.returncode)
    assert status(found) == {"limits.files": "warning"}
    assert "256" in found["limits.files"]["seen"] and "LimitNOFILE" in found["limits.files"]["advice"]


def test_another_release_of_the_time_zones_is_told(stopped):
    change(stopped, "UPDATE meta SET value = '1999a' WHERE key = 'tzdata'")
    found = doctor(stopped)
    assert found["time.zones"]["status"] == "warning"
    assert "1999a" in found["time.zones"]["seen"] and "restart" in found["time.zones"]["advice"]


def test_missing_time_zones_are_a_failure(stopped, tmp_path):
    found = doctor(stopped, env={**stopped.environment(), "CARILLON_ZONEINFO": str(tmp_path / "none")})
    assert found["time.zones"]["status"] == "failure"
    assert "tzdata" in found["time.zones"]["advice"]
    assert found["exit"] == 1


# --- the database: SQLite ---


def test_a_missing_index_is_told_with_the_statement_that_makes_it(stopped):
    change(stopped, "DROP INDEX run_lease")
    found = doctor(stopped)
    assert found["exit"] == 1
    assert "the index run_lease is missing" in found["database.indexes"]["seen"]
    assert found["tables.expired_leases"]["status"] == "skipped"
    change(stopped, found["database.indexes"]["advice"].partition(": ")[2])
    assert doctor(stopped)["database.indexes"]["status"] == "ok"


def test_a_missing_table_and_column_are_told(stopped):
    change(stopped, "DROP TABLE answer", "ALTER TABLE run DROP COLUMN label")
    seen = doctor(stopped)["database.indexes"]["seen"]
    assert "the table answer is missing" in seen
    assert "the table run has no column label" in seen


@pytest.mark.parametrize(("version", "verdict", "status_"), [("99", "failure", 1), ("2", "warning", 3)])
def test_the_schema_of_another_build_is_told_and_left_alone(stopped, version, verdict, status_):
    change(stopped, f"UPDATE meta SET value = '{version}' WHERE key = 'schema_version'")
    before = traces(stopped.folder)
    found = doctor(stopped)
    assert (found["database.schema"]["status"], found["exit"]) == (verdict, status_)
    assert f"version {version}" in found["database.schema"]["seen"]
    assert found["tables.overdue"]["status"] == "skipped"
    assert traces(stopped.folder) == before


def test_what_is_no_database_is_told(stopped):
    database(stopped).write_bytes(b"nothing of the kind, " * 1000)
    found = doctor(stopped)
    assert found["exit"] == 1
    assert "not a database" in found["database.connection"]["seen"] + found["database.schema"]["seen"]


def test_a_broken_page_is_found_by_deep_alone(stopped):
    with sqlite3.connect(database(stopped)) as db:
        page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'schedule_group'").fetchone()[0]
    db.close()
    with open(database(stopped), "r+b") as f:
        f.seek((page - 1) * 4096 + 8)
        f.write(b"\xff" * 64)
    assert doctor(stopped)["database.pages"]["status"] == "skipped"
    found = doctor(stopped, "--deep")
    assert (found["database.pages"]["status"], found["exit"]) == ("failure", 1)
    assert "backup" in found["database.pages"]["advice"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user's rights")
def test_a_file_that_may_not_be_written_is_told(stopped):
    def nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    for folder in (stopped.folder, *stopped.folder.parents):
        if folder.stat().st_uid == 0 and folder != folder.parent and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    database(stopped).chmod(0o644)
    done = subprocess.run(
        [binary(), "doctor", "--json"], env=stopped.environment(), capture_output=True, text=True, check=False, preexec_fn=nobody
    )
    found = report(json.loads(done.stdout), done.returncode)
    assert found["database.permissions"]["status"] == "failure"
    assert "may not read and write" in found["database.permissions"]["seen"]
    assert "chown" in found["database.permissions"]["advice"]


# --- the tables ---


def test_an_active_schedule_without_a_next_time_is_told_and_the_advice_helps(stopped):
    change(stopped, "UPDATE timer SET next_at = NULL")
    found = doctor(stopped)
    assert found["tables.active_without_next"]["status"] == "failure"
    assert stopped.id in found["tables.active_without_next"]["seen"]
    stopped.start()
    assert asked(stopped)["tables.active_without_next"]["status"] == "failure"
    for act in ("pause", "resume"):
        assert run_cli(act, stopped.id, url=stopped.url).returncode == 0
    assert asked(stopped)["tables.active_without_next"]["status"] == "ok"


@pytest.fixture
def crashed(make_carillon, receiver):
    """An instance that was killed with an attempt under way."""
    release = threading.Event()
    receiver.script("/slow", hold(release))
    one = make_carillon()
    one.id = one.api.register(definition(f"{receiver.url}/slow"))["id"]
    receiver.wait_for(1, "/slow")
    one.kill9()
    release.set()
    with sqlite3.connect(database(one)) as db:  # what is in the log goes to the file
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return one


def test_a_lease_that_nobody_takes_is_told(crashed):
    assert doctor(crashed)["tables.expired_leases"]["status"] == "ok"
    change(crashed, "UPDATE run SET lease_until = 1")
    found = doctor(crashed)
    assert found["tables.expired_leases"]["status"] == "warning"
    assert "since 1970" in found["tables.expired_leases"]["seen"]
    assert "carillon serve" in found["tables.expired_leases"]["advice"]


def test_a_run_without_its_schedule_is_told(crashed):
    change(crashed, "DELETE FROM schedule", "DELETE FROM timer")
    found = doctor(crashed)
    assert (found["tables.runs_without_schedule"]["status"], found["exit"]) == ("failure", 1)
    assert "carillon discard" in found["tables.runs_without_schedule"]["advice"]


def test_a_run_that_waits_for_nothing_is_told(crashed):
    assert doctor(crashed)["tables.waiting_for_nothing"]["status"] == "ok"
    change(crashed, "UPDATE run SET state = 0, due_at = NULL")
    found = doctor(crashed)
    assert (found["tables.waiting_for_nothing"]["status"], found["exit"]) == ("failure", 1)


def test_what_is_overdue_is_told(stopped):
    change(stopped, "UPDATE timer SET next_at = 1")
    found = doctor(stopped)
    assert found["tables.overdue"]["status"] == "warning"
    assert stopped.id in found["tables.overdue"]["seen"]


# --- PostgreSQL ---


@pytest.fixture
def on_postgres(make_carillon, postgres):
    return make_carillon(CARILLON_DATABASE_URL=postgres.url)


def with_url(one, url):
    return {**one.environment(), "CARILLON_DATABASE_URL": url}


def test_a_sound_cluster_has_nothing_but_ok(on_postgres):
    on_postgres.api.register(definition(NEVER, "cron", "0 0 1 1 *"))
    found = doctor(on_postgres)
    assert (status(found), found["exit"]) == ({}, 0)
    assert found["instances"]["seen"] == "1 instances run, 1 of them with the role worker"
    assert "PostgreSQL" in found["database.schema"]["seen"]
    assert "the database's clock is" in found["database.clock"]["seen"]
    found = asked(on_postgres)
    assert (status(found), found["view"]) == ({}, "instance")


def test_on_an_empty_postgres_nothing_is_made(postgres, tmp_path):
    found = doctor(env={"CARILLON_DATABASE_URL": postgres.url, "CARILLON_HISTORY_URL": f"sqlite:{tmp_path}/h.db"})
    assert (found["database.schema"]["status"], found["exit"]) == ("warning", 3)
    assert postgres.ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'carillon'") == [["0"]]


def test_no_instance_is_told(on_postgres):
    assert on_postgres.stop() == 0
    found = doctor(on_postgres)
    assert status(found) == {"instances": "warning"}
    assert found["instances"]["seen"] == "no instance is running"


def test_missing_and_invalid_indexes_are_told_and_the_advice_helps(on_postgres, postgres):
    postgres.ask("DROP INDEX carillon.run_due")
    found = doctor(on_postgres)
    assert found["exit"] == 1
    assert "the index run_due is missing" in found["database.indexes"]["seen"]
    assert asked(on_postgres)["database.indexes"]["status"] == "failure"
    postgres.ask(found["database.indexes"]["advice"].partition(": ")[2])
    assert doctor(on_postgres)["database.indexes"]["status"] == "ok"
    postgres.ask("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'carillon.timer_due'::regclass")
    found = doctor(on_postgres)
    assert "timer_due is not valid" in found["database.indexes"]["seen"]
    assert "REINDEX INDEX CONCURRENTLY carillon." in found["database.indexes"]["advice"]
    postgres.ask("REINDEX INDEX carillon.timer_due")
    assert doctor(on_postgres)["database.indexes"]["status"] == "ok"


def test_a_newer_schema_is_told(on_postgres, postgres):
    postgres.ask("UPDATE carillon.meta SET value = '99' WHERE key = 'schema_version'")
    found = doctor(on_postgres)
    assert (found["database.schema"]["status"], found["exit"]) == ("failure", 1)
    assert "run the newer build" in found["database.schema"]["advice"]


def test_a_database_that_is_not_reached_is_told(on_postgres, postgres):
    found = doctor(on_postgres, env=with_url(on_postgres, "postgresql://nobody@/postgres?host=/nowhere"))
    assert (found["database.connection"]["status"], found["exit"]) == ("failure", 1)
    assert "database.url" in found["database.connection"]["advice"]
    postgres.down("fast")
    try:
        found = asked(on_postgres)
        assert (found["database.connection"]["status"], found["status"]) == ("failure", "failure")
        assert found["tables.overdue"]["status"] == "skipped"
    finally:
        postgres.start()
    wait_until(lambda: status(asked(on_postgres)) == {}, "all well again")


def test_a_database_that_is_silent_is_not_waited_for_for_ever(make_carillon, postgres):
    one = make_carillon(CARILLON_DATABASE_URL=postgres.url)
    postgres.process.send_signal(signal.SIGSTOP)
    try:
        found = doctor(one)
        assert (found["database.connection"]["status"], found["exit"]) == ("failure", 1)
        assert found["database.connection"]["took_ms"] < 60000
    finally:
        postgres.process.send_signal(signal.SIGCONT)


def test_a_wrong_password_is_told_without_showing_it(on_postgres, postgres):
    postgres.ask("CREATE ROLE locked LOGIN PASSWORD 'right'")
    rules = postgres.folder / "data" / "pg_hba.conf"
    text = rules.read_text()
    rules.write_text("local all locked scram-sha-256\n" + text)
    postgres.ask("SELECT pg_reload_conf()")
    try:
        url = f"postgresql://locked:wr0ng@/postgres?host={postgres.folder}"
        found = wait_until(
            lambda: (f := doctor(on_postgres, env=with_url(on_postgres, url)))["database.connection"]["status"] == "failure" and f,
            "the rule in force",
        )
        assert "password authentication failed" in found["database.connection"]["seen"]
        assert "wr0ng" not in json.dumps(found)
    finally:
        rules.write_text(text)
        postgres.ask("SELECT pg_reload_conf()")
        postgres.ask("DROP ROLE locked")


def test_what_a_role_may_not_do_is_told(on_postgres, postgres):
    postgres.ask(
        "CREATE ROLE modest LOGIN; GRANT USAGE ON SCHEMA carillon TO modest; "
        "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA carillon TO modest"
    )
    try:
        url = f"postgresql://modest@/postgres?host={postgres.folder}"
        found = doctor(on_postgres, env=with_url(on_postgres, url))
        assert (found["database.permissions"]["status"], found["exit"]) == ("failure", 1)
        assert "DELETE on answer is not granted" in found["database.permissions"]["seen"]
        assert "OWNER TO" in found["database.permissions"]["advice"]
        postgres.ask("GRANT DELETE ON ALL TABLES IN SCHEMA carillon TO modest")
        found = doctor(on_postgres, env=with_url(on_postgres, url))
        assert (found["database.permissions"]["status"], found["exit"]) == ("warning", 3)
        assert "partition" in found["database.permissions"]["seen"]
    finally:
        postgres.ask("DROP OWNED BY modest; DROP ROLE modest")


def test_a_clock_that_differs_is_told(on_postgres, postgres):
    """now() of a schema that comes before the server's own: an hour ahead."""
    postgres.ask("CREATE SCHEMA ahead; CREATE FUNCTION ahead.now() RETURNS timestamptz LANGUAGE sql AS "
                 "$$ SELECT pg_catalog.now() + interval '1 hour' $$")
    try:
        url = postgres.url + "&options=-csearch_path%3Dahead,pg_catalog"
        found = doctor(on_postgres, env=with_url(on_postgres, url))
        assert found["database.clock"]["status"] == "warning"
        assert "ahead of this machine's" in found["database.clock"]["seen"]
        assert "NTP" in found["database.clock"]["advice"]
    finally:
        postgres.ask("DROP SCHEMA ahead CASCADE")


def test_a_worker_that_hangs_is_told(make_carillon, postgres, receiver):
    release = threading.Event()
    receiver.script("/slow", hold(release))
    one = make_carillon(CARILLON_DATABASE_URL=postgres.url)
    one.api.register(definition(f"{receiver.url}/slow"))
    yearly = one.api.register(definition(NEVER, "cron", "0 0 1 1 *", key="2"))["id"]
    receiver.wait_for(1, "/slow")
    one.process.send_signal(signal.SIGSTOP)
    try:
        postgres.ask("UPDATE carillon.run SET lease_until = 1; UPDATE carillon.timer SET next_at = 1 WHERE state = 0 "
                     f"AND id = '{yearly}'")
        # As long as it is taken for alive.
        postgres.ask("UPDATE carillon.instance SET until = until + 100000000")
        found = doctor(one)
        assert found["exit"] == 1
        for check in ("tables.expired_leases", "tables.overdue"):
            assert found[check]["status"] == "failure"
            assert "hangs" in found[check]["advice"]
        assert yearly in found["tables.overdue"]["seen"]
    finally:
        one.process.send_signal(signal.SIGCONT)
        release.set()


def test_instances_without_a_worker_and_of_two_versions_are_told(make_carillon, postgres):
    one = make_carillon(CARILLON_DATABASE_URL=postgres.url, CARILLON_ROLES="api,monitor")
    found = doctor(one)
    assert (found["instances"]["status"], found["exit"]) == ("failure", 1)
    assert "the role worker" in found["instances"]["advice"]
    postgres.ask("INSERT INTO carillon.instance SELECT gen_random_uuid(), 'old', 'worker', '0.0.9', started_at, heartbeat, 0, "
                 "until + 100000000 FROM carillon.instance")
    found = doctor(one)
    assert (found["instances"]["status"], found["exit"]) == ("warning", 3)
    assert "0.0.9" in found["instances"]["seen"]


# --- the history ---


def test_a_history_that_is_away_is_told(make_carillon, postgres):
    one = make_carillon(CARILLON_HISTORY_URL="postgresql://carillon@/none?host=/nowhere")
    for found in (doctor(one), asked(one)):
        assert status(found) == {"history": "warning"}
        assert "history.url" in found["history"]["advice"]


def test_events_that_are_not_moved_are_told(stopped):
    change(stopped, "INSERT INTO history_outbox VALUES (1, '{}'), (20000, '{}')")
    found = doctor(stopped)
    assert found["history"]["status"] == "warning"
    assert "20000 events wait" in found["history"]["seen"]


# --- Redis and Kafka ---


@pytest.mark.skipif(not Redis.available(), reason="there is no redis-server")
def test_a_redis_is_told_with_its_version_and_when_it_is_away(make_carillon, postgres):
    redis = Redis(password="s3cret")
    try:
        one = make_carillon(
            CARILLON_DATABASE_URL=postgres.url, CARILLON_WAKEUP_MODE="redis", CARILLON_REDIS_URL=f"redis://:s3cret@{redis.host}"
        )
        for found in (doctor(one), asked(one)):
            assert status(found) == {}
            assert found["redis"]["seen"].startswith("it answers, version ")
        wrong = {**one.environment(), "CARILLON_REDIS_URL": f"redis://:wr0ng@{redis.host}"}
        found = doctor(one, env=wrong)
        assert (found["redis"]["status"], found["exit"]) == ("failure", 1)
        assert "refused us" in found["redis"]["seen"]
        assert "wr0ng" not in json.dumps(found)
        redis.kill()
        for found in (doctor(one), asked(one)):
            assert found["redis"]["status"] == "failure"
            assert "redis.url" in found["redis"]["advice"]
    finally:
        redis.stop()


def test_a_redis_that_nothing_uses_is_but_a_warning(make_carillon):
    one = make_carillon(CARILLON_REDIS_URL=f"redis://127.0.0.1:{free_port()}")
    found = doctor(one)
    assert (status(found)["redis"], found["exit"]) == ("warning", 3)


def kafka_task(brokers, key):
    task = {"type": "kafka", "connection": {"host": brokers, "topic": "orders"}}
    made = definition(NEVER, "cron", "0 0 1 1 *", key=key)
    return {**made, "task": {**task, "data": {}}}


def test_brokers_of_schedules_are_asked(carillon):
    kafka = MockKafka()
    try:
        carillon.api.register(kafka_task(kafka.brokers, "1"))
        carillon.api.register(kafka_task(kafka.brokers, "2"))
        for found in (doctor(carillon), asked(carillon)):
            assert status(found) == {}
            assert found["kafka"]["seen"].count(kafka.brokers) == 1
            assert found["kafka"]["seen"].endswith("brokers")
        denied = {**carillon.environment(), "CARILLON_DELIVERY_DENY": "127.0.0.0/8"}
        found = doctor(carillon, env=denied)
        assert found["kafka"]["status"] == "warning"
        assert "delivery.allow" in found["kafka"]["advice"]
    finally:
        kafka.stop()
    found = doctor(carillon)
    assert (found["kafka"]["status"], found["exit"]) == ("warning", 3)
    assert "start the brokers" in found["kafka"]["advice"]


def test_few_brokers_are_asked_however_many_there_are(carillon):
    for i in range(6):
        carillon.api.register(kafka_task(f"127.0.0.1:{free_port()}", str(i)))
    found = doctor(carillon)
    assert "other brokers were not asked" in found["kafka"]["seen"]
    assert found["kafka"]["took_ms"] < 60000


# --- one at a time ---


def test_many_may_ask_at_once_and_the_server_stops_meanwhile(make_carillon):
    one = make_carillon()
    for i in range(4):
        one.api.register(kafka_task(f"127.0.0.1:{free_port()}", str(i)))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(one.api.get("/admin/doctor"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.status for a in answers] == [200] * 8
    late = []
    thread = threading.Thread(target=lambda: late.append(one.api.get("/admin/doctor")))
    thread.start()
    wait_until(lambda: one.metrics()["carillon_http_requests_under_way"] >= 2, "the question under way")
    assert one.stop() == 0
    thread.join()
    assert late[0].status in (200, 503)
