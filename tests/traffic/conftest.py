"""The shop with something in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    # Not for real: pytest loads this file before Django is set up.
    from flavors.models import Flavor


@pytest.fixture
def flavors(db: None) -> list[Flavor]:
    """Four flavors in two categories."""
    return stocked()


@pytest.fixture
def committed_flavors(transactional_db: None) -> list[Flavor]:
    """The same without a transaction around the test."""
    return stocked()


def stocked() -> list[Flavor]:
    from flavors.models import Category, Flavor

    categories = [Category.objects.create(name=name) for name in ("gelato", "sorbet")]
    return [
        Flavor.objects.create(
            title=f"flavor {n}", slug=f"flavor-{n}", category=categories[n % 2], price=n + 1
        )
        for n in range(4)
    ]
