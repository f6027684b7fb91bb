#!/usr/bin/env python3
"""The quickstart's setting in plain numpy, as an independent check of the accuracy: softmax regression on Fashion-MNIST, W workers with
two label shards each, tiered local SGD. Own random numbers, float32, one worker after the other written as a batched einsum.

    python3 bench/peers/tiered_sgd_numpy.py --data $ORRERY_DATA/fashion-mnist [--global-period 50 --local-period 5 --nodes 10] [--seed 1]

Prints one JSON line: final training loss (with l2) and test accuracy of the mean model.
"""
import argparse
import gzip
import json
import os

import numpy as np


def images(folder, name):
    with gzip.open(os.path.join(folder, name + "-images-idx3-ubyte.gz")) as f:
        x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 784).astype(np.float32) / 255
    with gzip.open(os.path.join(folder, name + "-labels-idx1-ubyte.gz")) as f:
        y = np.frombuffer(f.read(), np.uint8, offset=8).astype(np.int64)
    return x, y


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--data", required=True)
    a.add_argument("--workers", type=int, default=100)
    a.add_argument("--nodes", type=int, default=10)
    a.add_argument("--local-period", type=int, default=5)
    a.add_argument("--global-period", type=int, default=50)
    a.add_argument("--steps", type=int, default=1000)
    a.add_argument("--batch", type=int, default=20)
    a.add_argument("--rate", type=float, default=0.05)
    a.add_argument("--l2", type=float, default=1e-4)
    a.add_argument("--seed", type=int, default=1)
    o = a.parse_args()
    rng = np.random.default_rng(o.seed)
    x, y = images(o.data, "train")
    tx, ty = images(o.data, "t10k")
    w_count, classes = o.workers, 10

    # two label-sorted shards per worker
    shards = np.array_split(np.argsort(y, kind="stable"), 2 * w_count)
    deal = rng.permutation(2 * w_count).reshape(w_count, 2)
    held = [np.concatenate([shards[s] for s in deal[w]]) for w in range(w_count)]
    sizes = np.array([len(h) for h in held])
    table = np.zeros((w_count, sizes.max()), np.int64)
    for w, h in enumerate(held):
        table[w, : len(h)] = h

    v = np.zeros((w_count, classes, 784), np.float32)
    b = np.zeros((w_count, classes), np.float32)
    for t in range(1, o.steps + 1):
        pick = (rng.random((w_count, o.batch)) * sizes[:, None]).astype(np.int64)
        s = np.take_along_axis(table, pick, 1)
        bx, by = x[s], y[s]
        d = softmax(np.einsum("wkd,wcd->wkc", bx, v, optimize=True) + b[:, None])
        np.put_along_axis(d, by[:, :, None], np.take_along_axis(d, by[:, :, None], 2) - 1, 2)
        d /= o.batch
        v -= o.rate * (np.einsum("wkc,wkd->wcd", d, bx, optimize=True) + o.l2 * v)
        b -= o.rate * d.sum(1)
        if t % o.global_period == 0:
            v[:], b[:] = v.mean(0), b.mean(0)
        elif t % o.local_period == 0:
            for block in np.array_split(np.arange(w_count), o.nodes):
                v[block], b[block] = v[block].mean(0), b[block].mean(0)
    v, b = v.mean(0), b.mean(0)
    q = softmax(x @ v.T + b)
    loss = -np.log(q[np.arange(len(y)), y]).mean() + o.l2 / 2 * (v**2).sum()
    accuracy = ((tx @ v.T + b).argmax(1) == ty).mean()
    print(json.dumps({**vars(o), "train_loss": float(loss), "test_accuracy": float(accuracy)}))


main()
