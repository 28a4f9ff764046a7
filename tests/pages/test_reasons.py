"""Every reason in the code is explained, and every explained reason is in the code."""

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
# The return type of checks, which ends with a reason and a message.
_ANSWER = re.compile(r"tuple\[(?:[\w |]+, )?str, str\](?: \| None)?")
# The command line shows conditions but does not write them.
FILES = [path for package in (hooks, pages, syncer) for path in (ROOT / package.__name__).rglob("*.py")]
TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in FILES]
EXPLAINED = {reason.name for group in GROUPS for reason in group.reasons}


def errors() -> set[type[SyncError]]:
    """Every class of errors that can end a sync, in any module."""
    for package in (hooks, syncer):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    classes: set[type[SyncError]] = set()
    pending = [SyncError]
    while pending:
        classes.add(each := pending.pop())
        pending += each.__subclasses__()
    return classes


def words(node: ast.AST | None) -> Iterator[str]:
    """The reasons that an expression may evaluate to. Constants in comparisons are left out."""
    if isinstance(node, ast.Compare) or node is None:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _REASON.match(node.value):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from words(child)


def reasons(tree: ast.AST) -> Iterator[str]:
    """The reasons in a module: in calls, in the results of checks and in classes of errors."""
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
    """The types of the conditions that a module creates."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="condition"), args=[ast.Constant(value=str() as name), *_]):
                yield name


def test_every_error_is_explained() -> None:
    assert {error.reason for error in errors()} <= EXPLAINED


def test_exactly_the_reasons_in_the_code_are_explained() -> None:
    assert {word for tree in TREES for word in reasons(tree)} == EXPLAINED


def test_exactly_the_conditions_in_the_code_are_explained() -> None:
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
def test_a_reason_is_recognised_in_every_notation(code: str) -> None:
    assert set(reasons(ast.parse(code))) == {"Found"}


def test_no_reason_of_a_condition_is_explained_twice() -> None:
    for group in GROUPS:
        names = [reason.name for reason in group.reasons]
        assert len(names) == len(set(names)), group


def test_every_reason_that_needs_action_names_the_action() -> None:
    for reason in (reason for group in GROUPS for reason in group.reasons):
        assert reason.what_to_do or reason.who is None, reason
