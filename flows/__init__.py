"""How a run is started, staged, scheduled and published; the only package that knows about Prefect."""

__version__ = "0.1.0"
