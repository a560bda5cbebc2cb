from __future__ import annotations

from django import forms

from flavors.models import Flavor


class CheckoutForm(forms.Form):
    """Which flavors, and how many scoops of each."""

    flavors = forms.ModelMultipleChoiceField(
        Flavor.objects.filter(is_available=True).order_by("title"), to_field_name="slug"
    )
    scoops = forms.IntegerField(min_value=1, max_value=5, initial=1)
