"""make.py - writes the model files below tests/bad that no reader may take, and the good ones below
tests/fuzz/corpus that fuzzing starts from.

The .tflite files are models/temp/1/edge.tflite and tests/golden/*/model.tflite with one number
changed; the .onnx files are built here. Only the standard library is needed.
Run from the repository root: python3 tests/bad/make.py
"""
import pathlib
import struct

HERE = pathlib.Path("tests/bad")
SEEDS = pathlib.Path("tests/fuzz/corpus")
GOOD = pathlib.Path("models/temp/1/edge.tflite")


# ---- TensorFlow Lite: change one number of a good file -------------------------------------------
class Flat:
    """A FlatBuffer in which the place of each field can be found and overwritten."""

    def __init__(self, data):
        self.b = bytearray(data)

    def u32(self, at):
        return struct.unpack_from("<I", self.b, at)[0]

    def root(self):
        return self.u32(0)

    def slot(self, table, slot):
        """Place of a field, or None when the table does not have it."""
        vtable = table - struct.unpack_from("<i", self.b, table)[0]
        if 4 + 2 * slot >= struct.unpack_from("<H", self.b, vtable)[0]:
            return None
        off = struct.unpack_from("<H", self.b, vtable + 4 + 2 * slot)[0]
        return table + off if off else None

    def follow(self, at):
        return at + self.u32(at)

    def sub(self, table, slot):
        return self.follow(self.slot(table, slot))

    def item(self, vector, i):
        return self.follow(vector + 4 + 4 * i)

    def put(self, fmt, at, value):
        struct.pack_into(fmt, self.b, at, value)


def parts(f):
    graph = f.item(f.sub(f.root(), 2), 0)
    return graph, f.sub(graph, 0), f.sub(graph, 3)  # subgraph, tensors, operators


def tensor(f, i):
    return f.item(parts(f)[1], i)


def operator(f, i):
    return f.item(parts(f)[2], i)


def quantized_tensor(f):
    """Tensor 0 of the model: its int8 input."""
    return f.sub(tensor(f, 0), 4)


def set_dim(value):
    return lambda f: f.put("<i", f.sub(tensor(f, 0), 0) + 4 + 4, value)


def set_scale(value):
    return lambda f: f.put("<f", f.sub(quantized_tensor(f), 2) + 4, value)


def set_input(index):
    return lambda f: f.put("<i", f.sub(operator(f, 0), 1) + 4, index)


def weights_of_last(f):
    """Tensor index of the weights of the last operator with three inputs."""
    ops = parts(f)[2]
    for i in reversed(range(f.u32(ops))):
        inputs = f.sub(operator(f, i), 1)
        if f.u32(inputs) == 3:
            return f.u32(inputs + 8)
    raise SystemExit("no operator with weights")


def set_weights(slot, fmt, value):
    def change(f):
        at = f.slot(tensor(f, weights_of_last(f)), slot)
        f.put(fmt, at, value)
    return change


def set_buffer_length(f):
    buffers = f.sub(f.root(), 4)
    index = f.u32(f.slot(tensor(f, weights_of_last(f)), 2))
    f.put("<I", f.sub(f.item(buffers, index), 0), 5)


def self_reading(f):
    first = operator(f, 0)
    f.put("<i", f.sub(first, 1) + 4, struct.unpack_from("<i", f.b, f.sub(first, 2) + 4)[0])


def double_writer(f):
    out = struct.unpack_from("<i", f.b, f.sub(operator(f, 0), 2) + 4)[0]
    f.put("<i", f.sub(operator(f, 1), 2) + 4, out)


