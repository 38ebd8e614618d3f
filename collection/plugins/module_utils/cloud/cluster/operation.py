"""The steps of an operation that happen in the cloud, from lock to nodes with SSH. Called by the action plugin.

An Operation belongs to one run; ``report`` takes sentences for people as things happen.
"""
from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

from ...domain.errors import EmrError, Refused
from ...domain.install.sources import artifacts, needed
from ...domain.waiting import wait
from ..ecs import vpc
from ..ecs.client import EcsClient, EcsError, tags_of
from ..ecs.power import cannot_save, still_charged, stop_instances
from ..install import sources
from ..purchase.plan import Plan, check_masters, make_plan
from ..purchase.purchase import Buyer, retag
from ..scale.release import release_nodes
from ..ssh import doors
from ..ssh.client import require_ssh
from ..ssh.contact import reach
from ..ssh.login import Login, check_agent, ensure_key_pair, find_private_key, prepare_login, require_key_pair
from .anchor import create_anchor, ensure_rules
from .control import TAG as CONTROL, control_node, control_nodes, is_control_node
from .finder import READY, Found, data_disks, find_cluster
from .hostvars import node_hostvars
from .lock import Lock
from .teardown import check_protection, release_cluster, release_plan


class Unconfirmed(Refused):
    """A change was planned and shown, but not confirmed. ``plan`` is plain data."""

    def __init__(self, message: str, plan: dict):
        super().__init__(message, f"Confirm it with emr_confirm={plan['digest']} (or emr_confirm=yes)", {"plan": plan})
        self.plan = plan


