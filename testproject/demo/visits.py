"""What visitors of the shop do, one function a habit: each sends one request.

How often somebody does it is the weight beside it. A weight of 0 is done once, at the beginning.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from django.conf import settings
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

from demo.data import OPINIONS, PASSWORD, STAFF
from flavors.models import Category, Flavor
from orders.models import Order
from reviews.models import Review
from stock.models import Supplier
from users.models import User

REGULARS = 20


Send: TypeAlias = "Callable[[Town], HttpResponseBase]"


class Visit(NamedTuple):
    """Something visitors do, and how often compared with the rest."""

    weight: int
    send: Send


VISITS: list[Visit] = []


def visit(weight: int) -> Callable[[Send], Send]:
    """Register a function as something visitors do."""

    def register(send: Send) -> Send:
        VISITS.append(Visit(weight, send))
        return send

    return register


class Town:
    """Who lives around the shop and what they may ask for. The same seed, the same town."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.passer_by = new_client()
        self.staff = new_client()
        self.staff.force_login(User.objects.get(username=STAFF))
        customers = User.objects.filter(is_staff=False, is_active=True).order_by("pk")
        self.regulars = list(customers[:REGULARS])
        self.clients = {regular.pk: new_client() for regular in self.regulars}
        for regular in self.regulars:
            self.clients[regular.pk].force_login(regular)
        sold = Flavor.objects.filter(is_available=True, stock__scoops__gt=1_000)
        self.slugs = list(sold.order_by("pk").values_list("slug", flat=True))
        self.categories = list(Category.objects.order_by("pk").values_list("pk", flat=True))
        self.suppliers = list(Supplier.objects.order_by("pk").values_list("pk", flat=True))
        self.reviews = list(Review.objects.order_by("pk").values_list("pk", flat=True)[:500])
        self.unreviewed = self._unreviewed()

    def _unreviewed(self) -> list[tuple[int, str]]:
        """List who has not reviewed what yet, because nobody may review a flavor twice."""
        done = set(Review.objects.filter(author__in=self.regulars).values_list("author_id", "flavor__slug"))
        left = [
            (regular.pk, slug)
            for regular in self.regulars
            for slug in self.slugs
            if (regular.pk, slug) not in done
        ]
        self.rng.shuffle(left)
        return left

    def slug(self) -> str:
        return self.rng.choice(self.slugs)

    def customer(self) -> Client:
        return self.clients[self.rng.choice(self.regulars).pk]

    def customer_with_order(self) -> tuple[Client, str]:
        """Choose a regular and the order they made last, making one if they never did."""
        regular = self.rng.choice(self.regulars)
        order = Order.objects.filter(customer=regular).order_by("-created_at").first()
        order = order or Order.objects.create(customer=regular)
        return self.clients[regular.pk], order.reference

    def opinion(self) -> dict[str, object]:
        return {"rating": self.rng.randint(1, 5), "body": self.rng.choice(OPINIONS)}

    def wishes(self) -> dict[str, object]:
        flavors = self.rng.sample(self.slugs, min(len(self.slugs), self.rng.randint(1, 3)))
        return {"flavors": flavors, "scoops": self.rng.randint(1, 2)}


def new_client() -> Client:
    """Make a client that takes a 500 for an answer, and asks as the proxy in production does."""
    host = next((host for host in settings.ALLOWED_HOSTS if host != "*"), "localhost")
    return Client(
        raise_request_exception=False,
        headers={"x-forwarded-proto": "https"},
        SERVER_NAME=host.lstrip("."),
    )


# Anybody


@visit(12)
def look_in(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("home"))


@visit(8)
def read_menu(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("flavors:list"), {"page": town.rng.choice(["1", "1", "last"])})


@visit(4)
def read_category(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("flavors:list"), {"category": town.rng.choice(town.categories)})


@visit(20)
def read_flavor(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("flavors:detail", args=[town.slug()]))


@visit(4)
def read_price_board(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("flavors:price_board"))


@visit(3)
def read_podium(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("flavors:podium"))


@visit(2)
def read_podium_thrice(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("flavors:podium_thrice"))


@visit(3)
def read_categories(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("flavors:categories"))


