"""make_temp.py - trains and writes models/temp: three temperatures in degC -> normal, hot or cold.

The rule it learns: mean of the three readings < 15 degC is cold, > 28 degC is hot, else normal.
Run from the repository root: python models/make/make_temp.py
"""
import argparse
import csv
import io
import json

import nets  # first: it sets TensorFlow's environment
import golden
import keras
import numpy as np

LABELS = ["normal", "hot", "cold"]  # the order of the outputs
NORMAL, HOT, COLD = range(3)
COLD_BELOW, HOT_ABOVE = 15.0, 28.0  # degC, of the mean
LOW, HIGH = -40.0, 85.0  # degC, the range of common sensor parts
FOLDER = "models/temp"
SEED = 7


def labels_of(x):
    """True class of each row; x float32 [rows, 3, 1] in tenths of a degree, so the sum is exact."""
    tenths = np.rint(x[:, :, 0] * 10).astype(int).sum(1)
    truth = np.full(len(x), NORMAL)
    truth[tenths > HOT_ABOVE * 30] = HOT
    truth[tenths < COLD_BELOW * 30] = COLD
    return truth


def sample(rng, rows, near=0.3, low=-20.0, high=60.0):
    """Rows of three readings, float32 [rows, 3, 1], rounded to 0.1 degC.

    near: share whose mean lies within about 3 degC of a limit. One row in ten has three unrelated
    readings; the others scatter around their mean by up to 2 degC (standard deviation).
    """
    mean = rng.uniform(low, high, rows)
    limit = rng.choice([COLD_BELOW, HOT_ABOVE], rows) + rng.uniform(-3, 3, rows)
    mean = np.where(rng.random(rows) < near, limit, mean)
    x = mean[:, None] + rng.normal(0, 1, (rows, 3)) * rng.uniform(0, 2, (rows, 1))
    unrelated = rng.random((rows, 1)) < 0.1
    x = np.where(unrelated, rng.uniform(low, high, (rows, 3)), x)
    return np.clip(np.round(x, 1), LOW, HIGH).astype(np.float32)[:, :, None]


def loss(truth, logits):
    """Cross-entropy, and a small cost for large logits: bounded logits keep INT8 steps small."""
    cross = keras.losses.sparse_categorical_crossentropy(truth, logits, from_logits=True)
    return cross + 5e-4 * keras.ops.sum(keras.ops.square(logits), axis=-1)


def train(widths=(16,), seed=SEED, epochs=30, rows=40000):
    """Trains on normalised readings and folds the normalisation into the first layer."""
    nets.fix_seeds(seed)
    rng = np.random.default_rng(seed)
    x = sample(rng, rows, near=0.5, low=LOW, high=HIGH)
    centre, spread = np.float32(21.5), np.float32(10.0)  # degC: middle of the limits; a round number
    hidden = [keras.layers.Dense(n, "relu") for n in widths]
    model = keras.Sequential([keras.Input((3, 1)), keras.layers.Flatten(), *hidden, keras.layers.Dense(3)])
    steps = epochs * rows // 128
    rate = keras.optimizers.schedules.CosineDecay(5e-3, steps)
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit((x - centre) / spread, labels_of(x), batch_size=128, epochs=epochs, verbose=0)
    return fold(nets.layers_of(model), centre, spread)


def fold(layers, centre, spread):
    """W'(x) = W (x - centre) / spread: exact, and harmless to INT8 as all inputs share one range."""
    _, w, b, relu = layers[1]
    first = ("dense", w / spread, b - (w * (centre / spread)).sum(0), relu)
    return [layers[0], first, *layers[2:]]


def calibration():
    """Rows that show the converter every range, float32 [rows, 3, 1].

    The corners -40 and 87.5 degC make the input step exactly 0.5 degC with zero point -48.
    """
    rows = sample(np.random.default_rng(SEED + 1), 500, low=LOW, high=HIGH)
    corners = np.repeat(np.float32([[LOW], [87.5]]), 3, axis=1)[:, :, None]
    return np.concatenate([rows, corners])


