"""golden.py - runs a model file with the framework that defines it, and writes golden cases.

A golden case folder: case.json, inputs/<n>.bin and outputs/<n>.bin (raw little-endian, C order).
TFLite goldens come from the reference kernels (BUILTIN_REF, no delegate), ONNX goldens from
onnxruntime with graph optimisations off.
"""
import hashlib
import json
import os
import shutil

import nets  # first: it sets TensorFlow's environment
import keras
import numpy as np
import onnx
import onnxruntime as ort
import tensorflow as tf

FLOAT = {"kind": "abs_rel", "abs": 1e-5, "rel": 1e-4, "reason": "float32 sums in another order"}
DYNRANGE = {
    "kind": "abs_rel", "abs": 1e-5, "rel": 1e-4,
    "reason": "activations are quantised asymmetrically per row (asymmetric_quantize_inputs); no value of"
    " these cases lies within 0.001 steps of a rounding tie, so only float sums differ",
}
LSB = {
    "kind": "lsb", "lsb": 1,
    "reason": "aim: exact, as the reference kernels are integer arithmetic; 1 for another legal rounding",
}


def steps(scale, n, what):
    """Tolerance of n steps of a quantised tensor."""
    reason = f"{what} (scale {scale:.7g})"
    return {"kind": "abs_rel", "abs": round(n * scale * 1.001, 8), "rel": 0, "reason": reason}


class Tflite:
    """A .tflite file under the reference kernels (or TFLite's optimised ones, to compare)."""

    def __init__(self, path, reference=True):
        kind = tf.lite.experimental.OpResolverType
        resolver = kind.BUILTIN_REF if reference else kind.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self.net = tf.lite.Interpreter(model_path=path, experimental_op_resolver_type=resolver)
        self.net.allocate_tensors()
        self.input = self.net.get_input_details()[0]
        self.output = self.net.get_output_details()[0]
        self.by = f"TFLite interpreter (tensorflow-cpu {tf.__version__}), BUILTIN_REF: reference kernels"

    def ops(self):
        """Operators of the file, sorted, each once."""
        return sorted({op["op_name"] for op in self.net._get_ops_details()} - {"DELEGATE"})

    def encode(self, real):
        """float32 in real units -> the input tensor as the file wants it."""
        if self.input["dtype"] == np.float32:
            return real.astype(np.float32)
        scale, zero = self.input["quantization"]
        return np.clip(np.rint(real / np.float32(scale)) + zero, -128, 127).astype(np.int8)

    def decode(self, raw):
        """The output tensor -> float32 in real units."""
        if self.output["dtype"] == np.float32:
            return raw
        scale, zero = self.output["quantization"]
        return ((raw.astype(np.float32) - zero) * np.float32(scale)).astype(np.float32)

    def raw(self, x):
        """One run: the input tensor [N, ...] -> the output tensor [N, ...]."""
        self.net.resize_tensor_input(self.input["index"], x.shape)
        self.net.allocate_tensors()
        self.net.set_tensor(self.input["index"], x)
        self.net.invoke()
        return self.net.get_tensor(self.output["index"]).copy()

    def describe(self, detail):
        """The tensor's row in case.json."""
        row = {"name": detail["name"], "shape": [int(n) for n in detail["shape_signature"]]}
        row["dtype"] = np.dtype(detail["dtype"]).name
        if detail["dtype"] != np.float32:
            scale, zero = detail["quantization"]
            row["quant"] = {"scale": float(scale), "zero_point": int(zero)}
        return row


class Onnx:
    """An .onnx file under onnxruntime, graph optimisations off (or on, to compare)."""

    def __init__(self, path, reference=True):
        options = ort.SessionOptions()
        if reference:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        self.model = onnx.load(path)
        self.net = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input = self.net.get_inputs()[0]
        self.output = self.net.get_outputs()[0]
        self.by = f"onnxruntime {ort.__version__} CPU, graph optimisations off"

    def ops(self):
        """Operators of the file, sorted, each once."""
        return sorted({node.op_type for node in self.model.graph.node})

    def encode(self, real):
        """ONNX files here take real units as they are."""
        return real.astype(np.float32)

    def decode(self, raw):
        """ONNX files here give real units."""
        return raw

    def raw(self, x):
        """One run: [N, ...] -> [N, ...]."""
        return self.net.run(None, {self.input.name: x})[0]

    def describe(self, value):
        """The tensor's row in case.json; the symbolic batch is -1."""
        shape = [n if isinstance(n, int) else -1 for n in value.shape]
        return {"name": value.name, "shape": shape, "dtype": "float32"}


