"""For each alert: series on which it must fire, alone, and series near them on which nothing may.

Values are written as promtool does: `0+60x30` begins at 0 and grows by 60 for 30 more minutes, `_` is a scrape that failed.
A case is judged at its minute, which lies behind the alert's window and its `for`.
"""

AT = {"job": "carillon", "namespace": "prod", "instance": "one"}


def one(name, values, **labels):
    """A series of the instance `one`, or of the one that is named."""
    text = ",".join(f'{k}="{v}"' for k, v in {**AT, **labels}.items())
    return {"series": f"{name}{{{text}}}", "values": values}


def buckets(**upto):
    """Lateness of 600 attempts a minute: so many of them within a bound, as le_5=594."""
    bounds = [(le.removeprefix("le_"), n) for le, n in upto.items()] + [("+Inf", 600)]
    return [one("carillon_lateness_seconds_bucket", f"0+{n}x60", le=le) for le, n in bounds]


def build(**labels):
    return one("carillon_build_info", "1x120", **{"version": "0.1.0", **labels})


def attempts(failed, ok):
    return [
        one("carillon_attempts_total", f"0+{n}x60", type="rest", result=result) for result, n in (("failed", failed), ("ok", ok))
    ]


def requests(**by_status):
    """Requests a minute by status: s200=10."""
    return [
        one("carillon_http_requests_total", f"0+{n}x60", method="GET", route="/schedules", status=status[1:])
        for status, n in by_status.items()
    ]


def commits(seconds, count):
    return [
        one("carillon_lane_commit_seconds_total", f"0+{seconds}x60", lane="writer"),
        one("carillon_lane_commits_total", f"0+{count}x60", lane="writer"),
    ]


