"""Distributions: Hadoop and Spark tarballs assembled from Maven and PyPI packages, byte for byte reproducible."""
