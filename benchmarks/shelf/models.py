from __future__ import annotations

from typing import Any

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=50)
    objects: Any = models.Manager()

    class Meta:
        app_label = "shelf"

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, models.CASCADE)
    objects: Any = models.Manager()

    class Meta:
        app_label = "shelf"

    def __str__(self) -> str:
        return self.title
