"""The log posterior in JAX, float32, for a batch of positions [lanes, K].

Arrays lie with channels last, which XLA prefers on processors. Weights are prepared once with NumPy and
are constants of the compiled program: there each call passes one array and not forty.
"""
import math

import jax
import jax.numpy as jnp
import numpy as np

# Ways to write a transposed convolution; which is fastest depends on the batch.
TRANSPOSED = ("dilated", "phases", "product")


def single(tree):
    """Every array as float32 on the device; all else as it is."""
    return jax.tree.map(
        lambda leaf: jnp.asarray(leaf, jnp.float32) if isinstance(leaf, np.ndarray) else leaf, tree)


def transposed_weight(weight, stride, how):
    """weight [C, O, k, k] in the form that `transposed` takes."""
    inputs, outputs, kernel, _ = weight.shape
    if how == "dilated":  # [k, k, C, O], mirrored
        return weight[:, :, ::-1, ::-1].transpose(2, 3, 0, 1)
    parts = -(-kernel // stride)
    room = parts * stride - kernel
    weight = np.pad(weight, ((0, 0), (0, 0), (0, room), (0, room)))
    weight = weight.reshape(inputs, outputs, parts, stride, parts, stride)
    if how == "phases":  # [m, m, C, s·s·O], mirrored
        weight = weight[:, :, ::-1, :, ::-1, :].transpose(2, 4, 0, 3, 5, 1)
        return weight.reshape(parts, parts, inputs, stride * stride * outputs)
    return weight.transpose(0, 2, 4, 3, 5, 1).reshape(inputs, -1)  # [C, m·m·s·s·O]


def transposed(x, weight, layer, how):
    """x [n, H, W, C] to [n, (H−1)s + k − 2p, …, O], without the bias."""
    kernel, stride, padding = layer["kernel"], layer["stride"], layer["padding"]
    lanes, tall, wide, _ = x.shape
    numbers = ("NHWC", "HWIO", "NHWC")
    if how == "dilated":
        edge = (kernel - 1 - padding,) * 2
        return jax.lax.conv_general_dilated(
            x, weight, (1, 1), (edge, edge), lhs_dilation=(stride, stride), dimension_numbers=numbers)
    # Pixel s·q + s·a + b gets x[q] w[s·a + b]: for each phase b a convolution of m = k/s taps.
    parts = -(-kernel // stride)
    full = tall + parts - 1, wide + parts - 1
    if how == "phases":
        edge = (parts - 1,) * 2
        y = jax.lax.conv_general_dilated(x, weight, (1, 1), (edge, edge), dimension_numbers=numbers)
    else:
        taps = (x.reshape(-1, x.shape[3]) @ weight).reshape(lanes, tall, wide, parts, parts, -1)
        y = sum(
            jnp.pad(taps[:, :, :, a, b], ((0, 0), (a, parts - 1 - a), (b, parts - 1 - b), (0, 0)))
            for a in range(parts) for b in range(parts))
    y = y.reshape(lanes, *full, stride, stride, -1).transpose(0, 1, 3, 2, 4, 5)
    y = y.reshape(lanes, full[0] * stride, full[1] * stride, -1)
    tall, wide = ((n - 1) * stride + kernel - padding for n in (tall, wide))
    return y[:, padding:tall, padding:wide]


class Posterior:
    """Functions of positions [lanes, K], to be compiled."""

    def __init__(self, model, problem, how):
        self.latent, self.shape, self.how = model.latent, model.shape, how
        layers, weights = model.layers(), []
        self.decoder = [(op, layer) for op, _, _, layer in layers]
        for index, (op, weight, bias, layer) in enumerate(layers):
            if op == "linear":
                # Rows in the order of channels last when an image is made of them.
                after = next((entry for entry, *_ in layers[index + 1:]
                              if entry in ("linear", "reshape")), None)
                if after == "reshape":
                    image = next(entry[3]["shape"] for entry in layers[index:] if entry[0] == after)
                    order = np.arange(len(bias)).reshape(image).transpose(1, 2, 0).ravel()
                    weight, bias = weight[order], bias[order]
                weight = weight.T.copy()
            elif op == "convTranspose":
                weight = transposed_weight(weight, layer["stride"], how)
            weights.append((weight, bias))
        self.steps, flow = [], []
        for kind, *rest in model.flow_steps():
            if kind == "linear":
                matrix, inverse, offset, logarithm = rest
                self.steps.append((kind, logarithm))
                flow.append((matrix.T.copy(), inverse.T.copy(), offset))
            else:
                second, bound, hidden, parameters = rest
                half = model.latent // 2
                moved = model.latent - half if second else half
                # θ[i, :] = (scale, shift): all scales first, then all shifts.
                *inner, (weight, bias) = parameters
                order = np.arange(2 * moved).reshape(moved, 2).T.ravel()
                self.steps.append((kind, second, bound, hidden))
                flow.append([(w.T.copy(), b) for w, b in [*inner, (weight[order], bias[order])]])
        data, precision = (
            array.reshape(model.shape).transpose(1, 2, 0)
            for array in (problem.data, problem.precision))
        self.constant = float(problem.constant)
        self.weights = single({"decoder": weights, "flow": flow, "data": data, "precision": precision})

    def decode(self, z):
        """[lanes, H, W, C]"""
        x = z
        for (op, layer), (weight, bias) in zip(self.decoder, self.weights["decoder"]):
            if op == "linear":
                x = x @ weight + bias
            elif op == "convTranspose":
                x = transposed(x, weight, layer, self.how) + bias
            elif op == "reshape":
                channels, tall, wide = layer["shape"]
                x = x.reshape(-1, tall, wide, channels)
            elif op == "leakyRelu":
                x = jnp.where(x < 0, layer.get("slope", 0) * x, x)
            elif op != "flatten":
                x = {"silu": jax.nn.silu, "sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu}[op](x)
        return x

    def _coupling(self, step, parameters, x):
        """The half that passes, the half that is transformed, ln scale and shift of the latter."""
        _, second, bound, hidden = step
        half = self.latent // 2
        first, last = x[:, :half], x[:, half:]
        kept, moved = (first, last) if second else (last, first)
        h = kept
        for j, (weight, bias) in enumerate(parameters[:-1]):
            new = jax.nn.silu(h @ weight + bias)
            h = new + h if j > 0 and hidden[j - 1] == hidden[j] else new
        theta = h @ parameters[-1][0] + parameters[-1][1]
        count = moved.shape[1]
        return kept, moved, bound * jnp.tanh(theta[:, :count] / bound), theta[:, count:]

    def base(self, z):
        """u = f(z) and ln|det ∂f/∂z| [lanes]."""
        x, total = z, 0.0
        for step, parameters in zip(self.steps, self.weights["flow"]):
            if step[0] == "linear":
                x, total = x @ parameters[0] + parameters[2], total + step[1]
            else:
                kept, moved, logarithm, shift = self._coupling(step, parameters, x)
                moved = moved * jnp.exp(logarithm) + shift
                x = jnp.concatenate([kept, moved] if step[1] else [moved, kept], axis=1)
                total = total + logarithm.sum(axis=1)
        return x, total

    def codes(self, u):
        """z = T(u)."""
        x = u
        for step, parameters in zip(reversed(self.steps), reversed(self.weights["flow"])):
            if step[0] == "linear":
                x = (x - parameters[2]) @ parameters[1]
            else:
                kept, moved, logarithm, shift = self._coupling(step, parameters, x)
                moved = (moved - shift) * jnp.exp(-logarithm)
                x = jnp.concatenate([kept, moved] if step[1] else [moved, kept], axis=1)
        return x

    def log_likelihood(self, z):
        difference = self.weights["data"] - self.decode(z)
        return self.constant - 0.5 * (self.weights["precision"] * difference ** 2).sum(axis=(1, 2, 3))

    def log_density(self, positions, space):
        """ln p [lanes] in z or in u."""
        if space == "u":
            u, z, logarithm = positions, self.codes(positions), 0.0
        else:
            z = positions
            u, logarithm = self.base(z)
        normal = -0.5 * (u * u).sum(axis=1) - 0.5 * self.latent * math.log(2 * math.pi)
        return normal + logarithm + self.log_likelihood(z)

    def value_and_gradient(self, space):
        """positions to (values [lanes], gradients [lanes, K]). Lanes do not depend on each other, so
        the gradient of their sum holds each lane's own."""
        def total(positions):
            values = self.log_density(positions, space)
            return values.sum(), values

        def both(positions):
            (_, values), gradients = jax.value_and_grad(total, has_aux=True)(positions)
            return values, gradients
        return both
