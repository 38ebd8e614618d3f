# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: transfer
short_description: Import data into HDFS, or export it, as a job of the cluster
version_added: 0.1.0
description:
  - The place outside decides what is run. With an address C(oss://BUCKET/PATH) it is DistCp with a verification; with
    C(mysql://) and C(postgresql://) Spark reads or writes a table.
  - What is needed to sign on is read on the controller and reaches the control node in the payload of the module. There only the
    job's user can read it, until the job has ended.
  - Does its work on the control node only.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  direction:
    description:
      - Whether data comes into the cluster or leaves it.
    type: str
    required: true
    choices: [import, export]
  source:
    description:
      - Where the data is. An address outside of the cluster for an import, else a path in HDFS.
    type: str
    required: true
  target:
    description:
      - Where the data is to be.
    type: str
    required: true
  options:
    description:
      - Options of this kind of transfer.
    type: dict
    default: {}
  credentials:
    description:
      - File on the controller with what is needed to sign on, readable by its owner alone. With V(chain) the cloud credentials of
        the controller. Without any, the variables of the environment that the kind of place has.
    type: str
  name:
    description:
      - Name of the job for people.
    type: str
  user:
    description:
      - User that the job runs as, V(emr) or a user of the spec.
    type: str
    default: emr
  queue:
    description:
      - Queue of YARN for the job. Without it the user's own.
    type: str
  token:
    description:
      - The same token submits once.
    type: str
  wait:
    description:
      - Return after the job has ended; failed unless it succeeded.
    type: bool
    default: false
  wait_limit_s:
    description:
      - Seconds to wait at most.
    type: int
    default: 86400
"""

EXAMPLES = r"""
- name: Bring the flights into HDFS
  emr.cluster.transfer:
    direction: import
    source: oss://my-bucket/flights
    target: /user/emr/flights
    options: {include: ["*.csv"]}
    wait: true
"""

RETURN = r"""
job:
  description: The job's record with C(id), C(state), C(exit_code), C(history) and C(applications).
  type: dict
  returned: when there is something to tell
"""
