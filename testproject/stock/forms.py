from __future__ import annotations

from django import forms

from stock.models import StockMove


class DeliveryForm(forms.ModelForm):
    """What a supplier brought."""

    scoops = forms.IntegerField(min_value=1, max_value=10_000)

    class Meta:
        model = StockMove
        fields = ("flavor", "supplier", "scoops")
