"""Bikes, who rents them, and what is kept about that."""

from __future__ import annotations

from typing import Any

from django.db import models


class Station(models.Model):
    name = models.CharField(max_length=50, unique=True)
    free = models.IntegerField(default=0)


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Bike(models.Model):
    frame = models.CharField(max_length=50, unique=True)
    station = models.ForeignKey(Station, models.CASCADE, related_name="bikes")
    state = models.CharField(max_length=10, default="free")
    rides = models.IntegerField(default=0)
    last_seen = models.DateTimeField(null=True)
    tags = models.ManyToManyField(Tag)


class ElectricBike(Bike):
    """A row in two tables."""

    battery = models.IntegerField(default=100)


class Customer(models.Model):
    """Saving one runs a receiver, which makes a profile for a new one."""

    email = models.EmailField()
    name = models.CharField(max_length=50, default="")
    credit = models.IntegerField(default=0)


class Profile(models.Model):
    customer = models.OneToOneField(Customer, models.CASCADE)
    language = models.CharField(max_length=5, default="en")
    views = models.IntegerField(default=0)


class Rental(models.Model):
    bike = models.ForeignKey(Bike, models.CASCADE, related_name="rentals")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="rentals")
    state = models.CharField(max_length=10, default="open")
    price = models.IntegerField(default=0)


class Payment(models.Model):
    rental = models.ForeignKey(Rental, models.CASCADE, related_name="payments")
    reference = models.CharField(max_length=50, default="")
    amount = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rental", "reference"], name="corpus_payment_once"),
        ]


class Counter(models.Model):
    name = models.CharField(max_length=50, unique=True)
    value = models.IntegerField(default=0)


class Invoice(models.Model):
    """Saving one writes to two tables: the number that was given last is a row too."""

    rental = models.ForeignKey(Rental, models.CASCADE)
    number = models.IntegerField(default=0)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.pk:
            locked = Counter.objects.select_for_update()
            counter = locked.get(name="invoice")  # finds: select-for-update-outside-atomic
            counter.value += 1
            counter.save()
            self.number = counter.value
        super().save(*args, **kwargs)


class SafeInvoice(models.Model):
    """The same as it should be."""

    number = models.IntegerField(default=0)

    def save(self, *args: Any, **kwargs: Any) -> None:
        from django.db import transaction  # as projects do it

        with transaction.atomic():
            Counter.objects.filter(name="invoice").update(value=models.F("value") + 1)
            super().save(*args, **kwargs)


class Note(models.Model):
    """Deleting one runs a receiver, which writes to the log."""

    text = models.CharField(max_length=200)
    photo = models.CharField(max_length=200, default="")


class AuditLog(models.Model):
    text = models.CharField(max_length=200)


class LoginAttempt(models.Model):
    email = models.EmailField()


class Coupon(models.Model):
    code = models.CharField(max_length=20)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="coupons")
    used = models.BooleanField(default=False)

    class Meta:
        unique_together = [("code", "customer")]
