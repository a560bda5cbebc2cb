"""Forms of the rental."""

from __future__ import annotations

from typing import Any

from django import forms

from corpus.models import AuditLog, Bike, Coupon, Customer, ElectricBike, Rental, Station


class StationForm(forms.ModelForm):
    class Meta:
        model = Station
        fields = ("name",)


class BikeForm(forms.ModelForm):
    """With a relation of many to many."""

    class Meta:
        model = Bike
        fields = ("frame", "station", "tags")


class PlainBikeForm(forms.ModelForm):
    class Meta:
        model = Bike
        fields = ("frame", "station")


class ElectricBikeForm(forms.ModelForm):
    class Meta:
        model = ElectricBike
        fields = ("frame", "battery")


class CustomerForm(forms.ModelForm):
    class Meta:
        model = Customer
        fields = ("email",)


class LoggedForm(forms.ModelForm):
    """Saving it writes a log too."""

    class Meta:
        model = Rental
        fields = ("bike", "customer")

    def save(self, commit: bool = True) -> Any:  # as Django has it
        rental = super().save(commit=commit)
        AuditLog.objects.create(text="rental")
        return rental


class CouponForm(forms.ModelForm):
    """Checks by hand what no constraint keeps."""

    class Meta:
        model = Coupon
        fields = ("code",)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if Coupon.objects.filter(code=code).exists():  # finds: check-then-act
            raise forms.ValidationError("taken")
        return code


class ContactForm(forms.Form):
    text = forms.CharField()

    def save(self) -> None:
        AuditLog.objects.create(text=self.cleaned_data["text"])


BikeFormSet = forms.modelformset_factory(Bike, PlainBikeForm, extra=1)
RentalFormSet = forms.inlineformset_factory(Bike, Rental, fields=("customer",), extra=1)
