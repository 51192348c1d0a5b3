"""Our network for the preset "tiny" once more, in PyTorch: the same layers, the same shapes, as one writes them there.

It stands for any spec with the small backbone and cross attention. Written to be quick: pictures stay in the
order of bytes in which they come (channels last), and attention is PyTorch's own fused one.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from video_understanding.layers.log_mel import LogMel
from video_understanding.layers.parts_of_hop import TYPICAL
from video_understanding.layers.time_code import TimeCode
from video_understanding.modality import MODALITIES
from video_understanding.models.backbones import small
from video_understanding.models.listeners.conv1d import CHANNELS, TYPICAL_DB
from video_understanding.spec import ModelSpec

_CLIPNORM = 1.0


class TorchTwin(nn.Module):
    """The inputs and outputs of `VideoUnderstandingModel`, as tensors."""

    def __init__(self, spec: ModelSpec, classes: dict[str, int]) -> None:
        super().__init__()
        network, size = spec.network, spec.network.token_size
        self.rate = network.modality_dropout
        self.hops = (spec.hops, spec.audio.hop_samples)
        self.backbone = _SmallBackbone().to(memory_format=torch.channels_last)
        self.note = nn.Sequential(nn.Dropout(network.dropout), nn.Linear(small.BLOCKS[-1][0], size), _norm(size))
        self.listen = _HopEncoder(spec)
        self.missing_picture, self.missing_sound = (nn.Parameter(0.05 * torch.randn(size)) for _ in range(2))
        self.fusion = _CrossAttention(spec)
        self.drop = nn.Dropout(network.dropout)
        self.heads = nn.ModuleDict({head: nn.Linear(size, many) for head, many in classes.items()})

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        presence = self._without_a_sense(inputs["presence"])  # [B,2]
        features = inputs["video_features"] if "video_features" in inputs else self.see(inputs["frames"])  # [B,T,F]
        picture = self.note(features)  # [B,T,D]
        sound = self.listen(inputs["waveform"].reshape(-1, self.hops[1]))  # [B*M,K,D]
        sound = sound.reshape(len(picture), -1, picture.shape[-1])  # [B,M*K,D]
        there = presence.bool()[:, :, None, None]  # [B,2,1,1]
        picture = torch.where(there[:, 0], picture, self.missing_picture)
        sound = torch.where(there[:, 1], sound, self.missing_sound)
        vector = self.drop(self.fusion(picture, sound))  # [B,D]
        return {head: layer(vector) for head, layer in self.heads.items()}  # [B,C] each

    def see(self, frames: Tensor) -> Tensor:
        """uint8 [B,T,H,W,3] -> features [B,T,F]."""
        batch, many = frames.shape[:2]
        # Turned round without a copy: [B*T,3,H,W] whose bytes lie as [B*T,H,W,3].
        return self.backbone(frames.flatten(0, 1).permute(0, 3, 1, 2)).reshape(batch, many, -1)

    def _without_a_sense(self, presence: Tensor) -> Tensor:
        if not self.training:
            return presence
        drawn = torch.rand(len(presence), 1)
        lost = torch.cat([drawn < self.rate / 2, (drawn >= self.rate / 2) & (drawn < self.rate)], 1).float()  # [B,2]
        return presence * (1 - lost * presence.amin(1, keepdim=True))


def make_optimizer(model: TorchTwin, rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW in PyTorch's quickest form on the CPU."""
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.optim.AdamW(learning, rate, weight_decay=weight_decay, fused=True)


def train_step(
    model: TorchTwin, optimizer: torch.optim.Optimizer, inputs: dict[str, Tensor], targets: dict[str, Tensor]
) -> dict[str, float]:
    """One step of learning, and what one watches: the loss and the accuracy of each head."""
    optimizer.zero_grad()
    logits = model(inputs)
    losses, told = [], {}
    for head, rows in targets.items():
        target, counts = rows[:, :-1], rows[:, -1]  # [B,C], [B]
        smooth = target * 0.95 + 0.05 / target.shape[1]
        each = functional.cross_entropy(logits[head], smooth, reduction="none") * counts  # [B]
        losses.append(each.sum() / counts.sum().clamp_min(1e-6))
        right = (logits[head].argmax(1) == target.argmax(1)).float()
        told[head] = ((right * counts).sum() / counts.sum().clamp_min(1e-6)).item()
    loss = torch.stack(losses).sum()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), _CLIPNORM)
    optimizer.step()
    return {"loss": loss.item(), **told}


class _SmallBackbone(nn.Module):
    """uint8 [B,3,H,W] -> [B,192]."""

    def __init__(self) -> None:
        super().__init__()
        before = small.STEM_CHANNELS
        self.stem = _conv(3, before, 3, 2)
        self.blocks = nn.ModuleList()
        self.adds = []
        for channels, stride in small.BLOCKS:
            depthwise = _conv(before, before, 3, stride, groups=before)
            self.blocks.append(nn.Sequential(depthwise, _conv(before, channels, 1, 1)))
            self.adds.append(stride == 1 and before == channels)
            before = channels

    def forward(self, frames: Tensor) -> Tensor:
        x = self.stem(frames.float() / 127.5 - 1)
        for block, add in zip(self.blocks, self.adds, strict=True):
            x = x + block(x) if add else block(x)
        return x.mean((2, 3))


def _conv(before: int, channels: int, kernel: int, stride: int, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(before, channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels, eps=1e-3, momentum=0.05), nn.ReLU6(inplace=True))


