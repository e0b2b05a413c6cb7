"""Transformer over the tokens of templates and search region."""

from __future__ import annotations

import torch
from mmdet.models.utils import Transformer
from mmdet.models.utils.builder import TRANSFORMER


@TRANSFORMER.register_module()
class StarkTransformer(Transformer):
    """DETR's transformer over a sequence of tokens instead of one feature map.

    The tokens of all templates and of the search region form one sequence, so that the encoder
    relates them to each other in space and time.

    Args:
        encoder: Config of the encoder.
        decoder: Config of the decoder.
        init_cfg: Initialisation of the weights.

    Reference: Yan et al., "Learning Spatio-Temporal Transformer for Visual Tracking", ICCV 2021,
    section 3.2.
    """

    def forward(
        self,
        x: torch.Tensor,
        mask: torch.Tensor,
        query_embed: torch.Tensor,
        pos_embed: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode the tokens and look for the target among them.

        Args:
            x: Tokens, ``(L, N, C)`` with N samples.
            mask: ``(N, L)`` bool, true for tokens to be left out (padding).
            query_embed: ``(Q, C)``, one row per query.
            pos_embed: Positions of the tokens, ``(L, N, C)``.

        Returns:
            Embeddings of the queries ``(layers, N, Q, C)``, where layers is 1 unless the decoder
            returns intermediate results, and the encoded tokens ``(L, N, C)``.
        """
        queries = query_embed[:, None].expand(-1, x.shape[1], -1)
        memory = self.encoder(
            query=x, key=None, value=None, query_pos=pos_embed, query_key_padding_mask=mask
        )
        found = self.decoder(
            query=torch.zeros_like(queries),
            key=memory,
            value=memory,
            query_pos=queries,
            key_pos=pos_embed,
            key_padding_mask=mask,
        )
        return found.transpose(1, 2), memory
