"""nets.py - a network as a list of layers with numpy weights, trained and written as TFLite and ONNX.

A layer is a tuple:
  ("conv", w, b)         3x3 SAME convolution and ReLU; w [kh, kw, in, out], b [out]
  ("maxpool",)           2x2, stride 2
  ("flatten",)           [N, ...] -> [N, features], rows in height, width, channel order
  ("dense", w, b, relu)  w [in, out], b [out]
  ("softmax",)
Both writers walk the same list, so the two files of a model hold the same function.
In both the input tensor is called `input` and the output tensor `probs`.
"""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # one set of kernels on every CPU
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import onnx
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper
from tensorflow.lite.tools import flatbuffer_utils

OPSET = 13
IR_VERSION = 7


def fix_seeds(seed):
    """Makes training repeatable: one seed, one thread, ordered sums."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    if tf.config.threading.get_intra_op_parallelism_threads() != 1:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def layers_of(model):
    """Keras Sequential (Conv2D, MaxPooling2D, Flatten, Dense; logits last) -> list of layers."""
    layers = []
    for layer in model.layers:
        kind = type(layer).__name__
        weights = [np.asarray(w, np.float32) for w in layer.get_weights()]
        if kind == "Conv2D":
            layers.append(("conv", *weights))
        elif kind == "MaxPooling2D":
            layers.append(("maxpool",))
        elif kind == "Flatten":
            layers.append(("flatten",))
        elif kind == "Dense":
            layers.append(("dense", *weights, layer.activation is keras.activations.relu))
    return layers + [("softmax",)]


def macs(layers, shape):
    """Multiply-accumulates of one row; shape is the input's without the batch."""
    total = 0
    for kind, *rest in layers:
        if kind == "conv":
            total += int(np.prod(shape[:2])) * rest[0].size
            shape = (*shape[:2], rest[0].shape[3])
        elif kind == "maxpool":
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
        elif kind == "dense":
            total += rest[0].size
    return total


def forward(layers, x):
    """The network in TensorFlow ops; x float32 [N, ...] -> probabilities [N, classes]."""
    for kind, *rest in layers:
        if kind == "conv":
            x = tf.nn.relu(tf.nn.conv2d(x, rest[0], 1, "SAME") + rest[1])
        elif kind == "maxpool":
            x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        elif kind == "flatten":
            x = tf.reshape(x, [-1, int(np.prod(x.shape[1:]))])
        elif kind == "dense":
            x = tf.matmul(x, rest[0]) + rest[1]
            x = tf.nn.relu(x) if rest[2] else x
        elif kind == "softmax":
            x = tf.nn.softmax(x)
    return x


def to_tflite(layers, shape, mode, calibration=None):
    """Bytes of a .tflite file with a symbolic batch.

    shape: the input's without the batch. mode: "fp32", "int8" (int8 in and out), "int8-floatio"
    or "dynrange" (int8 weights from 1,024 elements up, float activations).
    calibration: float32 [rows, *shape], run one row at a time to find the ranges.
    """
    return tflite_of(lambda x: forward(layers, x), shape, mode, calibration)


def tflite_of(call, shape, mode, calibration=None):
    """to_tflite of a function of TensorFlow ops."""
    function = tf.function(
        call, input_signature=[tf.TensorSpec([None, *shape], tf.float32, name="input")]
    )
    concrete = function.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    if mode != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode.startswith("int8"):
        converter.representative_dataset = lambda: ([row[None]] for row in calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if mode == "int8":
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
    return rename_tflite(converter.convert())


def rename_tflite(data):
    """Calls the first input `input` and the first output `probs`."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(data))
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].name = b"input"
    graph.tensors[graph.outputs[0]].name = b"probs"
    for signature in model.signatureDefs or []:
        signature.inputs[0].name = b"input"
        signature.outputs[0].name = b"probs"
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def chw_rows(w, hwc):
    """Dense weights [h*w*c, out] with their rows reordered for a channel-first flatten."""
    return w.reshape(*hwc, -1).transpose(2, 0, 1, 3).reshape(w.shape)


def to_onnx(layers, shape, doc, layout="nhwc"):
    """An ONNX model (opset 13, FP32) with the symbolic batch "N".

    shape: the input's without the batch, channels last. layout: "nhwc" puts a Transpose in front of
    an image network, so that the file takes what the .tflite takes; "nchw" takes channels first.
    """
    nodes, weights, value, spatial = [], [], "input", shape
    image = layers[0][0] == "conv"
    in_shape = list(shape)

    def add(op, inputs, name, **attributes):
        nonlocal value
        nodes.append(helper.make_node(op, [value, *inputs], [name], name=name, **attributes))
        value = name

    def constant(array, name):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    if image and layout == "nhwc":
        add("Transpose", [], "nchw", perm=[0, 3, 1, 2])
    elif image:
        in_shape = [shape[2], shape[0], shape[1]]
    for i, (kind, *rest) in enumerate(layers):
        name = f"{kind}{i}"
        if kind == "conv":
            names = [constant(rest[0].transpose(3, 2, 0, 1), name + "_w"), constant(rest[1], name + "_b")]
            add("Conv", names, name, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])
            add("Relu", [], f"relu{i}")
            spatial = (*spatial[:2], rest[0].shape[3])
        elif kind == "maxpool":
            add("MaxPool", [], name, kernel_shape=[2, 2], strides=[2, 2])
            spatial = (spatial[0] // 2, spatial[1] // 2, spatial[2])
        elif kind == "flatten":
            add("Flatten", [], name, axis=1)
        elif kind == "dense":
            first_after_image = image and layers[i - 1][0] == "flatten"
            w = chw_rows(rest[0], spatial) if first_after_image else rest[0]
            add("Gemm", [constant(w, name + "_w"), constant(rest[1], name + "_b")], name)
            if rest[2]:
                add("Relu", [], f"relu{i}")
        elif kind == "softmax":
            add("Softmax", [], "probs", axis=1)
    classes = layers[-2][2].shape[0]
    graph = helper.make_graph(
        nodes,
        "nearfar",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", *in_shape])],
        [helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["N", classes])],
        weights,
    )
    model = helper.make_model(
        graph, producer_name="nearfar models/make", opset_imports=[helper.make_opsetid("", OPSET)]
    )
    model.ir_version = IR_VERSION
    model.doc_string = doc
    onnx.checker.check_model(model, full_check=True)
    return model


def write(path, data):
    """Writes bytes or text, makes the folders, says one line."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    data = data.encode() if isinstance(data, str) else data
    with open(path, "wb") as f:
        f.write(data)
    print(f"  wrote {path} ({len(data)} bytes)")
