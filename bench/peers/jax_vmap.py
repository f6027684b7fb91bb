"""Peer baseline in JAX: W virtual workers, tau local SGD steps each, then one global average.

Every worker owns its parameters (leading axis W) and draws its own minibatch from its own shard.
  --impl vmap   jax.vmap(jax.grad(loss)) under lax.scan, one jitted and donated call per round
  --impl fused  hand-written backward with batched einsums, so XLA may fold W - lr * A^T B into one GEMM
  --unroll N    scan unrolling; N = tau gives straight-line code, which XLA can record as one CUDA graph
The strongest peer is the best of all these: report each. Prints one JSON object. scripts/gpu-check runs it beside ours.
"""
import argparse
import json
import math
import os
import statistics
import time

DENSE = {"logreg": [784, 10], "mlp128": [784, 128, 10], "mlp200": [784, 200, 200, 10], "cnn": [3136, 512, 10]}
CONV = {"cnn": [(1, 32), (32, 64)]}  # 5x5 kernels, each followed by ReLU and 2x2 max pooling


def parse():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("-W", "--workers", type=int, default=256)
    for flag, default in (("--batch", 32), ("--tau", 10), ("--steps", 200), ("--unroll", 1)):
        ap.add_argument(flag, type=int, default=default)  # steps: timed local steps
    for flag, *opts in (("--impl", "fused", "vmap"), ("--conv", "group", "im2col"), ("--device", "cpu", "cuda"),
                        ("--dtype", "fp32", "tf32", "bf16"), ("--model", "mlp200", *DENSE),
                        ("--prng", "threefry2x32", "rbg", "unsafe_rbg")):
        ap.add_argument(flag, choices=sorted(set(opts)), default=opts[0])
    ap.add_argument("--lr", type=float, default=0.01)
    a = ap.parse_args()
    if a.impl == "fused" and a.model in CONV:
        ap.error("--impl fused is for the dense models; use --impl vmap for the cnn")
    return a


