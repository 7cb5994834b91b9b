from __future__ import annotations

import numpy as np

from edgeflow.matting.closed_form import solve


def ramp() -> tuple[np.ndarray, np.ndarray]:
    """A picture whose colours are a linear mixture of two, and the part of the first."""
    alpha = np.tile(np.clip((np.arange(40) - 10) / 20, 0, 1), (30, 1)).astype(np.float32)
    one, other = np.array((0.9, 0.2, 0.1)), np.array((0.1, 0.3, 0.8))
    picture = alpha[..., None] * one + (1 - alpha[..., None]) * other
    return picture.astype(np.float32), alpha


def test_a_mixture_of_two_colours_is_found_from_the_colours_alone() -> None:
    picture, alpha = ramp()
    band = np.zeros(alpha.shape, np.bool_)
    band[:, 8:33] = True
    guess = np.where(band, 0.5, alpha).astype(np.float32)
    found = solve(picture, guess, band, trust=1e-6, smoothness=1e-7, steps=400)
    assert np.abs(found - alpha).max() < 0.05


def test_trust_holds_alpha_at_the_guess() -> None:
    picture, alpha = ramp()
    band = np.zeros(alpha.shape, np.bool_)
    band[:, 8:33] = True
    guess = np.where(band, 0.5, alpha).astype(np.float32)
    found = solve(picture, guess, band, trust=1e4, smoothness=1e-5, steps=50)
    assert np.abs(found - guess).max() < 0.01


def test_off_the_band_nothing_changes() -> None:
    picture, alpha = ramp()
    band = np.zeros(alpha.shape, np.bool_)
    band[10:20, 15:25] = True
    guess = np.where(band, 0, alpha).astype(np.float32)
    found = solve(picture, guess, band, trust=0.03, smoothness=1e-5, steps=20)
    assert np.array_equal(found[~band], guess[~band])
    assert np.abs(found - alpha).max() < 0.2 < np.abs(guess - alpha).max()


def test_without_a_band_or_a_window_the_guess_stays() -> None:
    for shape in ((5, 5), (2, 9), (1, 1)):
        guess = np.full(shape, 0.3, np.float32)
        band = np.full(shape, min(shape) < 3)
        picture = np.zeros((*shape, 3), np.float32)
        found = solve(picture, guess, band, trust=0.03, smoothness=1e-5, steps=5)
        assert np.array_equal(found, guess)
