#!/usr/bin/env python3
"""The table of `make bench-photos`: photographs that no model was trained on, damaged, and what brings them back.

Grey pictures at 256x256 (reduced to 256 rows, middle 256 columns), noise not clipped, the right noise level given
to all. The tile prior's product for the comparison is named beforehand: the best picture, except for colour (mean).
"""
import argparse
import json
import os
import subprocess

import numpy as np
from PIL import Image, ImageDraw

PROGRAM = ".build/release/paeinvert-photos"
ROOT = "runs/bench-photos"


def pictures(colour=False):
    """Name -> intensities [C, 256, 256]."""
    import skimage.data
    from sklearn.datasets import load_sample_image

    sources = {name: getattr(skimage.data, name)() for name in ("camera", "astronaut", "chelsea", "coffee", "rocket")}
    sources["china"] = load_sample_image("china.jpg")
    result = {}
    for name, values in sources.items():
        picture = Image.fromarray(values)
        if colour and picture.mode != "RGB":
            continue
        picture = picture.convert("RGB" if colour else "L")
        picture = picture.resize((round(picture.width * 256 / picture.height), 256), Image.Resampling.LANCZOS)
        left = (picture.width - 256) // 2
        values = np.asarray(picture.crop((left, 0, left + 256, 256)), np.float64) / 255
        result[name] = values.transpose(2, 0, 1) if colour else values[None]
    return result


def whole(name):
    """One of scikit-image's pictures in grey, 512x512: intensities [1, 512, 512]."""
    import skimage.data

    picture = Image.fromarray(getattr(skimage.data, name)()).convert("L")
    return np.asarray(picture.resize((512, 512), Image.Resampling.LANCZOS), np.float64)[None] / 255


def noise(name, level, shape):
    return np.random.default_rng([sum(map(ord, name)), int(level)]).standard_normal(shape) * level / 255


def psnr(a, b):
    return -10 * np.log10(np.mean((a - b) ** 2))


def scratches():
    """Words and strokes: True where a pixel is seen."""
    sheet = Image.new("L", (256, 256), 255)
    pen = ImageDraw.Draw(sheet)
    stream = np.random.default_rng(9)
    for _ in range(14):
        place = (int(stream.integers(-20, 200)), int(stream.integers(0, 245)))
        pen.text(place, "the quick brown fox jumps"[: int(stream.integers(8, 25))], fill=0)
    for _ in range(12):
        pen.line([int(v) for v in stream.integers(0, 256, 4)], fill=0, width=2)
    return np.asarray(sheet) > 127


