from __future__ import annotations

from django.urls import path

from stock import views

app_name = "stock"
urlpatterns = [
    path("", views.report, name="report"),
    path("deliver/", views.deliver, name="deliver"),
    path("supplier/<int:pk>/", views.supplier, name="supplier"),
    path("<slug:slug>/moves/", views.moves, name="moves"),
]
