"""An app of models that declare indexes in every way that Django knows."""