def gaussian_kernel(width=1.6, side=13):
    line = np.exp(-0.5 * ((np.arange(side) - side // 2) / width) ** 2)
    kernel = np.outer(line, line)
    return kernel / kernel.sum()


def reflected(picture, kernel):
    """The blur with reflecting borders that the program knows."""
    from scipy.ndimage import convolve

    return convolve(picture, kernel, mode="reflect")


def wiener(blurred, kernel, sigma, clean):
    """Wiener's filter with the spectrum of photographs, |k|^-2 scaled to the picture's own variance."""
    height, width = blurred.shape
    padded = np.pad(blurred, ((0, height), (0, width)), mode="symmetric")
    rows, columns = padded.shape
    transfer = np.zeros(padded.shape)
    side = kernel.shape[0]
    transfer[:side, :side] = kernel
    transfer = np.fft.fft2(np.roll(transfer, (-(side // 2), -(side // 2)), (0, 1)))
    k2 = np.fft.fftfreq(rows)[:, None] ** 2 + np.fft.fftfreq(columns)[None] ** 2
    k2[0, 0] = k2[0, 1]
    power = 1 / k2
    power *= np.var(padded) * padded.size / power.sum() * padded.size
    gain = np.conj(transfer) * power / (np.abs(transfer) ** 2 * power + sigma**2 * padded.size)
    mean = padded.mean()
    return np.real(np.fft.ifft2(gain * np.fft.fft2(padded - mean)))[:height, :width] + mean


def solve(name, data, truth, sigma, model, options, **arrays):
    """One case through the program; mean, deviation, best, draws and the report."""
    folder = f"{ROOT}/{name}"
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        os.remove(f"{folder}/{old}")
    np.save(f"{folder}/data.npy", data.astype(np.float32))
    for key, values in arrays.items():
        np.save(f"{folder}/{key}.npy", values.astype(np.float32))
    command = [PROGRAM, "solve", folder, "-m", model, "--sigma", str(sigma), *options]
    subprocess.run(command, check=True)
    result = {"report": json.load(open(f"{folder}/report.json"))}
    for key in ("mean", "deviation", "best", "draws"):
        if os.path.exists(f"{folder}/{key}.npy"):
            result[key] = np.load(f"{folder}/{key}.npy").astype(np.float64)
            if key != "draws":
                result[key] = result[key][0]
    return result


def coverage(result, truth, where=None):
    inside = np.abs(result["mean"] - truth) < 1.6449 * result["deviation"]
    return inside.mean() if where is None else inside[where].mean()


def seams(picture, truth):
    """Mean squared jump across the borders of 8x8 tiles over that inside, and the truth's own."""
    def ratio(values):
        jumps = np.diff(values, axis=-1) ** 2
        border = np.arange(jumps.shape[-1]) % 8 == 7
        return jumps[..., border].mean() / jumps[..., ~border].mean()

    return ratio(picture) / ratio(truth)


def row(name, peer, result, truth, where=None):
    mean = psnr(result["mean"], truth)
    best = psnr(result["best"], truth) if "best" in result else float("nan")
    entry = {
        "name": name, "peer": peer, "mean": mean, "best": best, "coverage": coverage(result, truth, where),
        "seconds": result["report"]["seconds"], "chi2": result["report"]["chi2_per_datum"],
        "seam_mean": seams(result["mean"], truth),
    }
    if "draws" in result and len(result["draws"]) > 1:
        entry["seam_draws"] = float(np.mean([seams(draw, truth) for draw in result["draws"]]))
        entry["draw"] = float(np.mean([psnr(draw, truth) for draw in result["draws"]]))
    print(
        f"{name:20s} peer {peer:6.2f}  mean {mean:6.2f} ({mean - peer:+.2f})  best {best:6.2f} ({best - peer:+.2f})"
        f"  cover {entry['coverage']:.3f}  {entry['seconds']:5.1f} s", flush=True)
    return entry


def summary(rows):
    for kind in dict.fromkeys(entry["name"].split()[0] for entry in rows):
        chosen = [entry for entry in rows if entry["name"].split()[0] == kind]
        gain = {key: np.mean([entry[key] - entry["peer"] for entry in chosen]) for key in ("mean", "best")}
        covers = [entry["coverage"] for entry in chosen]
        seam = [entry["seam_mean"] for entry in chosen] + [entry.get("seam_draws", 1) for entry in chosen]
        print(
            f"{kind:12s} peer {np.mean([entry['peer'] for entry in chosen]):6.2f}  mean {gain['mean']:+.2f}"
            f"  best {gain['best']:+.2f}  cover {np.mean(covers):.3f} ({min(covers):.3f} to {max(covers):.3f})"
            f"  seams {min(seam):.3f} to {max(seam):.3f}  {np.mean([entry['seconds'] for entry in chosen]):.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="noise,missing,scratches,blur,colour,clipped", help="parts, by commas")
    parser.add_argument("--model", default="data/models/photo.safetensors")
    parser.add_argument("--colour-model", default="data/models/photo-rgb.safetensors")
    parser.add_argument("--quality", default="normal")
    parser.add_argument("--draws", default="16")
    parser.add_argument("--levels", default="15,25,50", help="noise levels of the part noise, of 255")
    arguments = parser.parse_args()
    parts = arguments.only.split(",")
    options = ["--quality", arguments.quality, "--draws", arguments.draws]
    # bm3d 4.0.3 calls it by the name that NumPy 2.4 dropped.
    np.trapz = getattr(np, "trapz", None) or np.trapezoid
    import bm3d
    from skimage.restoration import inpaint_biharmonic

    rows = []
    grey = pictures()
    if "noise" in parts:
        for level in map(int, arguments.levels.split(",")):
            for name, truth in grey.items():
                data = truth + noise(name, level, truth.shape)
                peer = psnr(bm3d.bm3d(data[0], level / 255), truth[0])
                result = solve(f"{name}-{level}", data, truth, level / 255, arguments.model, options)
                rows.append(row(f"noise-{level} {name}", peer, result, truth))
    for part, kind in (("missing", "missing80"), ("scratches", "scratches")):
        if part not in parts:
            continue
        for name, truth in grey.items():
            stream = np.random.default_rng(sum(map(ord, name)))
            seen = (stream.random(truth.shape) >= 0.8) if part == "missing" else scratches()[None]
            # A noise of one level, as a file of 8 bits has.
            data = np.where(seen, truth + noise(name, 1, truth.shape), 0)
            peer = psnr(inpaint_biharmonic(data[0], ~seen[0]), truth[0])
            result = solve(
                f"{name}-{part}", data, truth, 1 / 255, arguments.model, options, mask=seen)
            rows.append(row(f"{kind} {name}", peer, result, truth, ~seen))
    if "blur" in parts:
        kernel = gaussian_kernel()
        for name, truth in grey.items():
            data = reflected(truth[0], kernel)[None] + noise(name, 2, truth.shape)
            result = solve(
                f"{name}-blur", data, truth, 2 / 255, arguments.model, options, kernel=kernel)
            first = psnr(wiener(data[0], kernel, 2 / 255, truth[0]), truth[0])
            rows.append(row(f"blur-wiener {name}", first, result, truth))
            padded = np.pad(data[0], 32, mode="symmetric")
            second = psnr(bm3d.bm3d_deblurring(padded[..., None], 2 / 255, kernel)[32:-32, 32:-32], truth[0])
            rows.append(row(f"blur-bm3d {name}", second, result, truth))
    if "colour" in parts:
        for name, truth in list(pictures(colour=True).items())[:3]:
            data = truth + noise(name, 25, truth.shape)
            peer = psnr(bm3d.bm3d_rgb(data.transpose(1, 2, 0), 25 / 255).transpose(2, 0, 1), truth)
            result = solve(f"{name}-colour", data, truth, 25 / 255, arguments.colour_model, options)
            rows.append(row(f"colour {name}", peer, result, truth))
    if "clipped" in parts:
        # A file of 8 bits cuts the noise off at black and white; the peer is the picture as it is there.
        for name in ("camera", "astronaut"):
            truth = whole(name)
            data = truth + noise(name, 25.5, truth.shape)
            cut = np.clip(np.round(255 * data), 0, 255) / 255
            for kind, values, more in (
                ("not-cut", data, []), ("cut-modelled", cut, ["--clipped"]), ("cut-as-measured", cut, [])
            ):
                result = solve(f"{name}-{kind}", values, truth, 0.1, arguments.model, options + more)
                rows.append(row(f"{kind} {name}", psnr(values, truth), result, truth))
    print()
    summary(rows)
    json.dump(rows, open(f"{ROOT}/rows.json", "w"), indent=1)


if __name__ == "__main__":
    main()
