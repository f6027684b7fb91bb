#!/usr/bin/env python3
"""FedAvg of an MLP on Fashion-MNIST in plain PyTorch, one client after the other: an independent check of the accuracy of
experiments/fedavg/mlp-dirichlet.toml. Own random numbers; the split among the clients is read from partition files of an Orrery run
(record.partition = true), so that both train on the same non-IID data, or drawn here.

    python3 bench/peers/fedavg_torch.py --data $ORRERY_DATA/fashion-mnist --partition runs/X/partition-0.txt --seed 1

Prints one JSON line: final training loss and test accuracy of the weighted mean model.
"""
import argparse
import gzip
import json
import os
import time

import numpy as np
import torch
from torch import nn


def images(folder, name):
    with gzip.open(os.path.join(folder, name + "-images-idx3-ubyte.gz")) as f:
        x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 784).astype(np.float32) / 255
    with gzip.open(os.path.join(folder, name + "-labels-idx1-ubyte.gz")) as f:
        y = np.frombuffer(f.read(), np.uint8, offset=8).astype(np.int64)
    return torch.from_numpy(x), torch.from_numpy(y)


def clients_of(path):
    """The lines of numbers after the header of a partition file: one line a client."""
    with open(path) as f:
        return [torch.tensor([int(v) for v in line.split()]) for line in f if line[:1].isdigit()]


def dirichlet(y, clients, alpha, rng):
    held = [[] for _ in range(clients)]
    for c in range(int(y.max()) + 1):
        samples = rng.permutation(np.flatnonzero(y.numpy() == c))
        cuts = (np.cumsum(rng.dirichlet([alpha] * clients)) * len(samples)).astype(int)[:-1]
        for k, part in enumerate(np.split(samples, cuts)):
            held[k].extend(part)
    return [torch.tensor(h) for h in held if h]


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--data", required=True)
    a.add_argument("--partition")
    a.add_argument("--clients", type=int, default=100)
    a.add_argument("--alpha", type=float, default=0.3)
    a.add_argument("--hidden", type=int, nargs="*", default=[200, 200])
    a.add_argument("--rounds", type=int, default=100)
    a.add_argument("--period", type=int, default=10)
    a.add_argument("--batch", type=int, default=32)
    a.add_argument("--rate", type=float, default=0.1)
    a.add_argument("--seed", type=int, default=1)
    o = a.parse_args()
    torch.manual_seed(o.seed)
    x, y = images(o.data, "train")
    tx, ty = images(o.data, "t10k")
    held = clients_of(o.partition) if o.partition else dirichlet(y, o.clients, o.alpha, np.random.default_rng(o.seed))
    weight = [len(h) / sum(len(k) for k in held) for h in held]

    widths = [784, *o.hidden, 10]
    layers = []
    for k, n in zip(widths, widths[1:]):
        layers += [nn.Linear(k, n), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimiser, loss_of = torch.optim.SGD(model.parameters(), lr=o.rate), nn.CrossEntropyLoss()
    common = [p.detach().clone() for p in model.parameters()]
    begin = time.perf_counter()
    for _ in range(o.rounds):
        total = [torch.zeros_like(p) for p in common]
        for samples, share in zip(held, weight):
            with torch.no_grad():
                for p, c in zip(model.parameters(), common):
                    p.copy_(c)
            for _ in range(o.period):
                pick = samples[torch.randint(len(samples), (o.batch,))]
                optimiser.zero_grad()
                loss_of(model(x[pick]), y[pick]).backward()
                optimiser.step()
            with torch.no_grad():
                for t, p in zip(total, model.parameters()):
                    t.add_(p, alpha=share)
        common = total
    seconds = time.perf_counter() - begin
    with torch.no_grad():
        for p, c in zip(model.parameters(), common):
            p.copy_(c)
        print(json.dumps({**vars(o), "clients": len(held), "torch": torch.__version__,
                          "train_loss": loss_of(model(x), y).item(),
                          "test_accuracy": (model(tx).argmax(1) == ty).float().mean().item(),
                          "worker_steps_per_second": o.rounds * o.period * len(held) / seconds}))


main()
