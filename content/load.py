"""Reads the YAML files of this folder into typed values, complaining with file, key and line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

# PyYAML's C parser: ten times faster than the pure one, and in every wheel.
_Loader = yaml.CSafeLoader

HERE = Path(__file__).parent

Key = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


class ContentError(Exception):
    """A content file cannot be used."""

    def __init__(self, file: str, key: Key, line: int, problem: str) -> None:
        self.file, self.key, self.line, self.problem = file, key, line, problem
        where = f"{file}:{line}" if line else file
        named = ".".join(str(part) for part in key)
        super().__init__(f"{where}: {named}: {problem}" if named else f"{where}: {problem}")


class _UniqueKeys(yaml.CSafeLoader):
    """A loader that refuses a key written twice, which YAML would silently let win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read(path: Path, model: type[Model]) -> Model:
    """Read one file as `model`; raises ContentError naming file, key and line."""
    found: Model = _validated(path, TypeAdapter(model))
    return found


def read_list(path: Path, model: type[Model]) -> tuple[Model, ...]:
    """Read one file that is a list of `model`; raises ContentError naming file, key and line."""
    found: tuple[Model, ...] = _validated(path, TypeAdapter(tuple[model, ...]))  # type: ignore[valid-type]
    return found


def read_text_map(path: Path) -> dict[str, str]:
    """Read one flat file of key: text; raises ContentError naming file, key and line."""
    found: dict[str, str] = _validated(path, TypeAdapter(dict[str, str]))
    return found


def line_of(path: Path, key: Key) -> int:
    """The line on which `key` stands in the file, or 0; only complaints need it, so it reads the file anew."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return 0
    line = 0
    for line in _lines_along(node, key):  # noqa: B007  the last one is the deepest that exists
        pass
    return line


def short(path: Path) -> str:
    """The file as people name it: `content/…` for ours, the whole path for others."""
    return f"content/{path.relative_to(HERE)}" if path.is_relative_to(HERE) else str(path)


def _validated(path: Path, adapter: TypeAdapter[Any]) -> Any:
    data = _parse(path)
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        key: Key = tuple(first["loc"])
        raise ContentError(short(path), key, line_of(path, key), first["msg"]) from None


def _parse(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506  a safe loader
    except OSError as error:
        raise ContentError(short(path), (), 0, error.strerror or "cannot be read") from None
    except UnicodeDecodeError as error:
        raise ContentError(short(path), (), 0, f"is not UTF-8 (byte {error.start})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        raise ContentError(short(path), (), line, getattr(error, "problem", None) or "is not YAML") from None


def _lines_along(node: yaml.Node | None, key: Key) -> Iterator[int]:
    for part in key:
        if node is None:
            return
        yield node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            pairs = {k.value: (k, v) for k, v in node.value}
            if str(part) not in pairs:
                return
            name, node = pairs[str(part)]
            yield name.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            return
    if node is not None and not isinstance(node, yaml.MappingNode):
        yield node.start_mark.line + 1