TFLITE = {
    "magic": lambda f: f.put("<4s", 4, b"TFL2"),
    "root_behind_file": lambda f: f.put("<I", 0, len(f.b)),
    "root_max": lambda f: f.put("<I", 0, 0xFFFFFFFF),
    "root_zero": lambda f: f.put("<I", 0, 0),
    "vtable_before_file": lambda f: f.put("<i", f.root(), 1 << 30),
    "vtable_behind_file": lambda f: f.put("<i", f.root(), -(1 << 30)),
    "vtable_odd": lambda f: f.put("<H", f.root() - struct.unpack_from("<i", f.b, f.root())[0], 5),
    "version": lambda f: f.put("<I", f.slot(f.root(), 0), 4),
    "no_subgraph": lambda f: f.put("<I", f.sub(f.root(), 2), 0),
    "tensors_2_to_32": lambda f: f.put("<I", parts(f)[1], 0xFFFFFFFF),
    "opcode_index": lambda f: f.put("<I", f.sub(f.root(), 1), 0),
    "input_index": set_input(9999),
    "input_minus_2": set_input(-2),
    "self_reading": self_reading,
    "double_writer": double_writer,
    "dim_zero": set_dim(0),
    "dim_negative": set_dim(-5),
    "dim_huge": set_dim(0x7FFFFFFF),
    "scale_zero": set_scale(0.0),
    "scale_nan": set_scale(float("nan")),
    "scale_infinite": set_scale(float("inf")),
    "scale_negative": set_scale(-1.0),
    "weights_type": set_weights(1, "<B", 120),
    "weights_buffer": set_weights(2, "<I", 5000),
    "weights_short": set_buffer_length,
}


