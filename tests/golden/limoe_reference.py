"""A compact LIMoE in PyTorch: an oracle for the C++ one, written from the equations alone.

Everything is a function of a flat dictionary of parameters, so that names here are the names in a checkpoint.

Shapes. B pairs, T image tokens of one picture, L text positions, D width, H heads, M hidden width, E experts,
K choices a token, G groups, J joint width, N = B*T + B*L tokens in all.
The token matrix x [N, D] holds every image token (sequence major), then every text token. `valid` [N] is false for
padding: such a token is no attention key, is not routed, is in no statistic and in no mean.
"""
import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

AUXILIARY = ("importance", "load", "z", "local_text", "local_image", "global_text", "global_image", "gshard")


@dataclass
class Config:
    width: int = 16
    heads: int = 2
    mlp: int = 32
    blocks: int = 3
    moe_blocks: tuple = (1,)
    experts: int = 4
    top_k: int = 1
    renormalise: bool = False
    capacity_factor: float = 1.05
    capacity_rounding: str = "ceil"  # or "round": half to even
    capacity_multiple: int = 1
    priority: bool = True  # batch priority routing; False is array order
    groups: int = 2
    noise_std: float = 0.0  # s; the noise tensors passed in are N(0, (s/E)^2)
    image_size: int = 8
    patch: int = 4
    text_length: int = 6
    vocabulary: int = 20
    joint: int = 12
    threshold_text: float = 3.0  # S: the loss acts below a marginal entropy of log S
    threshold_image: float = 4.0
    weights: dict = field(default_factory=dict)  # by name in AUXILIARY; a missing name is not added

    @property
    def image_tokens(self):
        return (self.image_size // self.patch) ** 2


# ---- routing -----------------------------------------------------------------------------------------------------


def capacity(tokens, config):
    """Slots of one expert in a group of `tokens` counted tokens."""
    exact = tokens * config.top_k * config.capacity_factor / config.experts
    slots = math.ceil(exact) if config.capacity_rounding == "ceil" else round(exact)
    return -(-slots // config.capacity_multiple) * config.capacity_multiple


def assign(gates, top_k, slots, priority):
    """gates [S, E] -> (expert [S, K], slot [S, K]); a slot >= `slots` means dropped.

    All first choices are placed before any second choice; within one choice the order is that of the largest gate
    (stable), or array order.
    """
    expert = torch.sort(gates, dim=1, descending=True, stable=True).indices[:, :top_k]
    top1 = gates.gather(1, expert)[:, 0]
    order = torch.sort(-top1, stable=True).indices if priority else torch.arange(len(gates))
    slot = torch.zeros_like(expert)
    filled = [0] * gates.shape[1]
    for k in range(top_k):
        for token in order.tolist():
            chosen = expert[token, k].item()
            slot[token, k] = filled[chosen]
            filled[chosen] += 1
    return expert, slot


# ---- auxiliary losses: each on the counted tokens of one group, one layer ------------------------------------------


def squared_variation(values):
    """(std / mean)^2 with the population std."""
    return values.var(unbiased=False) / values.mean() ** 2


def importance_loss(gates):
    return squared_variation(gates.sum(0))


def load_loss(clean, noisy, top_k, sigma):
    threshold = torch.sort(noisy, dim=1, descending=True, stable=True).values[:, top_k - 1 : top_k]
    chance = 1 - 0.5 * (1 + torch.erf((threshold - clean) / sigma / math.sqrt(2)))
    return squared_variation(chance.mean(0))


def z_loss(logits):
    return torch.logsumexp(logits, 1).square().mean()


def gshard_loss(gates):
    experts = gates.shape[1]
    first = torch.sort(gates, dim=1, descending=True, stable=True).indices[:, 0]
    share = F.one_hot(first, experts).to(gates.dtype).mean(0)
    return experts**2 * (share * gates.mean(0)).mean()


def entropy(gates):
    """Natural-log entropy of the last axis, 0 log 0 = 0."""
    return -torch.special.xlogy(gates, gates).sum(-1)


def local_loss(logits):
    log_gates = torch.log_softmax(logits, 1)
    return -(log_gates.exp() * log_gates).sum(1).mean()


def global_loss(gates, threshold):
    """max(0, log S - H(mean gates)): zero once the modality spreads as evenly as over S experts."""
    return torch.relu(math.log(threshold) - entropy(gates.mean(0)))


def auxiliary_losses(logits, noisy, group, is_text, valid, config):
    """Each loss by name: computed a group, averaged over the groups that hold a token it counts."""
    image_rows, text_rows = valid & ~is_text, valid & is_text
    losses = {
        "importance": (valid, lambda r: importance_loss(logits[r].softmax(1))),
        "z": (valid, lambda r: z_loss(logits[r])),
        "local_text": (text_rows, lambda r: local_loss(logits[r])),
        "local_image": (image_rows, lambda r: local_loss(logits[r])),
        "global_text": (text_rows, lambda r: global_loss(logits[r].softmax(1), config.threshold_text)),
        "global_image": (image_rows, lambda r: global_loss(logits[r].softmax(1), config.threshold_image)),
        "gshard": (valid, lambda r: gshard_loss(logits[r].softmax(1))),
    }
    if noisy is not None:
        sigma = config.noise_std / config.experts
        losses["load"] = (valid, lambda r: load_loss(logits[r], noisy[r], config.top_k, sigma))
    out = {}
    for name, (counted, loss) in losses.items():
        rows = [counted & (group == g) for g in range(config.groups)]
        terms = [loss(r) for r in rows if r.any()]
        out[name] = torch.stack(terms).mean() if terms else logits.new_zeros(())
    return out


# ---- layers ------------------------------------------------------------------------------------------------------


def layer_norm(x, scale, bias, epsilon=1e-6):
    return F.layer_norm(x, x.shape[-1:], scale, bias, epsilon)


def gelu(x):
    return F.gelu(x, approximate="tanh")


def attention(qkv, heads, lengths, valid):
    """qkv [N, 3D], columns q | k | v -> [N, D]. Sequences lie one after another; keys that are not valid are masked."""
    q, k, v = (part.unflatten(1, (heads, -1)) for part in qkv.chunk(3, 1))
    out, start = [], 0
    for length in lengths:
        rows = slice(start, start + length)
        scores = torch.einsum("qhd,khd->hqk", q[rows], k[rows]) / math.sqrt(q.shape[-1])
        scores = scores.masked_fill(~valid[rows], -math.inf)
        out.append(torch.einsum("hqk,khd->qhd", scores.softmax(-1), v[rows]).flatten(1))
        start += length
    return torch.cat(out)


def moe(x, params, prefix, group, valid, is_text, noise, config):
    """x [N, D] -> (branch output [N, D], auxiliary losses, routing tables)."""
    logits = x @ params[prefix + "router.kernel"]
    noisy = None if noise is None else logits + noise
    gates = (logits if noisy is None else noisy).softmax(1)
    tokens, experts = gates.shape
    expert = torch.full((tokens, config.top_k), -1)
    slot = torch.full((tokens, config.top_k), -1)
    slots = []
    for g in range(config.groups):
        rows = torch.nonzero(valid & (group == g)).squeeze(1)
        slots.append(capacity(len(rows), config))
        expert[rows], slot[rows] = assign(gates[rows].detach(), config.top_k, slots[-1], config.priority)
    weight = gates.gather(1, expert.clamp(min=0))
    if config.renormalise:
        weight = weight / weight.sum(1, keepdim=True)
    kept = (slot >= 0) & (slot < torch.tensor(slots)[group][:, None])
    weight = torch.where(kept, weight, torch.zeros_like(weight))

    out = torch.zeros_like(x)
    for e in range(experts):
        rows, choice = torch.nonzero(kept & (expert == e), as_tuple=True)
        hidden = gelu(x[rows] @ params[prefix + "up.kernel"][e] + params[prefix + "up.bias"][e])
        y = hidden @ params[prefix + "down.kernel"][e] + params[prefix + "down.bias"][e]
        out = out.index_add(0, rows, y * weight[rows, choice][:, None])
    auxiliary = auxiliary_losses(logits, noisy, group, is_text, valid, config)
    tables = {"expert": expert, "slot": slot, "weight": weight, "capacity": torch.tensor(slots),
              "logits": logits, "noisy": logits if noisy is None else noisy}
    return out, auxiliary, tables


def contrastive(image, text, log_scale):
    """Unit rows [n, J] each -> (loss, image-to-text half, text-to-image half, logits [n, n])."""
    logits = log_scale.exp() * image @ text.T
    target = torch.arange(len(image))
    to_text, to_image = F.cross_entropy(logits, target), F.cross_entropy(logits.T, target)
    return (to_text + to_image) / 2, to_text, to_image, logits


def unit(z):
    return z / (z.norm(dim=-1, keepdim=True) + 1e-8)


def mean_pool(x, valid):
    """x [B, T, D], valid [B, T] -> [B, D]."""
    weight = valid.to(x.dtype)[..., None]
    return (x * weight).sum(1) / weight.sum(1)


def patches(images, size):
    """[B, S, S, 3] -> [B, T, size*size*3]; patches row major, inside a patch (y, x, channel)."""
    batch, side = images.shape[:2]
    grid = side // size
    cut = images.reshape(batch, grid, size, grid, size, 3).permute(0, 1, 3, 2, 4, 5)
    return cut.reshape(batch, grid * grid, size * size * 3)


# ---- the model ---------------------------------------------------------------------------------------------------


def forward(params, images, ids, text_valid, config, noise=None):
    """noise: {block: [N, E]} or None. Returns everything a test may want, by name."""
    pairs, image_tokens, length = len(images), config.image_tokens, config.text_length
    image = patches(images, config.patch) @ params["image_embed.kernel"] + params["image_embed.bias"]
    text = params["token_embed.table"][ids.long()]
    x = torch.cat([(image + params["image_positions"]).flatten(0, 1), (text + params["text_positions"]).flatten(0, 1)])
    split = pairs * image_tokens
    is_text = torch.arange(len(x)) >= split
    valid = torch.cat([torch.ones(split, dtype=torch.bool), text_valid.flatten() != 0])
    pair = torch.cat([torch.arange(pairs).repeat_interleave(n) for n in (image_tokens, length)])
    group = pair * config.groups // pairs
    lengths = [image_tokens] * pairs + [length] * pairs

    auxiliary, routing = {}, {}
    for i in range(config.blocks):
        block = f"blocks.{i}."
        get = lambda name: params[block + name]  # noqa: E731
        h = layer_norm(x, get("attention_norm.scale"), get("attention_norm.bias"))
        qkv = h @ get("attention.qkv.kernel") + get("attention.qkv.bias")
        h = attention(qkv, config.heads, lengths, valid)
        x = x + h @ get("attention.out.kernel") + get("attention.out.bias")
        h = layer_norm(x, get("mlp_norm.scale"), get("mlp_norm.bias"))
        if i in config.moe_blocks:
            layer_noise = None if noise is None else noise[i]
            h, auxiliary[i], routing[i] = moe(h, params, block + "moe.", group, valid, is_text, layer_noise, config)
        else:
            h = gelu(h @ get("mlp.up.kernel") + get("mlp.up.bias")) @ get("mlp.down.kernel") + get("mlp.down.bias")
        x = x + h

    x = layer_norm(x, params["final_norm.scale"], params["final_norm.bias"])
    pooled_image = x[:split].unflatten(0, (pairs, image_tokens)).mean(1)
    pooled_text = mean_pool(x[split:].unflatten(0, (pairs, length)), text_valid != 0)
    image_embedding = unit(pooled_image @ params["image_projection.kernel"])
    text_embedding = unit(pooled_text @ params["text_projection.kernel"])
    loss, to_text, to_image, logits = contrastive(image_embedding, text_embedding, params["log_scale"])
    total = loss + sum(w * layer[name] for layer in auxiliary.values() for name, w in config.weights.items())
    return {"image_embedding": image_embedding, "text_embedding": text_embedding, "logits": logits,
            "contrastive": loss, "contrastive_image_to_text": to_text, "contrastive_text_to_image": to_image,
            "total": total, "auxiliary": auxiliary, "routing": routing}


def parameter_shapes(config):
    d, m, e, j = config.width, config.mlp, config.experts, config.joint
    shapes = {"image_embed.kernel": (config.patch**2 * 3, d), "image_embed.bias": (d,),
              "image_positions": (config.image_tokens, d), "token_embed.table": (config.vocabulary, d),
              "text_positions": (config.text_length, d)}
    for i in range(config.blocks):
        block = f"blocks.{i}."
        shapes |= {block + "attention_norm.scale": (d,), block + "attention_norm.bias": (d,),
                   block + "attention.qkv.kernel": (d, 3 * d), block + "attention.qkv.bias": (3 * d,),
                   block + "attention.out.kernel": (d, d), block + "attention.out.bias": (d,),
                   block + "mlp_norm.scale": (d,), block + "mlp_norm.bias": (d,)}
        if i in config.moe_blocks:
            shapes |= {block + "moe.router.kernel": (d, e),
                       block + "moe.up.kernel": (e, d, m), block + "moe.up.bias": (e, m),
                       block + "moe.down.kernel": (e, m, d), block + "moe.down.bias": (e, d)}
        else:
            shapes |= {block + "mlp.up.kernel": (d, m), block + "mlp.up.bias": (m,),
                       block + "mlp.down.kernel": (m, d), block + "mlp.down.bias": (d,)}
    return shapes | {"final_norm.scale": (d,), "final_norm.bias": (d,), "image_projection.kernel": (d, j),
                     "text_projection.kernel": (d, j), "log_scale": ()}


# ---- optimisers --------------------------------------------------------------------------------------------------


def decays(name):
    return name.endswith(".kernel")


def clip_global_norm(grads, limit):
    norm = torch.sqrt(sum(g.square().sum() for g in grads.values()))
    return {name: g * torch.clamp(limit / norm, max=1.0) for name, g in grads.items()}, norm


class AdamW:
    """p -= lr * (m_hat / (sqrt(v_hat) + epsilon) + decay * p), the decay on kernels alone."""

    def __init__(self, params, lr, beta1=0.9, beta2=0.999, epsilon=1e-8, decay=0.0):
        self.lr, self.beta1, self.beta2, self.epsilon, self.decay, self.step_count = lr, beta1, beta2, epsilon, decay, 0
        self.m = {k: torch.zeros_like(p) for k, p in params.items()}
        self.v = {k: torch.zeros_like(p) for k, p in params.items()}

    @torch.no_grad()
    def step(self, params, grads):
        self.step_count += 1
        for name, p in params.items():
            m, v, g = self.m[name], self.v[name], grads[name]
            m.mul_(self.beta1).add_(g, alpha=1 - self.beta1)
            v.mul_(self.beta2).add_(g.square(), alpha=1 - self.beta2)
            m_hat = m / (1 - self.beta1**self.step_count)
            v_hat = v / (1 - self.beta2**self.step_count)
            update = m_hat / (v_hat.sqrt() + self.epsilon)
            p.sub_(self.lr * (update + (self.decay * p if decays(name) else 0)))


class Adafactor:
    """big_vision's variant: no relative step, no parameter scaling, no update clipping.

    v is factored over the two largest axes if both are >= min_factored, by means over one axis each;
    beta2 = min(beta2_cap, 1 - (step + 1)^-0.8), step from 0; 1e-30 is added to the squared gradient.
    Then m = 0.9 m + 0.1 u without bias correction, and p -= lr * (m + decay * p), the decay on kernels alone.
    """

    def __init__(self, params, lr, min_factored=32, beta1=0.9, beta2_cap=0.999, decay=0.0):
        self.lr, self.min_factored, self.beta1, self.beta2_cap, self.decay = lr, min_factored, beta1, beta2_cap, decay
        self.step_count = 0
        self.m = {k: torch.zeros_like(p) for k, p in params.items()}
        self.v = {}

    def axes(self, shape):
        """The two largest axes (the later one counts as larger in a tie), or None."""
        order = sorted(range(len(shape)), key=lambda a: (shape[a], a))[-2:]
        return order if len(order) == 2 and shape[order[0]] >= self.min_factored else None

    def scaled(self, name, g, beta2):
        square = g.square() + 1e-30
        axes = self.axes(g.shape)
        if axes is None:
            old = self.v.get(name, torch.zeros_like(g))
            self.v[name] = beta2 * old + (1 - beta2) * square
            return g / self.v[name].sqrt()
        row, col = self.v.get(name, (torch.zeros(()), torch.zeros(())))
        row = beta2 * row + (1 - beta2) * square.mean(axes[1], keepdim=True)
        col = beta2 * col + (1 - beta2) * square.mean(axes[0], keepdim=True)
        self.v[name] = (row, col)
        return g / (row * col / row.mean(axes[0], keepdim=True)).sqrt()

    @torch.no_grad()
    def step(self, params, grads):
        beta2 = min(self.beta2_cap, 1 - (self.step_count + 1) ** -0.8)
        self.step_count += 1
        for name, p in params.items():
            self.m[name] = self.beta1 * self.m[name] + (1 - self.beta1) * self.scaled(name, grads[name], beta2)
            p.sub_(self.lr * (self.m[name] + (self.decay * p if decays(name) else 0)))


def schedule(kind, step, peak, total, warmup, cooldown=0, timescale=1):
    """Learning rate at `step` (from 0): linear warmup, then "rsqrt" with a linear cooldown, "cosine" or "linear"."""
    if step < warmup:
        return peak * step / warmup
    if kind == "rsqrt":
        held = min(step, total - cooldown)
        value = peak * math.sqrt(timescale / (timescale + held - warmup))
        return value * (total - step) / cooldown if step > held else value
    done = (step - warmup) / (total - warmup)
    return peak * (0.5 * (1 + math.cos(math.pi * done)) if kind == "cosine" else 1 - done)


# ---- the published and derived cases every part above must meet ------------------------------------------------------


def check_reference():
    """Raises unless the routing, the losses and the schedule give the hand-computed numbers."""
    t = lambda rows: torch.tensor(rows, dtype=torch.float64)  # noqa: E731

    def near(found, expected, allowed=2e-8):
        found, expected = torch.as_tensor(found, dtype=torch.float64), torch.as_tensor(expected, dtype=torch.float64)
        error = (found - expected).abs().max().item()
        assert error <= allowed, f"found {found}, expected {expected}, error {error}"

    gates = t([[.5, .4, .1], [.3, .3, .4], [.1, .2, .7], [.8, .2, 0]])
    near(importance_loss(gates), 0.03875)
    near(gshard_loss(gates), 1.0875)

    clean = t([[.9, .06, .04], [.7, .18, .12], [.85, .05, .1]])
    noisy = clean + t([[-.037, .026, -.018], [-.074, .045, -.015], [-.067, -.059, .073]])
    near(load_loss(clean, noisy, 2, 0.1), 0.48573847, 1e-8)
    near(load_loss(clean, noisy, 1, 0.1), 1.9999881, 1e-7)

    gates = t([[.4, 0, .2], [.5, .1, .4], [.3, .2, .6]])
    pairs = lambda out: torch.stack(out, -1).tolist()  # noqa: E731
    assert pairs(assign(gates, 2, 2, False)) == [[[0, 0], [2, 1]], [[0, 1], [2, 2]], [[2, 0], [0, 2]]]
    assert pairs(assign(gates, 2, 2, True)) == [[[0, 1], [2, 2]], [[0, 0], [2, 1]], [[2, 0], [0, 2]]]

    for tokens, experts, factor, rounding, multiple, expected in (
            (64, 32, 1.0, "ceil", 4, 4), (128, 32, 2.0, "ceil", 4, 8), (800, 8, 1.05, "ceil", 4, 108),
            (3152, 8, 1.05, "ceil", 4, 416), (1696, 32, 1.05, "ceil", 4, 56), (212, 32, 1.05, "round", 1, 7),
            (100, 3, 1.0, "ceil", 1, 34)):
        config = Config(experts=experts, capacity_factor=factor, capacity_rounding=rounding, capacity_multiple=multiple)
        assert capacity(tokens, config) == expected

    dropped = lambda gates, slots, priority: torch.nonzero(  # noqa: E731
        assign(gates, 1, slots, priority)[1][:, 0] >= slots).flatten().tolist()
    gates = t([[.6, .2, .2], [.55, .25, .2], [.1, .8, .1], [.5, .3, .2], [.34, .33, .33], [.9, .05, .05]])
    assert dropped(gates, 2, False) == [3, 4, 5] and dropped(gates, 2, True) == [1, 3, 4]
    ties = t([[.5, .5, 0]] * 3)
    for priority in (False, True):
        assert pairs(assign(ties, 1, 2, priority)) == [[[0, 0]], [[0, 1]], [[0, 2]]]

    image = torch.full((12, 4), .02, dtype=torch.float64)
    image[range(12), [i % 4 for i in range(12)]] = .94
    blind = t([[.28, .24, .24, .24]] * 4)
    both = torch.cat([image, blind])
    near(importance_loss(both), 0.0003, 1e-7)
    near(entropy(blind.mean(0)), 1.38395, 5e-6)
    near(local_loss(blind.log()), 1.38395, 5e-6)
    near(global_loss(blind, 3), 0)
    assert dropped(both, 4, True) == dropped(both, 4, False) == [13, 14, 15]
    sharp = t([[.97, .01, .01, .01]] * 4)
    both = torch.cat([image, sharp])
    near(importance_loss(both), 0.1728, 1e-7)
    near(local_loss(sharp.log()), .16770, 5e-6)
    for threshold, expected in ((2, .52545), (3, .93091), (4, 1.21859)):
        near(global_loss(sharp, threshold), expected, 5e-6)
    assert dropped(both, 4, True) == [0, 4, 8]
    spread = torch.stack([sharp[0].roll(i) for i in range(4)])
    near(importance_loss(torch.cat([image, spread])), 0)
    near(entropy(spread.mean(0)), math.log(4))
    assert dropped(torch.cat([image, spread]), 4, True) == []

    rows = t([[.7, .2, .1], [.1, .8, .1], [.25, .25, .5]])
    logits = rows.log().requires_grad_()
    near(local_loss(logits), .82685706)
    near(rows.mean(0), [.35, .41666667, .23333333])
    near(entropy(rows.mean(0)), 1.07178341)
    for threshold, expected in ((2, 0), (3, .02682888), (4, .31451096)):
        near(global_loss(rows, threshold), expected)
    near(torch.autograd.grad(local_loss(logits), logits)[0],
         [[-.10386684, .05384129, .05002555], [.05545177, -.11090355, .05545177], [.02888113, .02888113, -.05776227]])
    near(torch.autograd.grad(global_loss(logits.softmax(1), 3), logits)[0],
         [[.00132436, .01200195, -.01332631], [-.00329787, .02011125, -.01681338], [.01326202, .02779147, -.04105348]])
    near(entropy(t([[1, 0, 0, 0]] * 3)), [0, 0, 0])
    near(global_loss(t([[1, 0, 0, 0]] * 3), 4), 1.38629436)
    for threshold, expected in ((2, 0), (3, .40546511), (4, .69314718)):
        near(global_loss(t([[1, 0, 0, 0], [0, 1, 0, 0]]), threshold), expected)
    text = t([[.5, .3, .1, .1], [.6, .2, .1, .1]])
    near(local_loss(text.log()), 1.12859121)
    near(entropy(text.mean(0)), 1.13590096)
    image = t([[.1, .1, .4, .4], [.05, .05, .8, .1], [.1, .2, .3, .4]])
    near(local_loss(image.log()), 1.06058347)
    near(entropy(image.mean(0)), 1.16549167)

    logits = t([[1, 2, 3], [0, 0, 0], [-1, .5, 2]])
    near(torch.logsumexp(logits, 1), [3.40760596, 1.09861229, 2.24131130])
    near(z_loss(logits), 5.94740123)

    similar = t([[.9, .1, .2], [.3, .8, 0], [.1, .4, .7]])
    identity = torch.eye(3, dtype=torch.float64)
    for scale, expected in ((1, (.73827206, .73631238, .73729222)), (10, (.01974695, .00982533, .01478614)),
                            (1 / .07, (.00490470, .00145806, .00318138))):
        loss, to_text, to_image, _ = contrastive(similar, identity, t(math.log(scale)))
        near(torch.stack([to_text, to_image, loss]), expected)
    eye = torch.eye(4, dtype=torch.float64)
    near(contrastive(eye, eye, t(0.0))[0], .74366838)
    near(contrastive(0 * eye, eye, t(0.0))[0], math.log(4))

    table = [schedule("rsqrt", s, .1, 12, 4, 3, 2) for s in range(12)]
    near(table, [0, .025, .05, .075, .1, .0816497, .0707107, .0632456, .0577350, .0534522, .0356348, .0178174], 1e-7)


if __name__ == "__main__":
    check_reference()
    print("the reference meets the hand-computed cases")
