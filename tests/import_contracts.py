"""A contract of import-linter: no modules that import each other, in however many steps."""
from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from importlinter import Contract, ContractCheck, output


class NoCircles(Contract):
    """``acyclic_siblings`` of import-linter is about packages; rooms of one floor may use each other, modules may not."""

    type_name = "no_circles"

    def check(self, graph, verbose):
        own = {name for name in graph.modules if not graph.is_module_squashed(name)}
        # A package is not its modules: `from . import x` alone makes no circle.
        imports = {name: {other for other in graph.find_modules_directly_imported_by(name) if other in own} for name in own}
        try:
            TopologicalSorter(imports).prepare()
        except CycleError as error:
            return ContractCheck(kept=False, metadata={"circle": error.args[1]})
        return ContractCheck(kept=True)

    def render_broken_contract(self, check):
        output.print_error("These modules import each other: " + " <- ".join(check.metadata["circle"]), bold=False)
        output.new_line()
