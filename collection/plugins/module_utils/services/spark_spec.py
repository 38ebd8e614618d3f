"""What a spec may say of the service `spark`."""
from __future__ import annotations

from ..domain.spec.field import Field
from .spark_native import ENGINE
from .spark_tables import TABLES

SPEC = Field("spark", "object", "The service `spark`.", default={}, example="{engine: native, tables: [iceberg, delta]}", fields=(ENGINE, TABLES),
             aliases={"table_formats": "tables", "formats": "tables"})

__all__ = ["SPEC"]
