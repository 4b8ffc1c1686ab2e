"""Writes board.json, Grafana's board over the metrics of docs/metrics.md: `make docs`, or board.py - for standard output.

A board by hand is a thousand lines that nobody reads; here each panel is one. tests/deploy holds them to the page.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 8, 7
AT = 'job=~"$job",instance=~"$instance"'


def at(name, more=""):
    """The metric of what is chosen above the board."""
    return f"{name}{{{AT}{more}}}"


def rate(name, more=""):
    return f"rate({at(name, more)}[$__rate_interval])"


def quantile(q, histogram):
    return f"histogram_quantile({q}, sum by (le) ({rate(histogram + '_bucket')}))"


def mean(histogram):
    return f"sum({rate(histogram + '_sum')}) / sum({rate(histogram + '_count')})"


def each(name, by="instance"):
    return (f"sum by ({by}) ({at(name)})", legend(by))


def each_rate(name, by="instance"):
    return (f"sum by ({by}) ({rate(name)})", legend(by))


def of_all(name, by=""):
    """What every instance tells alike."""
    return (f"max by ({by}) ({at(name)})" if by else f"max({at(name)})", legend(by))


def legend(by):
    return " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(",")) if by else ""


def spread(histogram):
    return [(quantile(q, histogram), text) for q, text in ((0.5, "median"), (0.9, "90 %"), (0.99, "99 %"))] + [
        (mean(histogram), "mean")
    ]


# (row, [(title, unit, what it shows, [(expression, legend)])])
ROWS = [
    (
        "What fires",
        [
            ("Lateness", "s", "How late attempts start. Milliseconds where all is well.", spread("carillon_lateness_seconds")),
            ("Time of an attempt", "s", "From its start to its answer.", spread("carillon_delivery_seconds")),
            ("Attempts that ended", "ops", "By kind of task and result.", [each_rate("carillon_attempts_total", "type, result")]),
            ("Attempts started", "ops", "Fires a second, with retries.", [each_rate("carillon_engine_attempts_started_total")]),
            ("Attempts under way", "short", "At most scheduler.max_in_flight each.", [each("carillon_engine_attempts_in_flight")]),
            (
                "Runs in memory",
                "short",
                "Held of all kinds; of those waiting; of those queueing at their target; and ended, but not durable yet.",
                [
                    (f"sum({at('carillon_engine_runs_' + state)})", state)
                    for state in ("held", "waiting", "queueing", "recording")
                ],
            ),
            (
                "Put off and let go",
                "ops",
                "Should be none: for want of places at one target, of descriptors or memory, or of a lease.",
                [
                    (f"sum({rate('carillon_engine_' + name + '_total')})", text)
                    for name, text in (
                        ("runs_put_back", "put back: one target is slow"),
                        ("attempts_not_sent", "not sent: descriptors, memory"),
                        ("runs_dropped", "let go unrecorded"),
                        ("outcomes_stale", "refused: lease lost"),
                    )
                ],
            ),
            ("Claims", "ops", "How often the database is asked for what is due.", [each_rate("carillon_engine_claims_total")]),
            (
                "Time of a claim",
                "s",
                "The database's part of lateness.",
                [(f"sum by (instance) ({rate('carillon_engine_claim_seconds_total')}) / sum by (instance) ({rate('carillon_engine_claims_total')})", "{{instance}}")],
            ),
            ("Turns of the engine", "ops", "Few while there is nothing to do.", [each_rate("carillon_engine_wakeups_total")]),
            ("Silent targets", "short", "Their runs wait until a probe is answered.", [each("carillon_circuits_open", "instance, type")]),
            ("Targets found silent", "ops", "Targets that come and go.", [each_rate("carillon_circuits_opened_total", "type")]),
            ("Schedules", "short", "Of all instances.", [of_all("carillon_schedules", "state")]),
            ("Runs that have not ended, and dead ones", "short", "Of all instances. Dead ones wait for somebody.", [of_all("carillon_runs", "state")]),
        ],
    ),
    (
        "The cluster",
        [
            ("Versions", "short", "Instances by version: one, but while an upgrade goes on.", [(f"count by (version) ({at('carillon_build_info')})", "{{version}}")]),
            ("Instances", "short", "That live, as each sees it.", [each("carillon_instances")]),
            ("Monitor", "short", "1 on the one that looks after the cluster.", [each("carillon_monitor")]),
            ("Workers, monitors", "short", "That live, as each sees it: no worker, and nothing fires.", [each("carillon_workers"), each("carillon_monitors")]),
            ("Others are heard", "short", "0: what others register is seen some seconds late.", [each("carillon_wakeup_connected")]),
            (
                "Notices",
                "ops",
                "Heard of others, told over Redis, and ignored since no instance can have sent them.",
                [(f"sum({rate('carillon_wakeup_' + name + '_total')})", name) for name in ("heard", "told", "ignored")],
            ),
            ("Connections made to hear", "ops", "Should be none, after the start.", [each_rate("carillon_wakeup_connects_total")]),
        ],
    ),
    (
        "The database",
        [
            (
                "Connected",
                "short",
                "Whether it answered the last scrape; and each lane.",
                [each("carillon_store_up"), each("carillon_lane_connected", "instance, lane")],
            ),
            ("Operations", "ops", "Registrations, claims, outcomes, lists.", [each_rate("carillon_lane_operations_total", "instance, lane")]),
            ("Transactions", "ops", "Each a group of operations.", [each_rate("carillon_lane_commits_total", "instance, lane")]),
            (
                "Time of a commit",
                "s",
                "Mostly the fsync of the database.",
                [(f"sum by (instance, lane) ({rate('carillon_lane_commit_seconds_total')}) / sum by (instance, lane) ({rate('carillon_lane_commits_total')})", "{{instance}} {{lane}}")],
            ),
            ("Transactions that failed", "ops", "They are tried again.", [each_rate("carillon_lane_failures_total", "instance, lane")]),
            ("Operations that wait", "short", "Thousands: the database does not keep up.", [each("carillon_lane_waiting", "instance, lane")]),
        ],
    ),
    (
        "The history",
        [
            ("History connected", "short", "0: events gather in the main database.", [each("carillon_history_up")]),
            ("Events that wait", "short", "Of all instances, about.", [of_all("carillon_history_outbox_events")]),
            ("Age of the oldest", "s", "Of the events that wait.", [of_all("carillon_history_outbox_oldest_seconds")]),
            ("Events moved", "ops", "By instance.", [each_rate("carillon_history_moved_total")]),
            ("Tries that came to nothing", "ops", "Should be none while it is connected.", [each_rate("carillon_history_failures_total")]),
        ],
    ),
    (
        "The API",
        [
            ("Requests by status", "reqps", "5xx should be none; 429 is server.rate.", [each_rate("carillon_http_requests_total", "status")]),
            ("Requests by route", "reqps", "What is asked for.", [each_rate("carillon_http_requests_total", "method, route")]),
            ("Time of a request", "s", "From its headers to its answer.", spread("carillon_http_request_duration_seconds")),
            ("Answers that could not be sent", "reqps", "Clients that went away.", [each_rate("carillon_http_requests_aborted_total")]),
            ("Requests under way", "short", "Not yet answered.", [each("carillon_http_requests_under_way")]),
            (
                "Connections",
                "short",
                "Open, and how many there may be.",
                [each("carillon_http_connections"), (f"max({at('carillon_http_connections_max')})", "at most")],
            ),
            ("Listeners", "short", "Clients that listen to /events.", [each("carillon_event_streams")]),
        ],
    ),
    (
        "The process",
        [
            ("Memory", "bytes", "Resident.", [each("process_resident_memory_bytes")]),
            ("Processor", "percentunit", "1 is a whole core.", [each_rate("process_cpu_seconds_total")]),
            ("Descriptors", "short", "Open, and how many there may be.", [each("process_open_fds"), (f"max({at('process_max_fds')})", "at most")]),
            ("Up since", "dateTimeAsIso", "Each line that jumps is a start.", [(f"max by (instance) ({at('process_start_time_seconds')}) * 1000", "{{instance}}")]),
        ],
    ),
]


def target(ref, expr, text):
    made = {"refId": ref, "expr": expr, "editorMode": "code", "range": True}
    return {**made, "legendFormat": text or "__auto"}


def panel(number, x, y, title, unit, description, lines):
    return {
        "id": number,
        "type": "timeseries",
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {
            "defaults": {"unit": unit, "min": 0, "custom": {"fillOpacity": 10, "showPoints": "never"}},
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [target(chr(ord("A") + i), expr, text) for i, (expr, text) in enumerate(lines)],
    }


def panels():
    made = []
    y = 0
    for title, row in ROWS:
        number = len(made) + 1
        made.append(
            {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}
        )
        y += 1
        for i, one in enumerate(row):
            column = i % (24 // WIDTH)
            if i and not column:
                y += HEIGHT
            made.append(panel(number + 1 + i, column * WIDTH, y, *one))
        y += HEIGHT
    return made


def variable(name, label, of):
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": f"label_values({of}, {name})",
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def board():
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1}
    return {
        "uid": "carillon",
        "title": "Carillon",
        "description": "Each metric of Carillon; docs/metrics.md says what they mean.",
        "tags": ["carillon"],
        "schemaVersion": 38,
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": "now-3h", "to": "now"},
        "refresh": "30s",
        "templating": {
            "list": [
                source,
                variable("job", "Job", "carillon_build_info"),
                variable("instance", "Instance", 'carillon_build_info{job=~"$job"}'),
            ]
        },
        "panels": panels(),
    }


def main(words):
    text = json.dumps(board(), indent=1) + "\n"
    if words == ["-"]:
        sys.stdout.write(text)
    else:
        (HERE / "board.json").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
