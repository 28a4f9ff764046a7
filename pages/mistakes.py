"""Translates pydantic's validation errors into sentences for people who know the fields of an object, not Python."""

from pydantic import ValidationError


def explain(error: ValidationError) -> list[tuple[tuple[str | int, ...], str]]:
    """Each mistake: the location of the field (JSON names) and a sentence, ``spec.branch must be text, not int``."""
    return [
        (each["loc"], _sentence(each["loc"], _predicate(each["type"], each["msg"], each["input"])))
        for each in error.errors()
    ]


def _sentence(location: tuple[str | int, ...], predicate: str) -> str:
    field = field_name(location)
    if not field:
        return predicate
    # A check of a whole object returns a full sentence, which names the fields itself.
    return f"{field} {predicate}" if predicate.startswith(("must ", "is ")) else f"{field}: {predicate}"


def _predicate(kind: str, message: str, value: object) -> str:
    match kind:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return "is not a known field"
        case "value_error":
            return message.removeprefix("Value error, ")
        case "string_type" | "int_type" | "bool_type" | "list_type" | "dict_type" | "model_type":
            nouns = {"string": "text", "list": "a list", "dict": "a mapping", "model": "a mapping"}
            python_type = kind.removesuffix("_type")
            return f"must be {nouns.get(python_type, python_type)}, not {type(value).__name__}"
        case _:
            return message[0].lower() + message[1:]


def field_name(location: tuple[str | int, ...]) -> str:
    """The location as people write it: ``spec.routes[0].site`` for ``('spec', 'routes', 0, 'site')``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
