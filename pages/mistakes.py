"""What is wrong with an object, in words for people who know its fields and not Python."""

from pydantic import ValidationError


def explain(error: ValidationError) -> list[tuple[tuple[str | int, ...], str]]:
    """What is wrong: a field's location (JSON names) and a sentence such as ``spec.branch must be text, not int``."""
    return [
        (each["loc"], _about(each["loc"], _words(each["type"], each["msg"], each["input"]))) for each in error.errors()
    ]


def _about(location: tuple[str | int, ...], words: str) -> str:
    field = field_name(location)
    if not field:
        return words
    # What a whole object's check says names its fields itself.
    return f"{field} {words}" if words.startswith(("must ", "is ")) else f"{field}: {words}"


def _words(kind: str, message: str, value: object) -> str:
    match kind:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return "is not a known field"
        case "value_error":
            return message.removeprefix("Value error, ")
        case "string_type" | "int_type" | "bool_type" | "list_type" | "dict_type" | "model_type":
            wanted = {"string": "text", "list": "a list", "dict": "a mapping", "model": "a mapping"}
            noun = kind.removesuffix("_type")
            return f"must be {wanted.get(noun, noun)}, not {type(value).__name__}"
        case _:
            return message[0].lower() + message[1:]


def field_name(location: tuple[str | int, ...]) -> str:
    """``('spec', 'routes', 0, 'site')`` as ``spec.routes[0].site``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
