"""What bench/versus compares: a row is a net, a size of call, and the files of each runtime."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
MADE = ROOT / "build" / "models"  # where models/make writes what git does not keep
BATCH, THREADS = 32, 2            # of the rows that count examples a second

# name, kind, folder of ours (LiteRT and OpenVINO read it too), folders of the same net elsewhere
CORPUS = [
    ("kws INT8", "int8", "mlperf-kws-dscnn-int8", {"ort": "mlperf-kws-dscnn-int8-tf2onnx"}),
    ("vww INT8", "int8", "mlperf-vww-mobilenet-int8", {}),
    ("ic INT8", "int8", "mlperf-ic-resnet8-int8", {}),
    ("ad INT8", "int8", "mlperf-ad-autoencoder-int8",
     {"ort": "mlperf-ad-autoencoder-int8-tf2onnx"}),
    ("kws FP32", "fp32", "mlperf-kws-dscnn-fp32", {}),
    ("vww FP32", "fp32", "mlperf-vww-mobilenet-fp32", {}),
    ("ic FP32", "fp32", "mlperf-ic-resnet8-fp32", {"ort": "mlperf-ic-resnet8-fp32-tf2onnx"}),
    ("ad FP32", "fp32", "mlperf-ad-autoencoder-fp32", {}),
    ("lstm INT8", "int8", "act-lstm-tflite-int8", {}),
    ("lstm FP32", "fp32", "act-lstm-tflite-fp32",
     {"ort": "act-lstm-onnx-fp32", "openvino": "act-lstm-openvino-fp32"}),
    ("gru INT8", "int8", "act-gru-tflite-int8", {}),
    ("gru FP32", "fp32", "act-gru-tflite-fp32",
     {"ort": "act-gru-onnx-fp32", "openvino": "act-gru-openvino-fp32"}),
    ("tfm INT8", "int8", "act-tfm-tflite-int8", {"ort": "act-tfm-onnx-qdq"}),
    ("tfm FP32", "fp32", "act-tfm-tflite-fp32",
     {"ort": "act-tfm-onnx-fp32", "openvino": "act-tfm-openvino-fp32"}),
]
TREES = ["ml-rforest", "ml-rforest-reg", "ml-extratrees", "ml-gboost", "ml-gboost-reg", "ml-histgb",
         "ml-lgbm-cls", "ml-lgbm-reg", "ml-xgb-cls", "ml-xgb-reg"]
ARCH = ["kws", "vww", "ic", "ad", "sww"]  # models/make/make_arch.py
ENSEMBLES = ["forest", "boosted"]         # models/make/make_trees.py


def row(name, kind, ours, batch=1, threads=1, **peers):
    """One comparison. ours: a file; peers: the files of each, of which the quicker one counts;
    kind: int8, fp32 or trees."""
    files = {peer: f if isinstance(f, list) else [f] for peer, f in peers.items()}
    return {"name": name, "kind": kind, "ours": ours, "batch": batch, "threads": threads,
            "peers": files}


def bundled():
    for name in ("temp", "digits"):
        folder = ROOT / "models" / name / "1"
        tflite, onnx = folder / "edge.tflite", folder / "cloud.onnx"
        yield row(f"{name} INT8", "int8", tflite, litert=tflite, openvino=tflite)
        yield row(f"{name} FP32", "fp32", onnx, ort=onnx, openvino=onnx)


def model_file(folder):
    """The model of a corpus case, None where there is none."""
    found = [folder / f"model.{end}" for end in ("tflite", "onnx", "xml")]
    return next((f for f in found if f.is_file()), None)


def tree_rows(name, file):
    for batch in (1, 1000):
        yield row(f"{name} x{batch}", "trees", file, batch, ort=file)


def from_corpus(shared):
    nets = shared / "corpus" / "open"
    for name, kind, folder, others in CORPUS:
        ours = model_file(nets / folder)
        if not ours:
            continue
        peers = {"litert": ours, "openvino": ours}
        peers |= {peer: model_file(nets / f) for peer, f in others.items()}
        yield row(name, kind, ours, **{p: f for p, f in peers.items() if f})
    for folder in TREES:
        ours = model_file(nets / folder)
        if ours:
            yield from tree_rows(folder.removeprefix("ml-"), ours)


def made_nets(batches):
    """The nets of make_arch.py, one call of one row; batches: and of 32 rows, with two threads."""
    for name in ARCH:
        for kind in ("int8", "fp32"):
            tflite, onnx = (MADE / "arch" / f"{name}-{kind}.{end}" for end in ("tflite", "onnx"))
            if not (tflite.is_file() and onnx.is_file()):
                continue
            files = {"litert": tflite, "ort": onnx, "openvino": [tflite, onnx]}
            yield row(f"{name}-made {kind.upper()}", kind, tflite, **files)
            if kind == "fp32" and batches:
                yield row(f"{name}-made FP32 x{BATCH}", kind, tflite, BATCH, THREADS, **files)


def made_trees():
    for name in ENSEMBLES:
        file = MADE / "trees" / f"{name}.onnx"
        if file.is_file():
            yield from tree_rows(f"{name}-made", file)