# alert: (minute, bad, good)
CASES = {
    "CarillonDown": (10, [one("up", "1x2 0x20")], [one("up", "1x2 0 1x20"), one("up", "0x30", job="other")]),
    "CarillonDatabaseAway": (10, [one("carillon_store_up", "0x20")], [one("carillon_store_up", "1x9 0 1x20")]),
    # A fifth of the attempts is above five seconds; and a two-hundredth, which is less than one in a hundred.
    "CarillonLate": (30, buckets(le_1=300, le_5=480, le_10=600), buckets(le_1=300, le_5=597, le_10=600)),
    "CarillonNobodyClaims": (
        60,
        [one("carillon_engine_claims_total", "5x90"), one("carillon_engine_claims_total", "7x90", instance="two")],
        # One that does not get to it; and another that looks every five minutes.
        [one("carillon_engine_claims_total", "0x90"), one("carillon_engine_claims_total", "0x5 1x5 2x5 3x5 4x5 5x5 6x5 7x5 8x5 9x5 10x5", instance="two")],
    ),
    "CarillonConnectionsUsedUp": (
        10,
        [one("carillon_http_connections", "1000x20"), one("carillon_http_connections_max", "1024x20")],
        [one("carillon_http_connections", "900x20"), one("carillon_http_connections_max", "1024x20")],
    ),
    "CarillonDescriptorsUsedUp": (
        10,
        [one("process_open_fds", "950x20"), one("process_max_fds", "1000x20"), build()],
        # The second is somebody else's process.
        [one("process_open_fds", "100x20"), one("process_max_fds", "1000x20"), build()]
        + [one("process_open_fds", "950x20", job="other"), one("process_max_fds", "1000x20", job="other")],
    ),
    "CarillonNoMonitor": (
        10,
        [one("carillon_monitors", "0x20"), one("carillon_monitors", "0x20", instance="two")],
        # One that has not heard of the new one yet; and those that are not the monitor.
        [one("carillon_monitors", "1x5 0x2 1x20"), one("carillon_monitor", "0x20"), one("carillon_monitor", "1x20", instance="two")],
    ),
    "CarillonVersionsDiffer": (
        90,
        [build(), build(instance="two", version="0.2.0")],
        [build(), build(instance="two"), build(job="another-cluster-of-carillon", version="0.2.0")],
    ),
    "CarillonRestarts": (
        30,
        [one("process_start_time_seconds", "100x5 200x5 300x5 400x20"), build()],
        [one("process_start_time_seconds", "100x5 200x30"), build()]
        + [one("process_start_time_seconds", "100x5 200x5 300x5 400x20", job="other")],
    ),
    "CarillonDeadRuns": (
        30,
        [one("carillon_runs", "2x20 7x20", state="dead")],
        # Those that were there, and some that were redriven.
        [one("carillon_runs", "7x20 2x20", state="dead"), one("carillon_runs", "0+5x40", state="pending")],
    ),
    "CarillonAttemptsFail": (30, attempts(failed=60, ok=40), attempts(failed=40, ok=60)),
    "CarillonTargetSilent": (
        30,
        [one("carillon_circuits_open", "1x60", type="kafka")],
        [one("carillon_circuits_open", "0x20 1x5 0x30", type="kafka")],
    ),
    "CarillonTargetSlow": (
        30,
        [one("carillon_engine_runs_put_back_total", "0+5x60")],
        [one("carillon_engine_runs_put_back_total", "0x24 5x30")],
    ),
    "CarillonAttemptsNotSent": (
        30,
        [one("carillon_engine_attempts_not_sent_total", "0x25 3x30")],
        [one("carillon_engine_attempts_not_sent_total", "3x60")],
    ),
    "CarillonLeasesLost": (
        30,
        [one("carillon_engine_outcomes_stale_total", "0x25 1x30"), one("carillon_engine_runs_dropped_total", "0x60")],
        [one("carillon_engine_outcomes_stale_total", "4x60"), one("carillon_engine_runs_dropped_total", "4x60")],
    ),
    "CarillonDatabaseSlow": (30, commits(seconds=30, count=100), commits(seconds=3, count=100)),
    "CarillonDatabaseBehind": (
        30,
        [one("carillon_lane_waiting", "9000x60", lane="writer")],
        [one("carillon_lane_waiting", "9000x27 10x30", lane="writer")],
    ),
    "CarillonDatabaseFails": (
        60,
        [one("carillon_lane_failures_total", "0+20x90", lane="writer")],
        [one("carillon_lane_failures_total", "0+1x90", lane="writer")],
    ),
    "CarillonNotHeard": (20, [one("carillon_wakeup_connected", "0x60")], [one("carillon_wakeup_connected", "1x17 0x2 1x60")]),
    "CarillonHistoryAway": (30, [one("carillon_history_up", "0x60")], [one("carillon_history_up", "1x25 0x60")]),
    "CarillonHistoryBehind": (
        40,
        [one("carillon_history_outbox_oldest_seconds", "0+60x60")],
        [one("carillon_history_outbox_oldest_seconds", "200x60")],
    ),
    "CarillonRequestsFail": (30, requests(s200=90, s503=10), requests(s200=990, s503=10, s404=500)),
    "CarillonRequestsRefused": (60, requests(s200=90, s429=1), requests(s200=90, s404=5)),
}


def split(api, worker, keeper=()):
    """A cluster whose roles are in jobs of their own, as releases of the chart are: the series of each by name, with their values."""
    return [
        one(name, values, job=f"carillon-{role}", instance=role)
        for role, series in (("api", api), ("worker", worker), ("keeper", keeper))
        for name, values in dict(series).items()
    ]


KNOWN = {"carillon_workers": "1x90", "carillon_monitors": "1x90"}
CLAIMS = {"carillon_engine_claims_total": "0x5 1x5 2x5 3x5 4x5 5x5 6x5 7x5 8x5 9x5 10x30"}

# what: (minute, series, alerts that fire)
SPLIT = {
    "all is well": (60, split(KNOWN, KNOWN | CLAIMS | {"carillon_monitor": "1x90"}), []),
    "two jobs of workers, of which one has the monitor": (
        60,
        split(KNOWN, KNOWN | CLAIMS | {"carillon_monitor": "0x90"}, KNOWN | CLAIMS | {"carillon_monitor": "1x90"}),
        [],
    ),
    "the workers are there and stand still": (60, split(KNOWN, KNOWN | {"carillon_engine_claims_total": "5x90"}), ["CarillonNobodyClaims"]),
    "there are no workers": (60, split({"carillon_workers": "1x30 0x60", "carillon_monitors": "1x90"}, {}), ["CarillonNobodyClaims"]),
    "nobody is the monitor": (60, split({"carillon_workers": "1x90", "carillon_monitors": "1x30 0x60"}, {}), ["CarillonNoMonitor"]),
}
