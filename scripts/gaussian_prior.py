#!/usr/bin/env python3
"""Inpainting with a Gaussian that has the mean and the full covariance of the training pictures.

The simplest prior that knows what pixels have to do with each other: the conditional mean of the missing given
the measured ones is linear in the data. For comparison in `scripts/figures`; takes NumPy.
"""

import gzip

import numpy

from fashion_mnist import training_file


def training_pictures():
    """Intensities of the 60,000 training pictures, n × P."""
    path = training_file()
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    return numpy.frombuffer(data, numpy.uint8, offset=16).reshape(-1, 784) / 255.0


class GaussianPrior:
    """N(m, C), m and C those of the rows of `pictures`."""

    def __init__(self, pictures):
        self.mean = pictures.mean(0)
        self.covariance = numpy.cov(pictures, rowvar=False)

    def inpaint(self, data, observed, sigma):
        """E[x | y_o], y_o = x_o + N(0, σ²): m + C_·o (C_oo + σ²I)⁻¹ (y_o − m_o)."""
        known = self.covariance[numpy.ix_(observed, observed)]
        noise = sigma**2 * numpy.eye(len(known))
        weights = numpy.linalg.solve(known + noise, data[observed] - self.mean[observed])
        return self.mean + self.covariance[:, observed] @ weights
