"""Kafka for tests: librdkafka's mock cluster always, a real broker where Java and Maven Central can be had.
Both are read back with kcat."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

import base64

from harness import TOP, binary
from redis_peer import free_port

START_S = 120
FETCH_S = 240
READ_S = 60


def build_folder():
    return pathlib.Path(os.environ.get("CARILLON_BUILD") or pathlib.Path(binary()).parent)


def kcat_records(brokers, topic, settings=()):
    """All records of a topic, as kcat shows them: dicts with key, payload and headers."""
    command = ["kcat", "-C", "-b", brokers, "-t", topic, "-o", "beginning", "-e", "-q", "-J"]
    for setting in settings:
        command += ["-X", setting]
    done = subprocess.run(command, capture_output=True, text=True, timeout=READ_S, check=True)
    found = []
    for line in done.stdout.splitlines():
        record = json.loads(line)
        flat = record.get("headers") or []
        record["headers"] = dict(zip(flat[::2], flat[1::2]))
        found.append(record)
    return found


class MockKafka:
    """tests/peers/kafka_mock.c"""

    real = False

    def __init__(self, program=None):
        self.process = subprocess.Popen(
            [program or build_folder() / "tests" / "peers" / "kafka_mock"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        word, self.brokers = self.process.stdout.readline().split()
        assert word == "brokers"

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ok\n", line

    def make_topic(self, topic, partitions=1):
        self.tell(f"topic {topic} {partitions}")

    def records(self, topic):
        return kcat_records(self.brokers, topic)

    def kill(self):
        self.tell("down")

    def start(self):
        self.tell("up")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(START_S)
        self.process.stdout.close()


def broker_jars():
    """The folder with the broker's jars, fetched once into the build folder; or None and why."""
    folder = TOP / "build" / "kafka"
    if (folder / "whole").exists():
        return folder / "jars", ""
    for tool in ("java", "mvn"):
        if not shutil.which(tool):
            return None, f"there is no {tool}"
    pom = TOP / "tests" / "peers" / "kafka" / "pom.xml"
    command = ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={folder}/jars"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_S, check=False)
    except subprocess.TimeoutExpired:
        return None, "Maven did not end in time"
    if done.returncode != 0:
        return None, "Maven Central cannot be reached"
    (folder / "whole").touch()
    return folder / "jars", ""


PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{plain},SASL://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SASL://127.0.0.1:{sasl}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  username="admin" password="admin" user_admin="admin" user_anna="s3cret";
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
min.insync.replicas=1
num.partitions=1
auto.create.topics.enable=true
message.max.bytes=200000
group.initial.rebalance.delay.ms=0
"""


class RealKafka:
    """One node of Apache Kafka in KRaft mode."""

    real = True

    def __init__(self, jars):
        self.jars = jars
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="carillon-kafka-"))
        self.ports = {name: free_port() for name in ("plain", "sasl", "controller")}
        self.brokers = f"127.0.0.1:{self.ports['plain']}"
        self.sasl_brokers = f"127.0.0.1:{self.ports['sasl']}"
        self.properties = self.folder / "server.properties"
        self.properties.write_text(PROPERTIES.format(folder=self.folder, **self.ports))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        done = subprocess.run(
            self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", self.properties),
            capture_output=True, text=True, timeout=START_S, check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.process = None
        self.start()

    def _java(self, *words):
        return ["java", "-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{self.jars}/*", *words]

    def start(self):
        with open(self.folder / "broker.log", "ab") as log:
            self.process = subprocess.Popen(
                self._java("kafka.Kafka", self.properties), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S
        while True:
            # It accepts before it can do anything: kcat's list of topics is what says that it works.
            done = subprocess.run(["kcat", "-L", "-b", self.brokers, "-m", "2"], capture_output=True, text=True, check=False)
            if done.returncode == 0 and "1 brokers" in done.stdout:
                return
            log = (self.folder / "broker.log").read_text(errors="replace")
            assert self.process.poll() is None and time.monotonic() < deadline, log[-4000:]
            time.sleep(0.2)

    def make_topic(self, topic, partitions=1):
        """By asking for it, as auto.create.topics.enable lets kcat do."""
        assert partitions == 1
        deadline = time.monotonic() + START_S
        while True:
            done = subprocess.run(
                ["kcat", "-P", "-b", self.brokers, "-t", topic], input="", capture_output=True, text=True, check=False
            )
            listed = subprocess.run(["kcat", "-L", "-b", self.brokers, "-t", topic], capture_output=True, text=True, check=False)
            if "partition 0, leader 1" in listed.stdout:
                return
            assert time.monotonic() < deadline, done.stderr + listed.stdout
            time.sleep(0.1)

    def records(self, topic):
        return kcat_records(self.brokers, topic)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
