"""Reads a paeinvert model with NumPy alone and checks the program's numbers against the formulas.

    parity.py MODEL REFERENCE [RESULT_DIR DATA_PNG MASK_PNG|-]...

REFERENCE is a safetensors file of values that the program computed (Tests/CommandTests/ParityTests):
u, z [n, K] and, for them, codes = T(u), generated = G(u), base = f(z), log_determinant, decoded = g(z),
encoded = e(generated). Each RESULT_DIR is what `denoise` or `inpaint` left with a known --sigma.
Everything here is float64. Ends with 1 and a line for each check that fails.

Formulas: Sources/Networks/LayerDescription.swift, Sources/Flows/Kinds,
Sources/Inversion/ImagePosterior.swift, Sources/Measurement/CensoredEvaluator.swift.
"""
import json
import math
import struct
import sys
import zlib

import numpy as np


# Files --------------------------------------------------------------------------------------------

def read_safetensors(path):
    """(metadata, {name: float64 array}): 8 bytes of header length, JSON, little-endian numbers."""
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        kind = {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]
        values = np.frombuffer(data[8 + length + begin:8 + length + end], kind)
        tensors[name] = values.astype(np.float64).reshape(entry["shape"])
    return header.get("__metadata__", {}), tensors


def read_png(path):
    """(intensities [H, W], low, high, step) of an 8- or 16-bit grey PNG without interlacing."""
    data, at, pixels, low, high = open(path, "rb").read(), 8, b"", 0.0, 1.0
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body, at = data[at + 8:at + 8 + length], at + 12 + length
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            assert colour == 0 and interlace == 0 and depth in (8, 16), "not a plain grey PNG"
        elif kind == b"IDAT":
            pixels += body
        elif kind == b"tEXt" and body.startswith(b"paeinvert:range\0"):
            low, high = map(float, body.split(b"\0")[1].split())
    raw, size = zlib.decompress(pixels), depth // 8          # size: bytes of a sample
    above, rows = bytearray(width * size), []
    for row in range(height):
        start = row * (width * size + 1)
        kind, line = raw[start], bytearray(raw[start + 1:start + 1 + width * size])
        for i in range(len(line)):
            left, up = line[i - size] if i >= size else 0, above[i]
            corner = above[i - size] if i >= size else 0
            guess = left + up - corner                        # Paeth's, filter 4
            nearest = min((left, up, corner), key=lambda value: abs(guess - value))
            line[i] = (line[i] + (0, left, up, (left + up) // 2, nearest)[kind]) % 256
        rows.append(line)
        above = line
    samples = np.frombuffer(b"".join(rows), ">u2" if depth == 16 else np.uint8)
    step = (high - low) / (2 ** depth - 1)
    return low + samples.reshape(height, width) * step, low, high, step


# Networks -----------------------------------------------------------------------------------------

def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


def convolution(x, weight, stride, padding):
    """x [C, H, W], weight [O, C, k, k]."""
    x, kernel = np.pad(x, ((0, 0), (padding, padding), (padding, padding))), weight.shape[2]
    tall, wide = ((n - kernel) // stride + 1 for n in x.shape[1:])
    y = np.zeros((weight.shape[0], tall, wide))
    for i in range(kernel):
        for j in range(kernel):
            seen = x[:, i:i + stride * tall:stride, j:j + stride * wide:stride][:, :tall, :wide]
            y += np.einsum("oc,cpq->opq", weight[:, :, i, j], seen)
    return y


def transposed_convolution(x, weight, stride, padding):
    """x [C, H, W], weight [C, O, k, k]: every input paints its kernel on the output."""
    (_, tall, wide), kernel = x.shape, weight.shape[2]
    y = np.zeros((weight.shape[1], (tall - 1) * stride + kernel, (wide - 1) * stride + kernel))
    for i in range(kernel):
        for j in range(kernel):
            y[:, i:i + (tall - 1) * stride + 1:stride, j:j + (wide - 1) * stride + 1:stride] += (
                np.einsum("co,cpq->opq", weight[:, :, i, j], x))
    return y[:, padding:y.shape[1] - padding, padding:y.shape[2] - padding]


def network(tensors, prefix, layers, x):
    """One item through a list of layers."""
    for index, layer in enumerate(layers):
        op = layer["op"]
        weight, bias = (tensors.get(f"{prefix}.{index}.{part}") for part in ("weight", "bias"))
        if op == "linear":
            x = weight @ x + bias
        elif op == "conv":
            x = convolution(x, weight, layer["stride"], layer["padding"]) + bias[:, None, None]
        elif op == "convTranspose":
            x = transposed_convolution(x, weight, layer["stride"], layer["padding"])
            x = x + bias[:, None, None]
        elif op == "batchNorm":
            shape = (-1,) + (1,) * (x.ndim - 1)
            mean, variance = (tensors[f"{prefix}.{index}.running{part}"].reshape(shape)
                              for part in ("Mean", "Variance"))
            x = weight.reshape(shape) * (x - mean) / np.sqrt(variance + 1e-5) + bias.reshape(shape)
        elif op == "dropout":
            pass
        else:
            x = {"silu": silu, "sigmoid": sigmoid, "relu": lambda v: np.maximum(v, 0),
                 "leakyRelu": lambda v: np.where(v < 0, layer.get("slope", 0) * v, v),
                 "reshape": lambda v: v.reshape(layer["shape"]), "flatten": np.ravel}[op](x)
    return x


# Flow ---------------------------------------------------------------------------------------------

def conditioner(tensors, prefix, hidden, h):
    for j, width in enumerate(hidden):
        new = silu(tensors[f"{prefix}.{j}.weight"] @ h + tensors[f"{prefix}.{j}.bias"])
        h = new + h if j > 0 and hidden[j - 1] == width else new
    n = len(hidden)
    return tensors[f"{prefix}.{n}.weight"] @ h + tensors[f"{prefix}.{n}.bias"]


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def spline(x, theta, bins, bound, inverse):
    """(y, ln y') of one element; for the inverse (x, ln y' at that x) of y."""
    if abs(x) > bound:
        return x, 0.0
    width, height = (2 * bound * (0.001 + (1 - 0.001 * bins) * softmax(part))
                     for part in (theta[:bins], theta[bins:2 * bins]))
    inner = 0.001 + np.logaddexp(0, theta[2 * bins:] + math.log(math.exp(0.999) - 1))
    slope = np.concatenate([[1], inner, [1]])
    knots, values = (-bound + np.concatenate([[0], np.cumsum(part)]) for part in (width, height))
    return spline_bin(x, knots, values, slope, inverse)


def tailed_spline(x, knots, values, slope, inverse):
    """The same through given points, straight on beyond its ends."""
    ends = values if inverse else knots
    if ends[0] <= x <= ends[-1]:
        return spline_bin(x, knots, values, slope, inverse)
    end = 0 if x < ends[0] else -1
    rate = 1 / slope[end] if inverse else slope[end]
    return (knots if inverse else values)[end] + rate * (x - ends[end]), math.log(slope[end])


def spline_bin(x, knots, values, slope, inverse):
    bins = len(knots) - 1
    j = int(np.clip(np.searchsorted(values if inverse else knots, x, "right") - 1, 0, bins - 1))
    w, h = knots[j + 1] - knots[j], values[j + 1] - values[j]
    s, a, b = h / w, slope[j], slope[j + 1]
    if inverse:  # the root of y·D(ξ) = …, a quadratic in ξ (Durkan et al. 2019, eqs. 6-8)
        rise = x - values[j]
        bend = rise * (a + b - 2 * s)
        p, q, r = h * (s - a) + bend, h * a - bend, -s * rise
        xi = 2 * r / (-q - math.sqrt(q * q - 4 * p * r))
    else:
        xi = (x - knots[j]) / w
    cross = xi * (1 - xi)
    d = s + (a + b - 2 * s) * cross
    derivative = s * s * (b * xi ** 2 + 2 * s * cross + a * (1 - xi) ** 2) / d ** 2
    y = knots[j] + xi * w if inverse else values[j] + h * (s * xi ** 2 + a * cross) / d
    return y, math.log(derivative)


def orthonormal_rows(rows):
    """Gram and Schmidt on the rows, first row first."""
    q, r = np.linalg.qr(rows.T)
    return (q * np.sign(np.diag(r))).T


def masks(dimension, width, outputs):
    """Of the input, hidden and output weights of a masked network: which entries count."""
    degrees = 1 + np.arange(width) * (dimension - 1) // width
    coordinates = np.arange(1, dimension + 1)
    return (degrees[:, None] >= coordinates, degrees[:, None] >= degrees,
            np.repeat(coordinates, outputs // dimension)[:, None] > degrees)


def masked_network(tensors, prefix, layer, x):
    """θ of every coordinate, [K, P]."""
    outputs = len(tensors[f"{prefix}.output.bias"])
    first, hidden, last = masks(len(x), layer["width"], outputs)

    def dense(name, mask, h):
        if f"{prefix}.{name}.whole" not in tensors:
            weight = np.zeros(mask.shape)
            weight[mask] = tensors[f"{prefix}.{name}.weight"]   # row after row
            tensors[f"{prefix}.{name}.whole"] = weight
        return tensors[f"{prefix}.{name}.whole"] @ h + tensors[f"{prefix}.{name}.bias"]

    h = dense("input", first, x)
    for block in range(layer["blocks"]):
        inner = silu(dense(f"block.{block}.inner", hidden, silu(h)))
        h = h + dense(f"block.{block}.outer", hidden, inner)
    return dense("output", last, silu(h)).reshape(len(x), -1)


def mixture(tensors, prefix, layer, x):
    """ln w, μ and ln s, each [K, N·M], of the Gaussians of every coordinate."""
    count, parts = layer["components"], []
    for network in range(layer["networks"]):
        theta = masked_network(tensors, f"{prefix}.network.{network}", layer, x)
        weight, mean, scale = (theta[:, j * count:(j + 1) * count] for j in range(3))
        weight = weight - np.logaddexp.reduce(weight, axis=1, keepdims=True)
        parts.append((weight - math.log(layer["networks"]), mean, 3 * np.tanh(scale / 3)))
    return [np.concatenate(part, axis=1) for part in zip(*parts)]


def mixture_quantile(x, weights, means, scales):
    """(Φ⁻¹(F(x)), ln p(x) − ln φ of it) of one coordinate."""
    t = (x - means) / np.exp(scales)
    constant = 0.5 * math.log(2 * math.pi)
    density = np.logaddexp.reduce(weights - scales - 0.5 * t * t - constant)
    sides = [np.logaddexp.reduce(weights + [log_normal_cdf(v) for v in side]) for side in (t, -t)]
    mass, low, high = min(sides), -60.0, 1e-9
    for _ in range(64):   # to the last bit
        middle = 0.5 * (low + high)
        low, high = (middle, high) if log_normal_cdf(middle) < mass else (low, middle)
    y = math.copysign(low, -1 if sides[0] < sides[1] else 1)
    return y, density + 0.5 * y * y + constant


def masked_layer(tensors, prefix, layer, x, inverse):
    """One masked layer; its inverse coordinate by coordinate."""
    y, total = np.zeros(len(x)), 0.0
    known = np.zeros(len(x)) if inverse else x
    for i in range(len(x)):
        if layer["op"] == "maskedAffine":
            raw, shift = masked_network(tensors, f"{prefix}.network.0", layer, known)[i]
            logarithm = layer["maxLogScale"] * math.tanh(raw / layer["maxLogScale"])
            scale = math.exp(logarithm)
            y[i] = (x[i] - shift) / scale if inverse else x[i] * scale + shift
        else:
            own = [part[i] for part in mixture(tensors, prefix, layer, known)]
            if inverse:
                ends = own[1] + np.exp(own[2]) * x[i]
                low, high = ends.min(), ends.max()
                for _ in range(64):
                    middle = 0.5 * (low + high)
                    below = mixture_quantile(middle, *own)[0] < x[i]
                    low, high = (middle, high) if below else (low, middle)
                y[i], logarithm = low, mixture_quantile(low, *own)[1]
            else:
                y[i], logarithm = mixture_quantile(x[i], *own)
        if inverse:
            known[i] = y[i]
        total += logarithm
    return y, total


def flow_layer(tensors, index, layer, x, inverse):
    """(y, ln|det ∂y/∂x|) of one layer; for the inverse (x, the same at that x)."""
    prefix, op = f"flow.{index}", layer["op"]
    if op == "affine":
        mean, scale = tensors[f"{prefix}.mean"], np.exp(tensors[f"{prefix}.logScale"])
        return (x / scale + mean if inverse else (x - mean) * scale), np.log(scale).sum()
    if op == "whitening":
        mean, scale = tensors[f"{prefix}.mean"], np.exp(tensors[f"{prefix}.logScale"])
        axes = orthonormal_rows(tensors[f"{prefix}.axes"])
        y = axes.T @ (x / scale) + mean if inverse else scale * (axes @ (x - mean))
        return y, np.log(scale).sum()
    if op in ("maskedAffine", "maskedMixture"):
        return masked_layer(tensors, prefix, layer, x, inverse)
    if op == "luLinear":
        diagonal, bias = tensors[f"{prefix}.logDiagonal"], tensors[f"{prefix}.bias"]
        lower = np.tril(tensors[f"{prefix}.lower"], -1) + np.eye(len(bias))
        upper = np.triu(tensors[f"{prefix}.upper"], 1) + np.diag(np.exp(diagonal))
        matrix = lower @ upper
        y = np.linalg.solve(matrix, x - bias) if inverse else matrix @ x + bias
        return y, diagonal.sum()
    if op == "permutation":
        order = np.array(layer["order"])
        return (x[np.argsort(order)] if inverse else x[order]), 0.0
    if op == "slicedSpline":
        rows = orthonormal_rows(tensors[f"{prefix}.directions"])
        points = zip(*(tensors[f"{prefix}.{name}"] for name in ("knots", "values", "slopes")))
        bent = [tailed_spline(s, *own, inverse) for s, own in zip(rows @ x, points)]
        moves, logarithms = np.array(bent).T
        return x + rows.T @ (moves - rows @ x), logarithms.sum()
    half = len(x) // 2
    first, second = np.arange(half), np.arange(half, len(x))
    moved, kept = (second, first) if layer["transforms"] == "second" else (first, second)
    theta = conditioner(tensors, f"{prefix}.conditioner", layer["hidden"], x[kept])
    theta, y, total = theta.reshape(len(moved), -1), x.copy(), 0.0
    for parameters, i in zip(theta, moved):
        if op == "splineCoupling":
            y[i], logarithm = spline(x[i], parameters, layer["bins"], layer["bound"], inverse)
        else:
            bound = layer["maxLogScale"]
            logarithm, shift = bound * math.tanh(parameters[0] / bound), parameters[1]
            scale = math.exp(logarithm)
            y[i] = (x[i] - shift) / scale if inverse else x[i] * scale + shift
        total += logarithm
    return y, total


def flow(tensors, layers, x, inverse=False):
    """u = f(z) and ln|det|; z = T(u) with the same logarithm for the inverse."""
    total, indices = 0.0, range(len(layers))
    for index in reversed(indices) if inverse else indices:
        x, logarithm = flow_layer(tensors, index, layers[index], x, inverse)
        total += logarithm
    return x, total


# Posterior ----------------------------------------------------------------------------------------

def log_normal_cdf(t):
    """ln Φ(t); far below zero by Φ(t) = φ(t)/(a + 1/(a + 2/(a + …))), a = −t."""
    if t > -20:
        return math.log(0.5 * math.erfc(-t / math.sqrt(2)))
    fraction = -t
    for term in range(60, 0, -1):
        fraction = -t + term / fraction
    return -0.5 * t * t - 0.5 * math.log(2 * math.pi) - math.log(fraction)


def marginal_variances(model):
    """The diagonal of Σ = diag(residual.diagonal) + Σ_r factor_r factor_rᵀ, [C, H, W]."""
    variances = model["residual.diagonal"]
    if "residual.factor" in model:
        variances = variances + (model["residual.factor"] ** 2).sum(0)
    return variances


def intensity_variances(model, image):
    """h at painted intensities: a piecewise cubic in √m through residual.intensity."""
    knots = model["residual.intensity"].astype(float)
    last = len(knots) - 1
    steps = np.diff(knots)
    slopes = np.zeros(len(knots))
    for j in range(1, last):
        if steps[j - 1] * steps[j] > 0:
            slopes[j] = 2 / (1 / steps[j - 1] + 1 / steps[j])
    place = np.sqrt(np.clip(image, 0, 1)) * last
    j = np.minimum(place.astype(int), last - 1)
    f = place - j
    return (knots[j] * (1 + 2 * f) * (1 - f) ** 2 + slopes[j] * f * (1 - f) ** 2
            + knots[j + 1] * f * f * (3 - 2 * f) + slopes[j + 1] * f * f * (f - 1))


def log_posterior(model, config, u, scale, image, data, mask, report):
    """ln p(u, ln α, y) of one draw with all constants, white noise of known σ; scale is α or None."""
    y, low, high, step = data
    sigma, censored = report["noise"]["sigma"], report["noise"]["censored"]
    kind = report["noise"]["residual"]
    value = -0.5 * u @ u - 0.5 * len(u) * math.log(2 * math.pi)
    square = 1.0
    if scale is not None:
        stated = config["residual"]["intensity"] if kind == "intensity" else config["residual"]
        mean, deviation = stated.get("logScaleMean", 0), stated["logScaleDeviation"]
        z = (math.log(scale) - mean) / deviation
        value -= 0.5 * z * z + math.log(deviation) + 0.5 * math.log(2 * math.pi)
        square = scale ** 2
    if kind == "full":
        # No datum is censored: one dense Gaussian of all that is observed.
        factors = model["residual.factor"][:, 0][:, mask]
        covariance = square * (np.diag(model["residual.diagonal"][0][mask]) + factors.T @ factors)
        covariance += (sigma ** 2 + step ** 2 / 12) * np.eye(int(mask.sum()))
        d = (y - image)[mask]
        logarithm = np.linalg.slogdet(covariance)[1]
        return value - 0.5 * (d @ np.linalg.solve(covariance, d) + logarithm
                              + len(d) * math.log(2 * math.pi))
    residual = 0
    if kind == "diagonal":
        residual = square * marginal_variances(model)[0]
    if kind == "intensity":
        residual = square * intensity_variances(model, image) + stated.get("rounding", 0)
    variance = np.broadcast_to(sigma ** 2 + residual + step ** 2 / 12, y.shape)
    # A sample at an end says "within half a step of it, or beyond".
    below = mask & censored & (y <= low + step / 2)
    above = mask & censored & (y >= high - step / 2)
    measured = mask & ~below & ~above
    d, v = (y - image)[measured], variance[measured]
    value += (-0.5 * d * d / v - 0.5 * np.log(2 * math.pi * v)).sum()
    for where, sign, end in ((below, 1, low + step / 2), (above, -1, high - step / 2)):
        t = sign * (end - image[where]) / np.sqrt(variance[where])
        value += sum(map(log_normal_cdf, t))
    return value


# Checks -------------------------------------------------------------------------------------------

failures = 0


def check(name, found, expected, tolerance, relative=False):
    global failures
    difference = np.abs(np.asarray(found) - np.asarray(expected))
    if relative:
        difference = difference / np.abs(expected)
    worst = float(np.max(difference))
    good = worst <= tolerance  # false for NaN
    failures += not good
    print(f"{'ok  ' if good else 'FAIL'} {name}: {worst:.2e} (bound {tolerance:.0e})")


def main(arguments):
    metadata, model = read_safetensors(arguments[0])
    assert metadata["format"] == "paeinvert-model" and metadata["version"] == "1"
    config = json.loads(metadata["config"])
    shape = tuple(config["image"][axis] for axis in ("channels", "height", "width"))

    def decode(z):
        return network(model, "decoder", config["decoder"], z).reshape(shape)

    def generate(u):
        return decode(flow(model, config["flow"], u, inverse=True)[0])

    _, reference = read_safetensors(arguments[1])
    for row, (u, z) in enumerate(zip(reference["u"], reference["z"])):
        expected = {name: values[row] for name, values in reference.items()}
        base, logarithm = flow(model, config["flow"], z)
        back, same = flow(model, config["flow"], base, inverse=True)
        picture = expected["generated"].reshape(shape)
        # A variational encoder gives K means, then K logarithms of variances: the code is the mean.
        code = network(model, "encoder", config["encoder"], picture)[:config["latent"]]
        size = max(1, abs(expected["codes"]).max())
        for name, found, wanted, bound in [
                ("decoder g(z)", decode(z).ravel(), expected["decoded"], 1e-5),
                ("encoder e(x)", code, expected["encoded"], 1e-4),
                ("flow f(z)", base, expected["base"], 1e-4),
                ("log-determinant", logarithm, expected["log_determinant"], 1e-4),
                ("T(f(z)) = z", back, z, 1e-8), ("its log-determinant", same, logarithm, 1e-8),
                # Of the row three deviations out in every coordinate codes may be as large as 1000, and the
                # rounding of u alone moves them by 4e-4: the bound is of codes in units of the largest.
                ("codes T(u)", flow(model, config["flow"], u, True)[0] / size, expected["codes"] / size, 1e-4),
                ("generator g(T(u))", decode(expected["codes"]).ravel(), expected["generated"], 1e-5)]:
            check(f"{name}, row {row}", found, wanted, bound)

    for folder, picture, mask in zip(*[iter(arguments[2:])] * 3):
        report = json.load(open(f"{folder}/report.json"))
        _, posterior = read_safetensors(f"{folder}/posterior.safetensors")
        data = read_png(picture)
        observed = np.ones(shape[1:], bool) if mask == "-" else read_png(mask)[0] >= 0.5
        draws = posterior["u"].reshape(-1, config["latent"])
        scales = posterior["residual_scale"].ravel() if "residual_scale" in posterior else None
        values = posterior["log_density"].ravel()
        chosen = np.unique(np.linspace(0, len(draws) - 1, 8).astype(int))
        found = [log_posterior(model, config, draws[i], None if scales is None else scales[i],
                               generate(draws[i])[0], data, observed, report) for i in chosen]
        check(f"log posterior in {folder}", found, values[chosen], 1e-4, relative=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
