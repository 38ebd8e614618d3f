"""docs/reference/job-options.md: what a job can be given."""
from __future__ import annotations

from emrctl.docs import table


def page() -> str:
    """The page."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.options import OPTIONS

    rows = [[f"`{option.name}`", ", ".join(f"`{flag}`" for flag in option.flags) or "after `--`", "yes" if option.flow else "",
             f"`{option.default}`" if option.default else "", option.doc] for option in OPTIONS]
    return "\n".join([
        "# Options of a job", "",
        "`emrctl submit` takes them as flags, the playbook `emr.cluster.submit` as `emr_job_NAME` (type, args, files, user, queue, name, token) or in",
        "the map `emr_job_options`, the action `emr.cluster.job` by name, and a job in a [flow file](../flows.md) where it says yes.", "",
        *table(["Option", "Terminal", "Flow", "Default", "Meaning"], rows)]).rstrip() + "\n"