class _HopEncoder(nn.Module):
    """[B,hop_samples] -> [B,K,D]."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        audio, network = spec.audio, spec.network
        mel = audio.log_mel
        ours = LogMel(  # its mel bands, so that both have the same
            audio.sample_rate_hz, audio.mel_window_samples, audio.mel_step_samples, mel.bands, mel.low_hz, mel.high_hz
        )
        self.fft, self.step, self.window_samples = ours.fft_samples, audio.mel_step_samples, audio.mel_window_samples
        self.steps, self.floor = audio.mel_steps_per_hop, mel.floor_power
        self.register_buffer("mel", torch.from_numpy(ours._mel))  # [F,bands]
        # torch.stft puts a short window into the middle of the FFT's samples.
        around = self.fft - self.window_samples
        reach = self.window_samples - self.step
        self.pad = (reach // 2 + around // 2, reach - reach // 2 + around - around // 2)
        self.register_buffer("window", torch.hann_window(self.window_samples))
        layers: list[nn.Module] = []
        before = mel.bands
        for number, channels in enumerate(CHANNELS):
            layers.append(nn.Conv1d(before, channels, 5, 1 if number == 0 else 2, 2, bias=False))
            layers += [nn.BatchNorm1d(channels, eps=1e-3, momentum=0.01), nn.ReLU(inplace=True)]
            before = channels
        self.convolutions = nn.Sequential(*layers)
        self.parts = network.tokens_per_hop
        self.drop = nn.Dropout(network.dropout)
        self.tokens = nn.Linear(2 * before, network.token_size)
        self.even = _norm(network.token_size)

    def forward(self, waveform: Tensor) -> Tensor:
        heard = self.log_mel(waveform).transpose(1, 2) / TYPICAL_DB - 1  # [B,bands,steps]
        heard = self.convolutions(heard)  # [B,channels,S]
        parts = functional.adaptive_avg_pool1d(heard, self.parts)  # [B,channels,K]
        varied = 2 * (heard - heard.mean(2, keepdim=True)).relu().mean(2, keepdim=True) - TYPICAL  # [B,channels,1]
        heard = torch.cat([parts, varied.expand_as(parts)], 1)  # [B,2*channels,K]
        return self.even(self.tokens(self.drop(heard.transpose(1, 2))))  # [B,K,D]

    def log_mel(self, waveform: Tensor) -> Tensor:
        """[B,n] -> [B,steps,bands]."""
        with torch.no_grad():
            spectrum = torch.stft(
                functional.pad(waveform, self.pad),
                self.fft,
                self.step,
                self.window_samples,
                self.window,
                center=False,
                return_complex=True,
            )  # [B,F,steps]
            power = torch.view_as_real(spectrum).square().sum(-1).transpose(1, 2)  # [B,steps,F]
            return (power @ self.mel).clamp_min(self.floor).div(self.floor).log() * (10 / math.log(10))


class _CrossAttention(nn.Module):
    """Picture tokens [B,T,D] and sound tokens [B,S,D] -> [B,D]."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        network, size = spec.network, spec.network.token_size
        for name, times_s in (
            ("picture_code", spec.instants_s()),
            ("sound_code", MODALITIES["audio"].times_s(spec, spec.hops * network.tokens_per_hop)),
        ):
            code = TimeCode(times_s.tolist())
            code.build((None, len(times_s), size))
            self.register_buffer(name, torch.from_numpy(np.array(code._code)))  # [S,D]
        self.picture_norm, self.sound_norm = _norm(size), _norm(size)
        self.picture_asks, self.sound_asks = (_Attention(size, network.attention_heads, network.dropout) for _ in "ps")
        self.picture_step, self.sound_step = (_FeedForward(size, network.dropout) for _ in "ps")
        self.picture_pool, self.sound_pool = _Pooling(size), _Pooling(size)
        self.join = nn.Linear(2 * size, size)

    def forward(self, picture: Tensor, sound: Tensor) -> Tensor:
        picture, sound = picture + self.picture_code, sound + self.sound_code
        seen, heard = self.picture_norm(picture), self.sound_norm(sound)
        picture, sound = picture + self.picture_asks(seen, heard), sound + self.sound_asks(heard, seen)
        told = self.picture_pool(self.picture_step(picture)), self.sound_pool(self.sound_step(sound))
        return functional.relu(self.join(torch.cat(told, 1)))


class _Attention(nn.Module):
    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.ask, self.key, self.value = (nn.Linear(size, size, bias=False) for _ in range(3))
        self.join = nn.Linear(size, size)

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        asked, keys, values = (
            each.unflatten(2, (self.heads, -1)).transpose(1, 2)  # [B,heads,S,d]
            for each in (self.ask(queries), self.key(tokens), self.value(tokens))
        )
        dropout = self.dropout if self.training else 0.0
        found = functional.scaled_dot_product_attention(asked, keys, values, dropout_p=dropout)  # [B,heads,Q,d]
        return self.join(found.transpose(1, 2).flatten(2))


class _FeedForward(nn.Module):
    def __init__(self, size: int, dropout: float) -> None:
        super().__init__()
        wide = nn.Linear(size, 2 * size), nn.ReLU(inplace=True)
        self.make = nn.Sequential(_norm(size), *wide, nn.Linear(2 * size, size), nn.Dropout(dropout))

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens + self.make(tokens)


class _Pooling(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.projection, self.query = nn.Linear(size, size, bias=False), nn.Linear(size, 1, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        weights = self.query(torch.tanh(self.projection(tokens))).softmax(1)  # [B,S,1]
        return (weights.transpose(1, 2) @ tokens)[:, 0]


def _norm(size: int) -> nn.LayerNorm:
    return nn.LayerNorm(size, eps=1e-5)
