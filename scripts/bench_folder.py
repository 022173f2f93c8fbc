#!/usr/bin/env python3
"""Folders of pictures, trained with all defaults: held-out errors, time, memory, bytes written; and how well crops of
photographs that no folder held are denoised at a noise of 0.1. One line a case; docs/sizes.md has them."""
import argparse
import glob
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import time

import numpy as np
from PIL import Image

PROGRAM = ".build/release/paeinvert"
ROOT = "runs/bench-folder"
CLOTHES = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
# Name: what the pictures are, side, mode, how many.
CASES = {
    "rgb32-400": ("photographs", 32, "RGB", 400),
    "grey64-400": ("photographs", 64, "L", 400),
    "grey28-100": ("clothes", 28, "L", 100),
    "grey28-1000": ("clothes", 28, "L", 1000),
    "grey28-10000": ("clothes", 28, "L", 10000),
    "grey64-100": ("photographs", 64, "L", 100),
    "grey64-1000": ("photographs", 64, "L", 1000),
    "grey64-10000": ("photographs", 64, "L", 10000),
    "grey128-100": ("photographs", 128, "L", 100),
    "grey128-1000": ("photographs", 128, "L", 1000),
    "grey512-100": ("photographs", 512, "L", 100),
}


def crops(count, side, mode, seed):
    """Random crops of the photographs at a height of 256 rows (640 for large crops)."""
    rows = 256 if side <= 128 else 640
    sources = [Image.open(path).convert(mode) for path in sorted(glob.glob(f"runs/photographs/*-{rows}.png"))]
    stream = np.random.default_rng(seed)
    for index in range(count):
        picture = sources[index % len(sources)]
        left, top = stream.integers(picture.width - side + 1), stream.integers(picture.height - side + 1)
        yield picture.crop((left, top, left + side, top + side))


def tests(count, side, mode):
    """Crops of scikit-image's photographs, reduced to 256 rows, which are in no folder."""
    import skimage.data

    sources = []
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        picture = Image.fromarray(getattr(skimage.data, name)()).convert(mode)
        sources.append(picture.resize((round(picture.width * 256 / picture.height), 256), Image.Resampling.LANCZOS))
    stream = np.random.default_rng(5)
    for index in range(count):
        picture = sources[index % len(sources)]
        left, top = stream.integers(picture.width - side + 1), stream.integers(picture.height - side + 1)
        yield picture.crop((left, top, left + side, top + side))


def make(folder, kind, side, mode, count):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    if kind == "clothes":
        values = np.frombuffer(gzip.open(CLOTHES).read(), np.uint8, offset=16).reshape(-1, 28, 28)
        pictures = (Image.fromarray(values[index]) for index in range(count))
    else:
        pictures = crops(count, side, mode, 7)
    for index, picture in enumerate(pictures):
        picture.save(f"{folder}/{index:05d}.png")


def train(name, folder, limit):
    model = f"{ROOT}/{name}.safetensors"
    for path in glob.glob(model + "*"):
        os.remove(path)
    start = time.monotonic()
    process = subprocess.Popen([PROGRAM, "train", folder, "-o", model, "-q"], stderr=subprocess.PIPE, text=True)
    while process.poll() is None and time.monotonic() - start < limit:
        time.sleep(0.2)
    if process.poll() is None:
        process.kill()
        print(f"{name}: not done after {limit} s", flush=True)
        return None, None
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        sys.exit(process.stderr.read())
    info = json.loads(subprocess.run([PROGRAM, "info", model, "--json"], capture_output=True, check=True).stdout)
    return model, {
        "seconds": time.monotonic() - start, "megabytes": usage.ru_maxrss / 1024, "blocks": usage.ru_oublock,
        "info": info, "size": os.path.getsize(model), "warning": process.stderr.read().strip(),
    }


def denoise(name, model, side, mode, count):
    found, inside = [], []
    for index, picture in enumerate(tests(count, side, mode)):
        folder = f"{ROOT}/{name}-{index}"
        os.makedirs(folder, exist_ok=True)
        picture.save(f"{folder}/truth.png")
        subprocess.run([PROGRAM, "corrupt", f"{folder}/truth.png", "--sigma", "0.1", "--wide", "--seed", str(index),
                        "-q", "-f", "-o", f"{folder}/case"], check=True)
        subprocess.run([PROGRAM, "denoise", f"{folder}/case/data.png", "-m", model, "--sigma", "0.1", "--truth",
                        f"{folder}/truth.png", "-q", "-f", "-o", f"{folder}/out"], check=True, capture_output=True)
        quality = json.load(open(f"{folder}/out/report.json"))["quality"]
        found.append(quality["psnr"])
        inside.append(quality["coverage90"])
    return found, inside


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names of cases, with commas", default=",".join(CASES))
    parser.add_argument("--crops", type=int, default=20, help="test crops denoised by the first two cases")
    parser.add_argument("--limit", type=int, default=1800, help="seconds that a training may take")
    options = parser.parse_args()
    os.makedirs(ROOT, exist_ok=True)
    before = 0
    for name in options.only.split(","):
        kind, side, mode, count = CASES[name]
        make(f"{ROOT}/{name}", kind, side, mode, count)
        model, record = train(name, f"{ROOT}/{name}", options.limit)
        if record is None:
            continue
        info = record["info"]
        training, other = info["training"], info["training"].get("comparison", {})
        written = 512 * (record["blocks"] - before)
        before = record["blocks"]
        print(
            f"{name:13} K {info['latent']:3}  error {training['held_out_mse']:.5f}  mean picture "
            f"{other.get('mean_picture_mse', float('nan')):.5f}  PCA {other.get('principal_components_mse', float('nan')):.5f}  "
            f"{record['seconds']:6.1f} s  {record['megabytes']:5.0f} MB  model {record['size'] / 1e6:.1f} MB  written "
            f"{written / max(record['size'], 1):.1f} models  {record['warning']}", flush=True)
        if name.endswith("-400") and options.crops:
            found, inside = denoise(name, model, side, mode, options.crops)
            print(
                f"{'':13} {options.crops} test crops at 0.1: mean {np.mean(found):.2f} dB, {np.min(found):.2f} to "
                f"{np.max(found):.2f}, standard error {np.std(found) / len(found) ** 0.5:.2f}; 90 % intervals hold "
                f"{100 * np.mean(inside):.1f} %", flush=True)


if __name__ == "__main__":
    main()
