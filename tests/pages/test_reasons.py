"""No reason is shown that is not explained, and none is explained that is never shown."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import hooks
import pages
import syncer
from pages.reasons import GROUPS
from syncer.errors import SyncError
from tests.support.control_plane import ROOT

_REASON = re.compile(r"^[A-Z][a-z]+(?:[A-Z][A-Za-z]*)?$")
# What checks return: in the end a reason and a message.
_ANSWER = re.compile(r"tuple\[(?:[\w |]+, )?str, str\](?: \| None)?")
# The command line shows conditions, and writes none.
FILES = [path for package in (hooks, pages, syncer) for path in (ROOT / package.__name__).rglob("*.py")]
TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in FILES]
EXPLAINED = {reason.name for group in GROUPS for reason in group.reasons}


def errors() -> set[type[SyncError]]:
    """Every class of errors that a sync may end with, wherever it is."""
    for package in (hooks, syncer):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found: set[type[SyncError]] = set()
    wanted = [SyncError]
    while wanted:
        found.add(each := wanted.pop())
        wanted += each.__subclasses__()
    return found


def words(node: ast.AST | None) -> Iterator[str]:
    """The reasons that an expression may be; what is only compared with is not among them."""
    if isinstance(node, ast.Compare) or node is None:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _REASON.match(node.value):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from words(child)


def reasons(tree: ast.AST) -> Iterator[str]:
    """What stands where a reason belongs: in a call, in an answer of a check, at a class of errors."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=called, args=arguments, keywords=keywords):
                is_condition = isinstance(called, ast.Name) and called.id == "condition"
                given = [each.value for each in keywords if each.arg == "reason"]
                yield from (word for each in (*given, *arguments[2:3][:is_condition]) for word in words(each))
            case ast.FunctionDef(returns=ast.expr() as returns) if _ANSWER.fullmatch(ast.unparse(returns)):
                answers = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
                pairs = [each.elts for each in answers if isinstance(each, ast.Tuple) and len(each.elts) > 1]
                yield from (word for each in pairs for word in words(each[-2]))
            case (
                ast.Assign(targets=[ast.Name(id="reason")], value=value)
                | ast.AnnAssign(target=ast.Name(id="reason"), value=value)
            ):
                yield from words(value)


def types(tree: ast.AST) -> Iterator[str]:
    """The types of the conditions that are made."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="condition"), args=[ast.Constant(value=str() as name), *_]):
                yield name


def test_every_error_is_explained() -> None:
    assert {error.reason for error in errors()} <= EXPLAINED


def test_every_reason_in_the_code_is_explained_and_no_other() -> None:
    assert {word for tree in TREES for word in reasons(tree)} == EXPLAINED


def test_every_condition_is_explained_and_no_other() -> None:
    assert {name for tree in TREES for name in types(tree)} == {group.condition for group in GROUPS}


@pytest.mark.parametrize(
    "code",
    [
        "condition('Ready', False, 'Found')",
        "condition('Ready', ok=True, reason='Found', message='')",
        "condition('Ready', None, 'Found' if a == 'Other' else b)",
        "Rejection(namespace='Team', name='Name', reason='Found', message='Message')",
        "def check(claim) -> tuple[str, str] | None:\n    return 'Found', 'Message'",
        "def check(claim) -> tuple[bool | None, str, str]:\n    return False, str(a or 'Found'), 'Message'",
        "class Wrong(Exception):\n    reason = 'Found'",
        "class Wrong(Exception):\n    reason: ClassVar[str] = 'Found'",
    ],
)
def test_a_reason_is_found_however_it_is_written(code: str) -> None:
    assert set(reasons(ast.parse(code))) == {"Found"}


def test_no_reason_of_a_condition_is_explained_twice() -> None:
    for group in GROUPS:
        names = [reason.name for reason in group.reasons]
        assert len(names) == len(set(names)), group


def test_whoever_has_to_act_is_told_what_to_do() -> None:
    for reason in (reason for group in GROUPS for reason in group.reasons):
        assert reason.what_to_do or reason.who == "nobody", reason