@dataclass
class Operation:
    """One run on one cluster. ``pid`` is the process in whose name the lock is held.

    ``transient``: only a cluster that was made for one flow is meant.
    ``confirm`` is ``yes``, the digest of a plan, or empty; ``ask`` may put the question to a person and returns
    True, False or None (nobody there).
    """

    client: EcsClient
    name: str
    pid: int
    confirm: str = ""
    ask: object = lambda plan: None
    report: object = lambda text: None
    user: str = "root"
    address: str = "auto"
    private_key_file: str | None = None
    transient: bool = False
    changed: bool = False
    events: list = field(default_factory=list)
    lock: Lock | None = None

    def say(self, text: str) -> None:
        """Tell people, and keep it for the result."""
        self.events.append(text)
        self.report(text)

    def take_lock(self) -> bool:
        """Hold the cluster's lock until unlock or the end of the owner. Whether it is newly taken."""
        self.lock = Lock(self.client, self.name, self.pid)
        fresh = self.lock.acquire()
        if fresh:
            self.lock.start_keeper()
        return fresh

    def unlock(self) -> bool:
        """Give the lock back; whether it was held by this run."""
        return Lock(self.client, self.name, self.pid).release()

    def found(self, must_exist: bool = True) -> Found:
        """The cluster as it is. Raises Refused when there is none and there must be one."""
        found = find_cluster(self.client, self.name)
        if must_exist and not found.exists:
            raise Refused(f"There is no cluster '{self.name}' in {self.client.region}",
                          "List the clusters with: emrctl list; another region with --region (emr_region)")
        return found

    def running(self, found: Found | None = None) -> Found:
        """The cluster, for work on its nodes. Raises Refused when there is none or none of its instances runs."""
        found = found or self.found()
        if not found.instances:
            raise Refused(f"Cluster '{self.name}' has no nodes", "Run its create again, or release it")
        if not any(i.get("Status") == "Running" for i in found.instances):
            raise Refused(f"Cluster '{self.name}' is stopped", f"Start it with: emrctl start {self.name}")
        return found

    def known(self) -> Found:
        """The cluster for an operation that may also give birth to it. Raises Refused when it is stopped as a whole."""
        found = self.found(must_exist=False)
        if any(tags_of(i).get(READY) for i in found.instances):
            return self.running(found)
        return found

    def plan(self, spec, to_release=(), found: Found | None = None, before=None) -> tuple:
        """(Plan, Found) of a spec, without any change. ``to_release``: names of nodes that will be released; ``before``: the
        spec that the cluster was last made by, where it is known.
        """
        require_ssh()
        found = found or self.found(must_exist=False)
        self._require_transient(found, spec)
        doors.check_unchanged(spec.network.access, found.instances)
        if before is None:
            _require_release(found, spec)
        plan = make_plan(self.client, spec, found, to_release)
        if plan.purchases:
            require_key_pair(self.client, self._login(spec, found, buys=True))
        ready = [i for i in found.instances if tags_of(i).get(READY)]
        if plan.purchases or len(ready) < len(found.instances) or _other_software(before, spec):
            plan.sources = sources.look(spec, _standing(spec, before, ready), lambda: self.client.credentials)
        return plan, found

    def _require_transient(self, found: Found, spec=None) -> None:
        """Raises Refused when a cluster for one flow is meant, and this one is none, or could not be released."""
        if not self.transient:
            return
        if found.exists and not (found.anchor and found.anchor.transient):
            raise Refused(f"There is a cluster '{self.name}', and it was not made for a flow alone", "Give the spec another name; or run "
                          f"the flow there: emrctl flow run {self.name} FLOW")
        if spec is not None and spec.deletion_protection:
            raise Refused("A cluster with deletion_protection cannot be released after its flow", "Take that out of the spec")

    def require_confirmation(self, plan: dict) -> None:
        """Raises Unconfirmed unless this plan was confirmed."""
        if self.confirm in ("yes", plan["digest"]):
            return
        if self.confirm:
            raise Unconfirmed(f"The plan is {plan['digest']} now, confirmed was {self.confirm}: something changed meanwhile",
                              plan)
        if not self.ask(plan):
            raise Unconfirmed("The plan is not confirmed; nothing was changed", plan)

    def present(self, spec, prepared=None) -> tuple:
        """Make the spec's nodes exist, run and answer on SSH. (Found, Plan, Login, what was bought).

        ``prepared``: (Plan, Found) that were made already, of which every change, not only a purchase, wants to be confirmed.
        """
        plan, found = prepared or self.plan(spec)
        if prepared is None:
            check_masters(plan, spec, found)
        if plan.purchases or (prepared and not plan.empty):
            self.require_confirmation(plan.to_dict())
        login = self._login(spec, found, bool(plan.purchases), make=bool(plan.purchases))
        buyer = self._buyer(self._with_network(spec, found, plan), found, plan, login)
        wanted = plan
        if buyer.anchor.intents:
            buyer.settle()
            wanted, found = self.plan(spec, plan.to_release)
        if not any(tags_of(i).get(READY) for i in found.instances):
            buyer.check_stock(wanted)
        buyer.buy(wanted)
        self.changed = self.changed or bool(plan.purchases)
        instances = buyer.wait_running(to_release=plan.to_release)
        self._reach(spec, buyer, [i for i in instances if i["InstanceName"] not in plan.to_release], login.private_key_file)
        return Found(self.name, buyer.anchor, instances), plan, login, buyer.bought

    def _login(self, spec, found: Found, buys: bool, make: bool = False) -> Login:
        """The login key, made here with ``make`` when a new cluster has none; a cluster keeps the one it was born with, else its
        nodes would have different ones.
        """
        born = found.anchor.login if found.anchor else ""
        login = prepare_login(spec.login.private_key_file or self.private_key_file, spec.login.key_pair,
                              make=make and not born)
        if not login.private_key_file and login.key_pair:
            login = replace(login, private_key_file=find_private_key(login.key_pair, None, self.client))
            if buys:
                check_agent(login)
        if not born or login.key_pair == born:
            return login
        if buys:
            raise Refused(f"Cluster '{self.name}' was made with the login key {born}, but this machine has {login.key_pair or 'none'}",
                          "Name its private key in login.private_key_file (or EMR_PRIVATE_KEY_FILE)")
        return Login(born, find_private_key(born, spec.login.private_key_file or self.private_key_file, self.client))

    def _with_network(self, spec, found: Found, plan: Plan):
        """The spec with the vSwitch that nodes are bought in, which is made where the spec says so."""
        if not spec.network.create or not (plan.purchases or (found.anchor and found.anchor.intents)):
            return spec

        def made(text: str) -> None:
            self.changed = True
            self.say(text)

        there = vpc.find_for(self.client, spec, found.anchor.vpc_id if found.anchor else "")
        network = vpc.ensure(self.client, spec, there, self.lock, made)
        plan.vpc_id = network.vpc_id
        return replace(spec, network=replace(spec.network, vswitch_id=network.vswitch["VSwitchId"]))

    def _buyer(self, spec, found: Found, plan: Plan, login: Login) -> Buyer:
        """Anchor, rules and key pair in place, ready to buy."""
        anchor = found.anchor
        if plan.purchases and ensure_key_pair(self.client, login):
            self.say(f"imported the login key as key pair {login.key_pair}")
        if anchor is None:
            if not plan.purchases:
                raise Refused("The spec wants no nodes", "Give a master group a count of at least 1")
            self.lock.check()
            anchor = create_anchor(self.client, self.name, plan.vpc_id, plan.spec_digest, login.key_pair,
                                   secrets.token_hex(8), self.transient, spec.network.create)
            self.changed = True
            self.say(f"made security group {anchor.group_id} for cluster {anchor.cluster_id}")
        added, revoked = ensure_rules(self.client, anchor, spec.network.ssh_from)
        if added or revoked:
            self.changed = True
            self.say("security group: " + "; ".join([*(f"added {r}" for r in added), *(f"removed {r}" for r in revoked)]))
        anchor = anchor.describe_spec(self.client, plan.spec_digest, anchor.login or login.key_pair)
        return Buyer(self.client, spec, anchor, anchor.login, self.lock, self.say)

    def _reach(self, spec, buyer: Buyer, instances: list, private_key_file: str | None) -> None:
        """Protection, tags, SSH and host keys of running instances."""
        if buyer.protect(instances):
            self.changed = True
            self.say("deletion protection is " + ("on" if spec.deletion_protection else "off"))
        tags = {"emr:release": spec.release, "emr:services": ",".join(spec.expanded_services)}
        retag(self.client, instances, tags)
        learned = reach(self.client, instances, self.address, self.user, private_key_file)
        if learned:
            self.say(f"trusted the host keys of {learned} nodes at first contact")

    def tag(self, tags: dict) -> int:
        """Change tags of all nodes, for example emr:services after a service was added; how many nodes changed."""
        return retag(self.client, self.found().instances, tags)

    def settle(self, spec, limit: float = 60.0) -> int:
        """Record on all nodes that they are deployed as the spec wants it; how many were not recorded so.

        Returns when it can be read back (at most ``limit`` seconds later): the next command must not take them for new.
        """
        tags = {READY: "yes", "emr:release": spec.release, "emr:services": ",".join(spec.expanded_services)}
        found = self.found().instances
        changed = retag(self.client, found, tags)
        control = control_node(found)
        if control is not None:
            retag(self.client, [control], {CONTROL: "yes"})
        if wait(lambda: changed and any(not tags_of(i).get(READY) for i in self.found().instances), limit):
            raise EmrError(f"The tag {READY} is not visible on all nodes after {limit:.0f} s", "Run the command again")
        return changed

    def start(self) -> Found:
        """Start all instances and wait until they answer on SSH."""
        found = self.found()
        buyer = Buyer(self.client, _NameOnly(self.name), found.anchor, "", self.lock, self.say)
        stopped = [i for i in found.instances if i.get("Status") != "Running"]
        found.instances = buyer.wait_running()
        if stopped:
            self.changed = True
            self.say(f"started {len(stopped)} instances")
        key = find_private_key(found.anchor.login if found.anchor else "", self.private_key_file, self.client)
        reach(self.client, found.instances, self.address, self.user, key)
        return found

    def stop(self) -> tuple:
        """Stop all instances, as cheaply as they can be. (Found, names of those that cost as before)."""
        found = self.found()
        running = [i for i in found.instances if i.get("Status") != "Stopped"]
        if running:
            self.changed = True
            found.instances = stop_instances(self.client, self.name, found.anchor.cluster_id)
            self.say(f"stopped {len(running)} instances")
        return found, still_charged(found.instances)

    def require_saving(self, found: Found) -> None:
        """Raises Refused when some of the instances would go on costing as much while they are stopped."""
        why = cannot_save(self.client, found.instances)
        if why:
            shown = "; ".join(f"{name}: {reason}" for name, reason in sorted(why.items())[:5])
            raise Refused(f"{len(why)} of {len(found.instances)} instances cannot stop charging ({shown})",
                          "Stop the others as cheaply as possible with `stop` without --instances, or release the cluster")

    def to_release(self) -> Found:
        """The cluster with the networks that were made for it, or as much of it as there is."""
        found = self.found(must_exist=False)
        try:
            found.networks = vpc.find_made(self.client, self.name)
        except EcsError as error:
            # An access key of before there were such networks may do without this permission, until there is one.
            if not error.denied or (found.anchor and found.anchor.own_network):
                raise
        return found

    def release(self) -> tuple:
        """Give everything back. (plan as plain data, counts)."""
        found = self.to_release()
        self._require_transient(found)
        plan = release_plan(found)
        if plan["empty"]:
            return plan, {"instances": 0, "key_pair": False, "security_group": False}
        check_protection(found)
        self.require_confirmation(plan)
        self.changed = True
        return plan, release_cluster(self.client, found, self.lock, self.say)

    def release_nodes(self, names, drained) -> list:
        """Release the instances of these nodes, and nothing else; their names."""
        gone = release_nodes(self.client, self.found(), names, drained, self.lock, self.say)
        self.changed = self.changed or bool(gone)
        return gone

    def nodes(self, found: Found, private_key_file: str | None, with_disks: bool = True) -> list:
        """The nodes for add_host: name, groups, vars."""
        require_ssh()
        disks = data_disks(self.client, found.instances) if with_disks else {}
        bastions = doors.bastions(found.instances) if self.address == "auto" else {}
        controls, result = control_nodes(found.instances), []
        for instance in found.instances:
            name, groups, variables = node_hostvars(instance, self.address, self.user, disks.get(instance["InstanceId"], ()),
                                                    private_key_file, doors.bastion_for(instance, bastions),
                                                    is_control_node(instance, controls))
            result.append({"name": name, "groups": groups, "vars": variables})
        if any(not node["vars"]["ansible_host"] for node in result):
            names = ", ".join(n["name"] for n in result if not n["vars"]["ansible_host"])
            raise EmrError(f"These nodes have no address: {names}", "Look at them in the console; was a public address released?")
        return result