@visit(2)
def read_categories_counted_late(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("flavors:categories_counted_late"))


@visit(6)
def search(town: Town) -> HttpResponseBase:
    words = town.rng.choice(["vanilla", "waffle", "salted almonds", "daughter", "choc", "sea"])
    return town.passer_by.get(reverse("search"), {"q": words})


@visit(8)
def show_latest_reviews(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("reviews:latest", args=[town.slug()]))


@visit(6)
def like(town: Town) -> HttpResponseBase:
    return town.passer_by.post(reverse("flavors:like", args=[town.slug()]))


@visit(2)
def like_by_link(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("flavors:like_by_link", args=[town.slug()]))


@visit(0)
def join(town: Town) -> HttpResponseBase:
    name = f"newcomer{User.objects.count()}"
    form = {"username": name, "email": f"{name}@example.com"}
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    return new_client().post(reverse("join"), form | passwords)


@visit(0)
def log_in(town: Town) -> HttpResponseBase:
    # With their own client: logging in may store a newer password hash, which ends every session
    # but the one that logged in.
    regular = town.regulars[0]
    form = {"username": regular.username, "password": PASSWORD}
    return town.clients[regular.pk].post(reverse("login"), form)


# Customers


@visit(3)
def think_about_order(town: Town) -> HttpResponseBase:
    return town.customer().get(reverse("orders:checkout"))


@visit(8)
def order(town: Town) -> HttpResponseBase:
    return town.customer().post(reverse("orders:checkout"), town.wishes())


@visit(4)
def order_in_pieces(town: Town) -> HttpResponseBase:
    return town.customer().post(reverse("orders:checkout_in_pieces"), town.wishes())


@visit(5)
def read_own_orders(town: Town) -> HttpResponseBase:
    return town.customer().get(reverse("orders:list"))


@visit(5)
def read_own_order(town: Town) -> HttpResponseBase:
    client, reference = town.customer_with_order()
    return client.get(reverse("orders:detail", args=[reference]))


@visit(1)
def cancel(town: Town) -> HttpResponseBase:
    client, reference = town.customer_with_order()
    return client.post(reverse("orders:cancel", args=[reference]))


@visit(1)
def cancel_and_mail_at_once(town: Town) -> HttpResponseBase:
    client, reference = town.customer_with_order()
    return client.post(reverse("orders:cancel_and_mail_at_once", args=[reference]))


@visit(4)
def review(town: Town) -> HttpResponseBase:
    if not town.unreviewed:
        return read_own_reviews(town)
    customer, slug = town.unreviewed.pop()
    return town.clients[customer].post(reverse("reviews:post", args=[slug]), town.opinion())


@visit(2)
def read_own_reviews(town: Town) -> HttpResponseBase:
    return town.customer().get(reverse("reviews:mine"))


@visit(1)
def change_newsletter(town: Town) -> HttpResponseBase:
    regular = town.rng.choice(town.regulars)
    form = {"email": regular.email, "newsletter": "on"}
    return town.clients[regular.pk].post(reverse("profile"), form)


# Staff


@visit(5)
def look_at_counter(town: Town) -> HttpResponseBase:
    return town.staff.get(reverse("orders:counter"))


@visit(3)
def serve(town: Town) -> HttpResponseBase:
    waiting = Order.objects.filter(status="open").order_by("created_at").first()
    if waiting is None:
        return look_at_counter(town)
    return town.staff.post(reverse("orders:serve", args=[waiting.reference]))


@visit(2)
def find_customer(town: Town) -> HttpResponseBase:
    email = town.rng.choice(town.regulars).email.upper()
    return town.staff.get(reverse("orders:find"), {"email": email})


@visit(1)
def count_takings(town: Town) -> HttpResponseBase:
    return town.staff.get(reverse("orders:takings"))


@visit(1)
def count_takings_in_transaction(town: Town) -> HttpResponseBase:
    return town.staff.get(reverse("orders:takings_in_transaction"))


@visit(1)
def export(town: Town) -> HttpResponseBase:
    return town.staff.get(reverse("orders:export"))