def make_tflite():
    good = GOOD.read_bytes()
    for name, change in TFLITE.items():
        f = Flat(good)
        change(f)
        (HERE / "tflite" / (name + ".tflite")).write_bytes(bytes(f.b))
    for n in (0, 4, 8, 12, len(good) // 2, len(good) - 200):
        (HERE / "tflite" / f"cut_{n}.tflite").write_bytes(good[:n])


# ---- ONNX: messages built field by field ---------------------------------------------------------
FLOAT, INT8, INT64 = 1, 3, 7


def varint(v):
    v &= (1 << 64) - 1
    out = b""
    while v >= 0x80:
        out += bytes([v & 0x7F | 0x80])
        v >>= 7
    return out + bytes([v])


def num(field, v):
    return varint(field << 3) + varint(v)


def msg(field, body):
    body = body.encode() if isinstance(body, str) else body
    return varint(field << 3 | 2) + varint(len(body)) + body


def floats(*v):
    return struct.pack(f"<{len(v)}f", *v)


def tensor_proto(name, kind, dims, raw, extra=b""):
    return (b"".join(num(1, d) for d in dims) + num(2, kind) + msg(8, name) + msg(9, raw) + extra)


def attr(name, value):
    if isinstance(value, float):
        return msg(5, msg(1, name) + b"\x15" + struct.pack("<f", value) + num(20, 1))
    if isinstance(value, str):
        return msg(5, msg(1, name) + msg(4, value) + num(20, 3))
    if isinstance(value, list):
        return msg(5, msg(1, name) + b"".join(num(8, v) for v in value) + num(20, 7))
    return msg(5, msg(1, name) + num(3, value) + num(20, 2))


def node(op, ins, outs, domain="", **attrs):
    body = b"".join(msg(1, i) for i in ins) + b"".join(msg(2, o) for o in outs) + msg(4, op)
    body += b"".join(attr(k, v) for k, v in attrs.items())
    return msg(1, body + (msg(7, domain) if domain else b""))


def info(field, name, dims, kind=FLOAT):
    shape = b"".join(msg(1, msg(2, d) if isinstance(d, str) else num(1, d)) for d in dims)
    return msg(field, msg(1, name) + msg(2, msg(1, num(1, kind) + msg(2, shape))))


def model(nodes, inits=(), x=("N", 3), opset=13, ir=8, out="y", kind=FLOAT):
    graph = b"".join(nodes) + b"".join(msg(5, t) for t in inits)
    graph += info(11, "x", x, kind) + info(12, out, ["N", 3])
    return num(1, ir) + msg(7, graph) + msg(8, num(2, opset))


def weights(name="w", dims=(3, 3), raw=None, kind=FLOAT, extra=b""):
    n = 1
    for d in dims:
        n *= d
    return tensor_proto(name, kind, dims, floats(*[0.5] * n) if raw is None else raw, extra)


def matmul(w):
    return model([node("MatMul", ["x", "w"], ["y"])], [w])


def conv(**attrs):
    return model([node("Conv", ["x", "w"], ["y"], **attrs)], [weights(dims=(2, 3, 3, 3))],
                 x=("N", 3, 8, 8))


def quantize(scale, dims=()):
    return model([node("QuantizeLinear", ["x", "s"], ["q"]),
                  node("DequantizeLinear", ["q", "s"], ["y"])], [weights("s", dims, scale)])


def shaped(op, shape, **attrs):
    raw = struct.pack(f"<{len(shape)}q", *shape)
    return model([node(op, ["x", "s"], ["y"], **attrs)],
                 [tensor_proto("s", INT64, (len(shape),), raw)])


RELU = node("Relu", ["x"], ["y"])
ONNX = {
    "no_graph": num(1, 8) + msg(8, num(2, 13)),
    "two_graphs": model([RELU]) + msg(7, b""),
    "opset_999": model([RELU], opset=999),
    "opset_5": model([RELU], opset=5),
    "ir_huge": model([RELU], ir=1 << 62),
    "varint_11": num(1, 8) + b"\x38" + b"\x80" * 10 + b"\x01",
    "group": num(1, 8) + b"\x3b" * 1000,
    "length_behind_file": num(1, 8) + b"\x3a\xff\xff\xff\xff\x7f",
    "field_zero": num(1, 8) + b"\x00\x00",
    "unknown_op": model([node("Relux", ["x"], ["y"])]),
    "unknown_domain": model([node("Relu", ["x"], ["y"], domain="com.example")]),
    "unknown_name": model([node("Relu", ["z"], ["y"])]),
    "cycle": model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]),
                    node("Relu", ["b"], ["y"])]),
    "self_reading": model([node("Add", ["x", "y"], ["y"])]),
    "written_twice": model([RELU, RELU]),
    "initializer_twice": model([node("MatMul", ["x", "w"], ["y"])], [weights(), weights()]),
    "output_missing": model([RELU], out="z"),
    "inputs_missing": model([node("MatMul", ["x"], ["y"])]),
    "no_result": model([node("Relu", ["x"], [])]),
    "type_unknown": model([RELU], kind=99),
    "type_string": model([RELU], kind=8),
    "weights_type": matmul(weights(kind=99, raw=b"")),
    "weights_short": matmul(weights(raw=b"0123456789")),
    "weights_long": matmul(weights(raw=b"0" * 400)),
    "weights_wrap": matmul(weights(dims=(1 << 32, 1 << 32), raw=b"")),
    "weights_negative": matmul(weights(dims=(3, -3), raw=b"")),
    "weights_rank_9": matmul(weights(dims=(1,) * 9, raw=floats(1.0))),
    "weights_do_not_fit": matmul(weights(dims=(4, 3))),
    "external_passwd": matmul(weights(raw=b"", extra=num(14, 1) + msg(
        13, msg(1, "location") + msg(2, "../../../../etc/passwd")))),
    "conv_group_0": conv(group=0),
    "conv_group_2": conv(group=2),
    "conv_stride_0": conv(strides=[0, 0]),
    "conv_dilation_0": conv(dilations=[0, 1]),
    "conv_pads_negative": conv(pads=[0, -100, 0, 0]),
    "conv_pads_huge": conv(pads=[1 << 40, 0, 0, 0]),
    "conv_pads_3": conv(pads=[1, 1, 1]),
    "conv_kernel": conv(kernel_shape=[5, 5]),
    "conv_auto_pad": conv(auto_pad="SAME"),
    "conv_window": conv(dilations=[8, 8]),
    "pool_no_kernel": model([node("MaxPool", ["x"], ["y"])], x=("N", 3, 8, 8)),
    "pool_pads_all": model([node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2],
                                 pads=[2, 2, 2, 2])], x=("N", 3, 8, 8)),
    "attribute_type": model([node("Softmax", ["x"], ["y"], axis="1")]),
    "axis": model([node("Softmax", ["x"], ["y"], axis=7)]),
    "reshape_two_open": shaped("Reshape", [-1, -1]),
    "reshape_count": shaped("Reshape", [1, 2, 2]),
    "reshape_overflow": shaped("Reshape", [1, 1 << 62, 1 << 62]),
    "squeeze_3": shaped("Squeeze", [1]),
    "unsqueeze_twice": shaped("Unsqueeze", [1, 1]),
    "transpose_twice": model([node("Transpose", ["x"], ["y"], perm=[1, 1])]),
    "scale_zero": quantize(floats(0.0)),
    "scale_nan": quantize(floats(float("nan"))),
    "scale_two_of_three": quantize(floats(1.0, 1.0), (2,)),
    "clip_nan": model([node("Clip", ["x", "a"], ["y"])],
                      [weights("a", (), floats(float("nan")))]),
    "broadcast": model([node("Add", ["x", "w"], ["y"])], [weights(dims=(4,))]),
}


