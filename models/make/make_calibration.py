"""make_calibration.py - writes tests/models/calibration: rows that the tests calibrate with.

None of them is a row of a testset.csv: digits.npy holds training images (float16 holds sixteenths
exactly), temp.csv readings of a seed of its own.
Run from the repository root: python models/make/make_calibration.py
"""
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

FOLDER = "tests/models/calibration"
SPLIT_SEED = 11  # of make_digits.py: the same 200 images are held out
ROWS = 100


def digits():
    """float16 [ROWS, 8, 8, 1] in 0..1, from the images that are not held out."""
    data = load_digits()
    train, _ = train_test_split(
        data.images / 16, test_size=200, stratify=data.target, random_state=SPLIT_SEED
    )
    return train[:ROWS, ..., None].astype(np.float16)


def readings():
    """float64 [ROWS, 3]: three readings in degrees Celsius about a mean of -20 to 60."""
    rng = np.random.default_rng(2024)
    mean = np.linspace(-20, 60, ROWS)
    return np.round(mean[:, None] + rng.normal(0, 1.5, (ROWS, 3)), 1)


if __name__ == "__main__":
    np.save(f"{FOLDER}/digits.npy", digits())
    np.savetxt(f"{FOLDER}/temp.csv", readings(), "%.1f", ",", header="t0,t1,t2", comments="")
