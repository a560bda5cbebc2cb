from __future__ import annotations

from django.urls import path

from flavors import views

app_name = "flavors"
urlpatterns = [
    path("", views.FlavorList.as_view(), name="list"),
    path("categories/", views.categories, name="categories"),
    path("categories/counted-late/", views.categories_counted_late, name="categories_counted_late"),
    path("create/", views.FlavorCreate.as_view(), name="create"),
    path("podium/", views.podium, name="podium"),
    path("podium/thrice/", views.podium_thrice, name="podium_thrice"),
    path("prices/", views.price_board, name="price_board"),
    path("<slug:slug>/", views.FlavorDetail.as_view(), name="detail"),
    path("<slug:slug>/edit/", views.FlavorUpdate.as_view(), name="update"),
    path("<slug:slug>/like/", views.like, name="like"),
    path("<slug:slug>/like-by-link/", views.like_by_link, name="like_by_link"),
]
