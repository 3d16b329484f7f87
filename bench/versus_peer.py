"""Times one model file in one peer runtime: prints one JSON line.

Usage: versus_peer.py {litert,ort,openvino} FILE [--batch N] [--threads N] [--seconds S]

What is timed is the runtime's own call with the input in place: random, with a fixed seed. empty_us
is a call into the same binding that has nothing to do (LiteRT: reset_all_variables, ONNX Runtime:
synchronize_inputs, OpenVINO: wait for a request that is not running).
"""
import argparse
import json
import time

import numpy as np

WARM_RUNS = 30
LEAST_RUNS = 50


def shape_of(dims, batch):
    """Open dimensions: the batch first, then 1."""
    known = [d if isinstance(d, int) and d > 0 else -1 for d in dims]
    return [(batch if i == 0 else 1) if d < 0 else d for i, d in enumerate(known)]


def fill(shape, dtype):
    rng = np.random.default_rng(0)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    return rng.random(shape).astype(dtype)


def litert(path, batch, threads):
    from ai_edge_litert.interpreter import Interpreter
    net = Interpreter(model_path=path, num_threads=threads)
    for d in net.get_input_details():
        shape = shape_of([int(n) for n in d["shape_signature"]], batch)
        net.resize_tensor_input(d["index"], shape)
    net.allocate_tensors()
    for d in net.get_input_details():
        net.set_tensor(d["index"], fill(d["shape"], d["dtype"]))
    return net.invoke, net.reset_all_variables


def ort(path, batch, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    net = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": np.float32, "tensor(int8)": np.int8, "tensor(uint8)": np.uint8}
    tied = net.io_binding()
    for i in net.get_inputs():
        tied.bind_cpu_input(i.name, fill(shape_of(i.shape, batch), types[i.type]))
    for out in net.get_outputs():
        tied.bind_output(out.name)
    return lambda: net.run_with_iobinding(tied), tied.synchronize_inputs


def openvino(path, batch, threads):
    import openvino as ov
    core = ov.Core()
    net = core.read_model(path)
    net.reshape({i: shape_of([-1 if d.is_dynamic else d.get_length() for d in i.partial_shape],
                             batch) for i in net.inputs})
    ready = core.compile_model(net, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32"})
    request = ready.create_infer_request()
    for n, i in enumerate(ready.inputs):
        request.set_input_tensor(n, ov.Tensor(fill(list(i.shape), i.element_type.to_dtype())))
    return request.infer, request.wait


def median_us(call, seconds):
    for _ in range(WARM_RUNS):
        call()
    took, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(took) < LEAST_RUNS:
        before = time.perf_counter()
        call()
        took.append(time.perf_counter() - before)
    return sorted(took)[len(took) // 2] * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["litert", "ort", "openvino"])
    parser.add_argument("file")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    a = parser.parse_args()
    start = {"litert": litert, "ort": ort, "openvino": openvino}[a.peer]
    call, empty = start(a.file, a.batch, a.threads)
    print(json.dumps({"median_us": median_us(call, a.seconds),
                      "empty_us": median_us(empty, a.seconds / 20)}))


if __name__ == "__main__":
    main()
