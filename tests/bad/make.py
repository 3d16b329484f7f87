"""make.py - writes the model files below tests/bad that no reader may take (load: that read, but of
which no model can be made), and the good ones below tests/fuzz/corpus that fuzzing starts from.

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
    if isinstance(value, bytes):  # a tensor
        return msg(5, msg(1, name) + msg(5, value) + num(20, 4))
    if isinstance(value, list) and value and isinstance(value[0], float):
        return msg(5, msg(1, name) + msg(7, floats(*value)) + num(20, 6))
    if isinstance(value, list) and value and isinstance(value[0], str):
        return msg(5, msg(1, name) + b"".join(msg(9, v) for v in value) + num(20, 8))
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
    "type_complex": model([RELU], kind=14),
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


# ---- ONNX: classical machine learning; these read well, but no model can be made of them ---------
ML = "ai.onnx.ml"
UINT8, STRING = 2, 8


def ml(op, outs=("y",), kind=FLOAT, **attrs):
    """x [N, 3] -> outs; the first is the graph's output."""
    graph = node(op, ["x"], outs, domain=ML, **attrs) + info(11, "x", ("N", 3))
    graph += b"".join(info(12, o, [], k) for o, k in zip(outs, (kind, FLOAT)))
    return num(1, 8) + msg(7, graph) + msg(8, msg(1, ML) + num(2, 5)) + msg(8, num(2, 13))


#   0: x0 <= 0.5 ? 1 : 2      1: a leaf      2: x1 < 0.25 ? 3 : 4      3, 4: leaves
TREE = dict(nodes_treeids=[0] * 5, nodes_nodeids=[0, 1, 2, 3, 4], nodes_featureids=[0, 0, 1, 0, 0],
            nodes_modes=["BRANCH_LEQ", "LEAF", "BRANCH_LT", "LEAF", "LEAF"],
            nodes_values=[0.5, 0.0, 0.25, 0.0, 0.0], nodes_truenodeids=[1, 0, 3, 0, 0],
            nodes_falsenodeids=[2, 0, 4, 0, 0], nodes_missing_value_tracks_true=[0] * 5)
CLASSES = dict(TREE, class_treeids=[0] * 3, class_nodeids=[1, 3, 4], class_ids=[0, 1, 2],
               class_weights=[1.0, 1.0, 1.0], classlabels_int64s=[10, 20, 30])
TARGETS = dict(TREE, target_treeids=[0] * 3, target_nodeids=[1, 3, 4], target_ids=[0, 0, 0],
               target_weights=[1.5, 2.5, 3.5], n_targets=1)
FIVE = dict(tree_roots=[0], nodes_featureids=[0, 1], nodes_truenodeids=[0, 1],
            nodes_trueleafs=[1, 1], nodes_falsenodeids=[1, 2], nodes_falseleafs=[0, 1],
            nodes_modes=tensor_proto("", UINT8, (2,), bytes([0, 1])),
            nodes_splits=tensor_proto("", FLOAT, (2,), floats(0.5, 0.25)),
            leaf_targetids=[0, 0, 0], n_targets=1,
            leaf_weights=tensor_proto("", FLOAT, (3,), floats(1.5, 2.5, 3.5)))
SVM = dict(support_vectors=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0], coefficients=[1.0, -1.0],
           rho=[0.25], kernel_type="RBF", kernel_params=[0.5, 0.0, 3.0])
SVC = dict(SVM, vectors_per_class=[1, 1], classlabels_ints=[3, 7])
LINEAR = dict(coefficients=[1.0, 2.0, 3.0, -1.0, 0.0, 1.0], intercepts=[0.5, -0.5])
LABEL = ("y", "s")


def texts(name, *words):
    return (num(1, len(words)) + num(2, STRING) + msg(8, name) +
            b"".join(msg(6, word) for word in words))


def classes(**changes):
    return ml("TreeEnsembleClassifier", LABEL, INT64, **dict(CLASSES, **changes))


def targets(**changes):
    return ml("TreeEnsembleRegressor", **dict(TARGETS, **changes))


def five(**changes):
    return ml("TreeEnsemble", **dict(FIVE, **changes))


def svc(**changes):
    return ml("SVMClassifier", LABEL, INT64, **dict(SVC, **changes))


def svr(**changes):
    return ml("SVMRegressor", **dict(SVM, n_supports=2, **changes))


