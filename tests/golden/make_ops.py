"""Writes ops.safetensors: inputs, outputs and gradients of single operators, for the C++ ones to reproduce.

    python make_ops.py

All in float64, stored in float64 (integers in int32). A case is a prefix `<op>.<case>.`; a gradient of input x is
`dx`, given the upstream gradient `dy` (a scalar loss has dy = 1, which is not stored). README.md lists the cases.
"""
import math
from pathlib import Path

import torch
import torch.nn.functional as F

import limoe_reference as limoe
from golden_file import save_golden

OUT = Path(__file__).with_name("ops.safetensors")
RANDOM = torch.Generator().manual_seed(20)
STEPS = 7
TENSORS, METADATA = {}, {"torch": torch.__version__, "computed_in": "float64"}


def normal(*shape, scale=1.0):
    return scale * torch.randn(shape, generator=RANDOM, dtype=torch.float64)


def put(prefix, **tensors):
    for name, tensor in tensors.items():
        tensor = torch.as_tensor(tensor, dtype=None if torch.is_tensor(tensor) else torch.float64).detach()
        TENSORS[f"{prefix}.{name}"] = (tensor if tensor.is_floating_point() else tensor.int()).contiguous().clone()


def case(prefix, function, differentiable, fixed=None, **settings):
    """Records y = function(inputs in order), and the gradients of every differentiable input."""
    METADATA.update({f"{prefix}.{name}": str(value) for name, value in settings.items()})
    fixed = fixed or {}
    leaves = {name: value.clone().requires_grad_() for name, value in differentiable.items()}
    y = function(*leaves.values(), *fixed.values())
    dy = normal(*y.shape) if y.dim() else torch.ones((), dtype=torch.float64)
    grads = torch.autograd.grad(y, list(leaves.values()), dy)
    put(prefix, **differentiable, **fixed, y=y, **({"dy": dy} if y.dim() else {}),
        **{f"d{name}": g for name, g in zip(leaves, grads)})


def dense_ops():
    case("matmul.2d", lambda a, b: a @ b, {"a": normal(5, 7), "b": normal(7, 3)})
    case("matmul.one_row", lambda a, b: a @ b, {"a": normal(1, 17), "b": normal(17, 9)})
    case("matmul.odd", lambda a, b: a @ b, {"a": normal(19, 33), "b": normal(33, 13)})
    case("matmul.batched", lambda a, b: a @ b, {"a": normal(2, 3, 4), "b": normal(2, 4, 5)})
    edge = torch.tensor([[-10, -5, -3, -1.5, -1, -0.5, -1e-3, 0, 1e-3, 0.5, 1, 1.5, 3, 5, 10, 0.7517916]],
                        dtype=torch.float64)
    case("gelu_tanh.edge", limoe.gelu, {"x": edge})
    case("gelu_tanh.random", limoe.gelu, {"x": normal(3, 11, scale=2)})
    softmax = lambda x: x.softmax(-1)  # noqa: E731
    log_softmax = lambda x: x.log_softmax(-1)  # noqa: E731
    for name, function in (("softmax", softmax), ("log_softmax", log_softmax)):
        case(f"{name}.rows", function, {"x": normal(4, 7, scale=3)})
        case(f"{name}.large", function, {"x": normal(3, 5, scale=3) + 1000})
        case(f"{name}.one_column", function, {"x": normal(3, 1)})
    for name, (rows, width, scale) in {"rows": (5, 16, 1), "odd": (3, 37, 4), "one_row": (1, 9, 1)}.items():
        inputs = {"x": normal(rows, width, scale=scale) + 0.5, "scale": 1 + normal(width, scale=.2),
                  "bias": normal(width)}
        case(f"layer_norm.{name}", limoe.layer_norm, inputs, epsilon=1e-6)
    near_constant = 3 + normal(2, 8, scale=1e-4)
    case("layer_norm.near_constant", limoe.layer_norm,
         {"x": near_constant, "scale": 1 + normal(8, scale=.2), "bias": normal(8)}, epsilon=1e-6)


