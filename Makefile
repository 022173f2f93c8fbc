# One line of real work a target; what is longer stands in scripts/. `make help` lists them.

# A locale that every glibc has, so that nothing depends on the caller's.
export LC_ALL := C.UTF-8
# scripts/setup leaves a python3 that has NumPy here when the first one on PATH has none.
export PATH := $(CURDIR)/.build/bin:$(PATH)

PREFIX ?= /usr/local
DESTDIR ?=

# For this machine's vector units. Not in Package.swift, where it would bar library users.
RELEASE := -c release -Xcc -march=native
# Both steps of `test` take the same flags: with others, swift builds everything again.
TESTING := $(RELEASE) -Xswiftc -enable-testing
BINARY := .build/release/paeinvert
# The recipe of the default model, in full.
RECIPE := --latent 40 --architecture conv --epochs 30 --flow mixture --flow-epochs 60 --batch 128 --seed 1

# Those of the small model of clothes, and of the digits.
SMALL := --latent 8 --architecture conv --epochs 30 --flow affine --flow-epochs 24 --batch 128 --seed 1
DIGITS := --latent 8 --architecture conv --epochs 45 --flow mixture --flow-width 64 --flow-components 4 --flow-couplings 2 --flow-epochs 200 --batch 32 --seed 1

# Beside the defaults of `paeinvert-photos train`, which are those of photo.
COLOUR := --name photo-rgb --channels 3 --latent 95 --components 300 --tiles 2000000 --batches 80

.DEFAULT_GOAL := help
.PHONY: help setup build ablation calibrate bench bench-peers bench-photos bench-folder test test-arviz lint format demo install train-models examples figures notebooks remeasure prior clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-15s %s\n", $$1, $$2 }'

setup: ## install what is missing of the Debian packages; say what was done
	@scripts/setup

build: setup ## build the program for this machine
	swift build $(RELEASE) --product paeinvert

bench: build ## build the benchmark for this machine and run it; BENCH="--only gradient" adds options
	swift build $(RELEASE) --product paeinvert-bench
	.build/release/paeinvert-bench $(BENCH)

bench-peers: setup ## compare with JAX, PyTorch and NumPyro, which it installs in .build/peers-venv; PEERS adds options
	swift build $(RELEASE) --product paeinvert-bench
	@scripts/bench-peers $(PEERS)

bench-photos: build ## photographs beside BM3D, biharmonic inpainting and Wiener's filter, which it installs in .build/photos-venv; PHOTOS adds options
	swift build $(RELEASE) --product paeinvert-photos
	@scripts/bench-photos $(PHOTOS)

bench-folder: build ## folders of pictures trained with all defaults, and how well that went; FOLDERS adds options
	@scripts/bench-folder $(FOLDERS)

test: setup ## build and run all tests
	swift build --build-tests $(TESTING)
	swift test $(TESTING) --skip-build

test-arviz: build ## open draws.nc with ArviZ, which it installs in .build/arviz-venv
	@scripts/test-arviz

lint: ## check the format of the sources and the syntax of the scripts
	swift format lint --strict --recursive Sources Tests Package.swift
	@scripts/lint

format: ## format the sources in place
	swift format --in-place --recursive Sources Tests Package.swift

demo: build ## denoise and inpaint shipped pictures with the shipped model
	@scripts/demo

install: build ## copy program and models to $(DESTDIR)$(PREFIX), /usr/local unless given
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/paeinvert
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/paeinvert/models data/models/*.safetensors
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/paeinvert/mnist data/mnist/*.gz

train-models: build ## train the shipped models and the classifier from nothing
	$(BINARY) train fashion-mnist -o data/models/fashion-mnist.safetensors -f $(RECIPE)
	$(BINARY) train fashion-mnist -o data/models/fashion-mnist-8.safetensors -f $(SMALL)
	$(BINARY) train fashion-mnist -o data/models/fashion-mnist-ppca.safetensors -f --objective ppca --latent 40 --seed 1
	$(BINARY) train mnist -o data/models/mnist-8.safetensors -f $(DIGITS)
	scripts/photographs
	swift build $(RELEASE) --product paeinvert-photos
	.build/release/paeinvert-photos train runs/photographs -o data/models/photo.safetensors -f
	.build/release/paeinvert-photos train runs/photographs -o data/models/photo-rgb.safetensors -f $(COLOUR)
	$(BINARY) train-classifier fashion-mnist -o data/models/fashion-mnist-classifier.safetensors -f --seed 1

examples: build ## make data/examples again
	@scripts/examples

calibrate: build ## are the error bars right, 1,000 simulations and 1,000 test pictures (half an hour)
	$(BINARY) calibrate --sigma 0.1 --rectangle 8-16,9-21 -n 1000 --conformal -o runs/calibration -f

ablation: build ## train and measure all systems on Fashion-MNIST (hours; goes on where it was interrupted); ABLATION="pae-8" names some
	@scripts/ablation $(ABLATION)

figures: build ## measure the figures of docs/figures.md
	@scripts/figures

notebooks: build ## run every code block of README.md, docs and notebooks-md, and make their pictures
	swift build $(RELEASE) --product paeinvert-bench
	@scripts/run-notebook README.md docs/*.md notebooks-md/*.md

remeasure: figures notebooks calibrate prior ## after training models: every figure of README, notebooks-md and docs/prior.md again (hours)

prior: build ## measure docs/prior.md's table of the default model's prior (a quarter of an hour)
	@scripts/prior

clean: ## remove what was built and what the demo made
	rm -rf .build runs/demo-*