def make_onnx():
    for name, data in ONNX.items():
        (HERE / "onnx" / (name + ".onnx")).write_bytes(data)


# ---- seeds: small files that a reader takes ------------------------------------------------------
IMAGE = ("N", 3, 8, 8)
POOL = dict(kernel_shape=[2, 2], strides=[2, 2])
SEEDS_ONNX = {
    "relu": model([RELU]),
    "domain_of_no_bytes": model([RELU]) + msg(8, msg(1, "") + num(2, 13)),
    "clip_6": model([node("Clip", ["x"], ["y"], min=0.0, max=6.0)], opset=7),
    "clip": model([node("Clip", ["x", "", "b"], ["y"])], [weights("b", (), floats(6.0))]),
    "gemm": model([node("Gemm", ["x", "w", "b"], ["y"], alpha=0.5, beta=2.0)],
                  [weights(), weights("b", (3,))]),
    "gemm_matrix": model([node("Gemm", ["x", "w", "b"], ["y"], transB=1)],
                         [weights(), weights("b", (2, 3))], x=(2, 3)),
    "matmul": matmul(weights()),
    "conv": conv(pads=[1, 1, 1, 1]),
    "conv_depthwise": model([node("Conv", ["x", "w", "b"], ["y"], group=3,
                                  auto_pad="SAME_LOWER")],
                            [weights(dims=(3, 1, 3, 3)), weights("b", (3,))], x=IMAGE),
    "conv_quantized": model([node("DequantizeLinear", ["w", "s"], ["d"], axis=0),
                             node("Conv", ["x", "d"], ["y"])],
                            [weights(dims=(2, 3, 1, 1), raw=bytes(6), kind=INT8),
                             weights("s", (2,))], x=IMAGE),
    "pools": model([node("MaxPool", ["x"], ["m"], ceil_mode=1, **POOL),
                    node("AveragePool", ["m"], ["a"], count_include_pad=1, **POOL),
                    node("GlobalAveragePool", ["a"], ["y"])], x=IMAGE),
    "batch_norm": model([node("BatchNormalization", ["x", "s", "s", "s", "s"], ["y"])],
                        [weights("s", (3,))], x=IMAGE),
    "softmax_old": model([node("Softmax", ["x"], ["y"])], x=IMAGE, opset=11),
    "quantize": quantize(floats(0.5)),
    "reshape": shaped("Reshape", [0, -1, 1]),
    "shapes": model([node("Flatten", ["x"], ["f"]), node("Unsqueeze", ["f"], ["u"], axes=[2, 3]),
                     node("Squeeze", ["u"], ["s"], axes=[2]),
                     node("Transpose", ["s"], ["t"], perm=[0, 2, 1]),
                     node("Dropout", ["t"], ["d"]), node("Identity", ["d"], ["y"])], opset=12),
    "folded": model([node("Transpose", ["w"], ["t"]), node("MatMul", ["x", "t"], ["m"]),
                     node("Add", ["m", "w"], ["a"]), node("Sub", ["a", "m"], ["b"]),
                     node("Mul", ["b", "b"], ["c"]), node("Div", ["c", "w"], ["y"])], [weights()],
                    x=(3, 3)),
    "constant": model([node("Constant", [], ["c"], value_float=2.0),
                       node("Add", ["x", "c"], ["y"])]),
}


def make_seeds():
    for name, data in SEEDS_ONNX.items():
        (SEEDS / "fuzz_onnx" / (name + ".onnx")).write_bytes(data)
    for case in ("temp-tflite-fp32", "temp-tflite-int8-floatio", "temp-tflite-dynrange"):
        good = (pathlib.Path("tests/golden") / case / "model.tflite").read_bytes()
        (SEEDS / "fuzz_tflite" / (case + ".tflite")).write_bytes(good)
    (SEEDS / "fuzz_tflite" / "temp.tflite").write_bytes(GOOD.read_bytes())


if __name__ == "__main__":
    for folder in (HERE / "tflite", HERE / "onnx", SEEDS / "fuzz_tflite", SEEDS / "fuzz_onnx"):
        folder.mkdir(parents=True, exist_ok=True)
    make_tflite()
    make_onnx()
    make_seeds()