def linear(**changes):
    return ml("LinearClassifier", LABEL, INT64, **dict(LINEAR, classlabels_ints=[4, 5], **changes))


LOAD = {
    "type_string": model([RELU], kind=STRING),
    "tree_node_twice": classes(nodes_nodeids=[0, 1, 2, 3, 3]),
    "tree_node_missing": classes(nodes_truenodeids=[9, 0, 3, 0, 0]),
    "tree_node_negative": classes(nodes_falsenodeids=[-1, 0, 4, 0, 0]),
    "tree_node_huge": classes(nodes_falsenodeids=[1 << 62, 0, 4, 0, 0]),
    "tree_cycle": classes(nodes_falsenodeids=[2, 0, 0, 0, 0]),
    "tree_of_none": classes(nodes_treeids=[0, 0, 0, 0, 7]),
    "tree_feature_negative": classes(nodes_featureids=[-1, 0, 1, 0, 0]),
    "tree_feature_behind": classes(nodes_featureids=[3, 0, 1, 0, 0]),
    "tree_feature_huge": classes(nodes_featureids=[1 << 40, 0, 1, 0, 0]),
    "tree_mode": classes(nodes_modes=["BRANCH", "LEAF", "BRANCH_LT", "LEAF", "LEAF"]),
    "tree_mode_empty": classes(nodes_modes=["", "LEAF", "BRANCH_LT", "LEAF", "LEAF"]),
    "tree_modes_four": classes(nodes_modes=["LEAF"] * 4),
    "tree_values_four": classes(nodes_values=[0.5] * 4),
    "tree_missing_four": classes(nodes_missing_value_tracks_true=[1] * 4),
    "tree_class_negative": classes(class_ids=[-1, 1, 2]),
    "tree_class_behind": classes(class_ids=[0, 1, 3]),
    "tree_class_tree": classes(class_treeids=[0, 0, 1]),
    "tree_class_node": classes(class_nodeids=[1, 3, 5]),
    "tree_class_ids_two": classes(class_ids=[0, 1]),
    "tree_weights_two": classes(class_weights=[1.0, 1.0]),
    "tree_base_two": classes(base_values=[1.0, 1.0]),
    "tree_target_negative": targets(target_ids=[0, -1, 0]),
    "tree_target_behind": targets(target_ids=[0, 1, 0]),
    "tree_targets_huge": targets(n_targets=1 << 40),
    "five_root_negative": five(tree_roots=[-1]),
    "five_root_behind": five(tree_roots=[2]),
    "five_no_root": five(tree_roots=[]),
    "five_node_behind": five(nodes_falsenodeids=[2, 2]),
    "five_node_negative": five(nodes_falsenodeids=[-1, 2]),
    "five_leaf_behind": five(nodes_falsenodeids=[1, 3]),
    "five_cycle": five(nodes_falsenodeids=[0, 2]),
    "five_feature": five(nodes_featureids=[3, 1]),
    "five_mode": five(nodes_modes=tensor_proto("", UINT8, (2,), bytes([0, 7]))),
    "five_modes_float": five(nodes_modes=tensor_proto("", FLOAT, (2,), floats(0, 1))),
    "five_member_of_none": five(nodes_modes=tensor_proto("", UINT8, (2,), bytes([0, 6]))),
    "five_target": five(leaf_targetids=[0, 0, 1]),
    "five_weights_two": five(leaf_weights=tensor_proto("", FLOAT, (2,), floats(1, 2))),
    "five_splits_one": five(nodes_splits=tensor_proto("", FLOAT, (1,), floats(1))),
    "svm_vectors_five": svc(support_vectors=[1.0] * 5),
    "svm_columns": svc(support_vectors=[1.0] * 8),
    "svm_coefficients_one": svc(coefficients=[1.0]),
    "svm_per_class_huge": svc(vectors_per_class=[1, 1 << 62]),
    "svm_per_class_negative": svc(vectors_per_class=[3, -1]),
    "svm_labels_three": svc(classlabels_ints=[1, 2, 3]),
    "svm_prob_b": svc(prob_a=[1.0]),
    "svm_params_two": svc(kernel_params=[1.0, 2.0]),
    "svm_no_rho": svr(rho=[]),
    "svm_supports": svr(coefficients=[1.0]),
    "linear_columns": linear(coefficients=[1.0] * 8),
    "linear_labels": linear(intercepts=[1.0, 2.0, 3.0]),
    "scaler_two": ml("Scaler", offset=[1.0, 2.0], scale=[1.0]),
    "imputer_four": ml("Imputer", imputed_value_floats=[1.0] * 4),
}
ONNX.update({
    "tree_no_labels": classes(classlabels_int64s=[]),
    "tree_post": classes(post_transform="SOFT"),
    "tree_aggregate": targets(aggregate_function="MEDIAN"),
    "tree_targets_zero": targets(n_targets=0),
    "five_post": five(post_transform=5),
    "five_aggregate": five(aggregate_function=-1),
    "svm_kernel": svc(kernel_type="CUBIC"),
    "linear_coefficients_five": linear(coefficients=[1.0] * 5),
    "vectorizer_widths": ml("FeatureVectorizer", inputdimensions=[3, 3]),
    "vectorizer_negative": ml("FeatureVectorizer", inputdimensions=[-3]),
    "encoder_no_keys": ml("LabelEncoder", values_floats=[1.0]),
    "texts_two_of_four": model([node("Gather", ["t", "x"], ["y"])],
                                [num(1, 2) + texts("t", "a", "b")], kind=INT64),
    "maps": ml("DictVectorizer", int64_vocabulary=[1]),
})


