"""A database engine that wraps Django's own, as monitoring and GIS packages have one."""
