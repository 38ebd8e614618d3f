"""The demo: ``python -m emrctl.local.demo [--name demo] [--again]``."""
from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

from emrctl import paths, views
from emrctl.local.demo import answers, flights, report
from emrctl.local.demo.steps import Steps, checked, say

JOBS = Path(__file__).parent / "jobs"
# One machine carries all nodes: more executors than this would only wait for its cores.
ONE_EXECUTOR = ("--num-executors", "1", "--conf", "spark.dynamicAllocation.enabled=false",
                "--conf", "spark.sql.shuffle.partitions=2")
STREAM_LIMIT_S = 600
# What the cluster did: the share of YARN's memory that applications held.
BUSY = ('100 * max(queue_metrics_allocated_mb{queue="root",user=""}) / '
        'max(queue_metrics_allocated_mb{queue="root",user=""} + queue_metrics_available_mb{queue="root",user=""})')
# Prints a job's output as it grows, on the node that runs it; ends with the job.
FOLLOW = ("cd {folder}; tail -n +1 -F stdout.log 2>/dev/null & until tail -n 1 states | grep -qE 'SUCC|FAIL|KILL'; "
          f"do sleep 0.3; [ $SECONDS -lt {STREAM_LIMIT_S + 60} ] || break; done; sleep 1; kill $!")


