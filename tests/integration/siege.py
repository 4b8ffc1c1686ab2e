"""A load whose occurrences are known beforehand, for tests that do harm to a cluster meanwhile.

Nothing here asks the product what is owed: a cron of every second in UTC owes the whole seconds of its window, a
date owes itself. What came is compared with it as sets.
"""

import datetime
import time

from harness import definition, wait_until

UTC = datetime.timezone.utc
EPOCH = datetime.datetime.fromtimestamp(0, UTC)
SECOND = 1_000_000  # all times are microseconds since 1970

CRONS = 450
DATES_A_SECOND = 150
# Beyond it nothing comes any more; no test waits for it when things are as they should be.
END_S = 90


def now_us():
    return time.time_ns() // 1000


def iso(us):
    return (EPOCH + datetime.timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def us_of(text):
    """Exactly, which a float of seconds would not be."""
    return (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // datetime.timedelta(microseconds=1)


def occurrence(key):
    schedule_id, at = key.split("/", 1)
    return schedule_id, us_of(at)


def register_all(api, definitions):
    """Ids, in order."""
    answer = api.post("/schedules/batch", definitions)
    assert answer.status == 200, answer
    refused = [r for r in answer.json() if r["status"] not in (200, 201)]
    assert not refused, refused[:3]
    return [r["id"] for r in answer.json()]


class Fault:
    """What was done to the cluster, and between which instants."""

    def __init__(self, what, siege, stalls):
        self.what = what
        self.stalls = stalls
        self.siege = siege
        self.begin = self.end = None

    def __enter__(self):
        self.begin = time.time()
        return self

    def __exit__(self, *_):
        self.end = time.time()
        self.siege.faults.append(self)


class Siege:
    """CRONS + DATES_A_SECOND fires a second, for so many seconds, registered by batch on all instances."""

    def __init__(self, instances, counting, path="/after-20", seconds=8):
        self.counting = counting
        self.faults = []
        self.late = []  # doubles whose older attempt came after the newer one
        self.seconds = seconds
        self.begin = (now_us() // SECOND + 3) * SECOND
        url = counting.url + path
        # From half a second before the first to half a second before the one that is out: no edge matters.
        window = {"start_at": iso(self.begin - SECOND // 2), "end_at": iso(self.begin + seconds * SECOND - SECOND // 2)}
        crons = [
            definition(url, "cron", "* * * * * *", f"cron {i}", overlap="allow", misfire="all", **window)
            for i in range(CRONS)
        ]
        step = SECOND // DATES_A_SECOND
        dates = [self.begin + i * step for i in range(DATES_A_SECOND * seconds)]
        for one in crons:
            one["timezone"] = "UTC"
        once = [definition(url, "date", iso(at), f"date {i}") for i, at in enumerate(dates)]
        n = len(instances)
        self.owed, self.allowed = set(), set()
        for k, instance in enumerate(instances):
            ids = register_all(instance.api, crons[k::n])
            answered = now_us()
            for i in ids:
                seen = {(i, self.begin + s * SECOND) for s in range(seconds)}
                self.allowed |= seen
                # One of before it was answered is nobody's promise: a machine may be slow.
                self.owed |= {o for o in seen if o[1] > answered}
            ids = register_all(instance.api, once[k::n])
            self.owed |= set(zip(ids, dates[k::n]))
        self.allowed |= self.owed

    def until(self, second):
        """The moment `second` seconds after the first occurrence."""
        time.sleep(max(0.0, self.begin / SECOND + second - time.time()))

    def fault(self, what, stalls=False):
        """`stalls`: an instance stands still and goes on later."""
        return Fault(what, self, stalls)

    def extra(self, path):
        """What came by this path is somebody else's account, and belongs to the record."""
        self.allowed |= {occurrence(key) for key in self.counting.by_key(path)}

    def came(self):
        return {occurrence(key): arrivals for key, arrivals in self.counting.by_key().items()}

    def missing(self):
        return self.owed - self.came().keys()

    def wait_due_before(self, us):
        """Until all that was due before has come."""
        early = {o for o in self.owed if o[1] < us}
        wait_until(lambda: early <= self.came().keys(), f"{len(early)} occurrences", END_S)

    def finish(self, api):
        """Until all have come and are recorded; judges what came, and gives the doubles by key."""
        self.until(self.seconds)
        try:
            wait_until(lambda: not self.missing(), "every occurrence", END_S)
        except AssertionError:
            raise AssertionError(self.loss(api)) from None
        for state in ("running", "pending", "retrying"):
            wait_until(lambda s=state: not api.get("/runs", query={"state": s}).json(), f"no run is {state}", END_S)
        came = self.came()
        assert came.keys() <= self.allowed, sorted(came.keys() - self.allowed)[:5]
        doubles = {o: arrivals for o, arrivals in came.items() if len(arrivals) > 1}
        for o, arrivals in doubles.items():
            self.judge_double(o, arrivals)
        return doubles

    def loss(self, api):
        missing = sorted(self.missing(), key=lambda o: o[1])
        text = f"{len(missing)} of {len(self.owed)} occurrences did not come; the first of them:"
        for schedule_id, at in missing[:3]:
            known = api.get(f"/schedules/{schedule_id}").body[-400:]
            runs = api.get(f"/schedules/{schedule_id}/runs", query={"limit": 5}).body[:1500]
            text += f"\n{schedule_id} at {iso(at)}\n  {known}\n  {runs}"
        return text + "\n" + "\n".join(f"{f.begin:.3f} {f.what}" for f in self.faults)

    def judge_double(self, o, arrivals):
        """One run, ever higher attempts, and a fault between sending and recording."""
        assert len({a.run for a in arrivals}) == 1, arrivals
        attempts = [a.attempt for a in arrivals]
        assert len(set(attempts)) == len(attempts), arrivals
        if attempts != sorted(attempts):
            # Who was stopped between deciding to send and sending sends when it goes on; nobody can keep it from that.
            assert any(f.stalls and arrivals[-1].at >= f.end for f in self.faults), arrivals
            self.late.append(arrivals)
        for first, second in zip(arrivals, arrivals[1:]):
            assert any(first.at <= f.end and second.at >= f.begin for f in self.faults), (
                f"{o} came twice without a fault between: {arrivals}, faults "
                + str([(f.what, f.begin, f.end) for f in self.faults])
            )

    def account(self, doubles):
        """A line for who reads the test's output."""
        late = sorted(arrivals[0].at - at / SECOND for (_, at), arrivals in self.came().items())
        return (
            f" [{len(self.owed)} occurrences in {self.seconds} s, {len(doubles)} doubles, late by {late[len(late) // 2]:.2f} s in"
            f" the middle and {late[-1]:.1f} s at most; "
            + ", ".join(f"{f.what} ({f.end - f.begin:.1f} s)" for f in self.faults)
            + "]"
        )


def judge_record(postgres, siege):
    """Each occurrence is in the log once, as succeeded, and nothing is open."""
    came = len(siege.came())
    assert postgres.ask("SELECT state, count(*) FROM carillon.run_log GROUP BY state") == [["3", str(came)]]
    assert postgres.ask("SELECT count(*) FROM carillon.run") == [["0"]]
    missed = postgres.ask(
        "SELECT sum(missed_coalesced + missed_overlap + missed_misfire + missed_late + missed_paused) FROM carillon.timer"
    )
    assert missed == [["0"]]
