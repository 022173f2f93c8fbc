"""The log posterior in PyTorch, float32, for a batch of positions [lanes, K]; eager."""
import math

import numpy as np
import torch
from torch.nn import functional

# How a transposed convolution is called; which is fastest depends on the batch.
TRANSPOSED = ("contiguous", "channels_last", "phases")


def single(array):
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))


def phases_weight(weight, stride):
    """weight [C, O, k, k] as that of a plain convolution [O·s·s, C, m, m] before a pixel shuffle."""
    inputs, outputs, kernel, _ = weight.shape
    parts = -(-kernel // stride)
    room = parts * stride - kernel
    weight = np.pad(weight, ((0, 0), (0, 0), (0, room), (0, room)))
    weight = weight.reshape(inputs, outputs, parts, stride, parts, stride)[:, :, ::-1, :, ::-1, :]
    return weight.transpose(1, 3, 5, 0, 2, 4).reshape(-1, inputs, parts, parts)


class Posterior:
    """Functions of positions [lanes, K]; weights need no gradient."""

    def __init__(self, model, problem, how):
        self.latent, self.how, self.layers = model.latent, how, []
        for op, weight, bias, layer in model.layers():
            if op == "convTranspose" and how == "phases":
                weight = phases_weight(weight, layer["stride"])
                bias = np.repeat(bias, layer["stride"] ** 2)
            if weight is not None:
                weight, bias = single(weight), single(bias)
                if op == "convTranspose" and how == "channels_last":
                    weight = weight.to(memory_format=torch.channels_last)
            self.layers.append((op, weight, bias, layer))
        self.steps = []
        for kind, *rest in model.flow_steps():
            if kind == "linear":
                matrix, inverse, offset, logarithm = rest
                self.steps.append((kind, single(matrix), single(inverse), single(offset), logarithm))
            else:
                second, bound, hidden, parameters = rest
                half = model.latent // 2
                moved = model.latent - half if second else half
                # θ[i, :] = (scale, shift): all scales first, then all shifts.
                *inner, (weight, bias) = parameters
                order = np.arange(2 * moved).reshape(moved, 2).T.ravel()
                parameters = [(single(w), single(b)) for w, b in [*inner, (weight[order], bias[order])]]
                self.steps.append((kind, second, bound, hidden, parameters))
        self.data, self.precision = single(problem.data), single(problem.precision)
        self.constant = float(problem.constant)

    def decode(self, z):
        """[lanes, C, H, W]"""
        x = z
        for op, weight, bias, layer in self.layers:
            if op == "linear":
                x = functional.linear(x, weight, bias)
            elif op == "convTranspose":
                stride, padding, kernel = layer["stride"], layer["padding"], layer["kernel"]
                if self.how == "phases":
                    tall, wide = ((n - 1) * stride + kernel - padding for n in x.shape[2:])
                    x = functional.conv2d(x, weight, bias, padding=weight.shape[2] - 1)
                    x = functional.pixel_shuffle(x, stride)[:, :, padding:tall, padding:wide]
                else:
                    x = functional.conv_transpose2d(x, weight, bias, stride, padding)
            elif op == "reshape":
                x = x.reshape(-1, *layer["shape"])
                if self.how == "channels_last" and x.dim() == 4:
                    x = x.to(memory_format=torch.channels_last)
            elif op == "leakyRelu":
                x = functional.leaky_relu(x, layer.get("slope", 0))
            elif op != "flatten":
                x = {"silu": functional.silu, "sigmoid": torch.sigmoid, "relu": torch.relu}[op](x)
        return x

    def _coupling(self, step, x):
        _, second, bound, hidden, parameters = step
        half = self.latent // 2
        first, last = x[:, :half], x[:, half:]
        kept, moved = (first, last) if second else (last, first)
        h = kept
        for j, (weight, bias) in enumerate(parameters[:-1]):
            new = functional.silu(functional.linear(h, weight, bias))
            h = new + h if j > 0 and hidden[j - 1] == hidden[j] else new
        theta = functional.linear(h, *parameters[-1])
        count = moved.shape[1]
        return kept, moved, bound * torch.tanh(theta[:, :count] / bound), theta[:, count:]

    def base(self, z):
        """u = f(z) and ln|det ∂f/∂z| [lanes]."""
        x, total = z, 0.0
        for step in self.steps:
            if step[0] == "linear":
                x, total = functional.linear(x, step[1], step[3]), total + step[4]
            else:
                kept, moved, logarithm, shift = self._coupling(step, x)
                moved = torch.addcmul(shift, moved, torch.exp(logarithm))
                x = torch.cat([kept, moved] if step[1] else [moved, kept], dim=1)
                total = total + logarithm.sum(dim=1)
        return x, total

    def codes(self, u):
        """z = T(u)."""
        x = u
        for step in reversed(self.steps):
            if step[0] == "linear":
                x = functional.linear(x - step[3], step[2])
            else:
                kept, moved, logarithm, shift = self._coupling(step, x)
                moved = (moved - shift) * torch.exp(-logarithm)
                x = torch.cat([kept, moved] if step[1] else [moved, kept], dim=1)
        return x

    def log_density(self, positions, space):
        """ln p [lanes] in z or in u."""
        if space == "u":
            u, z, logarithm = positions, self.codes(positions), 0.0
        else:
            z = positions
            u, logarithm = self.base(z)
        normal = -0.5 * (u * u).sum(dim=1) - 0.5 * self.latent * math.log(2 * math.pi)
        misfit = (self.precision * (self.data - self.decode(z)) ** 2).sum(dim=(1, 2, 3))
        return normal + logarithm + self.constant - 0.5 * misfit

    def value_and_gradient(self, positions, space):
        """Values [lanes] and each lane's gradient [lanes, K]."""
        positions = positions.detach().requires_grad_()
        values = self.log_density(positions, space)
        (gradients,) = torch.autograd.grad(values.sum(), positions)
        return values.detach(), gradients
