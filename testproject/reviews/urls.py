from __future__ import annotations

from django.urls import path

from reviews import views

app_name = "reviews"
urlpatterns = [
    path("mine/", views.MyReviews.as_view(), name="mine"),
    path("<int:pk>/hide/", views.hide, name="hide"),
    path("<slug:slug>/latest/", views.latest, name="latest"),
    path("<slug:slug>/post/", views.PostReview.as_view(), name="post"),
]