def attention_ops():
    """Packed sequences; `valid` is 1 for tokens that may be keys. Every query row is computed, padding's too."""

    def record(name, heads, lengths, valid, width):
        valid = torch.tensor(valid)
        case(f"attention.{name}",
             lambda qkv, lengths, valid: limoe.attention(qkv, heads, lengths.tolist(), valid != 0),
             {"qkv": normal(len(valid), 3 * width)}, {"lengths": torch.tensor(lengths), "valid": valid}, heads=heads)

    record("uniform", 2, [4, 4, 4], [1] * 12, 8)
    record("mixed", 2, [4, 4, 3, 3], [1] * 8 + [1, 1, 0, 1, 0, 0], 8)
    record("one_token", 1, [1, 5], [1, 1, 0, 1, 1, 0], 6)
    record("odd", 3, [7, 7], [1] * 7 + [1] * 5 + [0] * 2, 15)


def token_ops():
    ids = torch.tensor([3, 0, 3, 6, 3, 0, 1])
    case("embedding.repeated", lambda table, ids: table[ids], {"table": normal(7, 5)}, {"ids": ids})
    valid = torch.tensor([[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]])
    case("mean_pool.masked", lambda x, valid: limoe.mean_pool(x, valid != 0), {"x": normal(3, 5, 4)}, {"valid": valid})
    case("l2_normalize.rows", limoe.unit, {"x": normal(4, 6)}, epsilon=1e-8)
    case("l2_normalize.small", limoe.unit, {"x": normal(3, 6, scale=1e-6)}, epsilon=1e-8)
    put("l2_normalize.zero", x=torch.zeros(1, 6, dtype=torch.float64), y=limoe.unit(torch.zeros(1, 6).double()))


def contrastive_ops():
    """Inputs need not be unit rows: the loss takes what it is given. y is (i2t + t2i) / 2."""
    for name, n, width, scale, unit in (("unit", 5, 8, 10, True), ("sharp", 4, 6, 100, True),
                                        ("odd", 7, 3, 2.5, False), ("one_pair", 1, 4, 10, True)):
        image, text = normal(n, width), normal(n, width)
        if unit:
            image, text = limoe.unit(image), limoe.unit(text)
        log_scale = torch.tensor(math.log(scale), dtype=torch.float64)
        case(f"contrastive.{name}", lambda image, text, log_scale: limoe.contrastive(image, text, log_scale)[0],
             {"image": image, "text": text, "log_scale": log_scale})
        _, to_text, to_image, logits = limoe.contrastive(image, text, log_scale)
        put(f"contrastive.{name}", image_to_text=to_text, text_to_image=to_image, logits=logits)


def routing_losses():
    """Losses of one group on logits [n, E]; every row counts. Gradients are those of the logits."""
    rows, experts = 9, 5
    logits = normal(rows, experts, scale=1.5)
    sharp = torch.zeros(6, 4, dtype=torch.float64)
    sharp[:, 0] = 12  # nearly one-hot, all on expert 0
    gates = lambda x: x.softmax(1)  # noqa: E731
    for name, x in (("random", logits), ("collapsed", sharp + normal(6, 4, scale=.1)), ("one_row", normal(1, 3))):
        case(f"local_entropy.{name}", limoe.local_loss, {"x": x})
        for threshold in (2, 4):
            case(f"global_entropy.{name}_{threshold}", lambda x, s=threshold: limoe.global_loss(gates(x), s),
                 {"x": x}, threshold=threshold)
        case(f"importance.{name}", lambda x: limoe.importance_loss(gates(x)), {"x": x})
        case(f"z_loss.{name}", limoe.z_loss, {"x": x})
        case(f"gshard.{name}", lambda x: limoe.gshard_loss(gates(x)), {"x": x})
    for top_k in (1, 2):
        case(f"load.k{top_k}", lambda x, noise, k=top_k: limoe.load_loss(x, x + noise, k, 0.3),
             {"x": logits}, {"noise": normal(rows, experts, scale=.3)}, top_k=top_k, sigma=0.3)


def routing_tables():
    """assign(): gates [S, E] -> expert, slot [S, K]; slot >= capacity is a dropped choice."""
    ties = torch.tensor([[.25, .25, .25, .25]] * 3 + [[.1, .4, .4, .1]] * 4, dtype=torch.float64)
    for name, gates, top_k, slots in (("k1", normal(23, 4, scale=2).softmax(1), 1, 5),
                                      ("k2", normal(17, 5, scale=2).softmax(1), 2, 6),
                                      ("k3", normal(8, 3).softmax(1), 3, 4), ("ties", ties, 2, 3)):
        for order, priority in (("priority", True), ("array", False)):
            prefix = f"routing.{name}_{order}"
            expert, slot = limoe.assign(gates, top_k, slots, priority)
            put(prefix, gates=gates, expert=expert, slot=slot)
            METADATA.update({f"{prefix}.top_k": str(top_k), f"{prefix}.capacity": str(slots)})


