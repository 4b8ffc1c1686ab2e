"""The Kubernetes files: each overlay is rendered as `kubectl apply -k` would, and held against Kubernetes' own schemas.

Skipped, and counted so, without kubectl or kustomize, and where PyPI, which has the schemas, cannot be reached.
"""

import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
FILES = TOP / "deploy" / "kubernetes"
OVERLAYS = ["single", "cluster"]
# Between the oldest that is still maintained by vendors and the newest that the schemas know.
VERSIONS = ["1.27", "1.30"]


def rendered(overlay):
    for tool in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(tool[0]):
            done = subprocess.run([*tool, FILES / overlay], capture_output=True, text=True, check=False)
            assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr
            return done.stdout
    pytest.skip("neither kubectl nor kustomize is here")


def objects(overlay):
    found = {o["kind"]: o for o in yaml.safe_load_all(rendered(overlay))}
    assert len(found) == len(list(yaml.safe_load_all(rendered(overlay)))), "two of one kind: the tests below would see one"
    return found


def container(overlay):
    return objects(overlay)["Deployment"]["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_is_what_kubernetes_knows(overlay, version, validator, tmp_path):
    path = tmp_path / "all.yaml"
    path.write_text(rendered(overlay))
    done = subprocess.run([validator, "-k", version, "--strict", path], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    # Of the operator's own kind there is no schema; all others must have been looked at.
    passed = re.findall(r"passed for resource (\w+)/", said)
    assert len(passed) == len(objects(overlay)) - 1 and "servicemonitor" not in passed


def test_a_schema_that_is_broken_is_noticed(validator, tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text(rendered("single").replace("periodSeconds: 1\n", "periodSeconds: often\n"))
    assert subprocess.run([validator, "--strict", path], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_probes_ask_for_paths_that_the_service_has(overlay):
    routes = (TOP / "src" / "api" / "routes.c").read_text()
    one = container(overlay)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert f'"{one[probe]["httpGet"]["path"]}"' in routes
    assert objects(overlay)["ServiceMonitor"]["spec"]["endpoints"][0]["path"] == "/metrics"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_start_may_take_as_long_as_a_migration_tries(overlay):
    source = (TOP / "src" / "store" / "postgres" / "schema.c").read_text()
    patience = int(re.search(r"PATIENCE_S = (\d+)", source)[1])
    probe = container(overlay)["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= patience + 30, "it would be killed before it says why"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_settings_that_exist_are_given(overlay):
    known = (TOP / "docs" / "configuration.md").read_text()
    names = [e["name"] for e in container(overlay)["env"]]
    assert names and all(f"`{name}`" in known for name in names)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_pod_may_do_nothing_it_does_not_need(overlay):
    spec = objects(overlay)["Deployment"]["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] and not spec["automountServiceAccountToken"]
    security = container(overlay)["securityContext"]
    assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_find_the_pods_and_nothing_else(overlay):
    found = objects(overlay)
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert found["Service"]["spec"]["selector"].items() <= labels.items()
    for kind, selector in (("NetworkPolicy", "podSelector"), ("ServiceMonitor", "selector"), ("PodDisruptionBudget", "selector")):
        if kind in found:
            wanted = found[kind]["spec"][selector]["matchLabels"]
            assert wanted and wanted.items() <= labels.items(), kind


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_who_scrapes_is_let_in(overlay):
    found = objects(overlay)
    (rule,) = found["NetworkPolicy"]["spec"]["ingress"]
    assert rule["ports"] == [{"port": found["ServiceMonitor"]["spec"]["endpoints"][0]["port"]}]
    # Prometheus runs where its operator's makers put it, and not beside Carillon.
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}} in rule["from"]


def test_the_image_is_of_this_version():
    version = re.search(r"^  version: '(.*)',$", (TOP / "meson.build").read_text(), re.M).group(1)
    assert container("single")["image"] == f"carillon:{version}"


def test_a_file_of_one_process_is_never_opened_by_two_pods():
    spec = objects("single")["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    volumes = {v["name"]: v for v in spec["template"]["spec"]["volumes"]}
    assert "persistentVolumeClaim" in volumes["data"] and "emptyDir" not in volumes["data"]
    assert "HorizontalPodAutoscaler" not in objects("single")
