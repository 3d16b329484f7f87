"""make_digits.py - trains and writes models/digits: an 8x8 grey image -> the handwritten digit.

Data: the 1,797 images of scikit-learn's load_digits; 200 of them are held out.
Run from the repository root: python models/make/make_digits.py
"""
import argparse
import csv
import io
import json

import nets  # first: it sets TensorFlow's environment
import golden
import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

LABELS = [str(d) for d in range(10)]
SHAPE = (8, 8, 1)
FOLDER = "models/digits"
SEED = 11


def split():
    """(x_train, y_train, x_test, y_test); x float32 [rows, 8, 8, 1] in 0..1, 200 test rows."""
    data = load_digits()
    x = (data.images / 16).astype(np.float32)[..., None]
    x_train, x_test, y_train, y_test = train_test_split(
        x, data.target, test_size=200, stratify=data.target, random_state=SEED
    )
    return x_train, y_train, x_test, y_test


def network(convs, dense):
    """convs: output channels, or "pool" for a 2x2 max pool; dense: widths of the hidden layers."""
    layers = [keras.Input(SHAPE)]
    for c in convs:
        if c == "pool":
            layers.append(keras.layers.MaxPooling2D())
        else:
            layers.append(keras.layers.Conv2D(c, 3, padding="same", activation="relu"))
    layers.append(keras.layers.Flatten())
    layers += [keras.layers.Dense(n, "relu") for n in dense]
    return keras.Sequential([*layers, keras.layers.Dense(10)])


def shifted(rng, x):
    """Each image moved by up to one pixel each way; x [rows, 8, 8, 1]."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    at = rng.integers(0, 3, (len(x), 2))
    return np.stack([p[r : r + 8, c : c + 8] for p, (r, c) in zip(padded, at)])


def train(x, y, convs=(32, 64, "pool", 64), dense=(64,), epochs=20, seed=SEED):
    """Trains on the images and on as many shifted copies. Returns the layers."""
    nets.fix_seeds(seed)
    model = network(convs, dense)
    rng = np.random.default_rng(seed)
    x, y = np.concatenate([x, shifted(rng, x)]), np.concatenate([y, y])
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * len(x) // 32)
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)
    return nets.layers_of(model)


def testset_csv(x, y):
    """The held-out images as CSV: p0..p63 (0..16, row by row) and the label."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([f"p{i}" for i in range(64)] + ["label"])
    for row, label in zip(np.rint(x.reshape(-1, 64) * 16).astype(int), y):
        table.writerow([*row, label])
    return out.getvalue()


def manifest():
    """model.json."""
    row = '{"name": "input", "shape": [-1, 8, 8, 1], "unit": "pixel 0..16 divided by 16, so 0..1"}'
    return f"""{{
  "description": "A handwritten digit, 8x8 grey pixels from 0 (paper) to 1 (ink), row by row: which digit is it?",
  "labels": {json.dumps(LABELS)},
  "units": "0..1 (pixel 0..16 divided by 16)",
  "task": "classification",
  "inputs": [{row}],
  "precision": "auto"
}}
"""


def one_of_each(x, y):
    """The first test image of every digit: [(x [1, 8, 8, 1], label text)]."""
    first = [int(np.flatnonzero(y == d)[0]) for d in range(10)]
    return [(x[i : i + 1], LABELS[y[i]]) for i in first]


def write_goldens(x, y):
    """Both golden folders, read back."""
    common = dict(script="make_digits.py", labels=LABELS, cases=one_of_each(x, y))
    edge, cloud = f"{FOLDER}/1/golden/edge", f"{FOLDER}/1/golden/cloud"
    golden.write_case(edge, "../../edge.tflite", id="digits-edge", arith="reference",
                      quantization="full int8, int8 in/out", tolerance=golden.LSB, **common)
    golden.write_case(cloud, "../../cloud.onnx", id="digits-cloud", arith="float",
                      quantization="none", tolerance=golden.FLOAT, **common)
    for folder in (edge, cloud):
        print("  " + golden.verify_case(folder))


def report(x, y):
    """Prints accuracy, recall and how often the two files agree on the held-out images."""
    top = {}
    for name in ("cloud.onnx", "edge.tflite"):
        probs = golden.predict(f"{FOLDER}/1/{name}", x)
        top[name] = probs.argmax(1)
        recall = " ".join(f"{d}:{golden.accuracy(probs[y == d], d):.2f}" for d in range(10))
        print(f"  {name}: {golden.accuracy(probs, y):.4f} of {len(x)}; recall {recall}")
    print(f"  the two agree on {int((top['cloud.onnx'] == top['edge.tflite']).sum())} of {len(x)}")


def main():
    """Trains, writes, checks."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    x_train, y_train, x, y = split()
    print(f"digits: training on {len(x_train)} images (under a minute)")
    layers = train(x_train, y_train)
    write = nets.write
    write(f"{FOLDER}/1/edge.tflite", nets.to_tflite(layers, SHAPE, "int8", x_train[:500]))
    doc = "8x8 grey image, 0..1, channels last -> digit."
    write(f"{FOLDER}/1/cloud.onnx", nets.to_onnx(layers, SHAPE, doc).SerializeToString(deterministic=True))
    write(f"{FOLDER}/testset.csv", testset_csv(x, y))
    write(f"{FOLDER}/model.json", manifest())
    write(f"{FOLDER}/labels.txt", "\n".join(LABELS) + "\n")
    print(f"digits: {nets.macs(layers, SHAPE)} MACs an image; checking")
    report(x, y)
    write_goldens(x, y)


if __name__ == "__main__":
    main()
