"""The tree of effects: every node can be saved and loaded, and tells what lies below it."""

from __future__ import annotations

import dataclasses
import json
import typing

import pytest

from django_dbaudit.codec import decode, encode
from django_dbaudit.finding import Location
from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.facts import Effects, ViewEffects
from django_dbaudit.project.effects.tree import Node
from django_dbaudit.project.views import View

HERE = Location("shop/views.py", 3)
WRITE = tree.Write("shop.Order", "shop_order", "default", "insert", "Model.save", HERE, fields=("a", "b"))
VIEW = View(
    "shop.views.pay", "POST", "function", ("pay/",), is_third_party=False, is_async=False, location=HERE
)
NODES: tuple[Node, ...] = (
    tree.Sequence((WRITE, WRITE)),
    tree.Branch((WRITE, tree.NOTHING), HERE),
    tree.Loop(WRITE, HERE),
    tree.Try(WRITE, (tree.Handler(("ValueError",), True, WRITE, HERE),), tree.NOTHING, WRITE, HERE),  # noqa: FBT003  # as the field stands
    tree.Atomic(WRITE, None, "project", HERE, durable=True, savepoint=False),
    tree.Call("shop.views.pay", WRITE, HERE, receives="post_save"),
    tree.Read("shop.Order", "shop_order", None, "get", HERE, locks=True, fields=("pk",), is_unique=True),
    WRITE,
    tree.SideEffect("mail", "send_mail", HERE),
    tree.OnCommit(WRITE, "default", HERE, robust=True, binds_late=True),
    tree.Later(WRITE, "streaming", HERE),
    tree.Rollback("default", HERE),
    tree.Raise("ValueError", HERE),
    tree.Return(HERE, 400),
    tree.Leave("break", HERE),
    tree.Unresolved("x.save", "no source", HERE),
)


def test_there_is_an_example_of_each_kind() -> None:
    assert {type(each) for each in NODES} == set(typing.get_args(Node))


def test_each_kind_has_a_name_of_its_own() -> None:
    assert len({each.kind for each in NODES}) == len(NODES)


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.kind)
def test_a_node_can_be_saved_and_loaded(node: Node) -> None:
    effects = Effects((ViewEffects(VIEW, node),))
    assert decode(Effects, json.loads(json.dumps(encode(effects)))) == effects


def test_a_node_of_a_kind_that_does_not_exist_is_told() -> None:
    broken = {"view": encode_view(), "body": {"kind": "dream"}}
    with pytest.raises(ValueError, match=r"expected one of sequence, branch, .*, found .'kind': 'dream'."):
        decode(ViewEffects, broken)


def encode_view() -> object:
    return json.loads(json.dumps(encode(VIEW)))


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.kind)
def test_walking_meets_every_node_that_a_field_holds(node: Node) -> None:
    held = str(dataclasses.asdict(node)).count("'Model.save'")
    assert sum(isinstance(each, tree.Write) for each in tree.walk(node)) == held
