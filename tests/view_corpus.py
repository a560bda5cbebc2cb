"""Small views, each with what the analysis must make of it: its verdict and its most units.

What must not be called split comes first in each group.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django import forms
from django.contrib.auth import login
from django.core.mail import send_mail
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.generic import CreateView, DeleteView, FormView, UpdateView

from flavors.models import Category, Flavor
from orders.models import Order, OrderLine, Receipt
from reviews.models import Review
from stock.models import StockItem, StockMove, Supplier
from users.models import User

T = TypeVar("T")
#: (view, method, verdict, most units or None for a loop)
CORPUS: list[tuple[Any, str, str, int | None]] = []


def expect(verdict: str, units: int | None, method: str = "POST") -> Callable[[T], T]:
    def label(view: T) -> T:
        CORPUS.append((view, method, verdict, units))
        return view

    return label


# Reads.


@expect("reads-only", 0)
def lists(request: HttpRequest) -> HttpResponse:
    flavors = Flavor.objects.filter(is_available=True).select_related("category")
    return render(request, "x.html", {"flavors": [each.title for each in flavors]})


@expect("reads-only", 0)
def builds_without_saving(request: HttpRequest) -> HttpResponse:
    order = Order(customer=User.objects.get(), total=3)
    return HttpResponse(order.reference)


@expect("reads-only", 0)
def updates_a_dict(request: HttpRequest) -> HttpResponse:
    found: dict[str, int] = {}
    found.update(a=1)
    found["b"] = 2
    names = set()
    names.add("x")
    names.remove("x")
    return HttpResponse(str(found))


@expect("reads-only", 0, "GET")
def writes_only_when_posted(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        Category.objects.create(name="a")
        Category.objects.create(name="b")
        return redirect("/")
    return render(request, "x.html")


@expect("reads-only", 0)
def reads_by_cursor(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("-- who\nSELECT count(*) FROM flavors_flavor WHERE title = %s", ["update"])
        return HttpResponse(cursor.fetchone())


@expect("reads-only", 0)
def unsaved_form(request: HttpRequest) -> HttpResponse:
    form = CategoryForm(request.POST)
    if form.is_valid():
        form.save(commit=False)
    return HttpResponse()


# One unit.


@expect("one-unit", 1)
def creates_once(request: HttpRequest) -> HttpResponse:
    Category.objects.create(name=request.POST["name"])
    return redirect("/")


@expect("one-unit", 1)
def either_or(request: HttpRequest) -> HttpResponse:
    if request.POST.get("a"):
        Category.objects.create(name="a")
    else:
        Supplier.objects.create(name="b")
    return redirect("/")


@expect("one-unit", 1)
def leaves_early(request: HttpRequest) -> HttpResponse:
    if request.POST.get("a"):
        Category.objects.create(name="a")
        return redirect("/a")
    Supplier.objects.create(name="b")
    return redirect("/b")


@expect("one-unit", 1)
def one_of_a_match(request: HttpRequest) -> HttpResponse:
    match request.POST.get("kind"):
        case "a":
            Category.objects.create(name="a")
        case "b" | "c":
            Supplier.objects.create(name="b")
        case _:
            return HttpResponseBadRequest()
    return redirect("/")


@expect("one-unit", 1)
def falls_back(request: HttpRequest) -> HttpResponse:
    try:
        Category.objects.create(name="a")
    except IntegrityError:
        Supplier.objects.create(name="b")
    return redirect("/")


@expect("one-unit", 1)
def tries_again(request: HttpRequest) -> HttpResponse:
    while True:
        try:
            Category.objects.create(name="a")
            break
        except IntegrityError:
            continue
    return redirect("/")


@expect("one-unit", 1)
def cascades(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Order, pk=pk).delete()
    return redirect("/")


@expect("one-unit", 1)
def sets_a_relation(request: HttpRequest) -> HttpResponse:
    request.user.groups.set([1, 2])
    return redirect("/")


@expect("one-unit", 1)
def bulk(request: HttpRequest) -> HttpResponse:
    StockMove.objects.bulk_create(StockMove(scoops=n) for n in range(3))
    return redirect("/")


@expect("one-unit", 1)
def gets_or_creates(request: HttpRequest) -> HttpResponse:
    item, _ = StockItem.objects.get_or_create(flavor_id=1)
    return HttpResponse(item.scoops)


@expect("one-unit", 1)
def receiver_within_the_block(request: HttpRequest) -> HttpResponse:
    # The receiver of post_save writes too, but get_or_create holds both.
    Review.objects.get_or_create(flavor_id=1, author=request.user)
    return redirect("/")


@expect("one-unit", 1)
def saves_a_form(request: HttpRequest) -> HttpResponse:
    form = CategoryForm(request.POST)
    if form.is_valid():
        form.save()
        return redirect("/")
    return render(request, "x.html", {"form": form})


@expect("one-unit", 1)
def runs_a_loop_in_the_database(request: HttpRequest) -> HttpResponse:
    Flavor.objects.filter(likes__gt=3).update(likes=F("likes") + 1)
    return redirect("/")


@expect("one-unit", 1)
def returns_from_a_loop(request: HttpRequest) -> HttpResponse:
    for each in Category.objects.all():
        if each.name == request.POST["name"]:
            each.delete()
            return redirect("/")
    return redirect("/none")


# Protected.


@expect("protected", 1)
def with_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        order = Order.objects.create(customer=request.user)
        OrderLine.objects.create(order=order, position=1)
    return redirect("/")


@expect("protected", 1)
@transaction.atomic
def decorated(request: HttpRequest) -> HttpResponse:
    for each in Category.objects.all():
        each.save()
    return redirect("/")


@expect("protected", 1)
@transaction.atomic(durable=True)
def decorated_with_options(request: HttpRequest) -> HttpResponse:
    Order.objects.create(customer=request.user)
    Receipt.objects.create(order_id=1)
    return redirect("/")


def transactional(function: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            return function(*args, **kwargs)

    return inner


@expect("protected", 1)
@transactional
def below_a_decorator_of_our_own(request: HttpRequest) -> HttpResponse:
    Order.objects.create(customer=request.user)
    Receipt.objects.create(order_id=1)
    return redirect("/")


@contextlib.contextmanager
def unit_of_work() -> Iterator[None]:
    with transaction.atomic():
        yield


@expect("protected", 1)
def in_a_context_manager(request: HttpRequest) -> HttpResponse:
    with unit_of_work():
        Order.objects.create(customer=request.user)
        Receipt.objects.create(order_id=1)
    return redirect("/")


@expect("protected", 1)
def in_an_inner_function(request: HttpRequest) -> HttpResponse:
    @transaction.atomic
    def work() -> None:
        Order.objects.create(customer=request.user)
        Receipt.objects.create(order_id=1)

    work()
    return redirect("/")


@expect("protected", 1)
def in_nested_blocks(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Order.objects.create(customer=request.user)
        with transaction.atomic():
            Receipt.objects.create(order_id=1)
    return redirect("/")


@expect("protected", 1)
@method_decorator(transaction.atomic, name="post")
class DecoratedMethod(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        Order.objects.create(customer=request.user)
        Receipt.objects.create(order_id=1)
        return redirect("/")


# Split.


@expect("split", 2)
def two_tables(request: HttpRequest) -> HttpResponse:
    order = Order.objects.create(customer=request.user)
    OrderLine.objects.create(order=order, position=1)
    return redirect("/")


@expect("split", 2)
def fetched_and_saved(request: HttpRequest, pk: int) -> HttpResponse:
    order = get_object_or_404(Order, pk=pk)
    order.status = "served"
    order.save(update_fields=["status"])
    Receipt(order=order).save()
    return redirect("/")


def save_line(order: Order) -> None:
    OrderLine(order=order, position=1).save()


@expect("split", 2)
def in_a_helper(request: HttpRequest) -> HttpResponse:
    save_line(Order.objects.create(customer=request.user))
    return redirect("/")


@expect("split", 2)
def after_a_branch(request: HttpRequest) -> HttpResponse:
    if request.POST.get("a"):
        Category.objects.create(name="a")
    Supplier.objects.create(name="b")
    return redirect("/")


@expect("split", 2)
def in_a_handler_after_a_write(request: HttpRequest) -> HttpResponse:
    try:
        Category.objects.create(name="a")
        send_mail("a", "b", None, ["c"])
    except OSError:
        Supplier.objects.create(name="b")
    return redirect("/")


@expect("split", 2)
def in_finally(request: HttpRequest) -> HttpResponse:
    try:
        Category.objects.create(name="a")
    finally:
        Supplier.objects.create(name="b")
    return redirect("/")


@expect("split", 2)
def receiver_writes(request: HttpRequest) -> HttpResponse:
    Review.objects.create(flavor_id=1, author=request.user)
    return redirect("/")


@expect("split", None)
def loops(request: HttpRequest) -> HttpResponse:
    for each in Category.objects.all():
        each.save()
    return redirect("/")


@expect("split", None)
def loops_in_a_comprehension(request: HttpRequest) -> HttpResponse:
    made = [Category.objects.create(name=name) for name in request.POST.getlist("names")]
    return HttpResponse(len(made))


@expect("split", None)
def loops_over_map(request: HttpRequest) -> HttpResponse:
    list(map(save_line, Order.objects.all()))
    return redirect("/")


def descend(category: Category, depth: int) -> None:
    category.save()
    if depth:
        descend(category, depth - 1)


@expect("split", None)
def recurses(request: HttpRequest) -> HttpResponse:
    descend(Category.objects.get(), 3)
    return redirect("/")


@expect("split", 2)
def by_cursor(request: HttpRequest) -> HttpResponse:
    table = "flavors_category"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET name = %s", ["a"])
        cursor.execute("WITH gone AS (DELETE FROM stock_supplier RETURNING 1) SELECT 1")
    return redirect("/")


@expect("split", 2)
def by_partial_and_lambda(request: HttpRequest) -> HttpResponse:
    make = functools.partial(Category.objects.create, name="a")
    make()
    save: Any = lambda: Supplier.objects.create(name="b")  # noqa: E731  # what is tested
    save()
    return redirect("/")


@expect("split", 2)
def by_name(request: HttpRequest) -> HttpResponse:
    getattr(Category.objects, "create")(name="a")  # noqa: B009  # what is tested
    model: type[Supplier] = Supplier
    model._default_manager.create(name="b")
    return redirect("/")


@expect("split", 2)
def in_a_generator(request: HttpRequest) -> HttpResponse:
    def rows() -> Iterator[int]:
        Category.objects.create(name="a")
        yield 1

    for _ in rows():
        pass
    Supplier.objects.create(name="b")
    return redirect("/")


@expect("reads-only", 0)
def generator_that_nobody_runs(request: HttpRequest) -> HttpResponse:
    def rows() -> Iterator[int]:
        Category.objects.create(name="a")
        Category.objects.create(name="b")
        yield 1

    rows()
    return redirect("/")


@expect("split", 2)
def while_streaming(request: HttpRequest) -> StreamingHttpResponse:
    def rows() -> Iterator[str]:
        Category.objects.create(name="a")
        yield "a"
        Category.objects.create(name="b")

    return StreamingHttpResponse(rows())


@expect("split", 2)
def in_a_thread(request: HttpRequest) -> HttpResponse:
    Category.objects.create(name="a")
    threading.Thread(target=save_line, args=(Order(),)).start()
    return redirect("/")


@expect("split", 2)
async def awaits(request: HttpRequest) -> HttpResponse:
    order = await Order.objects.acreate(customer=request.user)
    await order.asave()
    return redirect("/")


@expect("split", 3)
def logs_in(request: HttpRequest) -> HttpResponse:
    # The session is made anew, the old one goes, and last_login is noted.
    login(request, User.objects.get())
    return redirect("/")


@expect("split", 3)
def creates_a_user(request: HttpRequest) -> HttpResponse:
    form = UserForm(request.POST)
    if form.is_valid():
        # Its row, and each of its relations.
        form.save()
    return redirect("/")


@expect("split", 2)
def later_relations(request: HttpRequest) -> HttpResponse:
    form = GroupsForm(request.POST, instance=request.user)
    user = form.save(commit=False)
    user.save()
    form.save_m2m()
    return redirect("/")


# Mixed: part of it in a block.


@expect("mixed", 2)
def before_the_block(request: HttpRequest) -> HttpResponse:
    Category.objects.create(name="a")
    with transaction.atomic():
        Order.objects.create(customer=request.user)
        Receipt.objects.create(order_id=1)
    return redirect("/")


@expect("mixed", 2)
def two_blocks(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Category.objects.create(name="a")
    with transaction.atomic():
        Supplier.objects.create(name="b")
    return redirect("/")


@expect("mixed", 2)
def on_commit_writes(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Category.objects.create(name="a")
        transaction.on_commit(lambda: Supplier.objects.create(name="b"))
    return redirect("/")


# What is rolled back is no unit.


@expect("protected", 1)
def rolls_back_and_tries_another_way(request: HttpRequest) -> HttpResponse:
    try:
        with transaction.atomic():
            Category.objects.create(name="a")
            raise ValueError
    except ValueError:
        with transaction.atomic():
            Supplier.objects.create(name="b")
    return redirect("/")


# Class-based views.


class CategoryForm(forms.ModelForm):
    class Meta:
        model = Category
        fields = ("name",)


class UserForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("username", "groups", "user_permissions")


class GroupsForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("username", "groups")


@expect("one-unit", 1)
@expect("reads-only", 0, "GET")
class MakeCategory(CreateView):
    model = Category
    fields = ("name",)


@expect("one-unit", 1)
class EditCategory(UpdateView):
    form_class = CategoryForm
    queryset = Category.objects.all()


@expect("one-unit", 1)
class DropOrder(DeleteView):
    model = Order


@expect("split", 2)
class MakeFlavor(CreateView):
    model = Flavor
    fields = ("title",)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        StockItem.objects.create(flavor=self.object)
        return response


@expect("split", 2)
class UseForm(FormView):
    form_class = CategoryForm

    def form_valid(self, form: Any) -> HttpResponse:
        self.category = form.save()
        self.tell()
        return super().form_valid(form)

    def tell(self) -> None:
        self.category.save()


class Audited:
    """A mixin that writes on every request."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        Supplier.objects.create(name="seen")
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # a view comes after it


@expect("split", 2)
@expect("one-unit", 1, "GET")
class AuditedView(Audited, View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    def post(self, request: HttpRequest) -> HttpResponse:
        Category.objects.create(name="a")
        return HttpResponse()


# What cannot be told is said so.


@expect("unresolved", 0)
def calls_what_it_is_given(request: HttpRequest) -> HttpResponse:
    HOOKS["save"](request)
    return redirect("/")


@expect("unresolved", 0)
def executes_what_it_is_given(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(request.POST["sql"])
    return redirect("/")


class Hooks:
    def __getitem__(self, name: str) -> Callable[..., None]:
        raise NotImplementedError


HOOKS = Hooks()
