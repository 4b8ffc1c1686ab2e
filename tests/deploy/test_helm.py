"""The chart, rendered by helm: the same in substance as what kustomize makes of deploy/kubernetes, and what else it can.

Skipped, and counted so, where helm can neither be found nor fetched.
"""

import copy
import os
import re
import subprocess

import pytest
import yaml

from harness import TOP, binary
from test_kubernetes import VERSIONS, objects

CHART = TOP / "deploy" / "helm" / "carillon"
CLUSTER = ["-f", TOP / "deploy" / "helm" / "cluster.yaml"]
KINDS = {"single": [], "cluster": CLUSTER}
# What helm adds to labels, by which releases are told apart.
OF_HELM = {"app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"}
EVERYTHING = """
image: {repository: registry.example/carillon, tag: 1.2.3, pullPolicy: Always}
imagePullSecrets: [{name: pull}]
database: {secret: db, key: address}
history: {secret: hist, key: address}
roles: [worker, monitor]
wakeup: {mode: redis, redis: {secret: cache, key: address}}
config: {delivery: {per_host_connections: 8}, retention: {runs: 2h}}
env: [{name: CARILLON_LOG_LEVEL, value: debug}]
resources: {limits: {memory: 1Gi}}
podAnnotations: {a: b}
nodeSelector: {disk: fast}
tolerations: [{key: k, operator: Exists}]
affinity: {nodeAffinity: {}}
terminationGracePeriodSeconds: 60
startupSeconds: 600
service: {type: NodePort, port: 80, annotations: {c: d}}
ingress: {enabled: true, className: nginx, annotations: {e: f}, host: carillon.example, path: /x, tlsSecret: tls}
networkPolicy: {enabled: true, from: [{namespaceSelector: {matchLabels: {name: ingress}}}]}
serviceMonitor: {enabled: true, namespace: prometheus, interval: 30s, labels: {release: prometheus}}
podDisruptionBudget: {enabled: true, maxUnavailable: 50%}
autoscaling: {enabled: true, minReplicas: 2, maxReplicas: 4, targetCPUUtilizationPercentage: 200}
"""


