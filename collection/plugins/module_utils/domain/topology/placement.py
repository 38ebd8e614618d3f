"""Where components run: a rule for each of them, and the names of nodes that the rule came to.

A rule that means every node of a role follows the nodes. A rule that means some of them is answered once, and the answer is kept
with the spec's revision and in the record on each node: what a component has on its disk does not follow when a node joins whose
name sorts before. It moves only when an operation says so, or when its node is not part of the cluster any more.
"""
from __future__ import annotations

from dataclasses import dataclass

# Not a component: the node where the control plane lives (jobs, flows, revisions, timers).
CONTROL = "control"
# So many nodes are needed that one may fail and the others are still most of them.
SEVERAL = 3


@dataclass(frozen=True)
class Rule:
    """Nodes of the roles ``of``: all of them, or ``count``, of which nodes of the role ``else_`` make up the rest.

    Where there are fewer than ``least`` of all, none.
    """

    of: tuple
    count: int = 0
    else_: str = ""
    least: int = 1

    @property
    def roles(self) -> frozenset:
        """Every role on whose nodes the component may run."""
        return frozenset((*self.of, *filter(None, [self.else_])))

    def enough(self, nodes) -> bool:
        """Whether there are enough of these nodes that the component runs at all."""
        return self.least <= 1 or sum(node.role in self.roles for node in nodes) >= self.least

    def candidates(self, nodes) -> list:
        """Names of the nodes that may be chosen, the preferred ones first."""
        if not self.enough(nodes):
            return []
        roles = dict.fromkeys((*self.of, *filter(None, [self.else_])))
        if not self.count:
            return [node.name for node in nodes if node.role in roles]
        return [node.name for role in roles for node in nodes if node.role == role]


def on(*roles: str) -> Rule:
    """Every node of these roles."""
    return Rule(roles)


def quorum(role: str) -> Rule:
    """Every node of a role, where there are several: what these agree on survives as long as most of them live."""
    return Rule((role,), least=SEVERAL)


def count(number: int, of: str, else_: str = "") -> Rule:
    """So many nodes of a role; where it has fewer, nodes of the role ``else_`` make up the rest."""
    return Rule((of,), number, else_)


def first(role: str) -> Rule:
    """One node of a role."""
    return count(1, role)


RULE_OF_CONTROL = first("master")


def choose(rule: Rule, nodes, kept=(), moves: bool = False) -> tuple:
    """Names of the nodes that a rule means. ``kept``: the answer on record, of which whoever is still a node stays.

    There are as many as there were, unless the component ``moves``: then as many as the rule says.
    """
    able = rule.candidates(nodes)
    if not rule.count:
        return tuple(able)
    stay = [name for name in kept if name in {node.name for node in nodes}]
    number = rule.count if moves or not kept else len(kept)
    return tuple([*stay, *(name for name in able if name not in stay)][:number])


def resolve(components, nodes, kept=None, moves=()) -> dict:
    """{component: names of nodes} of every component whose rule means some nodes, and of the control plane.

    ``components``: rows of the catalogue; ``kept``: such an answer as it is on record; ``moves``: names of components that this
    operation may place anew.
    """
    rules = {CONTROL: RULE_OF_CONTROL, **{row.name: row.placement for row in components if row.placement.count}}
    return {name: choose(rule, nodes, (kept or {}).get(name, ()), name in moves) for name, rule in rules.items()}
