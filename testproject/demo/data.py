"""Makes up the shop's rows, the same for the same seed. Nothing here talks to the database."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

from django.contrib.auth.hashers import make_password
from django.utils.text import slugify

from flavors.models import Category, Flavor
from orders.models import Order, OrderLine, Receipt
from reviews.models import Review
from stock.models import StockItem, StockMove, Supplier
from users.models import User

OPENING_DAY = datetime(2026, 1, 1, 9, tzinfo=timezone.utc)
PASSWORD = "two scoops, please"
STAFF = "scooper"

CATEGORIES = ["Frozen yoghurt", "Gelato", "Granita", "Kulfi", "Sherbet", "Soft serve", "Sorbet"]
MANNERS = [
    "Burnt", "Candied", "Classic", "Crunchy", "Dark", "Honeyed", "Malted", "Midnight", "Old-Time",
    "Roasted", "Salted", "Smoked", "Spiced", "Summer", "Swirled", "Toasted", "Triple", "Velvet",
    "White", "Wild",
]  # fmt: skip
BASES = ["Banana", "Caramel", "Cherry", "Chocolate", "Coffee", "Hazelnut", "Lemon", "Mango",
         "Pistachio", "Vanilla"]  # fmt: skip
OPINIONS = [
    "Creamy and cold, just as it should be.", "Too sweet for me, my daughter loved it.",
    "I dream of this.", "Melts before you reach the door.", "The second scoop was better still.",
    "Reminds me of summers by the sea.", "A little icy, but the taste is right.",
    "Would cross the town for it.", "The waffle was stale, the ice cream was perfect.",
    "Not what it was last year.", "Ask for it with salted almonds.", "Simply the best.",
]  # fmt: skip


class Size(NamedTuple):
    """How many rows of each kind make a shop."""

    flavors: int
    customers: int
    orders: int
    reviews_each: int
    moves_each: int

    @classmethod
    def scaled(cls, scale: float) -> Size:
        return cls(
            flavors=max(20, round(200 * scale)),
            customers=max(20, round(3_000 * scale)),
            orders=max(50, round(20_000 * scale)),
            reviews_each=13,
            moves_each=40,
        )


def categories() -> list[Category]:
    return [Category(name=name) for name in CATEGORIES]


def flavors(rng: random.Random, size: Size, categories: list[Category]) -> list[Flavor]:
    names = [f"{manner} {base}" for base in BASES for manner in MANNERS]
    rng.shuffle(names)
    batches = itertools.count(1)
    titles = (name if batch == 1 else f"{name} No. {batch}" for batch in batches for name in names)
    return [
        Flavor(
            title=title,
            slug=slugify(title),
            category=rng.choice(categories),
            description=" ".join(rng.sample(OPINIONS, 9)),
            price=Decimal(rng.randrange(180, 420, 10)) / 100,
            is_available=rng.random() < 0.95,
            likes=int(rng.paretovariate(1)) % 5_000,
        )
        for title in itertools.islice(titles, size.flavors)
    ]


def people(rng: random.Random, size: Size) -> list[User]:
    """Make one member of staff, then the customers. All share a password, hashed only once."""
    password = make_password(PASSWORD, salt="WaffleConeOrCupWhichOne")
    staff = User(
        username=STAFF, email=f"{STAFF}@example.com", password=password,
        is_staff=True, is_superuser=True, date_joined=OPENING_DAY,
    )  # fmt: skip
    customers = [
        User(
            username=f"customer{number}",
            email=f"Customer{number}@example.com",
            password=password,
            newsletter=rng.random() < 0.3,
            date_joined=OPENING_DAY + timedelta(minutes=number),
        )
        for number in range(1, size.customers + 1)
    ]
    return [staff, *customers]


def suppliers() -> list[Supplier]:
    """Make twelve suppliers; two share an address, which no unique index will survive."""
    made = [
        Supplier(name=f"Dairy and Sons {number}", email=f"dairy{number}@example.com")
        for number in range(1, 13)
    ]
    made[-1].email = made[0].email
    return made


def stock_items(flavors: list[Flavor]) -> list[StockItem]:
    return [StockItem(flavor=flavor, scoops=100_000) for flavor in flavors]


def stock_moves(
    rng: random.Random, size: Size, flavors: list[Flavor], suppliers: list[Supplier]
) -> Iterator[StockMove]:
    for day in range(size.moves_each):
        for flavor in flavors:
            delivered = rng.random() < 0.5
            yield StockMove(
                flavor_id=flavor.pk,
                supplier_id=rng.choice(suppliers).pk if delivered else None,
                scoops=rng.randint(100, 500) if delivered else -rng.randint(50, 300),
                moved_at=OPENING_DAY + timedelta(days=day),
            )


def reviews(rng: random.Random, size: Size, flavors: list[Flavor], people: list[User]) -> Iterator[Review]:
    """Let everybody review some flavors, none twice."""
    for author in people:
        for flavor in rng.sample(flavors, rng.randint(0, size.reviews_each)):
            yield Review(
                flavor_id=flavor.pk,
                author_id=author.pk,
                rating=rng.choice([1, 2, 3, 4, 4, 5, 5, 5]),
                body=" ".join(rng.sample(OPINIONS, rng.randint(1, 4))),
                ip_address=f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
                is_published=rng.random() < 0.9,
                created_at=OPENING_DAY + timedelta(minutes=rng.randrange(200_000)),
            )


def orders(rng: random.Random, size: Size, people: list[User]) -> Iterator[Order]:
    """Let regulars order more often than others; the last few orders are still open."""
    for number in range(size.orders):
        yield Order(
            customer_id=people[int(len(people) * rng.random() ** 2)].pk,
            reference=f"{number:06X}{rng.getrandbits(24):06X}",
            status=_status(rng, number, size),
            created_at=OPENING_DAY + timedelta(minutes=10 * number),
        )


def _status(rng: random.Random, number: int, size: Size) -> str:
    if number >= size.orders * 0.99:
        return Order.Status.OPEN
    return Order.Status.CANCELLED if rng.random() < 0.02 else Order.Status.SERVED


def order_lines(rng: random.Random, order: Order, flavors: list[Flavor]) -> list[OrderLine]:
    """Make one to five lines and set the total of their order; it is not saved yet, nor linked."""
    lines = []
    for position in range(1, rng.randint(1, 5) + 1):
        flavor = flavors[int(len(flavors) * rng.random() ** 3)]
        lines.append(
            OrderLine(
                flavor_id=flavor.pk,
                position=position,
                scoops=rng.choice([1, 1, 2, 2, 3]),
                price=flavor.price,
            )
        )
    order.total = sum((line.price * line.scoops for line in lines), Decimal(0))
    return lines


def receipts(orders: list[Order]) -> list[Receipt]:
    return [
        Receipt(order_id=order.pk, printed_at=order.created_at)
        for order in orders
        if order.status == Order.Status.SERVED
    ]
