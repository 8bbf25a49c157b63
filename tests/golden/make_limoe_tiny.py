"""Writes limoe_tiny.safetensors: whole tiny LIMoEs with every number a C++ one must reproduce.

    python make_limoe_tiny.py [--search N]     # --search tries N seeds and prints the margins of each

Everything is computed in float64 from parameters and inputs that are exact in float32, and stored in float32
(integers in int32), so a stored value is the truth to half a float32 ulp. README.md beside this file says what each
tensor is; the hyperparameters of a case are its keys in the file's metadata.

Routing is a step function, so a case is only a fair test if no decision hangs on rounding. `margins` measures how
far the decisions are from flipping; the seed below was chosen by --search, and the script refuses to write the file
if a margin falls below MARGIN.
"""
import argparse
import dataclasses
import math
import sys
from pathlib import Path

import torch

import limoe_reference as limoe
from golden_file import save_golden

SEED = 88
MARGIN = 1e-3
PAIRS = 6
ADAMW = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "decay": 0.1}
ADAFACTOR = {"lr": 1e-3, "min_factored": 8, "beta1": 0.9, "beta2_cap": 0.999, "decay": 0.1}
CLIP = 1.0
ADAMW_STEPS, ADAFACTOR_STEPS = 50, 20

WEIGHTS = {"importance": 0.02, "z": 0.01, "local_text": 0.04, "local_image": 0.03, "global_text": 0.05,
           "global_image": 0.06, "gshard": 0.02}
BASE = limoe.Config(weights=WEIGHTS)
CASES = {
    "k1": BASE,
    "k2": dataclasses.replace(BASE, top_k=2, renormalise=True),
    "two_layers": dataclasses.replace(BASE, moe_blocks=(1, 2), capacity_rounding="round", capacity_multiple=4,
                                      priority=False),
    "noise": dataclasses.replace(BASE, top_k=2, noise_std=1.0, groups=3, capacity_multiple=4,
                                 weights=WEIGHTS | {"load": 0.03}),
}
PARAMETERS_OF = {"k1": "k1", "k2": "k1", "two_layers": "two_layers", "noise": "k1"}


def exact(tensor):
    """Rounded to float32, held in float64."""
    return tensor.float().double()


def make_parameters(config, random):
    normal = lambda shape: torch.randn(shape, generator=random, dtype=torch.float64)  # noqa: E731
    params = {}
    for name, shape in limoe.parameter_shapes(config).items():
        value = normal(shape)
        if name.endswith("router.kernel"):
            value = 0.8 * value
        elif name.endswith(".kernel"):
            value = value / math.sqrt(shape[-2])
        elif name.endswith(".scale"):
            value = 1 + 0.1 * value
        elif name.endswith(".bias"):
            value = 0.1 * value
        elif name == "log_scale":
            value = torch.tensor(math.log(10.0), dtype=torch.float64)
        else:
            value = 0.5 * value
        params[name] = exact(value)
    return params


def make_inputs(config, random):
    images = 2 * torch.rand((PAIRS, config.image_size, config.image_size, 3), generator=random, dtype=torch.float64) - 1
    ids = torch.randint(2, config.vocabulary, (PAIRS, config.text_length), generator=random)
    lengths = torch.tensor([6, 3, 5, 2, 4, 1])[:, None]
    valid = (torch.arange(config.text_length) < lengths).int()
    noise = {i: exact(torch.randn((PAIRS * (config.image_tokens + config.text_length), config.experts),
                                  generator=random, dtype=torch.float64) * config.noise_std / config.experts)
             for i in config.moe_blocks} if config.noise_std > 0 else None
    return exact(images), (ids * valid).int(), valid, noise