def testset_csv(x, truth):
    """The held-out rows as CSV: t0,t1,t2,label."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["t0", "t1", "t2", "label"])
    for row, label in zip(x[:, :, 0], truth):
        table.writerow([f"{v:.1f}" for v in row] + [LABELS[label]])
    return out.getvalue()


def manifest():
    """model.json."""
    row = '{"name": "input", "shape": [-1, 3, 1], "unit": "degC"}'
    return f"""{{
  "description": "Three temperatures of a room in degC: is it normal, hot (mean above 28) or cold (mean below 15)?",
  "labels": {json.dumps(LABELS)},
  "units": "degC",
  "task": "classification",
  "inputs": [{row}],
  "precision": "auto"
}}
"""


def golden_rows():
    """16 inputs in degC: ordinary, beside the limits, extreme, unrelated."""
    rows = [
        [22.0, 23.5, 21.0], [18.5, 19.0, 20.5], [26.0, 25.5, 26.5], [35.0, 34.5, 36.0],
        [30.5, 31.0, 29.5], [5.0, 4.5, 6.0], [11.0, 12.5, 12.0], [-10.0, -9.5, -11.0],
        [14.5, 14.5, 14.5], [15.5, 15.5, 15.5], [27.5, 27.5, 27.5], [28.5, 28.5, 28.5],
        [-40.0, -40.0, -40.0], [85.0, 85.0, 85.0], [85.0, -40.0, 20.0], [-40.0, 60.0, 85.0],
    ]
    return np.float32(rows)[:, :, None]


def write_goldens():
    """Both golden folders, read back."""
    x = golden_rows()
    cases = [(x[i : i + 1], LABELS[t]) for i, t in enumerate(labels_of(x))]
    common = dict(script="make_temp.py", labels=LABELS, cases=cases)
    edge, cloud = f"{FOLDER}/1/golden/edge", f"{FOLDER}/1/golden/cloud"
    golden.write_case(edge, "../../edge.tflite", id="temp-edge", arith="reference",
                      quantization="full int8, int8 in/out", tolerance=golden.LSB, **common)
    golden.write_case(cloud, "../../cloud.onnx", id="temp-cloud", arith="float",
                      quantization="none", tolerance=golden.FLOAT, **common)
    for folder in (edge, cloud):
        print("  " + golden.verify_case(folder))


def report(x, truth):
    """Prints the accuracy of both files on the held-out rows and on 20,000 more."""
    more = sample(np.random.default_rng(SEED + 3), 20000)
    for name in ("cloud.onnx", "edge.tflite"):
        path = f"{FOLDER}/1/{name}"
        probs = golden.predict(path, x)
        recall = {LABELS[c]: round(golden.accuracy(probs[truth == c], c), 4) for c in range(3)}
        wide = golden.accuracy(golden.predict(path, more), labels_of(more))
        first = golden.predict(path, golden_rows()[:1])[0]
        print(f"  {name}: {golden.accuracy(probs, truth):.4f} of 200, {wide:.4f} of 20,000; recall {recall}; "
              f"22.0 23.5 21.0 -> {LABELS[first.argmax()]} {first.max():.4f}")


def main():
    """Trains, writes, checks."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print("temp: training 3 -> 16 -> 3")
    layers = train()
    write = nets.write
    write(f"{FOLDER}/1/edge.tflite", nets.to_tflite(layers, (3, 1), "int8", calibration()))
    doc = "Three temperatures in degC -> normal, hot, cold."
    write(f"{FOLDER}/1/cloud.onnx", nets.to_onnx(layers, (3, 1), doc).SerializeToString(deterministic=True))
    x = sample(np.random.default_rng(SEED + 2), 200)
    truth = labels_of(x)
    write(f"{FOLDER}/testset.csv", testset_csv(x, truth))
    write(f"{FOLDER}/model.json", manifest())
    write(f"{FOLDER}/labels.txt", "\n".join(LABELS) + "\n")
    print(f"temp: {nets.macs(layers, (3, 1))} MACs a row; checking")
    report(x, truth)
    write_goldens()


if __name__ == "__main__":
    main()
