"""Every page of the shop."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from rest_framework.routers import DefaultRouter

from flavors.api import FlavorViewSet
from flavors.views import home, search
from orders.api import OrderViewSet
from reviews.api import ReviewViewSet
from users.views import Join, Profile

router = DefaultRouter()
router.register("flavors", FlavorViewSet, basename="flavor")
router.register("orders", OrderViewSet, basename="order")
router.register("reviews", ReviewViewSet, basename="review")

urlpatterns = [
    path("", home, name="home"),
    path("search/", search, name="search"),
    path("flavors/", include("flavors.urls")),
    path("orders/", include("orders.urls")),
    path("reviews/", include("reviews.urls")),
    path("stock/", include("stock.urls")),
    path("api/", include((router.urls, "api"))),
    path("join/", Join.as_view(), name="join"),
    path("profile/", Profile.as_view(), name="profile"),
    path("login/", LoginView.as_view(template_name="users/form.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]
