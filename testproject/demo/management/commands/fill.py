"""Fills the shop with made-up rows and leaves behind the sins no migration can commit."""

from __future__ import annotations

import random
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import IntegrityError, connection, models, transaction
from django.db.backends.utils import CursorWrapper

from demo import data
from demo.progress import progress_bar
from flavors.models import Category, Flavor
from orders.models import Order, OrderLine, Receipt
from reviews.models import Review
from stock.models import StockItem, StockMove, Supplier
from users.models import User

Row = TypeVar("Row", bound=models.Model)

SHOP_APPS = ["flavors", "orders", "reviews", "stock", "users"]
BATCH = 2_000
# 93 % of what four bytes can count.
LAST_RECEIPT = 2_000_000_000


class Command(BaseCommand):
    help = "Fills the shop with made-up rows: the same seed gives the same shop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scale", type=float, default=1.0, help="How big a shop, 1 being 20,000 orders."
        )
        parser.add_argument("--seed", type=int, default=1, help="Which shop.")
        parser.add_argument("--flush", action="store_true", help="Empty the shop's tables first.")

    def handle(self, *args: Any, scale: float, seed: int, flush: bool, **options: Any) -> None:
        if not 0 < scale <= 100:
            raise CommandError(f"--scale must be above 0 and at most 100, not {scale}.")
        if connection.in_atomic_block:
            raise CommandError("An index cannot be built concurrently inside a transaction.")
        if not flush and (User.objects.exists() or Flavor.objects.exists()):
            raise CommandError(
                "There is data in the shop already. Use --flush to start again.", returncode=2
            )
        size = data.Size.scaled(scale)
        with progress_bar("Filling the shop", size.orders) as advance, transaction.atomic():
            if flush:
                empty_shop()
            fill_shop(random.Random(seed), size, advance)
        said = leave_invalid_index()
        meddle()
        analyze()
        begin_to_count()
        self.stdout.write(summary())
        self.stdout.write(f"Left an invalid index behind: {said}")


def empty_shop() -> None:
    tables = [
        model._meta.db_table
        for label in SHOP_APPS
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    ]
    tables.append(Session._meta.db_table)
    statements = connection.ops.sql_flush(no_style(), tables, reset_sequences=True, allow_cascade=True)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def fill_shop(rng: random.Random, size: data.Size, advance: Callable[[int], None]) -> None:
    categories = Category.objects.bulk_create(data.categories())
    flavors = Flavor.objects.bulk_create(data.flavors(rng, size, categories))
    people = User.objects.bulk_create(data.people(rng, size), batch_size=BATCH)
    fill_stock(rng, size, flavors)
    fill_reviews(rng, size, flavors, people)
    advance_receipt_sequence()
    orders = data.orders(rng, size, people)
    while batch := list(islice(orders, BATCH)):
        fill_orders(rng, batch, flavors)
        advance(len(batch))


def fill_stock(rng: random.Random, size: data.Size, flavors: list[Flavor]) -> None:
    suppliers = Supplier.objects.bulk_create(data.suppliers())
    StockItem.objects.bulk_create(data.stock_items(flavors))
    create_in_batches(StockMove.objects, data.stock_moves(rng, size, flavors, suppliers))


def fill_reviews(rng: random.Random, size: data.Size, flavors: list[Flavor], people: list[User]) -> None:
    reviews = list(data.reviews(rng, size, flavors, people))
    create_in_batches(Review.objects, reviews)
    counts = Counter(review.flavor_id for review in reviews)
    for flavor in flavors:
        flavor.review_count = counts[flavor.pk]
    Flavor.objects.bulk_update(flavors, ["review_count"])


def fill_orders(rng: random.Random, orders: list[Order], flavors: list[Flavor]) -> None:
    # The lines come first because they make the total, but their order has a key only once saved.
    lines_of = [(order, data.order_lines(rng, order, flavors)) for order in orders]
    Order.objects.bulk_create(orders)
    for order, lines in lines_of:
        for line in lines:
            line.order_id = order.pk
    OrderLine.objects.bulk_create(line for _, lines in lines_of for line in lines)
    Receipt.objects.bulk_create(data.receipts(orders))


def create_in_batches(manager: models.Manager[Row], rows: Iterable[Row]) -> None:
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        manager.bulk_create(batch)


def advance_receipt_sequence() -> None:
    # Sin: sequence-near-limit. As if the till had printed two thousand million receipts already.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)",
            [Receipt._meta.db_table, LAST_RECEIPT],
        )


def leave_invalid_index() -> str:
    # Sin: invalid-index. Building a unique index concurrently over duplicates fails half way, and
    # PostgreSQL keeps the remains under the name: no query uses them, no second try can pass.
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS stock_supplier_email_uniq")
        try:
            cursor.execute(
                "CREATE UNIQUE INDEX CONCURRENTLY stock_supplier_email_uniq ON stock_supplier (email)"
            )
        except IntegrityError as error:
            return str(error).splitlines()[0]
    raise CommandError("stock_supplier.email should hold a duplicate, but its index was built.")


def meddle() -> None:
    """What somebody once did to the server by hand, and no model tells of."""
    with connection.cursor() as cursor:
        # Sin: index-missing-from-database. The model still asks for it.
        cursor.execute("DROP INDEX IF EXISTS stock_supplier_email_idx")
        # Sin: missing-primary-key. A copy for the day that something goes wrong: a row that came in
        # twice can never be told from its double.
        cursor.execute("DROP TABLE IF EXISTS stock_move_copy")
        cursor.execute("CREATE TABLE stock_move_copy AS TABLE stock_stockmove")
        # Sin: undeclared-index. The next database will not have it.
        cursor.execute("DROP INDEX IF EXISTS category_name_by_hand")
        collation = leave_old_collation(cursor)
        cursor.execute(f"CREATE INDEX category_name_by_hand ON flavors_category (name {collation})")


def leave_old_collation(cursor: CursorWrapper) -> str:
    """Make a collation that is out of date, where the server knows versions of any; how to ask for it."""
    cursor.execute(
        "SELECT collprovider::text, collname FROM pg_collation"
        " WHERE (collprovider, collname) IN (('b', 'pg_c_utf8'), ('i', 'de-x-icu')) ORDER BY collprovider"
    )
    known = cursor.fetchone()
    if known is None:
        return ""
    provider, locale = {"b": ("builtin", "C.UTF-8"), "i": ("icu", "de")}[known[0]]
    cursor.execute("DROP COLLATION IF EXISTS shop_names")
    # Sin: collation-version-mismatch. As if the system had been upgraded since: the index may be in
    # an order that nobody sorts by any more.
    options = f"provider = {provider}, locale = '{locale}', version = '0'"
    cursor.execute(f"CREATE COLLATION shop_names ({options})")
    return "COLLATE shop_names"


def analyze() -> None:
    # With VACUUM: only what it has marked as visible to all can be read from an index alone.
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def begin_to_count() -> None:
    # A shop opens with its shelves full: filling them is none of its daily writes.
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_function_privilege('pg_stat_reset()', 'EXECUTE')")
        if cursor.fetchone() == (True,):
            cursor.execute("SELECT pg_stat_reset()")


def summary() -> str:
    counted = [Flavor.objects, User.objects, Order.objects, OrderLine.objects, Review.objects]
    return "Filled the shop: " + ", ".join(
        f"{manager.count():,} {manager.model._meta.verbose_name_plural}" for manager in counted
    )
