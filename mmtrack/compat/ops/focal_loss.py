"""Focal loss (Lin et al., Focal Loss for Dense Object Detection, 2017), value and gradient.

mmcv's autograd functions call the forward and the backward operator separately; both are closed
forms, written out here as in the paper's appendix.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ._tensors import widen

_TINY = torch.finfo(torch.float32).tiny  # mmcv clamps probabilities at FLT_MIN before the log


def _log(probability: Tensor) -> Tensor:
    return probability.clamp(min=_TINY).log()


def _class_weights(weight: Tensor, target: Tensor, like: Tensor) -> Tensor | None:
    """Weight of each sample's class, or None where no weights are given."""
    if weight.numel() == 0:
        return None
    # Targets that are the background (== number of classes) or ignored (< 0) have no weight of
    # their own; mmcv reads outside of the array there.
    return weight.to(like.dtype)[target.clamp(0, weight.numel() - 1)]


def _sigmoid_terms(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    probability = input.sigmoid()
    complement = (-input).sigmoid()  # 1 - p without cancellation
    classes = torch.arange(input.size(1), device=input.device)
    return probability, complement, target[:, None] == classes


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Fill ``output`` with the loss of each logit.

    Args:
        input: (n, c) logits.
        target: (n,) class of each sample; c is background.
        weight: (c,) weights of classes, or empty.
        output: (n, c), overwritten.
        gamma: Focusing parameter.
        alpha: Weight of the positive term.
    """
    (logits,) = widen(input)
    p, q, positive = _sigmoid_terms(logits, target)
    loss = torch.where(
        positive, -alpha * q.pow(gamma) * _log(p), -(1 - alpha) * p.pow(gamma) * _log(q)
    )
    weights = _class_weights(weight, target, loss)
    output.copy_(loss if weights is None else loss * weights[:, None])


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Fill ``grad_input`` with the derivative of each loss by its logit.

    Args:
        input: (n, c) logits.
        target: (n,) class of each sample; c is background.
        weight: (c,) weights of classes, or empty.
        grad_input: (n, c), overwritten.
        gamma: Focusing parameter.
        alpha: Weight of the positive term.
    """
    (logits,) = widen(input)
    p, q, positive = _sigmoid_terms(logits, target)
    grad = torch.where(
        positive,
        -alpha * q.pow(gamma) * (q - gamma * p * _log(p)),
        -(1 - alpha) * p.pow(gamma) * (gamma * q * _log(q) - p),
    )
    weights = _class_weights(weight, target, grad)
    grad_input.copy_(grad if weights is None else grad * weights[:, None])


def softmax_focal_loss_forward(
    softmax: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Fill ``output`` with the loss of each sample.

    Args:
        softmax: (n, c) probabilities.
        target: (n,) class of each sample; negative ones are ignored.
        weight: (c,) weights of classes, or empty.
        output: (n,), overwritten.
        gamma: Focusing parameter.
        alpha: Weight of the loss.
    """
    (probabilities,) = widen(softmax)
    p = probabilities.gather(1, target.clamp(min=0)[:, None])[:, 0]
    loss = -alpha * (1 - p).pow(gamma) * _log(p)
    weights = _class_weights(weight, target, loss)
    loss = loss if weights is None else loss * weights
    output.copy_(loss.masked_fill(target < 0, 0))


def softmax_focal_loss_backward(
    softmax: Tensor,
    target: Tensor,
    weight: Tensor,
    buff: Tensor,
    grad_input: Tensor,
    gamma: float,
    alpha: float,
) -> None:
    """Fill ``grad_input`` with the derivative of each sample's loss by its logits.

    Args:
        softmax: (n, c) probabilities.
        target: (n,) class of each sample; negative ones are ignored.
        weight: (c,) weights of classes, or empty.
        buff: (n,), overwritten with the derivative by the log-probability of the target.
        grad_input: (n, c), overwritten.
        gamma: Focusing parameter.
        alpha: Weight of the loss.
    """
    (probabilities,) = widen(softmax)
    index = target.clamp(min=0)[:, None]
    p = probabilities.gather(1, index)[:, 0]
    # (1 - p) ** (gamma - 1) is infinite at p == 1 for gamma < 1 while log(p) is 0 there.
    focus = gamma * (1 - p).clamp(min=_TINY).pow(gamma - 1) * p * _log(p)
    slope = alpha * (focus - (1 - p).pow(gamma))
    weights = _class_weights(weight, target, slope)
    slope = slope if weights is None else slope * weights
    slope = slope.masked_fill(target < 0, 0)
    buff.copy_(slope)
    grad = -probabilities * slope[:, None]
    grad_input.copy_(grad.scatter_add(1, index, slope[:, None]))