@visit(1)
def export_and_mark(town: Town) -> HttpResponseBase:
    return town.staff.post(reverse("orders:export_and_mark"))


@visit(1)
def read_stock(town: Town) -> HttpResponseBase:
    return town.staff.get(reverse("stock:report"))


@visit(2)
def read_stock_moves(town: Town) -> HttpResponseBase:
    return town.staff.get(reverse("stock:moves", args=[town.slug()]))


@visit(2)
def read_supplier(town: Town) -> HttpResponseBase:
    return town.staff.get(reverse("stock:supplier", args=[town.rng.choice(town.suppliers)]))


@visit(2)
def deliver(town: Town) -> HttpResponseBase:
    form = {
        "flavor": Flavor.objects.values_list("pk", flat=True).get(slug=town.slug()),
        "supplier": town.rng.choice(town.suppliers),
        "scoops": town.rng.randint(50, 200),
    }
    return town.staff.post(reverse("stock:deliver"), form)


@visit(1)
def hide_review(town: Town) -> HttpResponseBase:
    return town.staff.post(reverse("reviews:hide", args=[town.rng.choice(town.reviews)]))


@visit(0)
def create_flavor(town: Town) -> HttpResponseBase:
    number = Flavor.objects.count() + 1
    form = {
        "title": f"Special {number}",
        "slug": f"special-{number}",
        "category": town.categories[0],
        "price": "2.90",
    }
    return town.staff.post(reverse("flavors:create"), form)


@visit(1)
def change_price(town: Town) -> HttpResponseBase:
    flavor = Flavor.objects.get(slug=town.slug())
    form = {
        "title": flavor.title,
        "category": flavor.category_id,
        "description": flavor.description,
        "price": town.rng.choice(["2.50", "2.90", "3.20"]),
        "is_available": "on",
    }
    return town.staff.post(reverse("flavors:update", args=[flavor.slug]), form)


# Other programs


@visit(6)
def list_flavors_by_api(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("api:flavor-list"))


@visit(6)
def get_flavor_by_api(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("api:flavor-detail", args=[town.slug()]))


@visit(4)
def list_reviews_by_api(town: Town) -> HttpResponseBase:
    return town.passer_by.get(reverse("api:review-list"))


@visit(2)
def review_by_api(town: Town) -> HttpResponseBase:
    if not town.unreviewed:
        return list_reviews_by_api(town)
    customer, slug = town.unreviewed.pop()
    return town.clients[customer].post(reverse("api:review-list"), {"flavor": slug} | town.opinion())


@visit(3)
def list_orders_by_api(town: Town) -> HttpResponseBase:
    return town.customer().get(reverse("api:order-list"))


@visit(3)
def order_by_api(town: Town) -> HttpResponseBase:
    return town.customer().post(reverse("api:order-list"), town.wishes())


@visit(1)
def cancel_by_api(town: Town) -> HttpResponseBase:
    client, reference = town.customer_with_order()
    return client.post(reverse("api:order-cancel", args=[reference]))


# The admin


@visit(0)
def log_in_to_admin(town: Town) -> HttpResponseBase:
    form = {"username": STAFF, "password": PASSWORD, "next": reverse("admin:index")}
    # With the client of the staff, as in log_in.
    return town.staff.post(reverse("admin:login"), form)


@visit(1)
def open_admin(town: Town) -> HttpResponseBase:
    return town.staff.get(reverse("admin:index"))


@visit(2)
def look_around_in_admin(town: Town) -> HttpResponseBase:
    model = town.rng.choice(
        ["flavors_flavor", "orders_order", "reviews_review", "stock_stockmove", "users_user"]
    )
    return town.staff.get(reverse(f"admin:{model}_changelist"))


@visit(1)
def search_in_admin(town: Town) -> HttpResponseBase:
    _, reference = town.customer_with_order()
    return town.staff.get(reverse("admin:orders_order_changelist"), {"q": reference})


@visit(1)
def rename_category_in_admin(town: Town) -> HttpResponseBase:
    category = Category.objects.get(pk=town.rng.choice(town.categories))
    change = reverse("admin:flavors_category_change", args=[category.pk])
    return town.staff.post(change, {"name": category.name})
