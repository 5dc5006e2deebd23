"""The PyTorch side of faithfulness.py: Captum and SHAP explain the network whose weights were carried over.

    PEERS/bin/python benchmarks/faithfulness_peer.py in.npz out.npz
"""

import sys
import time
import warnings

import numpy as np
import shap
import torch
from captum.attr import IntegratedGradients, ShapleyValueSampling

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
ROUNDS = 4
"""SHAP's permutations: orders, each with its reverse."""
KERNEL = 256
"""Coalitions that SHAP's kernel explainer asks; by default it would be 2,088, and take eight times as long."""


class Ensemble(torch.nn.Module):
    """The mean probability of the asked class over all networks, from what each makes of a row."""

    def __init__(self, given: dict) -> None:
        super().__init__()
        self.weights = {name.removeprefix("weight network."): torch.tensor(array) for name, array in given.items()
                        if name.startswith("weight ")}
        self.depth = sum(name.startswith("body.hidden") and name.endswith("weight") for name in self.weights)
        self.temperature = float(given["temperature"])
        self.factors, self.bias = (torch.tensor(given[name], dtype=torch.float32) for name in ("factors", "bias"))
        self.split = (len(given["joined columns"]), len(given["plain columns"]))

    def forward(self, x: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
        """x: (rows, members, joined + plain); asked: (rows,)."""
        joined, plain = x.transpose(0, 1).split(self.split, dim=2)
        for layer in range(self.depth):
            joined = torch.relu(joined @ self._of(f"body.hidden.{layer}.dense.weight")
                                + self._of(f"body.hidden.{layer}.dense.bias")[:, None])
        outputs = joined @ self._of("body.output.weight") + self._of("body.output.bias")[:, None]
        if "skip.weight" in self.weights:
            outputs = outputs + plain @ self._of("skip.weight")
        if outputs.shape[2] == 1:
            outputs = torch.cat([torch.zeros_like(outputs), outputs], dim=2)
        logits = torch.log_softmax(outputs / self.temperature, dim=2) * self.factors + self.bias
        return torch.softmax(logits, dim=2).mean(dim=0).gather(1, asked[:, None])[:, 0]

    def _of(self, name: str) -> torch.Tensor:
        return self.weights[name]


class Explained:
    """The rows, the made-up rows, and the methods of the peers."""

    def __init__(self, given: dict) -> None:
        def rows(kind: str) -> torch.Tensor:
            both = np.concatenate([given[f"joined{kind}"], given[f"plain{kind}"]], axis=2)
            return torch.tensor(both.transpose(1, 0, 2).copy())
        self.network, self.x, self.z = Ensemble(given), rows(""), rows(" background")
        self.asked = torch.tensor(given["asked"])
        self.columns = torch.tensor(np.concatenate([given["joined columns"], given["plain columns"]]))
        self.count, self.steps = int(self.columns.max()) + 1, int(given["steps"])
        self.groups, self.exact_rows = given["groups"], int(given["exact_rows"])

    def by_column(self, attributions: torch.Tensor) -> np.ndarray:
        """(columns,) from (…, members, inputs), summed over members and inputs, averaged over made-up rows."""
        return torch.zeros(self.count).index_add_(0, self.columns, attributions.mean(dim=0).sum(dim=0)).numpy()

    def integrated(self, row: int, steps: int) -> np.ndarray:
        """Captum's integrated gradients from each made-up row."""
        method = IntegratedGradients(self.network)
        ends = self.x[row:row + 1].expand(len(self.z), -1, -1).contiguous()
        asked = self.asked[row:row + 1].expand(len(self.z))
        return self.by_column(method.attribute(ends, baselines=self.z, additional_forward_args=(asked,), n_steps=steps,
                                               method="gausslegendre").detach())

    def with_columns(self, row: int, keep: np.ndarray, background: np.ndarray) -> np.ndarray:
        """The answers where columns are the row's (`keep`, bool (n, columns)) or a made-up row's (n,)."""
        kept = torch.tensor(keep)[:, self.columns][:, None]
        with torch.no_grad():
            mixed = torch.where(kept, self.x[row], self.z[torch.tensor(background)])
            return self.network(mixed, self.asked[row:row + 1].expand(len(mixed))).double().numpy()

    def answers(self, row: int, groups: np.ndarray):
        """From rows of numbers, one a group of columns: 0 for the row's own, i + 1 for made-up row i's."""
        def answer(ids: np.ndarray) -> np.ndarray:
            ids = np.asarray(ids).astype(int)[:, groups]
            return self.with_columns(row, ids == 0, ids.max(axis=1).clip(1) - 1)
        return answer

    def permutations(self, row: int) -> np.ndarray:
        """SHAP's permutation explainer."""
        return self._shap(row, np.arange(self.count), lambda answer, masker: shap.PermutationExplainer(
            answer, masker, seed=0)(np.zeros((1, self.count)), max_evals=ROUNDS * 2 * (self.count + 1), silent=True))

    def kernel(self, row: int) -> np.ndarray:
        """SHAP's kernel explainer."""
        answer = self.answers(row, np.arange(self.count))
        made_up = np.repeat(np.arange(1, len(self.z) + 1)[:, None], self.count, axis=1)
        return shap.KernelExplainer(answer, made_up, seed=0).shap_values(
            np.zeros((1, self.count)), nsamples=KERNEL, silent=True)[0]

    def exact(self, row: int) -> np.ndarray:
        """SHAP's exact explainer, of groups of columns."""
        count = int(self.groups.max()) + 1
        return self._shap(row, self.groups, lambda answer, masker: shap.ExactExplainer(answer, masker)(
            np.zeros((1, count)), silent=True))

    def _shap(self, row: int, groups: np.ndarray, explain) -> np.ndarray:
        count = int(groups.max()) + 1
        made_up = np.repeat(np.arange(1, len(self.z) + 1)[:, None], count, axis=1)
        return explain(self.answers(row, groups), shap.maskers.Independent(made_up, max_samples=len(self.z))).values[0]

    def gradients(self, row: int) -> np.ndarray:
        """SHAP's gradient explainer: expected gradients, 200 samples."""
        asked = self.asked[row:row + 1]

        class Alone(torch.nn.Module):
            def forward(inner, x):  # noqa: N805
                return self.network(x, asked.expand(len(x)))[:, None]
        found = shap.GradientExplainer(Alone(), self.z).shap_values(self.x[row:row + 1], nsamples=200, rseed=0)
        return self.by_column(torch.tensor(np.asarray(found), dtype=torch.float32).reshape(1, *self.x.shape[1:]))

    def sampling(self, row: int) -> np.ndarray:
        """Captum's sampled Shapley values against the mean of the made-up rows."""
        mask = self.columns.expand(1, self.x.shape[1], -1)
        found = ShapleyValueSampling(self.network).attribute(
            self.x[row:row + 1], baselines=self.z.mean(dim=0, keepdim=True), feature_mask=mask.contiguous(),
            additional_forward_args=(self.asked[row:row + 1],), n_samples=25)
        return np.array([float(found[0, 0, self.columns == column][0]) for column in range(self.count)])


def main() -> None:
    """Read, explain, write."""
    explained = Explained(dict(np.load(sys.argv[1])))
    methods = {"integrated gradients, Captum": lambda row: explained.integrated(row, explained.steps),
               "integrated gradients (50 steps), Captum": lambda row: explained.integrated(row, 50),
               "sampled Shapley values, Captum": explained.sampling,
               "expected gradients, SHAP": explained.gradients,
               "permutations, SHAP": explained.permutations, f"kernel ({KERNEL} samples), SHAP": explained.kernel,
               "exact Shapley values, SHAP": explained.exact}
    found = {"network": explained.network(explained.x, explained.asked).detach().numpy()}
    for name, method in methods.items():
        rows = range(explained.exact_rows if "exact" in name else len(explained.x))
        method(0)
        started = time.process_time()
        found[f"{name}|contributions"] = np.stack([method(row) for row in rows])
        found[f"{name}|seconds"] = np.array((time.process_time() - started) / len(rows))
        print(f"{name}: {found[f'{name}|seconds']:.4f} s a row", file=sys.stderr, flush=True)
    np.savez(sys.argv[2], **found)


if __name__ == "__main__":
    main()
