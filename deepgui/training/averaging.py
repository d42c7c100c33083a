"""Averaged weights: an exponential moving average that is judged and kept in place of the weights that learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from deepgui.training.layout import like


class Average:
    """The moving average of all a module's weights and buffers that are no counters.

    It is ``torch.optim.swa_utils``' own: the first update takes the weights as they are.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = module
        self.count = 0
        named = {name: t for name, t in module.state_dict(keep_vars=True).items() if t.is_floating_point()}
        places = {id(tensor): place for place, tensor in enumerate(dict.fromkeys(named.values()))}
        self._own = list(dict.fromkeys(named.values()))
        self._averages = [tensor.detach().clone() for tensor in self._own]
        self._places = {name: places[id(tensor)] for name, tensor in named.items()}
        self._mix = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def update(self) -> None:
        """Take the present weights in."""
        if self.count:
            self._mix(self._averages, self._own, self.count)
        else:
            torch._foreach_copy_(self._averages, self._own)
        self.count += 1

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The module has the averaged weights while this lasts."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        if self.count:
            for place, own in enumerate(self._own):
                own.data, self._averages[place] = self._averages[place], own.data

    def state_dict(self) -> dict[str, Tensor]:
        """The module's state dict with averages in place of its own weights; not copied."""
        own = self.module.state_dict()
        return {name: self._averages[self._places[name]] if name in self._places else own[name] for name in own}

    def load_state_dict(self, state: Mapping[str, Any], count: int) -> None:
        """Go on from :meth:`state_dict` after ``count`` updates."""
        self.count = count
        for name, place in self._places.items():
            self._averages[place] = like(state[name].to(self._own[place].device), self._own[place].detach())