def main():
    a = parse()
    os.environ.setdefault("JAX_PLATFORMS", a.device)  # must be set before the import
    import jax
    import jax.numpy as jnp
    from jax import lax, random
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if a.dtype == "tf32" else "float32")
    jax.config.update("jax_default_prng_impl", a.prng)
    dtype, W, B = (jnp.bfloat16 if a.dtype == "bf16" else jnp.float32), a.workers, a.batch
    sizes, last = DENSE[a.model], len(DENSE[a.model]) - 2
    n, shard = 61440, max(1, 61440 // W)

    def init_params(key):
        one = {}
        for i, (cin, cout) in enumerate(CONV.get(a.model, [])):
            key, sub = random.split(key)
            one[f"k{i}"] = random.normal(sub, (5, 5, cin, cout)) * math.sqrt(2 / (25 * cin))
            one[f"c{i}"] = jnp.zeros((cout,))
        for i, (fin, fout) in enumerate(zip(sizes, sizes[1:])):
            key, sub = random.split(key)
            one[f"w{i}"] = random.normal(sub, (fin, fout)) * math.sqrt(2 / fin)
            one[f"b{i}"] = jnp.zeros((fout,))
        return {k: jnp.tile(v.astype(dtype)[None], (W,) + (1,) * v.ndim) for k, v in one.items()}

    def conv5(x, k, c):  # x is NHWC
        if a.conv == "group":  # under vmap XLA turns this into one convolution with W feature groups
            return lax.conv_general_dilated(x, k, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + c
        h, w = x.shape[1:3]
        xp = jnp.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))
        cols = jnp.concatenate([xp[:, i:i + h, j:j + w] for i in range(5) for j in range(5)], -1)
        return cols @ k.reshape(-1, k.shape[-1]) + c

    def loss_of(p, x, y):
        h = x
        if a.model in CONV:
            h = h.reshape(-1, 28, 28, 1)
            for i in range(len(CONV[a.model])):
                h = jax.nn.relu(conv5(h, p[f"k{i}"], p[f"c{i}"]))
                b, r, s, c = h.shape
                h = h.reshape(b, r // 2, 2, s // 2, 2, c).max((2, 4))
            h = h.reshape(h.shape[0], -1)
        for i in range(last + 1):
            h = h @ p[f"w{i}"] + p[f"b{i}"]
            h = jax.nn.relu(h) if i < last else h
        logp = jax.nn.log_softmax(h.astype(jnp.float32), -1)
        return -jnp.take_along_axis(logp, y[:, None], 1).mean()

    def vmap_step(p, x, y):
        g = jax.vmap(jax.grad(loss_of))(p, x, y)
        return {k: p[k] - dtype(a.lr) * g[k] for k in p}

    def fused_step(p, x, y):
        acts, q = [x], {}
        for i in range(last + 1):
            z = jnp.einsum("wbi,wio->wbo", acts[-1], p[f"w{i}"]) + p[f"b{i}"][:, None]
            acts.append(jax.nn.relu(z) if i < last else z)
        d = (jax.nn.softmax(acts[-1].astype(jnp.float32), -1) - jax.nn.one_hot(y, sizes[-1])).astype(dtype)
        for i in reversed(range(last + 1)):
            g = d
            if i:
                d = jnp.where(acts[i] > 0, jnp.einsum("wbo,wio->wbi", g, p[f"w{i}"]), dtype(0))
            q[f"w{i}"] = p[f"w{i}"] + dtype(-a.lr / B) * jnp.einsum("wbi,wbo->wio", acts[i], g)
            q[f"b{i}"] = p[f"b{i}"] + dtype(-a.lr / B) * g.sum(1)
        return q

    step = vmap_step if a.impl == "vmap" else fused_step

    def one_round(p, key, data, labels):
        key, sub = random.split(key)
        base = (jnp.arange(W) * shard % n)[:, None]
        idx = random.randint(sub, (a.tau, W, B), 0, shard) + base
        p, _ = lax.scan(lambda q, i: (step(q, data[i], labels[i]), None), p, idx, unroll=a.unroll)
        mean = {k: v.mean(0, keepdims=True, dtype=jnp.float32).astype(dtype) for k, v in p.items()}
        return {k: jnp.broadcast_to(m, (W,) + m.shape[1:]) for k, m in mean.items()}, key

    keys = random.split(random.key(0), 5)
    labels = random.randint(keys[0], (n,), 0, 10)
    data = (0.3 * random.normal(keys[1], (10, 784))[labels] + random.normal(keys[2], (n, 784))).astype(dtype)
    p, key = init_params(keys[3]), keys[4]
    play = jax.jit(one_round, donate_argnums=(0,))
    probe = jax.jit(lambda q: loss_of({k: v[0] for k, v in q.items()}, data[:512], labels[:512]))
    first = float(probe(p))
    t0 = time.perf_counter()
    p, key = jax.block_until_ready(play(p, key, data, labels))
    compile_s = time.perf_counter() - t0
    for _ in range(3):  # warm-up: autotuning, clocks
        p, key = jax.block_until_ready(play(p, key, data, labels))
    t0 = time.perf_counter()
    p, key = jax.block_until_ready(play(p, key, data, labels))
    gpu = a.device == "cuda"
    group = max(1, math.ceil(0.02 / (time.perf_counter() - t0))) if gpu else 1  # >= ~20 ms per sample
    samples = []
    for _ in range(max(5, math.ceil(a.steps / (a.tau * group)))):
        t0 = time.perf_counter()
        for _ in range(group):
            p, key = play(p, key, data, labels)
        jax.block_until_ready((p, key))
        samples.append((time.perf_counter() - t0) / (group * a.tau))
    med, last_loss = statistics.median(samples), float(probe(p))
    print(json.dumps({
        "framework": f"jax {jax.__version__}", **vars(a), "gpu": jax.devices()[0].device_kind if gpu else None,
        "params_per_worker": sum(math.prod(v.shape[1:]) for v in p.values()), "seconds_per_local_step": med,
        "worker_steps_per_second": W / med, "min": min(samples), "max": max(samples), "samples": len(samples),
        "rounds_per_sample": group, "loss_first": first, "loss_last": last_loss, "compile_seconds": compile_s,
        "peak_bytes": (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use") if gpu else None}))


if __name__ == "__main__":
    main()
