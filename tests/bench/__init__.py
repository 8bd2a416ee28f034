"""Benchmarks whose tables are published in docs: ``python -m tests.bench`` runs them all."""
