"""The solved output against scikit-learn's ridge regression, and against leaving out each row in turn."""
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from pellucid.tasks.solved import STRENGTHS, ridge, solved_outputs

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(40, 6), (30, 80)])
def test_ridge_and_its_left_out_answers(shape):
    x, share = RANDOM.normal(size=shape), RANDOM.uniform(0.5, 1.5, shape[0])
    y = x[:, :2] + RANDOM.normal(size=(shape[0], 2))
    share /= share.mean()
    slopes, bias, left_out = ridge(x, y, share)
    middle = share @ x / share.sum()
    squares = np.sum(share[:, None] * (x - middle) ** 2) / shape[0]
    fits = [Ridge(alpha=strength * squares).fit(x, y, share) for strength in STRENGTHS]
    near = [np.allclose(slopes.T, fit.coef_) and np.allclose(bias, fit.intercept_) for fit in fits]
    assert sum(near) == 1
    alpha = STRENGTHS[near.index(True)] * squares
    for row in (0, 7):
        others = np.arange(shape[0]) != row
        other = Ridge(alpha=alpha).fit(x[others], y[others], share[others])
        np.testing.assert_allclose(left_out[row], other.predict(x[[row]])[0], atol=0.1)


def test_classes_become_logits():
    x, y = RANDOM.normal(size=(60, 200)), np.arange(60) % 3
    x[np.arange(60), y] += 4
    for classes, outputs in ((3, 3), (2, 1)):
        rows = y < classes
        weight = rows.astype(float)
        slopes, bias = solved_outputs(x, y, [weight, weight], classes, outputs)
        logits = x[rows] @ slopes[0] + bias[0]
        found = logits.argmax(axis=1) if outputs > 1 else (logits[:, 0] > 0).astype(int)
        assert slopes.shape == (2, 200, outputs) and (found == y[rows]).mean() > 0.95 and np.ptp(logits) > 3
