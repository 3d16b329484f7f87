"""make_tests.py - writes tests/golden: small variants of the two models, one folder each.

They show readers and kernels what the bundled files do not: float TFLite, float input and output
around INT8, dynamic range, QDQ, channels-first images. The last case of each is a batch of three.
Run from the repository root: python models/make/make_tests.py
"""
import argparse
import os

import nets  # first: it sets TensorFlow's environment
import golden
import make_digits
import make_temp
import numpy as np
from qdq import to_qdq

ROOT = "tests/golden"
TEMP, DIGITS = (3, 1), make_digits.SHAPE
QDQ = "static int8 QDQ, per tensor (s8 activations, s8 weights)"


def cases_of(x, y, labels, channels_first=False):
    """Seven rows one by one and a batch of three: [(x [n, ...], label text or None)]."""
    x = x.transpose(0, 3, 1, 2) if channels_first else x
    return [(x[i : i + 1], labels[y[i]]) for i in range(7)] + [(x[7:10], None)]


def add(id, data, labels, cases, quantization, arith, tolerance, note=None):
    """Writes one folder of tests/golden and reads it back. tolerance may be None: two QDQ steps."""
    folder = f"{ROOT}/{id}"
    name = "model.onnx" if "-onnx-" in id else "model.tflite"
    nets.write(f"{folder}/{name}", data)
    if tolerance is None:
        tolerance = golden.steps(golden.last_scale(f"{folder}/{name}"), 2, "two steps of the last quantised tensor")
    golden.write_case(folder, name, id=id, script="make_tests.py", quantization=quantization, arith=arith,
                      tolerance=tolerance, labels=labels, cases=cases, note=note)
    print("  " + golden.verify_case(folder))


def check(id, x, y):
    """Prints the accuracy of one folder's model on held-out rows."""
    name = "model.onnx" if "-onnx-" in id else "model.tflite"
    print(f"  {id}: {golden.accuracy(golden.predict(f'{ROOT}/{id}/{name}', x), y):.4f} of {len(x)}")


def temp_variants():
    """Four variants of temp."""
    print("tests: temp variants (trains two networks)")
    x = make_temp.golden_rows()[[0, 3, 5, 9, 10, 12, 13, 1, 7, 15]]
    labels = make_temp.LABELS
    cases = cases_of(x, make_temp.labels_of(x), labels)
    layers, wide, rows = make_temp.train(), make_temp.train(widths=(64, 32)), make_temp.calibration()
    add("temp-tflite-fp32", nets.to_tflite(layers, TEMP, "fp32"), labels, cases,
        "none", "float", golden.FLOAT)
    add("temp-tflite-int8-floatio", nets.to_tflite(layers, TEMP, "int8-floatio", rows), labels, cases,
        "full int8, float in/out", "reference", golden.steps(1 / 256, 1, "one step of the last int8 tensor"))
    add("temp-tflite-dynrange", nets.to_tflite(wide, TEMP, "dynrange"), labels, cases,
        "dynamic range: int8 weights (tensors of 1024 elements or more), float activations",
        "reference", golden.DYNRANGE, "3 -> 64 -> 32 -> 3; only the 64 -> 32 layer is large enough to be quantised")
    add("temp-onnx-qdq", to_qdq(nets.to_onnx(layers, TEMP, "temp, QDQ"), rows), labels, cases,
        QDQ, "onnx", None)
    test = make_temp.sample(np.random.default_rng(make_temp.SEED + 2), 200)
    for id in ("temp-tflite-fp32", "temp-tflite-int8-floatio", "temp-tflite-dynrange", "temp-onnx-qdq"):
        check(id, test, make_temp.labels_of(test))


def digits_variants():
    """Four variants of a small digits network: two convolutions and one dense layer."""
    print("tests: digits variants (trains one network)")
    x_train, y_train, x, y = make_digits.split()
    layers = make_digits.train(x_train, y_train, convs=(8, "pool", 16, "pool"), dense=())
    labels, rows = make_digits.LABELS, x_train[:300]
    last, first = cases_of(x, y, labels), cases_of(x, y, labels, channels_first=True)
    add("digits-tflite-fp32", nets.to_tflite(layers, DIGITS, "fp32"), labels, last,
        "none", "float", golden.FLOAT)
    add("digits-tflite-int8", nets.to_tflite(layers, DIGITS, "int8", rows), labels, last,
        "full int8, int8 in/out", "reference", golden.LSB)
    float_onnx = nets.to_onnx(layers, DIGITS, "digits, small, channels first", layout="nchw")
    add("digits-onnx-fp32", float_onnx.SerializeToString(deterministic=True), labels, first,
        "none", "float", golden.FLOAT)
    add("digits-onnx-qdq", to_qdq(float_onnx, rows.transpose(0, 3, 1, 2)), labels, first,
        QDQ, "onnx", None)
    for id in ("digits-tflite-fp32", "digits-tflite-int8"):
        check(id, x, y)
    for id in ("digits-onnx-fp32", "digits-onnx-qdq"):
        check(id, x.transpose(0, 3, 1, 2), y)


def main():
    """Writes all eight folders."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    temp_variants()
    digits_variants()
    total = sum(os.path.getsize(f"{at}/{f}") for at, _, files in os.walk(ROOT) for f in files)
    print(f"tests: {ROOT} holds {total} bytes")


if __name__ == "__main__":
    main()
