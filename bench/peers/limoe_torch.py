"""The training step of a LIMoE in PyTorch, as fast as idiomatic PyTorch makes it: what limoe is held against.

One packed token matrix goes through the row-wise layers (linear, LayerNorm, MLP, experts); attention is
F.scaled_dot_product_attention, one call for the pictures and one for the texts; experts get their rows by index and
give them back by index_add; AdamW is PyTorch's fused one. Three choices have no best answer in advance, so they are
switches, and bench/peers/step.py takes the fastest of them:

    unpad     row-wise layers skip the padding of texts (a gather before, a scatter around attention)
    experts   "loop": every expert multiplies exactly its rows; "bmm": one batched product over padded capacity
    compile   torch.compile of forward and loss (backward follows)

Weights and batch are those that `limoe bench step --save DIR` wrote; they and the step are on PyTorch's default device.
"""
import json
import math
import struct
import tomllib

import torch
import torch.nn.functional as F
from torch import nn

DTYPES = {"F32": torch.float32, "I32": torch.int32, "F64": torch.float64}


def read_safetensors(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        flat = torch.frombuffer(data[begin:end], dtype=DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"]).clone().to(torch.get_default_device())
    return tensors


def read_config(path):
    with open(path, "rb") as file:
        return tomllib.load(file)


def moe_blocks(config):
    """The blocks that `limoe` makes a mixture of: only the forms that the benches use."""
    if config["dense"] or config["moe-layers"] == "none":
        return []
    kind, count = config["moe-layers"].split()
    if kind != "every":
        raise ValueError(f"moe-layers is {config['moe-layers']}; this peer knows 'every n' and 'none'")
    return list(range(int(count) - 1, config["layers"], int(count)))


def capacity(tokens, config):
    exact = tokens * config["experts-per-token"] * config["capacity-factor"] / config["experts"]
    slots = math.ceil(exact) if config["capacity-rounding"] == "ceil" else round(exact)
    multiple = config["capacity-multiple"]
    return min(-(-slots // multiple) * multiple, tokens) if config["capacity-factor"] > 0 else tokens


def linear(params, name):
    """An nn.Linear of kernel [in, out] and bias, in PyTorch's own layout."""
    kernel = params[name + ".kernel"]
    layer = nn.Linear(kernel.shape[0], kernel.shape[1], bias=name + ".bias" in params)
    layer.weight = nn.Parameter(kernel.T.contiguous())
    if layer.bias is not None:
        layer.bias = nn.Parameter(params[name + ".bias"])
    return layer


def norm(params, name):
    layer = nn.LayerNorm(len(params[name + ".scale"]), eps=1e-6)
    layer.weight, layer.bias = nn.Parameter(params[name + ".scale"]), nn.Parameter(params[name + ".bias"])
    return layer


class Mlp(nn.Module):
    def __init__(self, params, name):
        super().__init__()
        self.up, self.down = linear(params, name + ".up"), linear(params, name + ".down")

    def forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class Moe(nn.Module):
    """Top-K with batch priority and a capacity; x [N, D] holds routed tokens alone."""

    def __init__(self, params, name, config, experts):
        super().__init__()
        self.router = linear(params, name + ".router")
        self.up, self.up_bias = nn.Parameter(params[name + ".up.kernel"]), nn.Parameter(params[name + ".up.bias"])
        self.down = nn.Parameter(params[name + ".down.kernel"])
        self.down_bias = nn.Parameter(params[name + ".down.bias"])
        self.config, self.experts = config, experts

    def forward(self, x):
        with torch.autocast(x.device.type, enabled=False):  # routers stay in fp32
            logits = self.router(x.float())
        gates = logits.softmax(1)
        top, expert = gates.topk(self.config["experts-per-token"], dim=1)
        slots = capacity(len(x), self.config)
        run = self.run_loop if self.experts == "loop" else self.run_bmm
        return run(x, top, expert, slots), logits

    def queue(self, top, expert):
        """Choices in the order they are placed, as (expert, token, gate): all first choices by descending gate, ..."""
        order = torch.sort(top[:, 0], descending=True, stable=True).indices
        return expert[order].T.reshape(-1), order.repeat(top.shape[1]), top[order].T.reshape(-1)

    def run_loop(self, x, top, expert, slots):
        expert, token, gate = self.queue(top, expert)
        by_expert = torch.sort(expert, stable=True).indices
        counts = torch.bincount(expert, minlength=self.config["experts"]).tolist()
        out, begin = torch.zeros_like(x), 0
        for e, count in enumerate(counts):
            rows = by_expert[begin : begin + min(count, slots)]
            begin += count
            tokens = token[rows]
            hidden = F.gelu(torch.addmm(self.up_bias[e], x[tokens], self.up[e]), approximate="tanh")
            y = torch.addmm(self.down_bias[e], hidden, self.down[e]) * gate[rows, None]
            out = out.index_add_(0, tokens, y.to(out.dtype))
        return out

    def run_bmm(self, x, top, expert, slots):
        expert, token, gate = self.queue(top, expert)
        experts = self.config["experts"]
        place = F.one_hot(expert, experts).cumsum(0).gather(1, expert[:, None])[:, 0] - 1
        spare = experts * slots  # where dropped choices go
        slot = torch.where(place < slots, expert * slots + place, spare)
        source = torch.full((spare + 1,), len(x), dtype=torch.long).scatter_(0, slot, token)[:spare]
        weight = gate.new_zeros(spare + 1).scatter(0, slot, gate)[:spare]
        rows = torch.cat([x, x.new_zeros(1, x.shape[1])])[source].view(experts, slots, -1)
        hidden = F.gelu(torch.baddbmm(self.up_bias[:, None], rows, self.up), approximate="tanh")
        y = torch.baddbmm(self.down_bias[:, None], hidden, self.down).view(spare, -1) * weight[:, None]
        return x.new_zeros(len(x) + 1, x.shape[1]).index_add(0, source, y.to(x.dtype))[:-1]


class Block(nn.Module):
    def __init__(self, params, name, config, experts):
        super().__init__()
        self.attention_norm, self.mlp_norm = norm(params, name + ".attention_norm"), norm(params, name + ".mlp_norm")
        self.qkv, self.out = linear(params, name + ".attention.qkv"), linear(params, name + ".attention.out")
        self.moe = Moe(params, name + ".moe", config, experts) if name + ".moe.up.kernel" in params else None
        self.mlp = Mlp(params, name + ".mlp") if self.moe is None else None
        self.heads = config["heads"]

    def attend(self, qkv, sequences, mask):
        """qkv [sequences * T, 3D] -> [sequences * T, D]."""
        q, k, v = qkv.view(sequences, -1, 3, self.heads, qkv.shape[1] // (3 * self.heads)).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return y.transpose(1, 2).reshape(len(qkv), -1)


class Limoe(nn.Module):
    """Forward and loss: (images, ids, text_valid) -> the total loss."""

    def __init__(self, params, config, batch, unpad=False, experts="loop"):
        super().__init__()
        self.config, self.unpad = config, unpad
        looked_at = batch.get("patches")  # [B, K], where the config drops patches
        self.looked_at = None if looked_at is None else looked_at.long()
        self.image_embed = linear(params, "image_embed")
        self.image_positions = nn.Parameter(params["image_positions"])
        self.token_table = nn.Parameter(params["token_embed.table"])
        self.text_positions = nn.Parameter(params["text_positions"])
        self.blocks = nn.ModuleList(Block(params, f"blocks.{i}", config, experts) for i in range(config["layers"]))
        self.final_norm = norm(params, "final_norm")
        self.image_projection = linear(params, "image_projection")
        self.text_projection = linear(params, "text_projection")
        self.log_scale = nn.Parameter(params["log_scale"])

    def patches(self, images):
        size = self.config["patch-size"]
        batch, side = images.shape[:2]
        grid = side // size
        cut = images.view(batch, grid, size, grid, size, 3).permute(0, 1, 3, 2, 4, 5)
        if self.looked_at is None:
            return cut.reshape(batch, grid * grid, -1)
        rows = torch.arange(batch)[:, None]
        return cut[rows, self.looked_at // grid, self.looked_at % grid].flatten(2)

    def positions(self):
        return self.image_positions if self.looked_at is None else F.embedding(self.looked_at, self.image_positions)

    def auxiliary(self, logits, image_rows):
        c = self.config
        log_gates = logits.log_softmax(1)
        gates = log_gates.exp()
        image, text = slice(0, image_rows), slice(image_rows, len(logits))
        total = 0.0
        if c["importance-weight"]:
            load = gates.sum(0)
            total = total + c["importance-weight"] * load.var(unbiased=False) / load.mean() ** 2
        if c["z-weight"]:
            total = total + c["z-weight"] * torch.logsumexp(logits, 1).square().mean()
        for name, rows in (("text", text), ("image", image)):
            if c[f"local-{name}-weight"]:
                total = total - c[f"local-{name}-weight"] * (gates[rows] * log_gates[rows]).sum(1).mean()
            if c[f"global-{name}-weight"]:
                mean = gates[rows].mean(0)
                short = math.log(c[f"global-{name}-experts"]) + torch.special.xlogy(mean, mean).sum()
                total = total + c[f"global-{name}-weight"] * torch.relu(short)
        return total

    def forward(self, images, ids, text_valid, real, mask):
        """real: indices of the tokens of x that are no padding; mask: [B, 1, 1, L], true for a key."""
        pairs, length = len(images), ids.shape[1]
        image = self.image_embed(self.patches(images)) + self.positions()
        patches = image.shape[1]
        split = pairs * patches
        text = F.embedding(ids, self.token_table) + self.text_positions
        x = torch.cat([image.flatten(0, 1), text.flatten(0, 1)])
        if self.unpad:
            x = x[real]
        auxiliary = 0.0
        for block in self.blocks:
            qkv = block.qkv(block.attention_norm(x))
            qkv_text = qkv[split:]
            if self.unpad:
                qkv_text = qkv.new_zeros(pairs * length, qkv.shape[1]).index_copy(0, real[split:] - split, qkv_text)
            y_text = block.attend(qkv_text, pairs, mask)
            if self.unpad:
                y_text = y_text[real[split:] - split]
            x = x + block.out(torch.cat([block.attend(qkv[:split], pairs, None), y_text]))
            h = block.mlp_norm(x)
            if block.moe is None:
                x = x + block.mlp(h)
                continue
            y, logits = block.moe(h if self.unpad else h[real])
            auxiliary = auxiliary + self.auxiliary(logits, split)
            x = x + y if self.unpad else x.index_add(0, real, y)
        x = self.final_norm(x)
        if self.unpad:
            x = x.new_zeros(split + pairs * length, x.shape[1]).index_copy(0, real, x)
        valid = text_valid[..., None].to(x.dtype)
        pooled_image = x[:split].view(pairs, patches, -1).mean(1)
        pooled_text = (x[split:].view(pairs, length, -1) * valid).sum(1) / valid.sum(1)
        a, b = self.image_projection(pooled_image), self.text_projection(pooled_text)
        a, b = (z / (z.norm(dim=1, keepdim=True) + 1e-8) for z in (a, b))
        logits = self.log_scale.exp() * a @ b.T
        target = torch.arange(pairs)
        loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
        return loss + auxiliary


class Step:
    """One training step, as `limoe bench step` takes it."""

    def __init__(self, folder, unpad=False, experts="loop", compile=False, autocast=False):
        self.autocast = torch.autocast(torch.get_default_device().type, dtype=torch.bfloat16, enabled=autocast)
        self.config = read_config(folder + "/config.toml")
        batch = read_safetensors(folder + "/batch.safetensors")
        images, ids, valid = batch["images"], batch["ids"].long(), batch["text_valid"]
        patches = (self.config["image-size"] // self.config["patch-size"]) ** 2
        split = batch["patches"].numel() if "patches" in batch else len(images) * patches
        real = torch.cat([torch.arange(split), split + torch.nonzero(valid.flatten()).squeeze(1)])
        self.inputs = (images, ids, valid, real, (valid != 0)[:, None, None, :])
        model = Limoe(read_safetensors(folder + "/model.safetensors"), self.config, batch, unpad, experts)
        self.parameters = list(model.parameters())
        self.model = torch.compile(model) if compile else model
        c = self.config
        if c["optimizer"] != "adamw":
            raise ValueError(f"optimizer is {c['optimizer']}; this peer knows adamw")
        is_kernel = lambda name, p: name.endswith(".weight") and p.dim() == 2 or name.endswith((".up", ".down"))  # noqa
        decays = [p for name, p in model.named_parameters() if is_kernel(name, p)]
        others = [p for name, p in model.named_parameters() if not is_kernel(name, p)]
        self.optimizer = torch.optim.AdamW(
            [{"params": decays, "weight_decay": c["wd"]}, {"params": others, "weight_decay": 0.0}],
            lr=c["lr"], betas=(c["beta1"], c["beta2"]), eps=c["eps"], fused=True)

    def take(self):
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast:
            loss = self.model(*self.inputs)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.config["grad-clip-norm"], foreach=True)
        self.optimizer.step()
        return loss.item()
