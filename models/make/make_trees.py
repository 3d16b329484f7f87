"""make_trees.py - two ensembles of 100 trees, six levels deep, for bench/versus.

A random forest of three classes over 10 features and gradient boosting of one value over 8, both
learnt from scikit-learn's made-up data with a fixed seed, as FP32 .onnx with an open batch. The
packages scikit-learn and skl2onnx are needed (bench/versus has them beside the peers).
Run from the repository root: python models/make/make_trees.py [FOLDER]
"""
import argparse
import pathlib

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier

SEED = 1
SIZE = {"max_depth": 6, "random_state": SEED}
TREES, ROWS = 100, 3000


def forest():
    x, y = make_classification(ROWS, 10, n_informative=6, n_classes=3, random_state=SEED)
    return x, RandomForestClassifier(TREES, **SIZE).fit(x, y)


def boosted():
    x, y = make_regression(ROWS, 8, noise=5, random_state=SEED)
    return x, GradientBoostingRegressor(n_estimators=TREES, **SIZE).fit(x, y)


def main():
    """Writes both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="build/models/trees", type=pathlib.Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for make in (forest, boosted):
        x, model = make()
        options = {id(model): {"zipmap": False}} if make is forest else None
        data = to_onnx(model, x[:1].astype(np.float32), options=options)
        path = folder / f"{make.__name__}.onnx"
        path.write_bytes(data.SerializeToString(deterministic=True))
        print(f"  wrote {path} ({path.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