def _require_release(found: Found, spec) -> None:
    """Raises Refused when nodes that stand are of another release, by their tags: only an upgrade changes that."""
    other = sorted({tags_of(i).get("emr:release", "") for i in found.instances if tags_of(i).get(READY)} - {"", spec.release})
    if other:
        raise Refused(f"release: the cluster '{spec.name}' is of {other[0]}, and the spec says {spec.release}", f"Write release: {other[0]}, or change the "
                      f"release of the cluster: emrctl upgrade {spec.name} {spec.release}")


def _other_software(before, spec) -> bool:
    """Whether nodes that stay have to install something, as far as is known."""
    return before is not None and artifacts(before) != artifacts(spec)


def _standing(spec, before, ready: list) -> dict:
    """{component: control node} of the files that the cluster has and serves to nodes that join. Without the spec of before,
    the tags of its nodes tell; they are early by one interrupted operation, and the control node fetches what it lacks.
    """
    serves = control_node([i for i in ready if i.get("Status") == "Running"])
    if serves is None:
        return {}
    if before is None:
        tags = tags_of(serves)
        if tags.get("emr:release") != spec.release or spec.artifacts:
            return {}
        known = [s for s in spec.expanded_services if s in tags.get("emr:services", "").split(",")]
        have = {a for a in artifacts(spec) if a.component in needed(known)}
    else:
        have = set(artifacts(before))
    return {a.component: serves["InstanceName"] for a in artifacts(spec) if a in have}


@dataclass(frozen=True)
class _NameOnly:
    """As much of a spec as waiting needs."""

    name: str
