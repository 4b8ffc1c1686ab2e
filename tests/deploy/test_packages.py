"""What the Debian package and the image are made of. tests/package builds them for real."""

import re

import yaml

from harness import TOP

DEPLOY = TOP / "deploy"


def test_what_is_in_package_and_image_does_not_depend_on_the_network():
    for path in ("debian/rules", "container/Containerfile"):
        assert re.findall(r"-Dgraphiql=(\w+)", (DEPLOY / path).read_text()) == ["disabled"], path
    assert "GraphiQL" not in (DEPLOY / "debian" / "copyright").read_text(), "it is not in it"


def test_what_is_built_and_its_history_are_no_part_of_the_images_context():
    composed = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text())["services"]["one"]["build"]
    context = (DEPLOY / "container" / composed["context"]).resolve()
    assert (context / composed["dockerfile"]).exists()
    # Docker reads this one only; podman and buildah do, unless there is a .containerignore.
    assert {".git", "build"} <= set((context / ".dockerignore").read_text().split())
    assert not (context / ".containerignore").exists()
