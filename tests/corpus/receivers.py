"""What happens when rows are saved and deleted."""

from __future__ import annotations

import os
from typing import Any

from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from corpus.models import AuditLog, Bike, Customer, Note, Profile


@receiver(post_save, sender=Customer)
def make_profile(
    sender: type[Customer], instance: Customer, created: bool, **kwargs: Any
) -> None:  # as Django sends it
    if created:
        Profile.objects.create(customer=instance)


@receiver(post_delete, sender=Note)
def forget_photo(sender: type[Note], instance: Note, **kwargs: Any) -> None:
    AuditLog.objects.create(text="gone")
    os.remove(instance.photo)  # finds: side-effect-in-transaction


@receiver(m2m_changed, sender=Bike.tags.through)
def note_tags(sender: Any, **kwargs: Any) -> None:
    AuditLog.objects.create(text="tagged")