def margins(config, inputs, routing):
    """(smallest gap between rival experts, in logits; smallest gate gap across a capacity limit; across two slots)."""
    _, _, text_valid, _ = inputs
    valid = torch.cat([torch.ones(PAIRS * config.image_tokens, dtype=torch.bool), text_valid.flatten() != 0])
    pair = torch.cat([torch.arange(PAIRS).repeat_interleave(n) for n in (config.image_tokens, config.text_length)])
    choice, limit, order = math.inf, math.inf, math.inf
    for tables in routing.values():
        ranked = tables["noisy"][valid].sort(dim=1, descending=True).values
        choice = min(choice, (ranked[:, : config.top_k] - ranked[:, 1 : config.top_k + 1]).min().item())
        top1 = tables["noisy"].softmax(1).max(1).values
        for g in range(config.groups):
            rows = valid & (pair * config.groups // PAIRS == g)
            slots = tables["capacity"][g].item()
            for k in range(config.top_k):
                for e in range(config.experts):
                    here = rows & (tables["expert"][:, k] == e)
                    gate = top1[here][tables["slot"][here, k].argsort()]
                    gaps = (gate[:-1] - gate[1:]).abs()
                    order = min([order] + gaps.tolist())
                    cut = slots - tables["slot"][here, k].min().item() - 1 if here.any() else -1
                    if 0 <= cut < len(gaps):
                        limit = min(limit, gaps[cut].item())
    if not config.priority:
        limit = order = math.inf  # array order: gates decide nothing here
    return choice, limit, order


def run(params, config, inputs):
    images, ids, valid, noise = inputs
    leaves = {name: p.clone().requires_grad_() for name, p in params.items()}
    out = limoe.forward(leaves, images, ids, valid, config, noise)
    grads = dict(zip(leaves, torch.autograd.grad(out["total"], list(leaves.values()))))
    return out, grads


def train(params, config, inputs, optimiser, steps, clip=None):
    params = {name: p.clone() for name, p in params.items()}
    optimiser = optimiser(params)
    losses, contrastive, choice, limit = [], [], math.inf, math.inf
    for _ in range(steps):
        out, grads = run(params, config, inputs)
        step_choice, step_limit, _ = margins(config, inputs, out["routing"])
        choice, limit = min(choice, step_choice), min(limit, step_limit)
        losses.append(out["total"].item())
        contrastive.append(out["contrastive"].item())
        optimiser.step(params, limoe.clip_global_norm(grads, clip)[0] if clip else grads)
    return losses, contrastive, params, (choice, limit)


def adamw(params):
    return limoe.AdamW(params, **ADAMW)


def adafactor(params):
    return limoe.Adafactor(params, **ADAFACTOR)


def build(seed):
    """(tensors, metadata, margins by name) of all cases."""
    tensors, metadata, found, parameters = {}, {}, {}, {}
    for index, (case, config) in enumerate(CASES.items()):
        random = torch.Generator().manual_seed(1000 * seed + index)
        if PARAMETERS_OF[case] == case:
            parameters[case] = make_parameters(config, random)
            tensors |= {f"{case}.parameters.{name}": p for name, p in parameters[case].items()}
        params, inputs = parameters[PARAMETERS_OF[case]], make_inputs(config, random)
        out, grads = run(params, config, inputs)
        images, ids, valid, noise = inputs
        tensors |= {f"{case}.images": images, f"{case}.ids": ids, f"{case}.text_valid": valid}
        tensors |= {f"{case}.noise.{i}": n for i, n in (noise or {}).items()}
        for name in ("image_embedding", "text_embedding", "logits", "contrastive", "total"):
            tensors[f"{case}.{name}"] = out[name]
        for i, losses in out["auxiliary"].items():
            tensors |= {f"{case}.auxiliary.{i}.{name}": value for name, value in losses.items()}
        for i, tables in out["routing"].items():
            tensors |= {f"{case}.routing.{i}.{name}": tables[name]
                        for name in ("expert", "slot", "weight", "capacity", "logits")}
        tensors |= {f"{case}.gradients.{name}": g for name, g in grads.items()}
        found[case] = margins(config, inputs, out["routing"])
        fields = dataclasses.asdict(config)
        weights = fields.pop("weights")
        fields |= {"pairs": PAIRS, "parameters": PARAMETERS_OF[case]} | {f"weight.{k}": v for k, v in weights.items()}
        metadata |= {f"{case}.{k}": ",".join(map(str, v)) if isinstance(v, tuple) else str(v) for k, v in fields.items()}
        dropped = {f"block {i}": int(((t["slot"] >= 0) & (t["weight"] == 0)).sum()) for i, t in out["routing"].items()}
        counts = {i: torch.bincount(t["expert"][t["expert"] >= 0], minlength=config.experts).tolist()
                  for i, t in out["routing"].items()}
        print(f"  {case}: total {out['total'].item():.6f}, dropped choices {dropped}, choices by expert {counts}")
        if case == "k1":
            for name, optimiser, steps, clip in (("adamw", adamw, ADAMW_STEPS, None),
                                                 ("adafactor", adafactor, ADAFACTOR_STEPS, CLIP)):
                losses, contrastive, last, found[f"k1 {name}"] = train(params, config, inputs, optimiser, steps, clip)
                tensors[f"k1.{name}.losses"] = torch.tensor(losses, dtype=torch.float64)
                tensors[f"k1.{name}.contrastive_losses"] = torch.tensor(contrastive, dtype=torch.float64)
                tensors |= {f"k1.{name}.last.{p}": last[p]
                            for p in ("blocks.1.moe.router.kernel", "blocks.1.moe.up.bias", "token_embed.table")}
                print(f"    {name}: {losses[0]:.6f} -> {losses[-1]:.6f}")
    metadata |= {f"k1.adamw.{k}": str(v) for k, v in ADAMW.items()}
    metadata |= {f"k1.adafactor.{k}": str(v) for k, v in (ADAFACTOR | {"clip_global_norm": CLIP}).items()}
    metadata |= {"seed": str(seed), "torch": torch.__version__, "computed_in": "float64"}
    return tensors, metadata, found


def smallest(found):
    """The decision margins that must not be small: choices and capacity limits, everywhere."""
    return min(min(values[:2]) for values in found.values())


def idle_experts(tensors):
    """Experts that no token of a case chose: their gradients would go untested."""
    return sum(CASES[name.split(".")[0]].experts - len(set(t.flatten().tolist()) - {-1})
               for name, t in tensors.items() if name.endswith(".expert"))


def stored(tensor):
    tensor = tensor.detach()
    return (tensor.float() if tensor.is_floating_point() else tensor.int()).contiguous()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--search", type=int, default=0)
    parser.add_argument("--out", default=str(Path(__file__).with_name("limoe_tiny.safetensors")))
    options = parser.parse_args()
    limoe.check_reference()
    if options.search:
        for seed in range(options.search):
            tensors, _, found = build(seed)
            print(f"seed {seed}: smallest margin {smallest(found):.2e}, idle experts {idle_experts(tensors)}", flush=True)
        return
    tensors, metadata, found = build(SEED)
    for name, values in found.items():
        print(f"  margins {name}: experts {values[0]:.2e} logits, capacity {values[1]:.2e} gate", *values[2:])
        metadata[f"margin.{name.replace(' ', '.')}"] = " ".join(f"{v:.3e}" for v in values)
    if idle_experts(tensors):
        sys.exit(f"seed {SEED}: {idle_experts(tensors)} experts idle; run --search")
    if not smallest(found) > MARGIN:
        sys.exit(f"seed {SEED}: a routing decision is nearer than {MARGIN} to flipping; run --search")
    save_golden({name: stored(t) for name, t in tensors.items()}, metadata, options.out)


if __name__ == "__main__":
    main()
