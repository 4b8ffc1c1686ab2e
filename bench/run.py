"""run.py: the figures of the main job, each next to a limit or a peer measured in the same run.

    bench/run.py [register] [lateness] [fires] [history] [deliveries] [idle] [stores] [retention] [graphql]        all of them when none is named

Not a test: it prints, it does not judge. Needs the release build and wrk.
"""
import datetime
import json
import re
import subprocess
import sys
import tempfile
import time

from cluster import bench_postgres, bench_sqlite
from graphql import bench_graphql
from service import BUILD, ROOT, Receiver, Service, running

UTC = datetime.timezone.utc
HERE = __file__.rsplit("/", 1)[0]


def iso(t):
    return datetime.datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def definition(key, url, kind, schedule, history=False):
    return {
        "name": f"bench {key}",
        "client": {"operation": "bench", "application": "bench", "group": "bench", "key": str(key), "type": "bench"},
        "type": kind,
        "schedule": schedule,
        "timezone": "Asia/Seoul",
        "task": {
            "type": "rest",
            "connection": {"host": url, "headers": {"Content-Type": "application/json", "accept": "*/*"}},
            "data": {"instanceName": "bench", "variables": {}},
            "failed_policy": "retry",
            "retry_wait": 1,
            "history_check": history,
        },
    }


def wrk(url, connections, seconds, script=None):
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--latency"]
    if script:
        command += ["-s", f"{HERE}/{script}"]
    text = subprocess.run(command + [url], capture_output=True, text=True, check=True).stdout
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {
        "per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
        "p50": re.search(r"50%\s+(\S+)", text).group(1),
        "p99": re.search(r"99%\s+(\S+)", text).group(1),
        "errors": int(errors.group(1)) if errors else 0,
    }


def bench_register(seconds=5):
    print("registering: durable POST /schedules a second, next to the no-op /healthz of the same server")
    print(f"{'connections':>12} {'registered/s':>13} {'no-op/s':>10} {'ratio':>6} {'p50':>9} {'p99':>9} {'errors':>7}")
    for connections in (1, 64, 256):
        service = Service()
        with running(service):
            noop = wrk(f"{service.url}/healthz", connections, seconds)
            put = wrk(f"{service.url}/schedules", connections, seconds, "register.lua")
        ratio = put["per_s"] / noop["per_s"]
        print(f"{connections:>12} {put['per_s']:>13.0f} {noop['per_s']:>10.0f} {ratio:>6.2f} {put['p50']:>9} {put['p99']:>9} {put['errors']:>7}")


def wait_for(receiver, count, seconds):
    """Until the receiver has counted so many distinct runs, or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        tally = receiver.tally()
        if tally["distinct"] >= count:
            return tally
        time.sleep(0.1)
    return receiver.tally()


def bench_lateness(rate=1000, seconds=30):
    print(f"lateness: {rate} schedules a second for {seconds} s, each at its own instant")
    receiver, service = Receiver(), Service()
    with running(receiver, service):
        begin = time.time() + 4 + rate * seconds / 10000
        dates = [definition(i, receiver.url, "date", iso(begin + i / rate)) for i in range(rate * seconds)]
        service.client.register(dates)
        spare = begin - time.time()
        cpu = service.cpu_s()
        tally = wait_for(receiver, len(dates), seconds + spare + 30)
        cpu = service.cpu_s() - cpu
    late = tally["lateness_us"]
    print(f"  registered {spare:.1f} s ahead; received {tally['distinct']} of {len(dates)}, doubles {tally['doubles']}")
    print(f"  p50 {late['p50'] / 1000:.2f} ms (aim 2)  p99 {late['p99'] / 1000:.2f} ms (aim 20)  p99.9 {late['p999'] / 1000:.2f} ms  max {late['max'] / 1000:.2f} ms")
    print(f"  CPU {cpu / len(dates) * 1e6:.0f} us a fire")


def bench_fires(count=60000):
    print(f"fires: {count} schedules due at one instant, receiver on the same machine")
    receiver, service = Receiver(), Service()
    with running(receiver, service):
        begin = time.time() + 3 + count / 8000
        service.client.register([definition(i, receiver.url, "date", iso(begin)) for i in range(count)])
        tally = wait_for(receiver, count, 120)
        took = (tally["last_us"] - tally["first_us"]) / 1e6
    print(f"  received {tally['distinct']} of {count}, doubles {tally['doubles']}, in {took:.2f} s: {count / took:.0f} fires/s (aim 8000)")


def moved(service, count, seconds=120):
    """When so many events had come to the history, by the service's own count."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        service.client.connection.request("GET", "/metrics")
        text = service.client.connection.getresponse().read().decode()
        if int(re.search(r"^carillon_history_moved_total (\d+)", text, re.M).group(1)) >= count:
            return time.time()
        time.sleep(0.1)
    return float("nan")


