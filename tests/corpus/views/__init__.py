"""The views, by what they are about; innocents first in each."""
