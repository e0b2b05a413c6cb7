"""The backbone of MixFormer against a masked attention over all tokens, written by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from tiny_mixformer import STAGES, stirred

from mmtrack.models.backbones import ConvVisionTransformer
from mmtrack.models.backbones.mixformer_layers import QuickGELU

PATCHES = ((7, 4, 2), (3, 2, 1), (3, 2, 1))  # size, stride, padding


def build(seed=0, **options):
    torch.manual_seed(seed)
    return stirred(ConvVisionTransformer(**{**STAGES, **options})).eval()


def images(samples=2, online=2, template=32, search=64, seed=0):
    make = torch.Generator().manual_seed(seed)
    return (
        torch.randn(samples, 3, template, template, generator=make),
        torch.randn(samples * online, 3, template, template, generator=make),
        torch.randn(samples, 3, search, search, generator=make),
    )


def plain_norm(state, name, x):
    return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"])


def plain_heads(state, name, kind, maps, stride, heads):
    """All tokens of the maps of one sample, ``(heads, L, C // heads)``."""
    tokens = []
    for x in maps:
        key = f"{name}.conv_proj_{kind}"
        x = F.conv2d(x, state[f"{key}.conv.weight"], None, stride, 1, groups=x.shape[1])
        statistics = (state[f"{key}.bn.{part}"] for part in ("running_mean", "running_var"))
        x = F.batch_norm(x, *statistics, state[f"{key}.bn.weight"], state[f"{key}.bn.bias"])
        tokens.append(x[0].flatten(1).T)
    rows = F.linear(
        torch.cat(tokens), state[f"{name}.proj_{kind}.weight"], state[f"{name}.proj_{kind}.bias"]
    )
    return torch.stack(rows.chunk(heads, dim=1))


def plain_block(state, name, maps, heads):
    """One block over the maps of one sample, those of templates first, ``(1, C, h, w)`` each."""
    dim = maps[0].shape[1]
    tokens = torch.cat([x[0].flatten(1).T for x in maps])
    normed = [
        plain_norm(state, f"{name}.norm1", x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2) for x in maps
    ]
    query = plain_heads(state, f"{name}.attn", "q", normed, 1, heads)
    key, value = (plain_heads(state, f"{name}.attn", kind, normed, 2, heads) for kind in "kv")
    logits = query @ key.transpose(1, 2) / dim**0.5  # the width of all heads
    searched, known = maps[-1][0, 0].numel(), maps[-1][0, 0, ::2, ::2].numel()
    allowed = torch.ones(logits.shape[1:], dtype=torch.bool)
    allowed[:-searched, -known:] = False  # templates do not see the search region
    weights = logits.masked_fill(~allowed, -torch.inf).softmax(dim=-1)
    found = torch.cat(list(weights @ value), dim=1)
    tokens = tokens + F.linear(
        found, state[f"{name}.attn.proj.weight"], state[f"{name}.attn.proj.bias"]
    )
    hidden = F.linear(
        plain_norm(state, f"{name}.norm2", tokens),
        state[f"{name}.mlp.layers.0.0.weight"],
        state[f"{name}.mlp.layers.0.0.bias"],
    )
    hidden = hidden / (1 + (-1.702 * hidden).exp())
    tokens = tokens + F.linear(
        hidden, state[f"{name}.mlp.layers.1.weight"], state[f"{name}.mlp.layers.1.bias"]
    )
    parts = tokens.split([x[0, 0].numel() for x in maps])
    return [part.T.reshape(x.shape) for part, x in zip(parts, maps, strict=True)]


def plain_backbone(state, maps):
    """Maps of one sample after all stages; templates first, ``(1, 3, H, W)`` each."""
    for i, (_, stride, padding) in enumerate(PATCHES):
        name = f"stage{i}.patch_embed"
        maps = [
            F.conv2d(x, state[f"{name}.proj.weight"], state[f"{name}.proj.bias"], stride, padding)
            for x in maps
        ]
        maps = [
            plain_norm(state, f"{name}.norm", x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            for x in maps
        ]
        for j in range(STAGES["depth"][i]):
            maps = plain_block(state, f"stage{i}.blocks.{j}", maps, STAGES["num_heads"][i])
    return maps


@pytest.mark.parametrize("online", [1, 2])
def test_equals_masked_attention_over_all_tokens(online):
    model = build()
    template, others, search = images(online=online)
    with torch.no_grad():
        feat, found = model(template, others, search)
        for i in range(2):
            templates = [template[i : i + 1], *others[i * online : (i + 1) * online].split(1)]
            maps = plain_backbone(model.state_dict(), [*templates, search[i : i + 1]])
            torch.testing.assert_close(feat[i : i + 1], maps[0], rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(found[i : i + 1], maps[-1], rtol=1e-4, atol=1e-4)
    assert (feat.shape, found.shape) == ((2, 16, 2, 2), (2, 16, 4, 4))


def test_templates_do_not_see_the_search_region():
    model = build()
    template, others, search = images()
    template.requires_grad_()
    others.requires_grad_()
    search.requires_grad_()
    feat, found = model(template, others, search)
    seen = torch.autograd.grad(
        feat.square().sum(), (template, others, search), retain_graph=True, allow_unused=True
    )
    assert seen[0].any()
    assert seen[1].any()
    assert seen[2] is None
    for grad in torch.autograd.grad(found.square().sum(), (template, others, search)):
        assert grad.any()


def test_order_of_online_templates_does_not_matter():
    template, others, search = images(samples=1, online=3)
    with torch.no_grad():
        want, found = (build()(template, o, search)[1] for o in (others, others[[2, 0, 1]]))
    torch.testing.assert_close(found, want)


class TestOnline:
    def test_equals_the_full_pass(self):
        model = build()
        template, others, search = images()
        with torch.no_grad():
            model.set_online(template, others)
            for shift in range(3):  # several frames with the same templates
                moved = search.roll(shift, dims=3)
                for want, found in zip(
                    model(template, others, moved), model.forward_test(moved), strict=True
                ):
                    torch.testing.assert_close(found, want)

    def test_templates_are_not_computed_again(self):
        model = build()
        template, others, search = images()
        with torch.no_grad():
            model.set_online(template, others)
            seen = []
            model.stage0.patch_embed.register_forward_pre_hook(
                lambda _, args: seen.append(tuple(args[0].shape))
            )
            model.forward_test(search)
        assert seen == [(2, 3, 64, 64)]

    def test_new_templates_count(self):
        model = build()
        template, others, search = images()
        with torch.no_grad():
            model.set_online(template, others)
            before = model.forward_test(search)[1]
            model.set_online(template, others[[1, 1, 3, 3]])
            after = model.forward_test(search)[1]
        assert (before - after).abs().max() > 1e-3

    def test_before_there_are_templates(self):
        model = build()
        template, others, search = images()
        with pytest.raises(RuntimeError, match="call set_online"):
            model.forward_test(search)
        model.set_online(template, others)
        model.reset()
        with pytest.raises(RuntimeError, match="call set_online"):
            model.forward_test(search)

    def test_templates_that_cannot_be_shared_out(self):
        template, others, _ = images()
        with pytest.raises(ValueError, match="3 online templates for 2 samples"):
            build().set_online(template, others[:3])

    def test_weights_are_all_that_is_saved(self):
        model = build()
        keys = list(model.state_dict())
        model.set_online(*images()[:2])
        assert list(model.state_dict()) == keys


class TestTraining:
    def test_everything_learns_but_frozen_norms_and_the_classifier(self):
        model = build().train()
        before = {k: v.clone() for k, v in model.state_dict().items()}
        model(*images())[1].square().sum().backward()
        for name, weight in model.named_parameters():
            left_out = name.startswith(("norm.", "head.")) or ".bn." in name
            assert (weight.grad is None) == left_out, name
            assert weight.requires_grad != left_out, f"{name}: a distributed run would wait for it"
        assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())

    def test_norm_that_learns(self):
        model = build(norm_cfg={"type": "BN"}).train()
        before = model.stage0.blocks[0].attn.conv_proj_q.bn.running_mean.clone()
        model(*images())[1].sum().backward()
        bn = model.stage0.blocks[0].attn.conv_proj_q.bn
        assert bn.weight.grad is not None
        assert not torch.equal(bn.running_mean, before)

    def test_blocks_are_skipped_more_often_the_deeper_they_are(self):
        model = build(path_drop_probs=[0.0, 0.2, 0.5], depth=[1, 2, 3])
        found = [[b.drop_path.drop_prob for b in stage.blocks] for stage in model._stages()]
        assert found == [[0.0], [0.0, 0.2], [0.0, 0.25, 0.5]]

    @pytest.mark.parametrize("init", ["trunc_norm", "xavier"])
    def test_initialisation(self, init):
        torch.manual_seed(0)
        model = ConvVisionTransformer(**{**STAGES, "dim_embed": [32, 64, 64]}, init=init)
        model.init_weights()
        weight = model.stage2.blocks[0].mlp.layers[0][0].weight  # 128 x 64
        if init == "trunc_norm":
            assert float(weight.detach().std()) == pytest.approx(0.02, rel=0.05)
        else:
            assert float(weight.detach().abs().max()) == pytest.approx((6 / 192) ** 0.5, rel=0.02)
        assert not model.stage2.blocks[0].attn.proj_q.bias.any()

    def test_dropout_of_attention_in_training_alone(self):
        model = build(attn_drop_rate=[0.5, 0.5, 0.5])
        with torch.no_grad():
            want = build()(*images())[1]
            torch.testing.assert_close(model(*images())[1], want)
            assert (model.train()(*images())[1] - want).abs().max() > 1e-3


@pytest.mark.parametrize("method", ["avg", "linear"])
def test_other_projections(method):
    model = build(qkv_proj_method=[method] * 3)
    assert not any("conv_proj" in name for name in model.state_dict())
    attn = model.stage2.blocks[0].attn
    maps = torch.randn(1, 16, 4, 4)
    _, (keys, values) = attn(maps, 1)
    count = {"avg": 4, "linear": 16}[method]
    assert keys.shape == values.shape == (1, 4, count, 4)
    pooled = F.avg_pool2d(maps, 3, 2, 1) if method == "avg" else maps
    want = F.linear(pooled[0].flatten(1).T, attn.proj_k.weight, attn.proj_k.bias)
    torch.testing.assert_close(keys[0].transpose(0, 1).flatten(1), want)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": [1, 2]}, "depth has 2 entries for 3 stages"),
        ({"qkv_proj_method": ["dw"] * 3}, "qkv_proj_method is 'dw', expected 'dw_bn'"),
        ({"stride_q": [1, 1, 2]}, r"stride_q is \[1, 1, 2\]"),
        ({"num_heads": [1, 2, 3]}, "dim_embed 16 is no multiple of num_heads 3"),
        ({"init": "kaiming"}, "init is 'kaiming', expected one of trunc_norm, xavier"),
    ],
)
def test_wrong_settings(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_activation():
    x = torch.linspace(-9, 9, 50, dtype=torch.float64)
    torch.testing.assert_close(QuickGELU()(x), x / (1 + torch.exp(-1.702 * x)))
    assert float((QuickGELU()(x) - F.gelu(x)).abs().max()) < 0.021  # what it stands for


def test_half_precision_in_and_out():
    """LayerNorm computes in float32 and gives back what it got."""
    norm = build().norm
    x = (1000 * torch.randn(3, 5, 16)).half()
    found = norm(x)
    assert found.dtype == torch.float16
    want = F.layer_norm(x.double(), (16,), norm.weight.double(), norm.bias.double())
    torch.testing.assert_close(found.double(), want, rtol=1e-3, atol=1e-3)
