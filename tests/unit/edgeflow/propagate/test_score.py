from __future__ import annotations

from edgeflow.propagate.score import Signs, score_of

GOOD = {"certainty": 0.95, "agreement": 0.95, "likeness": 1.2, "steadiness": 0.97}


def test_a_steady_object_scores_high_and_less_with_each_page() -> None:
    signs = Signs(reliability=0.95)
    scores = []
    for _ in range(10):
        signs = signs.after(**GOOD)
        scores.append(score_of(signs))
    assert scores[0] > 0.9
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0.8


def test_what_went_wrong_once_is_not_forgotten() -> None:
    steady = Signs(reliability=0.95).after(**GOOD)
    jumped = Signs(reliability=0.95).after(**{**GOOD, "agreement": 0.2, "steadiness": 0.3})
    for _ in range(3):
        steady, jumped = steady.after(**GOOD), jumped.after(**GOOD)
    assert score_of(jumped) < score_of(steady) - 0.05


def test_each_bad_sign_lowers_the_score_within_bounds() -> None:
    start = Signs(reliability=0.95)
    best = score_of(start.after(**GOOD))
    worse = {"certainty": 0.5, "agreement": 0.1, "likeness": -2.0, "steadiness": 0.1}
    for name, value in worse.items():
        assert score_of(start.after(**{**GOOD, name: value})) < best
    assert score_of(Signs(reliability=0.2).after(**GOOD)) < best
    lost = Signs(reliability=0.0)
    for _ in range(50):
        lost = lost.after(certainty=0.0, agreement=0.0, likeness=-2.0, steadiness=0.0)
    assert 0 <= score_of(lost) < 0.05


def test_a_long_way_of_small_slips_is_no_failure() -> None:
    signs = Signs(reliability=0.95)
    for _ in range(100):
        signs = signs.after(**{**GOOD, "steadiness": 0.95})
    assert score_of(signs) > 0.5
