"""What a newcomer is told to type works, in both languages."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from harness import TOP

PAGES = ["README.md", "README.ko.md"]


def blocks(page):
    return re.findall(r"```sh\n(.*?)```", (TOP / page).read_text(), re.S)


def definition_of(page):
    (post,) = [b for b in blocks(page) if b.startswith("curl ")]
    return json.loads(re.search(r"-d '(.*)'", post, re.S).group(1))


def test_both_pages_say_the_same_commands():
    assert blocks(PAGES[0]) == blocks(PAGES[1])
    assert [b.split()[0] for b in blocks(PAGES[0])] == ["make", "python3", "curl", "build/release/carillon"]


@pytest.mark.parametrize("page", PAGES)
def test_the_example_is_accepted_and_its_receiver_prints_it(page, carillon):
    definition = definition_of(page)
    asked = dict(definition)
    assert carillon.api.post("/schedules", definition).status == 201
    # The page's receiver, on a port that is free, and the page's schedule, without the wait for second 30.
    (program,) = [b for b in blocks(page) if b.startswith("python3 ")]
    code = re.search(r"-c '(.*)'", program, re.S).group(1)
    assert '("127.0.0.1", 3000)' in code
    code = code.replace('HTTPServer(("127.0.0.1", 3000), Print).serve_forever()',
                        's = HTTPServer(("127.0.0.1", 0), Print); print(s.server_port, flush=True); s.serve_forever()')
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as receiver:
        try:
            port = receiver.stdout.readline().strip()
            host = asked["task"]["connection"]["host"]
            assert host.startswith("http://localhost:3000/")
            asked["task"]["connection"]["host"] = host.replace(":3000", f":{port}")
            answer = carillon.api.post("/schedules", {**asked, "schedule": "* * * * * *"})
            assert answer.status == 200
            path, key, body = receiver.stdout.readline().split(" ", 2)
        finally:
            receiver.kill()
    assert path == "/api/run/DELAY-TEST-9"
    assert key.startswith(answer.json()["id"] + "/")
    assert json.loads(body) == asked["task"]["data"]


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md", "CHANGELOG.md", *(f"docs/{p.name}" for p in sorted((TOP / "docs").glob("*.md")))])
def test_links_lead_somewhere(page):
    path = TOP / page
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), f"{page}: {target}"


MANUAL = ["README.md", "README.ko.md", *(f"docs/{p.name}" for p in sorted((TOP / "docs").glob("*.md")))]


def shown_names(page, pattern):
    return set(re.findall(r"`(" + pattern + r")`", (TOP / page).read_text()))


@pytest.mark.parametrize("page", MANUAL)
def test_every_setting_and_metric_it_names_is_there(page):
    settings = set(re.findall(r"(?m)^\| `([a-z]+\.[a-z_]+)` \|", (TOP / "docs/configuration.md").read_text()))
    sections = {name.split(".")[0] for name in settings}
    named = {n for n in shown_names(page, r"[a-z]+\.[a-z_]+") if n.split(".")[0] in sections}
    checks = set(re.findall(r"(?m)^\| `([a-z_.]+)` \|", (TOP / "docs/doctor.md").read_text()))  # of carillon doctor
    assert {n for n in named - settings - checks if not n.endswith((".c", ".h", ".md", ".py"))} == set()
    metrics = shown_names(page, r"carillon_[a-z_]+") - {"carillon_history"}  # which is a schema of PostgreSQL
    assert metrics - shown_names("docs/metrics.md", r"carillon_[a-z_]+") == set()


@pytest.mark.parametrize("page", MANUAL)
def test_pictures_are_there_and_whole(page):
    for target in re.findall(r"!\[[^]]+\]\(([^)]+)\)", (TOP / page).read_text()):
        picture = ((TOP / page).parent / target).read_text()
        assert xml.etree.ElementTree.fromstring(picture).find("{http://www.w3.org/2000/svg}title").text