def run(helm, *words, release="carillon"):
    command = [helm, "template", release, CHART, "--namespace", "prod", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def rendered(helm, *words, **more):
    done = run(helm, *words, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_kind(text):
    every = [o for o in yaml.safe_load_all(text) if o]
    found = {o["kind"]: o for o in every}
    assert len(found) == len(every), "two of one kind"
    return found


@pytest.fixture
def everything(tmp_path):
    path = tmp_path / "everything.yaml"
    path.write_text(EVERYTHING)
    return ["-f", path]


@pytest.mark.parametrize("values", KINDS)
def test_helm_has_no_objection(helm, values):
    done = subprocess.run([helm, "lint", "--strict", CHART, *KINDS[values]], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "0 chart(s) failed" in done.stdout, done.stdout


def plain(one):
    """Without what tells releases apart and what is a default of Kubernetes'; lists of named things in order of their names."""
    if isinstance(one, dict):
        defaults = (("imagePullPolicy", "IfNotPresent"), ("type", "ClusterIP"), ("rollingUpdate", None))
        return {k: plain(v) for k, v in one.items() if k not in OF_HELM and (k, v) not in defaults}
    if isinstance(one, list):
        return sorted(map(plain, one), key=lambda item: item.get("name", "") if isinstance(item, dict) else "")
    return one


@pytest.mark.parametrize("values", KINDS)
def test_the_chart_makes_what_kustomize_makes(helm, values):
    ours = by_kind(rendered(helm, *KINDS[values], "--set", "serviceMonitor.enabled=true"))
    theirs = copy.deepcopy(objects(values))
    if "HorizontalPodAutoscaler" in theirs:
        # Whoever scales says how many: a chart that did too would set it back at each upgrade.
        many = theirs["Deployment"]["spec"].pop("replicas")
        assert many == ours["HorizontalPodAutoscaler"]["spec"]["minReplicas"] and "replicas" not in ours["Deployment"]["spec"]
    assert ours.keys() == theirs.keys()
    for kind, one in ours.items():
        assert plain({k: v for k, v in one.items() if k != "metadata"}) == plain(
            {k: v for k, v in theirs[kind].items() if k != "metadata"}
        ), kind
        assert one["metadata"]["name"] == theirs[kind]["metadata"]["name"]
        # The overlays' own objects have no labels there.
        labels = theirs[kind]["metadata"].get("labels", {"app.kubernetes.io/name": "carillon"})
        assert plain(one["metadata"]["labels"]) == labels


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [*KINDS, "everything"])
def test_every_object_of_the_chart_is_what_kubernetes_knows(helm, values, version, validator, everything, tmp_path):
    text = rendered(helm, *(everything if values == "everything" else KINDS[values]), "--kube-version", version)
    path = tmp_path / "all.yaml"
    path.write_text(text)
    done = subprocess.run([validator, "-k", version, "--strict", path], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    passed = re.findall(r"passed for resource (\w+)/", said)
    assert len(passed) == len([k for k in by_kind(text) if k != "ServiceMonitor"])


def test_two_releases_do_not_take_each_others_pods(helm):
    for release in ("carillon-api", "other"):
        made = by_kind(rendered(helm, *CLUSTER, "--set", "serviceMonitor.enabled=true", release=release))
        name = {"carillon-api": "carillon-api", "other": "other-carillon"}[release]
        assert all(one["metadata"]["name"] == name for one in made.values())
        labels = made["Deployment"]["spec"]["template"]["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == release
        selectors = [made["Deployment"]["spec"]["selector"]["matchLabels"], made["Service"]["spec"]["selector"]]
        selectors += [made[k]["spec"]["selector"]["matchLabels"] for k in ("PodDisruptionBudget", "ServiceMonitor")]
        selectors += [made["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]]
        assert all(s == labels for s in selectors)
        assert made["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == name


def test_every_value_comes_through(helm, everything):
    made = by_kind(rendered(helm, *everything))
    spec = made["Deployment"]["spec"]["template"]["spec"]
    pod = spec["containers"][0]
    env = {e["name"]: e for e in pod["env"]}
    secrets = {n: e["valueFrom"]["secretKeyRef"] for n, e in env.items() if "secretKeyRef" in e.get("valueFrom", {})}
    assert {n: s["name"] for n, s in secrets.items()} == {
        "CARILLON_DATABASE_URL": "db",
        "CARILLON_HISTORY_URL": "hist",
        "CARILLON_REDIS_URL": "cache",
    }
    assert {s["key"] for s in secrets.values()} == {"address"}
    assert (env["CARILLON_ROLES"]["value"], env["CARILLON_WAKEUP_MODE"]["value"]) == ("worker,monitor", "redis")
    assert env["CARILLON_LOG_LEVEL"]["value"] == "debug"
    assert (pod["image"], pod["imagePullPolicy"]) == ("registry.example/carillon:1.2.3", "Always")
    assert pod["startupProbe"]["failureThreshold"] == 600
    assert pod["resources"]["limits"]["memory"] == "1Gi" and spec["imagePullSecrets"] == [{"name": "pull"}]
    assert (spec["nodeSelector"], spec["tolerations"], spec["affinity"], spec["terminationGracePeriodSeconds"]) == (
        {"disk": "fast"},
        [{"key": "k", "operator": "Exists"}],
        {"nodeAffinity": {}},
        60,
    )
    annotations = made["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["a"] == "b" and re.fullmatch(r"[0-9a-f]{64}", annotations["checksum/config"])
    assert made["Service"]["spec"]["ports"][0]["port"] == 80 and made["Service"]["spec"]["type"] == "NodePort"
    rule = made["Ingress"]["spec"]["rules"][0]
    assert (rule["host"], rule["http"]["paths"][0]["path"]) == ("carillon.example", "/x")
    assert made["Ingress"]["spec"]["tls"] == [{"hosts": ["carillon.example"], "secretName": "tls"}]
    assert made["Ingress"]["spec"]["ingressClassName"] == "nginx"
    assert made["NetworkPolicy"]["spec"]["ingress"][0]["from"] == [
        {"podSelector": {}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "prometheus"}}},
        {"namespaceSelector": {"matchLabels": {"name": "ingress"}}},
    ]
    assert made["ServiceMonitor"]["metadata"]["labels"]["release"] == "prometheus"
    assert made["PodDisruptionBudget"]["spec"]["maxUnavailable"] == "50%"
    scale = made["HorizontalPodAutoscaler"]["spec"]
    assert (scale["minReplicas"], scale["maxReplicas"]) == (2, 4)
    assert scale["metrics"][0]["resource"]["target"]["averageUtilization"] == 200


def test_what_the_pod_is_given_carillon_takes(helm, everything, tmp_path):
    made = by_kind(rendered(helm, *everything))
    pod = made["Deployment"]["spec"]["template"]["spec"]
    mount = {m["name"]: m["mountPath"] for m in pod["containers"][0]["volumeMounts"]}["config"]
    assert f"{mount}/config.yaml" in (TOP / "docs" / "configuration.md").read_text(), "a place where it looks by itself"
    path = tmp_path / "config.yaml"
    path.write_text(made["ConfigMap"]["data"]["config.yaml"])
    stand_in = {"DATABASE": "postgresql://u@h/d", "HISTORY": "postgresql://u@h/d", "REDIS": "redis://h:6379/0"}
    env = {n: v for n, v in os.environ.items() if not n.startswith("CARILLON_")}
    for one in pod["containers"][0]["env"]:
        env[one["name"]] = one.get("value") or stand_in.get(one["name"].split("_")[1], "pod-1")
    done = subprocess.run([binary(), "config", "check", "--config", path], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    path.write_text("delivery: {per_host_conections: 8}\n")
    done = subprocess.run([binary(), "config", "check", "--config", path], env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0


def test_nobody_else_is_let_in_where_nobody_else_comes(helm):
    for words in ([], ["--set", "serviceMonitor.enabled=true,serviceMonitor.namespace="]):
        assert by_kind(rendered(helm, *words))["NetworkPolicy"]["spec"]["ingress"][0]["from"] == [{"podSelector": {}}]


def test_a_changed_configuration_makes_new_pods(helm):
    sums = set()
    for n in (8, 9):
        made = by_kind(rendered(helm, "--set", f"config.delivery.per_host_connections={n}"))
        sums.add(made["Deployment"]["spec"]["template"]["metadata"]["annotations"]["checksum/config"])
    assert len(sums) == 2


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["replicas=2"], "set database.secret"),
        (["autoscaling.enabled=true"], "set database.secret"),
        (["roles={worker}"], "has all roles"),
        (["wakeup.mode=redis"], "hears nobody"),
        (["wakeup.mode=redis", "database.secret=x"], "needs wakeup.redis.secret"),
        (["ingress.enabled=true", "networkPolicy.enabled=false"], "ingress.host"),
        (["ingress.enabled=true", "ingress.host=x"], "networkPolicy.from"),
        (["replica=2"], "replica is not allowed"),
        (["database.url=postgresql://x"], "url is not allowed"),
        (["roles={boss}"], "roles.0"),
        (["replicas=some"], "Expected: integer"),
    ],
)
def test_what_cannot_work_is_refused_before_it_is_installed(helm, words, reason):
    done = run(helm, *(w for word in words for w in ("--set", word)))
    assert done.returncode != 0 and reason in done.stderr, done.stderr


def test_the_chart_is_of_this_version():
    version = re.search(r"^  version: '(.*)',$", (TOP / "meson.build").read_text(), re.M).group(1)
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)
