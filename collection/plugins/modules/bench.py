# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bench
short_description: Measure a cluster, as a job of it
version_added: 0.1.0
description:
  - With V(submit) a benchmark is started. TPC-H makes its tables on the cluster, runs all 22 queries through Spark SQL and compares
    every answer with DuckDB's on the same data. TeraSort sorts with MapReduce, DFSIO writes and reads HDFS.
  - Results lie in HDFS, below the home of the user whose job it was. V(list) and V(show) read them.
  - Does its work on the control node only.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description:
      - What to do.
    type: str
    choices: [submit, list, show]
    default: submit
  kind:
    description:
      - The benchmark.
    type: str
    choices: [tpch, terasort, dfsio]
  scale:
    description:
      - Amount of data, from 0.01. V(1) is about 1 GB.
    type: float
    default: 1
  streams:
    description:
      - How many ask all queries at the same time (TPC-H).
    type: int
    default: 1
  rounds:
    description:
      - How often all of it is measured; the best time of each step counts.
    type: int
    default: 1
  label:
    description:
      - A word for people that tells this run from others.
    type: str
  properties:
    description:
      - Properties of Hadoop and Spark for this run.
    type: dict
    default: {}
  user:
    description:
      - User that the job runs as, V(emr) or a user of the spec.
    type: str
    default: emr
  queue:
    description:
      - Queue of YARN for the job. Without it the user's own.
    type: str
  options:
    description:
      - Any of these options as one mapping, whose values win.
    type: dict
    default: {}
  ids:
    description:
      - Ids of runs to show.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Measure Spark SQL with 1 GB of TPC-H
  emr.cluster.bench:
    kind: tpch
    scale: 1
"""

RETURN = r"""
job:
  description: The job's record. Its id is that of the run.
  type: dict
  returned: op is submit
runs:
  description: Results of runs.
  type: list
  elements: dict
  returned: op is list or show
"""
