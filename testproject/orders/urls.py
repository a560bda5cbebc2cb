from __future__ import annotations

from django.urls import path

from orders import views

app_name = "orders"
urlpatterns = [
    path("", views.OrderList.as_view(), name="list"),
    path("checkout/", views.checkout, name="checkout"),
    path("checkout/in-pieces/", views.checkout_in_pieces, name="checkout_in_pieces"),
    path("counter/", views.counter, name="counter"),
    path("export/", views.export, name="export"),
    path("export/mark/", views.export_and_mark, name="export_and_mark"),
    path("find/", views.find, name="find"),
    path("takings/", views.takings, name="takings"),
    path("takings/in-transaction/", views.takings_in_transaction, name="takings_in_transaction"),
    path("<str:reference>/", views.OrderDetail.as_view(), name="detail"),
    path("<str:reference>/cancel/", views.cancel, name="cancel"),
    path(
        "<str:reference>/cancel-and-mail/",
        views.cancel_and_mail_at_once,
        name="cancel_and_mail_at_once",
    ),
    path("<str:reference>/serve/", views.serve, name="serve"),
]
