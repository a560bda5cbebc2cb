"""Views of Django REST framework."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils.decorators import method_decorator
from rest_framework import status
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.generics import CreateAPIView, ListAPIView, RetrieveUpdateAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from corpus.models import AuditLog, Bike, Customer, Payment, Rental, Station, Tag
from corpus.serializers import (
    AtomicRentalSerializer,
    BikeSerializer,
    LoggedStationSerializer,
    ReadOnlyTagsSerializer,
    RentalSerializer,
    StationSerializer,
)


# GET: reads-only 0
class Stations(ListAPIView):
    queryset = Station.objects.all()
    serializer_class = StationSerializer


# POST: one-unit 1 station
class MakeStation(CreateAPIView):
    queryset = Station.objects.all()
    serializer_class = StationSerializer


# GET: reads-only 0
# PUT: one-unit 1 bike
# PATCH: one-unit 1 bike
class ChangeBike(RetrieveUpdateAPIView):
    queryset = Bike.objects.all()
    serializer_class = ReadOnlyTagsSerializer


# POST: protected 1 rental payment
class MakeRentalAtOnce(CreateAPIView):
    queryset = Rental.objects.all()
    serializer_class = AtomicRentalSerializer


# POST: one-unit 1 tag
@api_view(["POST"])
def make_tag(request: Request) -> Response:
    Tag.objects.create(name=request.query_params["name"])
    return Response(status=status.HTTP_201_CREATED)


# POST: one-unit 1 station
@api_view(["POST"])
def checks_first(request: Request) -> Response:
    serializer = StationSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    serializer.save()
    return Response(serializer.data)


# POST: protected 1 rental
class RaisesInABlock(APIView):
    @transaction.atomic
    def post(self, request: Request) -> Response:
        Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
        if not request.data:
            raise ValidationError("empty")
        return Response()


# POST: one-unit 1 rental
class RaisesBefore(APIView):
    def post(self, request: Request) -> Response:
        if not request.data:
            raise ValidationError("empty")
        Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
        return Response()


# POST: one-unit 1 rental
class RaisesAfter(APIView):
    def post(self, request: Request) -> Response:
        Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
        if not request.data:
            raise ValidationError("empty")  # finds: handled-error-commits
        return Response()


@method_decorator(transaction.atomic, name="dispatch")
# POST: protected 1 rental
class LooksAtomic(APIView):
    def post(self, request: Request) -> Response:
        Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
        if not request.data:
            raise Http404  # finds: handled-error-commits
        return Response()


# POST: one-unit 1 station
@api_view(["POST"])
def answers_400(request: Request) -> Response:
    Station.objects.update(free=0)
    if not request.data:
        return Response({"error": "empty"}, status=400)  # finds: handled-error-commits
    return Response()


# POST: split 2 bike bike_tags auditlog
class MakeBike(CreateAPIView):  # finds: hidden-second-write
    queryset = Bike.objects.all()
    serializer_class = BikeSerializer


# POST: split loop rental payment
class MakeRental(CreateAPIView):  # finds: hidden-second-write
    queryset = Rental.objects.all()
    serializer_class = RentalSerializer


# POST: split 2 auditlog station
class MakeLoggedStation(CreateAPIView):  # finds: hidden-second-write
    queryset = Station.objects.all()
    serializer_class = LoggedStationSerializer


# POST: split 2 station auditlog
class MakeStationAndTell(CreateAPIView):  # finds: split-writes
    queryset = Station.objects.all()
    serializer_class = StationSerializer

    def perform_create(self, serializer: Any) -> None:
        serializer.save()
        AuditLog.objects.create(text="station")


# POST: split 2 payment rental
@api_view(["POST"])  # finds: split-writes
def pays(request: Request) -> Response:
    rental = Rental.objects.get()
    Payment.objects.create(rental=rental)
    rental.state = "paid"
    rental.save()
    return Response()


# POST: split loop station
class ManyStations(APIView):  # finds: write-loop
    def post(self, request: Request) -> Response:
        serializer = StationSerializer(data=request.data, many=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response()