def open_model(path, reference=True):
    """The runner for a model file, by its ending."""
    return (Tflite if path.endswith(".tflite") else Onnx)(path, reference)


def predict(path, x, reference=True):
    """Probabilities float32 [rows, classes] of x, float32 [rows, ...] in real units."""
    net = open_model(path, reference)
    return net.decode(net.raw(net.encode(x)))


def accuracy(probs, truth):
    """Share of rows whose largest probability is at the true index."""
    return float(np.mean(np.argmax(probs, 1) == truth))


def case_row(folder, i, net, x, label):
    """Runs one case, writes its two files and returns its row for case.json."""
    given = net.encode(x)
    got = net.raw(given)
    for kind, array in (("inputs", given), ("outputs", got)):
        array.astype(array.dtype.newbyteorder("<")).tofile(f"{folder}/{kind}/{i}.bin")
    return {
        "inputs": [{"file": f"inputs/{i}.bin", "shape": list(given.shape)}],
        "outputs": [{"file": f"outputs/{i}.bin", "shape": list(got.shape)}],
        "label": label,
    }


def write_case(folder, model, *, id, script, quantization, arith, tolerance, labels, cases, note=None):
    """Writes one golden folder.

    model: path of the model file from folder. cases: list of (x float32 [n, ...] in real units,
    label text or None). tolerance: of the one output.
    """
    for kind in ("inputs", "outputs"):
        shutil.rmtree(f"{folder}/{kind}", ignore_errors=True)
        os.makedirs(f"{folder}/{kind}")
    path = os.path.normpath(os.path.join(folder, model))
    net = open_model(path)
    rows = [case_row(folder, i, net, x, label) for i, (x, label) in enumerate(cases)]
    data = open(path, "rb").read()
    is_tflite = path.endswith(".tflite")
    made = f"tensorflow-cpu {tf.__version__} / keras {keras.__version__}"
    made += "" if is_tflite else f", onnx {onnx.__version__}"
    case = {
        "schema": 1,
        "id": id,
        "set": "bundled",
        "format": "tflite" if is_tflite else "onnx",
        "model": model,
        "files": [{"path": model, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}],
        "bytes": len(data),
        "source": {"framework": made, "script": f"models/make/{script}", "licence": "Apache-2.0"},
        "task": "classification",
        "quantization": quantization,
        "arith": arith,
        "ops": net.ops(),
        "inputs": [net.describe(net.input)],
        "outputs": [{**net.describe(net.output), "tolerance": tolerance}],
        "golden_by": net.by,
        "labels": labels,
        "note": note,
        "cases": rows,
    }
    with open(f"{folder}/case.json", "w") as f:
        f.write(json.dumps(case, indent=1) + "\n")
    print(f"  wrote {folder} ({len(rows)} cases, ops {' '.join(case['ops'])})")


def last_scale(path):
    """Scale of the last DequantizeLinear of a QDQ model: the quantised tensor nearest the output."""
    model = onnx.load(path)
    node = [n for n in model.graph.node if n.op_type == "DequantizeLinear"][-1]
    scale = next(t for t in model.graph.initializer if t.name == node.input[1])
    return float(onnx.numpy_helper.to_array(scale))


def verify_case(folder):
    """Reads a golden folder back: hash, every input and output, both kernel sets. Returns a report."""
    case = json.load(open(f"{folder}/case.json"))
    path = os.path.normpath(os.path.join(folder, case["model"]))
    assert hashlib.sha256(open(path, "rb").read()).hexdigest() == case["files"][0]["sha256"], folder
    tolerance = case["outputs"][0]["tolerance"]
    worst = {}
    for reference in (True, False):
        net, worst[reference] = open_model(path, reference), 0.0
        for row in case["cases"]:
            x = read_bin(folder, row["inputs"][0], case["inputs"][0]["dtype"])
            want = read_bin(folder, row["outputs"][0], case["outputs"][0]["dtype"]).astype(float)
            worst[reference] = max(worst[reference], float(np.abs(net.raw(x) - want).max()))
            top = case["labels"][int(np.argmax(want[0]))]
            if row["label"] not in (None, top):
                print(f"    note: {folder} {row['inputs'][0]['file']}: true {row['label']}, model says {top}")
    assert worst[True] == 0.0, (folder, worst)
    limit = tolerance.get("lsb", tolerance.get("abs"))
    return f"{folder}: exact again; other kernels differ by {worst[False]:.2g} (tolerance {limit:g})"


def read_bin(folder, entry, dtype):
    """One raw tensor of a golden folder."""
    return np.fromfile(f"{folder}/{entry['file']}", dtype).reshape(entry["shape"])
