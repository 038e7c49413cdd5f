#!/usr/bin/env python3
"""Makes tests/golden/dlrm/: tiny DLRMs with random weights, as PyTorch saves and exports them, and their outputs.

For each interaction (dot, dot_with_self, cat): NAME.pt (a checkpoint), NAME_bags.onnx (EmbeddingBag, exported as loops),
NAME_rows.onnx (one row a sample, exported as gathers), NAME_bags.npz and NAME_rows.npz (inputs and outputs).
Needs torch and onnx; the fixtures are committed, so neither the build nor a test needs them."""

import pathlib
import warnings

import numpy as np
import torch

OUT = pathlib.Path(__file__).resolve().parents[1] / "tests/golden/dlrm"
DENSE, DIM, ROWS, SAMPLES = 5, 8, (7, 1, 11), 20


def layers(widths, last):
    """Linear layers with a ReLU behind each but the last, which has `last`."""
    modules = []
    for i in range(len(widths) - 1):
        modules += [torch.nn.Linear(widths[i], widths[i + 1]), torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1], last)


class Dlrm(torch.nn.Module):
    """Names and order of operations are those of a DLRM checkpoint: bot_l, emb_l, top_l."""

    def __init__(self, interaction, has_bags):
        super().__init__()
        self.interaction, self.has_bags = interaction, has_bags
        count = len(ROWS) + 1
        width = {"dot": DIM + count * (count - 1) // 2, "dot_with_self": DIM + count * (count + 1) // 2, "cat": DIM * count}
        self.bot_l = layers([DENSE, 6, DIM], torch.nn.ReLU())
        self.emb_l = torch.nn.ModuleList(torch.nn.EmbeddingBag(rows, DIM, mode="sum") for rows in ROWS)
        self.top_l = layers([width[interaction], 9, 4, 1], torch.nn.Sigmoid())
        pairs = [(i, j) for i in range(count) for j in range(i + (interaction == "dot_with_self"))]
        self.pairs = torch.tensor([i * count + j for i, j in pairs])

    def pooled(self, indices, offsets):
        for t, table in enumerate(self.emb_l):
            if self.has_bags:
                yield table(indices[t], offsets[t])
            else:
                yield torch.nn.functional.embedding(indices[t], table.weight)

    def forward(self, dense, indices, offsets):
        x = self.bot_l(dense)
        vectors = torch.cat([x, *self.pooled(indices, offsets)], dim=1)
        if self.interaction == "cat":
            return self.top_l(vectors)
        t = vectors.reshape(-1, len(ROWS) + 1, DIM)
        products = torch.flatten(torch.bmm(t, torch.transpose(t, 1, 2)), 1)
        return self.top_l(torch.cat([x, products[:, self.pairs]], dim=1))


def export(model, dense, indices, offsets, path):
    rows = {0: "B"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (dense, indices, offsets), str(path), dynamo=False, opset_version=17,
            input_names=["dense_x", "indices", "offsets"], output_names=["pred"],
            dynamic_axes={"dense_x": rows, "indices": {1: "I"}, "offsets": {1: "B"}, "pred": rows},
        )  # fmt: skip


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for number, interaction in enumerate(("dot", "dot_with_self", "cat")):
        torch.manual_seed(number)
        model = Dlrm(interaction, has_bags=True).eval()
        torch.save({"epoch": 0, "test_auc": np.float64(0.5), "state_dict": model.state_dict()}, OUT / f"{interaction}.pt")
        dense = torch.rand(SAMPLES, DENSE) * 3
        single = torch.stack([torch.randint(rows, (SAMPLES,)) for rows in ROWS])
        lengths = torch.randint(4, (len(ROWS), SAMPLES))
        offsets = torch.nn.functional.pad(torch.cumsum(lengths, 1), (1, 0))
        bags = [torch.randint(rows, (int(offsets[t, -1]),)) for t, rows in enumerate(ROWS)]
        starts = torch.arange(SAMPLES).repeat(len(ROWS), 1)
        with torch.no_grad():
            of_rows = model(dense, single, starts)
            of_bags = model(dense, bags, offsets[:, :-1])
            export(model, dense, single, starts, OUT / f"{interaction}_bags.onnx")
            model.has_bags = False
            assert torch.allclose(model(dense, single, starts), of_rows)
            export(model, dense, single, starts, OUT / f"{interaction}_rows.onnx")
        np.savez(OUT / f"{interaction}_rows.npz", X_int=dense.numpy(), X_cat=single.T.numpy(), pred=of_rows.numpy())
        np.savez(
            OUT / f"{interaction}_bags.npz", X_int=dense.numpy(), offsets=offsets.numpy(), pred=of_bags.numpy(),
            **{f"indices_{t}": bag.numpy() for t, bag in enumerate(bags)},
        )  # fmt: skip


if __name__ == "__main__":
    main()