class Demo:
    """State of one walk: the steps, the input, the folder in HDFS, the local folder of results."""

    def __init__(self, name: str, work: Path):
        self.name, self.work, self.steps = name, work, Steps()
        # A folder of its own for each walk: jobs refuse to overwrite results.
        self.root = f"/user/emr/flights-{time.strftime('%H%M%S')}"
        self.expected: answers.Answers | None = None
        self.begun = time.monotonic()

    def prepare(self) -> None:
        """Local ECS and input; the independent computation runs beside the rest from here on."""
        with self.steps.phase("The local ECS, and the flights of 2013 from New York"):
            self.input = flights.fetch(paths.cache_dir())
            self._counter = threading.Thread(target=self._compute)
            self._counter.start()
            self.steps.emrctl("local", "up")
            self.steps.use_local_ecs()

    def _compute(self) -> None:
        self.expected = answers.compute(self.input.flights)

    def right(self) -> answers.Answers:
        """What the cluster must find."""
        self._counter.join()
        if self.expected is None or self.expected.rows != flights.ROWS:
            raise SystemExit(f"{self.input.flights} cannot be read as {flights.ROWS} flights")
        return self.expected

    def create(self, again: bool) -> None:
        """A cluster with Hadoop alone, through the front door."""
        known = [c for c in self.steps.json("list", show=False) if c["name"] == self.name]
        if known and again:
            with self.steps.phase("Releasing the cluster of an earlier demo"):
                self.steps.emrctl("release", self.name, "--yes")
        elif known and "spark" in known[0].get("services", []):
            raise SystemExit(f"The cluster {self.name} of an earlier demo is still there.\nNext: make demo "
                             f"DEMO_ARGS=--again   (releases it first), or emrctl release {self.name}")
        spec = self.work / f"{self.name}.yml"
        spec.write_text(self.steps.emrctl("local", "example", "--name", self.name, show=False))
        say(f"\n{spec}:\n" + "".join(f"  {line}\n" for line in spec.read_text().splitlines()))
        self.begun = time.monotonic()
        with self.steps.phase("A cluster with Hadoop: one master, three slaves"):
            self.made = self.steps.json("create", str(spec), "--yes")

    def mapreduce(self) -> None:
        """Daily statistics with Hadoop Streaming."""
        with self.steps.phase("Upload to HDFS"):
            self.steps.emrctl("put", self.name, str(self.input.flights), str(self.input.airlines), f"{self.root}/")
        with self.steps.phase("Daily statistics with MapReduce (Hadoop Streaming)"):
            self._job("HADOOP_STREAMING", ("daily_mapper.py", "daily_reducer.py"),
                      "-D", "mapreduce.job.reduces=1", "-D",
                      "mapreduce.job.reduce.slowstart.completedmaps=1", "-input", f"{self.root}/flights.csv", "-output",
                      f"{self.root}/daily", "-mapper", "python3 daily_mapper.py", "-combiner",
                      "python3 daily_reducer.py", "-reducer", "python3 daily_reducer.py")
            daily = answers.read_daily(self._get("daily"))
        say(report.days(daily))
        checked(f"{len(daily)} days of MapReduce", daily, self.right().daily)

    def spark(self) -> None:
        """Spark joins the running cluster; a stream waits for files while SQL ranks."""
        with self.steps.phase("Spark joins the running cluster"):
            grown = self.steps.json("service", "add", self.name, "spark", "--yes")
            self.made["links"] = grown.get("links") or self.made.get("links")
        with self.steps.phase("Airlines and routes ranked with Spark SQL"):
            sql = self.work / "rank.sql"
            sql.write_text((JOBS / "rank.sql").read_text().replace("${root}", self.root))
            self._job("SPARK_SQL", (sql,), *ONE_EXECUTOR, "-f", "rank.sql")
            found = self._get("results")
        self._rankings(found)

    def _rankings(self, found: Path) -> None:
        right, names = self.right(), report.airline_names(self.input.airlines)
        airlines, routes = (answers.read_ranking(found / kind, 2) for kind in ("airlines", "routes"))
        say(report.ranking("Airlines by mean arrival delay", ["airline", "name"], airlines, 16))
        checked("ranking of the airlines", [(code, name, *sums) for _, code, name, *sums in airlines],
                [(code, names[code], *right.airlines[code]) for code in answers.ranking(right.airlines)])
        say(report.ranking("Routes by mean arrival delay (the first ten)", ["from", "to"], routes, 10))
        checked(f"ranking of {len(routes)} routes", [(a, b, *sums) for _, a, b, *sums in routes],
                [(*route, *right.routes[route]) for route in answers.ranking(right.routes)])

    def stream(self) -> None:
        """Files arrive one after the other while a structured stream counts."""
        source, target = f"{self.root}/arriving", f"{self.root}/counts"
        first, *later = (str(path) for path in self.input.quarters)
        with self.steps.phase("Flights counted by a structured stream while files arrive"):
            self.steps.emrctl("put", self.name, first, f"{source}/")
            job = self._job("SPARK_STREAMING", ("stream.py",), *ONE_EXECUTOR, "stream.py", source, target,
                            str(flights.ROWS), str(STREAM_LIMIT_S), wait=False)
            self._follow(job["id"], lambda: [self.steps.emrctl("put", self.name, path, f"{source}/") for path in later])
            batches = answers.read_batches(self._get("counts"))
        say(report.batches(batches))
        checked(f"counts of the stream after {len(batches)} batches", batches[-1], self.right().months)

    def _follow(self, job_id: str, when_counting) -> None:
        """Show what a job prints until it ends; ``when_counting`` is called after its first line."""
        called = False
        for line in self.steps.lines("ssh", self.name, "--", FOLLOW.format(folder=f"/var/lib/emr/jobs/{job_id}")):
            say(f"  {line}")
            if not called:
                called = True
                when_counting()
        found = next(j for j in self.steps.json("jobs", "list", self.name, "--quiet", show=False) if j["id"] == job_id)
        if found["state"] != "SUCCEEDED":
            raise SystemExit(f"job {job_id}: {found['state']}. Next: emrctl jobs logs {self.name} {job_id}")

    def _job(self, kind: str, files, *args: str, wait: bool = True) -> dict:
        named = [part for file in files for part in ("--file", str(JOBS / file))]
        return self.steps.json("submit", self.name, "--type", kind, *named, *(["--wait"] if wait else []), "--", *args)

    def _get(self, folder: str) -> Path:
        target = self.work / folder
        self.steps.emrctl("get", self.name, f"{self.root}/{folder}", str(target))
        return target

    def chart(self) -> None:
        """What the cluster did, as it kept it itself."""
        say("\n== What the cluster did: YARN's memory in use, in percent")
        say(self.steps.emrctl("metrics", self.name, BUSY, "--since", f"{int(time.monotonic() - self.begun) // 60 + 1}m"))

    def farewell(self) -> None:
        """Links, price, times, and what to do with the cluster."""
        say("\n== The cluster")
        say(report.links(self.made))
        if self.made.get("price"):
            say(f"\nPrice: {views.price(self.made['price'])}")
        say("\n" + self.steps.summary())
        say(f"""
To work on with it:  eval "$(emrctl local env)"; emrctl status {self.name}
Its page, charts and alerts: {report.front(self.made)}
From elsewhere, through SSH: emrctl open {self.name}
To release it:       emrctl release {self.name}     (the local ECS itself: emrctl local down)
Results and spec:    {self.work}""")


def main() -> None:
    """Walk through the demo; the first thing that fails ends it with its exit code."""
    parser = argparse.ArgumentParser(prog="python -m emrctl.local.demo", description=__doc__)
    parser.add_argument("--name", default="demo", help="name of the cluster")
    parser.add_argument("--again", action="store_true", help="release the cluster of an earlier demo first")
    options = parser.parse_args()
    demo = Demo(options.name, Path(tempfile.mkdtemp(prefix="emr-demo-")))
    demo.prepare()
    demo.create(options.again)
    demo.mapreduce()
    demo.spark()
    demo.stream()
    demo.chart()
    demo.farewell()


if __name__ == "__main__":
    main()
