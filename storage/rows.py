"""Many rows as one parameter: the set on which a group's statements work.

A statement that takes its rows as one JSON text is the same text for one row and for a thousand. It is built once,
cached once, prepared once by the database, and costs one round trip.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

PARAMETER = "rows"


class Rows(sa.TableClause):
    """A table made of the JSON text bound to `rows`; its columns are the keys of the objects in it."""

    inherit_cache = True


def rows(**columns: Any) -> Rows:
    """A set with these columns and their SQL types."""
    return Rows("given", *(sa.column(name, sa.types.to_instance(kind)) for name, kind in columns.items()))


def bound(values: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The parameters that fill a statement's `rows`."""
    return {PARAMETER: orjson.dumps(list(values)).decode()}


@compiles(Rows, "sqlite")
def _sqlite(given: Rows, compiler: SQLCompiler, **options: Any) -> str:
    options.pop("asfrom", None)
    picked = ", ".join(f"json_extract(value, '$.{column.name}') AS {column.name}" for column in given.columns)
    source = compiler.process(sa.bindparam(PARAMETER, type_=sa.Text), **options)
    return f"(SELECT {picked} FROM json_each({source})) AS {given.name}"  # noqa: S608  names from the code only


@compiles(Rows, "postgresql")
def _postgresql(given: Rows, compiler: SQLCompiler, **options: Any) -> str:
    options.pop("asfrom", None)
    typed = ", ".join(f"{column.name} {_type_name(column, compiler)}" for column in given.columns)
    source = compiler.process(sa.bindparam(PARAMETER, type_=sa.Text), **options)
    return f"json_to_recordset(CAST({source} AS json)) AS {given.name}({typed})"


def _type_name(column: sa.ColumnElement[Any], compiler: SQLCompiler) -> str:
    return str(column.type.dialect_impl(compiler.dialect).compile(compiler.dialect))
