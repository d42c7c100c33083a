"""Small torch modules written the way people write them, each with what it is called with."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.blocks = nn.Sequential(*(ResidualBlock(8) for _ in range(3)))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.relu(self.bn1(self.conv1(x))))
        return self.fc(self.pool(x).view(x.size(0), -1))


class ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        identity = x
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += identity
        return self.relu(out)


class Inception(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(3, 4, 1)
        self.three = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.Conv2d(2, 6, 3, padding=1))
        self.pooled = nn.Conv2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        branches = [self.one(x), self.three(x), self.pooled(F.avg_pool2d(x, 3, stride=1, padding=1))]
        return torch.cat(branches, 1)


class SqueezeExcite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc1 = nn.Conv2d(8, 2, 1)
        self.fc2 = nn.Conv2d(2, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.silu(self.conv(x))
        w = x.mean((2, 3), keepdim=True)
        w = torch.sigmoid(self.fc2(F.relu(self.fc1(w))))
        return x * w


class Unpooling(nn.Module):
    """A pool that also returns where its maxima were."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2, 2, return_indices=True)
        self.conv = nn.Conv2d(3, 3, 1)
        self.unpool = nn.MaxUnpool2d(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        y, places = self.pool(x)
        return self.unpool(self.conv(y), places)


class Depthwise(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.BatchNorm2d(6), nn.ReLU6(), nn.Conv2d(6, 4, 1), nn.Hardswish()
        )


class EncoderClassifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.layer(self.embed(tokens)).mean(1))


class OwnAttention(nn.Module):
    """Heads by view and transpose, scaled_dot_product_attention, pre-norm, a feed-forward part."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(16), nn.LayerNorm(16)
        self.qkv = nn.Linear(16, 48)
        self.out = nn.Linear(16, 16)
        self.feed = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Dropout(0.1), nn.Linear(32, 16))

    def forward(self, x: Tensor) -> Tensor:
        b, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        q, k, v = (t.view(b, length, 4, width // 4).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).contiguous().view(b, length, width))
        return x + self.feed(self.norm2(x))


class LstmClassifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(5, 7, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(14, 4)

    def forward(self, x: Tensor) -> Tensor:
        start = torch.zeros(4, x.size(0), 7)
        output, (h, _) = self.lstm(x, (start, start))
        return self.fc(output[:, -1] + torch.cat([h[-2], h[-1]], 1))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.deep = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.down(x))
        b = F.relu(self.deep(F.max_pool2d(a, 2)))
        return self.out(torch.cat((self.up(b), a), dim=1))


class TensorMethods(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.conv(x).chunk(2, 1)
        y = a * 0.5 + 2 * b - 1
        y = y.permute(0, 2, 3, 1)[:, 1:, ::2]
        z = (1 - y).flatten(1) / 3
        n, c = z.shape[:2]
        return z.reshape(n, 4, c // 4).transpose(1, 2).mean(dim=2) ** 2 + (-z[..., :1]).exp()


class SharedLayer(nn.Module):
    """One layer called twice: its weights must stay one."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(torch.tanh(self.mix(x)))


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 8), nn.Linear(3, 8)

    def forward(self, left: Tensor, right: Tensor) -> dict[str, Tensor]:
        x = torch.relu(self.a(left)) * self.b(right)
        return {"sum": x.sum(-1), "largest": x.max(dim=1).values}


class PlainFunctions(nn.Module):
    """Weights without layers around them."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 3, 3, 3))
        self.gain, self.offset = nn.Parameter(torch.rand(8)), nn.Parameter(torch.randn(8))
        self.register_buffer("mean", torch.randn(8))
        self.register_buffer("var", torch.rand(8) + 0.5)
        self.matrix = nn.Parameter(torch.randn(5, 8))

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.weight, padding=1)
        x = F.batch_norm(x, self.mean, self.var, self.gain, self.offset)
        x = F.adaptive_avg_pool2d(F.leaky_relu(x, 0.2), 1)
        return F.linear(torch.flatten(x, 1), self.matrix)


class Tokens(nn.Module):
    """A class token, positions and a mask: tensors that belong to no layer."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, stride=4)
        self.cls_token = nn.Parameter(torch.randn(1, 1, 8))
        self.positions = nn.Parameter(torch.randn(1, 17, 8))
        self.scale = nn.Parameter(torch.ones(8) * 0.1)
        self.register_buffer("mask", torch.ones(17, 17).tril() == 0)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1) + self.positions
        y, _ = self.attention(x, x, x, attn_mask=self.mask, need_weights=False)
        return (x + self.scale * y)[:, 0]


class WindowedAttention(nn.Module):
    """Windows of a picture, shifted, with a bias by relative position and a mask for every window."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(49, 2))
        place = torch.stack(torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")).flatten(1)
        self.register_buffer(
            "index", ((place[:, :, None] - place[:, None]) + 3).mul(torch.tensor([7, 1])[:, None, None]).sum(0)
        )
        self.qkv = nn.Linear(8, 24)

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        x = torch.roll(x, (-2, -2), dims=(1, 2)).view(n, 2, 4, 2, 4, 8).transpose(2, 3).reshape(-1, 16, 8)
        q, k, v = self.qkv(x).reshape(-1, 16, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        bias = self.table[self.index.view(-1)].view(16, 16, 2).permute(2, 0, 1)
        mask = torch.zeros(4, 1, 16, 16)
        mask[1:, :, :8, 8:] = -100.0
        scores = (q * 0.5) @ k.mT + bias.unsqueeze(0) + mask.repeat(n, 1, 1, 1)
        return (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, 4, 16, 8)


IMAGE = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))

CASES = {
    "residual": (Residual, (IMAGE,)),
    "inception": (Inception, (IMAGE,)),
    "squeeze_excite": (SqueezeExcite, (IMAGE,)),
    "unpooling": (Unpooling, (IMAGE,)),
    "depthwise": (Depthwise, (torch.randn(2, 6, 8, 8),)),
    "encoder_layer": (EncoderClassifier, (torch.arange(14).reshape(2, 7),)),
    "own_attention": (OwnAttention, (torch.randn(2, 5, 16),)),
    "lstm": (LstmClassifier, (torch.randn(2, 6, 5),)),
    "unet": (UNet, (torch.randn(1, 1, 8, 8),)),
    "tensor_methods": (TensorMethods, (torch.randn(2, 4, 6, 8),)),
    "shared_layer": (SharedLayer, (torch.randn(2, 6),)),
    "two_inputs": (TwoInputs, (torch.randn(2, 4), torch.randn(2, 3))),
    "tokens": (Tokens, (IMAGE,)),
    "windowed_attention": (WindowedAttention, (torch.randn(2, 8, 8, 8),)),
    "plain_functions": (PlainFunctions, (IMAGE,)),
}
