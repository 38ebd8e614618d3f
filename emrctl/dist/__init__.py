"""Distributions: Hadoop, Spark and connector tarballs assembled from Maven and PyPI packages, byte for byte reproducible."""
