"""Whom a schedule may call, as the settings say, in the whole service."""

import pytest
from harness import definition, run_cli, wait_until
from redis_peer import Redis


def ended(carillon, schedule):
    """The schedule's only run, when it has ended."""
    carillon.api.wait_finished(schedule["id"])
    (run,) = carillon.api.runs(schedule["id"])
    return run


def test_a_denied_target_fails_the_attempt_and_says_by_which_rule(make_carillon, receiver):
    carillon = make_carillon(config='delivery:\n  deny: ["127.0.0.0/8", "::1", "*.denied.example"]\n')
    hosts = {
        "by-address": (receiver.url, "must not call 127.0.0.1: denied by delivery.deny: 127.0.0.0/8"),
        "by-number": (receiver.url.replace("127.0.0.1", "2130706433"), "denied by delivery.deny: 127.0.0.0/8"),
        "mapped": (receiver.url.replace("127.0.0.1", "[::ffff:7f00:1]"), "denied by delivery.deny: 127.0.0.0/8"),
        "looked-up": (receiver.url.replace("127.0.0.1", "localhost"), "must not call localhost ("),
        "by-name": ("http://a.denied.example/", "must not call a.denied.example: denied by delivery.deny: *.denied.example"),
        "metadata": ("http://169.254.169.254/latest/meta-data/", "denied unless delivery.allow names it"),
    }
    made = {key: carillon.api.register(definition(url + "/x", key=key)) for key, (url, _) in hosts.items()}
    for key, (_, why) in hosts.items():
        run = ended(carillon, made[key])
        assert (run["state"], run["attempt"], run.get("status") or 0) == ("failed", 1, 0), key
        assert why in run["error"], key
    assert receiver.requests() == []


def test_a_denied_target_is_retried_as_its_policy_says(make_carillon, receiver):
    carillon = make_carillon(CARILLON_DELIVERY_DENY="127.0.0.1")
    policy = {"failed_policy": "retry_dlq", "retry_wait": 0.1, "max_retry_count": 2}
    made = carillon.api.register(definition(receiver.url, task=policy))

    def dead():
        return [r for r in carillon.api.runs(made["id"]) if r["state"] == "dead"]

    (run,) = wait_until(dead, "the dead run")
    assert run["attempt"] == 3
    assert receiver.requests() == []


def test_with_an_allow_list_only_what_it_names_is_called(make_carillon, receiver):
    carillon = make_carillon(CARILLON_DELIVERY_ALLOW="localhost,10.0.0.0/8")
    by_name = carillon.api.register(definition(receiver.url.replace("127.0.0.1", "localhost") + "/named", key="1"))
    by_address = carillon.api.register(definition(receiver.url + "/numbered", key="2"))
    assert ended(carillon, by_name)["state"] == "succeeded"
    assert "must not call 127.0.0.1: not in delivery.allow" in ended(carillon, by_address)["error"]
    assert [r.path for r in receiver.requests()] == ["/named"]


def test_no_proxy_and_no_redirect_leads_around_it(make_carillon, receiver):
    """The receiver plays the proxy, and sends the client on: neither may reach what is denied."""
    from receiver import answer

    proxy = {name: receiver.url for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")}
    carillon = make_carillon(CARILLON_DELIVERY_DENY="10.0.0.0/8", **proxy)
    receiver.rule("/go", lambda _: answer(307, {"Location": receiver.url + "/elsewhere"}))
    denied = carillon.api.register(definition("http://10.1.2.3/x", key="1"))
    redirected = carillon.api.register(definition(receiver.url + "/go", key="2"))
    assert "denied by delivery.deny: 10.0.0.0/8" in ended(carillon, denied)["error"]
    assert ended(carillon, redirected)["status"] == 307
    assert [r.path for r in receiver.requests()] == ["/go"]


@pytest.mark.skipif(not Redis.available(), reason="there is no redis-server")
def test_redis_and_kafka_are_guarded_too(make_carillon):
    redis = Redis()
    try:
        carillon = make_carillon(CARILLON_DELIVERY_DENY="127.0.0.0/8,::1")
        tasks = {
            "redis": {"type": "redis", "connection": {"host": redis.host, "topic": "t", "mode": "list"}},
            "kafka": {"type": "kafka", "connection": {"host": f"localhost:{redis.port}", "topic": "t"}, "timeout": 1},
        }
        made = {k: carillon.api.register(definition("", key=k, task=task)) for k, task in tasks.items()}
        for key, schedule in made.items():
            run = ended(carillon, schedule)
            assert run["state"] == "failed", key
            assert "denied by delivery.deny: " in run["error"], key
        assert redis("LLEN", "t") == 0
    finally:
        redis.stop()


def test_a_bad_entry_is_refused_with_its_line(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("delivery:\n  allow:\n    - 10.0.0.0/8\n    - 10.1.2.3/8\n  deny: [http://a.example]\n")
    said = run_cli("config", "check", "--config", str(config))
    text = said.stdout + said.stderr
    assert said.returncode != 0
    assert "config.yaml:4" in text and "delivery.allow 10.1.2.3/8 has bits beyond its length; the network is 10.0.0.0/8" in text
    assert "config.yaml:5" in text and "delivery.deny http://a.example is no IP address" in text
