#!/usr/bin/env python3
"""Biharmonic inpainting, the yardstick of `scripts/figures missing`.

The missing pixels solve the discrete bi-Laplacian, (L² x)_i = 0 at every missing pixel i, with the
observed pixels fixed. L is the five-point Laplacian with reflecting borders. Values beyond those observed
are cut off at the smallest and the largest of them. This is what scikit-image's inpaint_biharmonic
computes, pictures of a connected hole as well as of scattered pixels.

Run as a program it checks itself: L² has the weights of the thirteen-point stencil, observed pixels
stay, and a ramp is found again inside a hole.
"""

import numpy as np


def laplacian(height, width):
    """L as a dense matrix of height·width rows, row-major pixels; symmetric, rows sum to zero."""
    def second_differences(count):
        matrix = np.diag(np.ones(count - 1), 1) + np.diag(np.ones(count - 1), -1)
        return matrix - np.diag(matrix.sum(axis=1))

    return (np.kron(second_differences(height), np.eye(width))
            + np.kron(np.eye(height), second_differences(width)))


def inpaint(data, observed):
    """`data`, height × width, with the pixels where `observed` is false replaced by the solution."""
    data, observed = np.asarray(data, float), np.asarray(observed, bool)
    matrix = laplacian(*data.shape)
    rows = (matrix @ matrix)[~observed.ravel()]
    known = data[observed]
    values = np.linalg.solve(rows[:, ~observed.ravel()], -rows[:, observed.ravel()] @ known)
    picture = data.copy()
    picture[~observed] = np.clip(values, known.min(), known.max())
    return picture


def check():
    stencil = (laplacian(9, 7) @ laplacian(9, 7))[4 * 7 + 3].reshape(9, 7)[2:7, 1:6]
    assert stencil.tolist() == [[0, 0, 1, 0, 0], [0, 2, -8, 2, 0], [1, -8, 20, -8, 1],
                                [0, 2, -8, 2, 0], [0, 0, 1, 0, 0]]
    row, column = np.mgrid[:9, :7]
    ramp, observed = 0.1 * row - 0.05 * column, np.ones((9, 7), bool)
    observed[3:6, 2:5] = False
    filled = inpaint(np.where(observed, ramp, 9), observed)
    assert (filled[observed] == ramp[observed]).all() and np.abs(filled - ramp).max() < 1e-12
    print("biharmonic: stencil, observed pixels and a ramp are right")


if __name__ == "__main__":
    check()