def bench_history(count=30000):
    print(f"history: {count} schedules due at one instant, without and with history_check, in turns")
    print(f"{'history_check':>14} {'fires/s':>9} {'CPU a fire':>11} {'all in the history after':>25}")
    for history in (False, True, False, True):
        receiver, service = Receiver(), Service()
        with running(receiver, service):
            begin = time.time() + 4 + count / 5000
            dates = [definition(i, receiver.url, "date", iso(begin), history) for i in range(count)]
            service.client.register(dates)
            if history:
                moved(service, count)
            cpu = service.cpu_s()
            tally = wait_for(receiver, count, 120)
            took = (tally["last_us"] - tally["first_us"]) / 1e6
            there = f"{moved(service, 3 * count) - tally['last_us'] / 1e6:.2f} s" if history else "-"
            cpu = service.cpu_s() - cpu
        print(f"{str(history).lower():>14} {count / took:>9.0f} {cpu / count * 1e6:>8.0f} us {there:>25}")


def peers():
    """The servers that tests use: a real Redis, librdkafka's mock cluster."""
    sys.path.insert(0, str(ROOT / "tests" / "integration"))
    from kafka_peer import MockKafka
    from redis_peer import Redis

    kafka = MockKafka(BUILD / "bench" / "kafka_mock")
    kafka.make_topic("bench", 3)
    return kafka, Redis()


def delivered(service, kind, count, seconds):
    """When so many attempts of a type had succeeded, by the service's own count."""
    wanted = f'carillon_attempts_total{{type="{kind}",result="ok"}} {count}'
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        service.client.connection.request("GET", "/metrics")
        if wanted in service.client.connection.getresponse().read().decode():
            return time.time()
        time.sleep(0.05)
    raise RuntimeError(f"{count} deliveries of type {kind} did not end within {seconds} s")


def bench_deliveries(count=30000):
    print(f"deliveries: {count} schedules of one type due at one instant; targets on the same machine")
    print(f"{'type':>16} {'deliveries/s':>13} {'CPU us each':>12}")
    receiver, (kafka, redis) = Receiver(), peers()
    connections = {
        "rest": {"host": receiver.url},
        "kafka": {"host": kafka.brokers, "topic": "bench"},
        "redis publish": {"host": redis.host, "topic": "channel", "mode": "publish"},
        "redis stream": {"host": redis.host, "topic": "stream", "mode": "stream", "maxlen": 1000},
        "redis list": {"host": redis.host, "topic": "list", "mode": "list"},
    }
    with running(receiver, kafka, redis):
        for name, connection in connections.items():
            kind = name.split()[0]
            service = Service()
            with running(service):
                begin = time.time() + 2 + count / 8000
                made = [definition(i, "", "date", iso(begin)) for i in range(count)]
                for one in made:
                    one["task"].update(type=kind, connection=connection, timeout=60)
                service.client.register(made)
                cpu = service.cpu_s()
                took = delivered(service, kind, count, 120) - begin
                cpu = service.cpu_s() - cpu
            print(f"{name:>16} {count / took:>13.0f} {cpu / count * 1e6:>12.0f}")


def bench_idle(count=10000, seconds=20):
    print(f"idle: {count} schedules far away, for {seconds} s")
    service = Service()
    with running(service):
        far = iso(time.time() + 86400 * 30)
        service.client.register([definition(i, "http://127.0.0.1:9/", "date", far) for i in range(count)])
        service.client.connection.close()
        time.sleep(3)  # what the registrations woke comes to rest; the bench measures rest itself
        switches, cpu = service.switches(), service.cpu_s()
        time.sleep(seconds)
        switches, cpu = service.switches() - switches, service.cpu_s() - cpu
        print(f"  wakes/s {switches / seconds:.2f} in {len(service.threads())} threads (limit 1)  resident {service.resident_kib() / 1024:.1f} MiB (limit 20)  CPU {cpu / seconds * 100:.3f}%")


def bench_stores():
    bench_sqlite(wrk, definition, iso, wait_for)
    bench_postgres(wrk, definition, iso, wait_for)


def bench_retention(runs=200_000):
    print("retention: ended runs removed alone, then under fire; it promises never to hold the writer for more than 50 ms")
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder:
        subprocess.run([f"{BUILD}/bench/store/bench_store", "retention", str(runs)], cwd=folder, check=True)


BENCHES = {"register": bench_register, "lateness": bench_lateness, "fires": bench_fires, "history": bench_history, "deliveries": bench_deliveries, "idle": bench_idle, "stores": bench_stores, "retention": bench_retention, "graphql": lambda: bench_graphql(wrk)}

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHES:
        BENCHES[name]()
        sys.stdout.flush()