def optimisers():
    """Parameters after each of STEPS steps on given gradients. A name ending in .kernel decays."""
    shapes = {"dense.kernel": (8, 12), "expert.kernel": (3, 9, 8), "expert.bias": (3, 12), "vector": (5,)}
    start = {name: normal(*shape) for name, shape in shapes.items()}
    gradients = {name: normal(STEPS, *shape) * torch.linspace(2, .1, STEPS).double().reshape(-1, *[1] * len(shape))
                 for name, shape in shapes.items()}
    settings = {"adamw": {"lr": 1e-2, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "decay": 0.1},
                "adafactor": {"lr": 1e-2, "min_factored": 8, "beta1": 0.9, "beta2_cap": 0.999, "decay": 0.1}}
    put("optimiser", **{f"{name}.start": p for name, p in start.items()},
        **{f"{name}.gradients": g for name, g in gradients.items()})
    for kind, maker in (("adamw", limoe.AdamW), ("adafactor", limoe.Adafactor)):
        params = {name: p.clone() for name, p in start.items()}
        optimiser = maker(params, **settings[kind])
        trail = {name: [] for name in params}
        for step in range(STEPS):
            optimiser.step(params, {name: g[step] for name, g in gradients.items()})
            for name, p in params.items():
                trail[name].append(p.clone())
        put(f"optimiser.{kind}", **{name: torch.stack(points) for name, points in trail.items()})
        METADATA.update({f"optimiser.{kind}.{k}": str(v) for k, v in settings[kind].items()})
        if kind == "adamw":
            check_adamw(start, gradients, trail, settings[kind])
    clipped, norm = limoe.clip_global_norm({name: g[0] for name, g in gradients.items()}, 1.0)
    put("optimiser.clip", norm=norm, **clipped)
    METADATA["optimiser.clip.limit"] = "1.0"


def check_adamw(start, gradients, trail, settings):
    """The hand-written AdamW must be torch.optim's."""
    for name, p in start.items():
        p = p.clone().requires_grad_()
        peer = torch.optim.AdamW([p], lr=settings["lr"], betas=(settings["beta1"], settings["beta2"]),
                                 eps=settings["epsilon"], weight_decay=settings["decay"] if limoe.decays(name) else 0)
        for step in range(STEPS):
            p.grad = gradients[name][step]
            peer.step()
            error = (p.detach() - trail[name][step]).abs().max().item()
            assert error <= 1e-13, f"AdamW {name} step {step}: off torch's by {error}"


def schedules():
    settings = {"rsqrt": dict(peak=.1, total=12, warmup=4, cooldown=3, timescale=2),
                "cosine": dict(peak=.003, total=20, warmup=5), "linear": dict(peak=.003, total=20, warmup=5)}
    for kind, values in settings.items():
        put("schedule", **{kind: [limoe.schedule(kind, s, **values) for s in range(values["total"])]})
        METADATA.update({f"schedule.{kind}.{k}": str(v) for k, v in values.items()})


def check_against_torch():
    """Where PyTorch has the whole operator, the reference must agree with it."""
    valid = torch.tensor([True] * 4 + [True, True, False])
    qkv = normal(7, 24)
    found = limoe.attention(qkv, 2, [4, 3], valid)
    q, k, v = (part.unflatten(1, (2, 4)).transpose(0, 1)[:, 4:] for part in qkv.chunk(3, 1))
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=valid[4:][None, None])
    assert (found[4:] - expected.transpose(0, 1).flatten(1)).abs().max() <= 1e-14
    image = normal(2, 8, 8, 3)
    kernel = normal(48, 16)
    convolved = F.conv2d(image.permute(0, 3, 1, 2), kernel.T.reshape(16, 4, 4, 3).permute(0, 3, 1, 2), stride=4)
    assert (limoe.patches(image, 4) @ kernel - convolved.flatten(2).transpose(1, 2)).abs().max() <= 1e-13
    put("patch_embedding.conv", images=image, kernel=kernel, y=limoe.patches(image, 4) @ kernel)


def main():
    limoe.check_reference()
    check_against_torch()
    for make in (dense_ops, attention_ops, token_ops, contrastive_ops, routing_losses, routing_tables, optimisers,
                 schedules):
        make()
    save_golden(TENSORS, METADATA, OUT)


if __name__ == "__main__":
    main()
