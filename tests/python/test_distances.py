"""evdb.distance and evdb.score."""
import numpy as np
import pytest

import evdb
from test_search import METRICS, exact, score


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [1, 2, 3, 7, 8, 9, 31, 32, 33, 100, 784, 1025])
def test_distances_are_those_of_numpy(metric, dim, rng):
    a = rng.standard_normal(dim, dtype=np.float32)
    b = rng.standard_normal((20, dim), dtype=np.float32)
    true = exact(metric, b, a)
    many = evdb.distance(metric, a, b)
    tolerance = 1e-5 * max(1, np.abs(true).max())
    assert many.dtype == np.float32
    np.testing.assert_allclose(many, true, atol=tolerance)
    np.testing.assert_allclose(evdb.distance(metric, a, b[::3]), true[::3], atol=tolerance)
    one = evdb.distance(metric, a, b[4])
    assert isinstance(one, float) and abs(one - true[4]) <= tolerance
    assert evdb.score(metric, one) == pytest.approx(score(metric, one), rel=1e-6, abs=1e-6)


def test_lists_do_too():
    assert evdb.distance("l2", [0, 0], [3, 4]) == 5
    assert evdb.distance("ip", [1, 2], [[3, 4], [0, 1]]).tolist() == [-11, -2]


@pytest.mark.parametrize("metric, a, b", [
    ("l3", [1], [1]), ("l2", [1, 2], [1]), ("l2", [1, 2], [[1, 2, 3]]), ("l2", [], []), ("l2", [[1]], [1]),
    ("l2", [np.nan], [1]), ("cosine", [0, 0], [1, 1]), ("l2", [1, 2], 3),
])
def test_what_has_no_distance_is_refused(metric, a, b):
    with pytest.raises(evdb.Invalid):
        evdb.distance(metric, a, b)


def test_the_vector_at_fault_is_named():
    with pytest.raises(evdb.Invalid) as caught:
        evdb.distance("cosine", [1, 0], [[1, 0], [0, 0]])
    assert caught.value.item == 1
