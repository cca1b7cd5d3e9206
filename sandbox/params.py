"""A request's parameters, checked one by one in Stripe's words."""

from collections.abc import Collection
from typing import Any, overload

from sandbox.store import Doc
from sandbox.wire import ApiError

_TRUTH = {"true": True, "false": False}
_METADATA_KEYS, _METADATA_KEY, _METADATA_VALUE = 50, 40, 500


class Params:
    """Decoded parameters. Every getter returns None for an absent one and raises ApiError for a bad one."""

    def __init__(self, values: Doc, under: str = "") -> None:
        self._values = values
        self._under = under

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def name(self, name: str) -> str:
        """The full name of a parameter as errors call it, such as `created[gte]`."""
        return f"{self._under}[{name}]" if self._under else name

    def only(self, allowed: Collection[str]) -> None:
        """Refuse parameters that the sandbox doesn't know at this endpoint."""
        for name in self._values:
            if name not in allowed and name not in ("expand", "key"):
                raise ApiError(
                    f"Received unknown parameter: {self.name(name)}", code="parameter_unknown", param=self.name(name)
                )

    def required(self, name: str) -> None:
        """Refuse the request if `name` is absent."""
        if name not in self._values:
            full = self.name(name)
            raise ApiError(f"Missing required param: {full}.", code="parameter_missing", param=full)

    def text(self, name: str, *, limit: int = 5000) -> str | None:
        """A string; an empty one is refused."""
        value = self._values.get(name)
        if value is None:
            return None
        full = self.name(name)
        if not isinstance(value, str):
            raise ApiError(f"Invalid string: {full}", param=full)
        if value == "":
            raise ApiError(
                f"You passed an empty string for '{full}'. We assume empty values are an attempt to unset a parameter;"
                f" however '{full}' cannot be unset. You should remove '{full}' from your request or supply a"
                " non-empty value.",
                code="parameter_invalid_empty",
                param=full,
            )
        if len(value) > limit:
            raise ApiError(
                f"Invalid string: must be at most {limit} characters", code="parameter_invalid_string_blank", param=full
            )
        return value

    def need(self, name: str) -> str:
        """A string that must be there."""
        self.required(name)
        return self.text(name) or ""

    @overload
    def integer(self, name: str) -> int | None: ...
    @overload
    def integer(self, name: str, default: int) -> int: ...
    def integer(self, name: str, default: int | None = None) -> int | None:
        """A whole number."""
        value = self.text(name)
        if value is None:
            return default
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
            full = self.name(name)
            raise ApiError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=full)
        return int(value)

    def flag(self, name: str) -> bool:
        """`true` or `false`; absent is false."""
        value = self.text(name)
        if value is not None and value not in _TRUTH:
            raise ApiError(f"Invalid boolean: {value}", param=self.name(name))
        return _TRUTH[value or "false"]

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        """One of `allowed`."""
        value = self.text(name)
        if value is not None and value not in allowed:
            full = self.name(name)
            raise ApiError(f"Invalid {full}: must be one of {', '.join(sorted(allowed))}", param=full)
        return value

    def inside(self, name: str) -> "Params":
        """The parameters nested under `name`; empty if absent."""
        value = self._values.get(name, {})
        if not isinstance(value, dict):
            raise ApiError(f"Invalid object: {self.name(name)}", param=self.name(name))
        return Params(value, self.name(name))

    def raw(self, name: str) -> Any:
        """The decoded value as it came."""
        return self._values.get(name)

    def texts(self, name: str) -> list[str]:
        """A list of strings; absent is empty."""
        value = self._values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ApiError("Invalid array", param=self.name(name))
        return value

    def metadata(self, old: Doc | None = None) -> Doc:
        """`old` metadata with the given keys set, or removed where the value is empty; within Stripe's limits."""
        given = self._values.get("metadata", {})
        if given == "":
            return {}
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            raise ApiError("Invalid metadata: must be a map of strings", param="metadata")
        for key, value in given.items():
            if len(key) > _METADATA_KEY or len(value) > _METADATA_VALUE:
                raise ApiError(
                    f"Metadata keys have at most {_METADATA_KEY} characters and values {_METADATA_VALUE}.",
                    param=f"metadata[{key}]",
                )
        merged = {key: value for key, value in ((old or {}) | given).items() if value != ""}
        if len(merged) > _METADATA_KEYS:
            raise ApiError(f"Metadata has at most {_METADATA_KEYS} keys.", param="metadata")
        return merged
