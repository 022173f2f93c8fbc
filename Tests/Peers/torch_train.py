"""Training images per second of a model's autoencoder in PyTorch: forward, backward, AdamW.

    torch_train.py MODEL --batch N [--json]

The networks are those of the file's encoder and decoder lists, drawn anew. An InfoGAN-like file whose
batch norms were folded away gets them back before each leakyRelu, as Sources/Networks/Architecture.swift
has it for training. The pictures, uniform noise, lie in memory; each step gathers a shuffled batch. Ours also
averages the weights and clips the gradient's norm; here that is left out. Memory formats and the two
fast forms of AdamW are tried and the fastest pair is timed.
"""
import argparse

import torch
from torch import nn

import work


class Reshape(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(-1, *self.shape)


def network(layers):
    if any(layer["op"] == "leakyRelu" for layer in layers) and not any(
            layer["op"] == "batchNorm" for layer in layers):
        restored = []
        for layer in layers:
            if layer["op"] == "leakyRelu":
                restored.append({"op": "batchNorm", "channels": restored[-1]["out"]})
            restored.append(layer)
        layers = restored
    modules, image = [], False
    for layer in layers:
        op = layer["op"]
        if op == "linear":
            modules.append(nn.Linear(layer["in"], layer["out"]))
            image = False
        elif op in ("conv", "convTranspose"):
            kind = nn.Conv2d if op == "conv" else nn.ConvTranspose2d
            modules.append(
                kind(layer["in"], layer["out"], layer["kernel"], layer["stride"], layer["padding"]))
            image = True
        elif op == "batchNorm":
            modules.append((nn.BatchNorm2d if image else nn.BatchNorm1d)(layer["channels"]))
        elif op == "leakyRelu":
            modules.append(nn.LeakyReLU(layer.get("slope", 0), inplace=True))
        elif op == "dropout":
            modules.append(nn.Dropout(layer["rate"]))
        elif op == "reshape":
            modules.append(Reshape(layer["shape"]))
        else:
            modules.append({"silu": nn.SiLU, "relu": nn.ReLU, "sigmoid": nn.Sigmoid,
                            "flatten": nn.Flatten}[op]())
    return nn.Sequential(*modules)


def training_step(model, batch, pictures, channels_last, optimizer):
    """A function that does one step."""
    torch.manual_seed(0)
    autoencoder = nn.Sequential(
        network(model.config["encoder"]), network(model.config["decoder"])).train()
    if channels_last:
        autoencoder = autoencoder.to(memory_format=torch.channels_last)
        pictures = pictures.to(memory_format=torch.channels_last)
    adam = torch.optim.AdamW(autoencoder.parameters(), lr=1e-3, weight_decay=1e-4, **{optimizer: True})
    order, at = torch.randperm(len(pictures)), 0

    def step():
        nonlocal order, at
        if at + batch > len(pictures):
            order, at = torch.randperm(len(pictures)), 0
        x = pictures[order[at:at + batch]]
        at += batch
        loss = (autoencoder(x) - x).square().sum() / batch
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--batch", type=int, required=True)
    work.add_timing_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(work.THREADS)
    model = work.Model(options.model)
    pictures = torch.rand(40 * options.batch, *model.shape)
    steps = {
        f"{'channels_last' if last else 'contiguous'}, {optimizer}":
            training_step(model, options.batch, pictures, last, optimizer)
        for last in (False, True) for optimizer in ("foreach", "fused")}
    how, found = work.fastest(steps, options.batch, options.repeats, options.seconds)
    work.finish(options, {"train": [work.row(found, batch=options.batch, way=how)]},
                torch=torch.__version__)


if __name__ == "__main__":
    main()
