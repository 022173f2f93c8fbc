#!/usr/bin/env python3
"""Where the training pictures of Fashion-MNIST are."""

import os
import pathlib

NAME = "fashion-mnist/train-images-idx3-ubyte"


def training_file():
    """The IDX file of the 60,000 training pictures, gzip or not, where the program finds it."""
    roots = [os.environ.get("PAEINVERT_DATASETS"), "/usr/share/datasets"]
    for root in filter(None, roots):
        for path in (pathlib.Path(root) / NAME, pathlib.Path(root) / f"{NAME}.gz"):
            if path.exists():
                return path
    raise SystemExit("Fashion-MNIST is missing: install Debian's package dataset-fashion-mnist")