def make_load():
    for name, data in LOAD.items():
        (HERE / "load" / (name + ".onnx")).write_bytes(data)


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


SEEDS_ONNX.update({
    "trees": classes(),
    "trees_texts": ml("TreeEnsembleClassifier", LABEL, STRING,
                      **dict({k: v for k, v in CLASSES.items() if k != "classlabels_int64s"},
                             classlabels_strings=["low", "middle", "high"])),
    "trees_sums": targets(post_transform="LOGISTIC", base_values=[0.5]),
    "trees_five": five(),
    "svm_pairs": svc(),
    "svm_chances": svc(prob_a=[-1.0], prob_b=[0.1]),
    "svm_one_class": svr(one_class=1),
    "linear": linear(post_transform="SOFTMAX"),
    "linear_sums": ml("LinearRegressor", targets=2, **LINEAR),
    "scaler": ml("Scaler", offset=[1.0], scale=[1.0, 2.0, 3.0]),
    "normalizer": ml("Normalizer", norm="L2"),
    "imputer": ml("Imputer", imputed_value_floats=[1.0, 2.0, 3.0], replaced_value_float=0.0),
    "binarizer": ml("Binarizer", threshold=0.5),
    "vectorizer": ml("FeatureVectorizer", inputdimensions=[3]),
    "encoder": ml("LabelEncoder", keys_floats=[0.0, 1.0], values_strings=["a", "b"],
                  kind=STRING),
    "one_hot": ml("OneHotEncoder", cats_int64s=[0, 5]),
    "texts": model([node("Cast", ["x"], ["i"], to=INT64), node("Gather", ["t", "i"], ["y"])],
                   [texts("t", "low", "", "high")]),
    "words": model([node("StringNormalizer", ["x"], ["y"], stopwords=["a"],
                         case_change_action="UPPER")], x=("N",), kind=STRING),
    "sequence": model([node("SequenceConstruct", ["x", "x"], ["a"]),
                       node("SequenceInsert", ["a", "x", "p"], ["b"]),
                       node("ConcatFromSequence", ["b"], ["y"], axis=0)],
                      [tensor_proto("p", INT64, (), struct.pack("<q", -1))], x=(2, 3)),
})


def make_seeds():
    for name, data in SEEDS_ONNX.items():
        (SEEDS / "fuzz_onnx" / (name + ".onnx")).write_bytes(data)
    for case in ("temp-tflite-fp32", "temp-tflite-int8-floatio", "temp-tflite-dynrange"):
        good = (pathlib.Path("tests/golden") / case / "model.tflite").read_bytes()
        (SEEDS / "fuzz_tflite" / (case + ".tflite")).write_bytes(good)
    (SEEDS / "fuzz_tflite" / "temp.tflite").write_bytes(GOOD.read_bytes())


if __name__ == "__main__":
    for folder in (HERE / "tflite", HERE / "onnx", HERE / "load", SEEDS / "fuzz_tflite", SEEDS / "fuzz_onnx"):
        folder.mkdir(parents=True, exist_ok=True)
    make_tflite()
    make_onnx()
    make_load()
    make_seeds()
