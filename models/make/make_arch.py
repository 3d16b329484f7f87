"""make_arch.py - nets with the architectures of MLPerf Tiny and random weights, for bench/versus.

The answers mean nothing, the work is that of the real nets. Weights are He's, so that values keep
their size from layer to layer; the seed is fixed. Each net is written as FP32 and INT8 .tflite and
as FP32 and INT8 (QDQ) .onnx, channels first; the two float files are run and must agree.
Run from the repository root: models/make/all arch, or python models/make/make_arch.py [FOLDER]
"""
import argparse
import math

import nets  # first: it sets TensorFlow's environment
import numpy as np
import onnxruntime as ort
import tensorflow as tf
from onnx import TensorProto, checker, helper, numpy_helper
from onnxruntime.quantization import QuantType
from qdq import to_qdq

SEED = 1
CALIBRATION_ROWS = 50


def windows(shape, kernel, stride, padding):
    """Height and width of the output."""
    lost = (1, 1) if padding == "SAME" else kernel
    return [-(-(n - k + 1) // stride) for n, k in zip(shape, lost)]


class Net:
    """What the architectures are built on. A writer gives the ops; the shape goes along."""

    def __init__(self):
        self.rng = np.random.default_rng(SEED)
        self.macs = 0

    def draw(self, shape, fan_in):
        """He's weights and small biases for the last dimension."""
        w = self.rng.normal(0, math.sqrt(2 / fan_in), shape).astype(np.float32)
        return w, self.rng.normal(0, 0.05, shape[-1]).astype(np.float32)

    def conv(self, x, filters, kernel, stride=1, relu=True):
        channels = self.shape(x)[-1]
        products = math.prod(kernel) * channels
        self.macs += math.prod(windows(self.shape(x), kernel, stride, "SAME")) * products * filters
        return self.put_conv(x, *self.draw((*kernel, channels, filters), products), stride, relu)

    def depthwise(self, x, kernel, stride=1, padding="SAME", relu=True):
        channels = self.shape(x)[-1]
        products, out = math.prod(kernel), windows(self.shape(x), kernel, stride, padding)
        self.macs += math.prod(out) * products * channels
        drawn = self.draw((*kernel, channels), products)
        return self.put_depthwise(x, *drawn, stride, padding, relu)

    def dense(self, x, units, relu=False):
        n = self.shape(x)[-1]
        self.macs += n * units
        return self.put_dense(x, *self.draw((n, units), n), relu)


class TensorFlow(Net):
    """Tensors [N, height, width, channels]."""

    def shape(self, x):
        return x.shape[1:]

    def put_conv(self, x, w, b, stride, relu):
        x = tf.nn.conv2d(x, w, stride, "SAME") + b
        return tf.nn.relu(x) if relu else x

    def put_depthwise(self, x, w, b, stride, padding, relu):
        x = tf.nn.depthwise_conv2d(x, w[..., None], [1, stride, stride, 1], padding) + b
        return tf.nn.relu(x) if relu else x

    def put_dense(self, x, w, b, relu):
        x = tf.matmul(x, w) + b
        return tf.nn.relu(x) if relu else x

    def add(self, x, y):
        return tf.nn.relu(x + y)

    def pool(self, x):
        return tf.nn.avg_pool2d(x, x.shape[1:3], 1, "VALID")

    def flatten(self, x):
        return tf.reshape(x, [-1, math.prod(x.shape[1:])])

    def softmax(self, x):
        return tf.nn.softmax(x)


class Onnx(Net):
    """Tensors [N, channels, height, width]; their names, which tell the shape without the batch."""

    def __init__(self, shape):
        super().__init__()
        self.nodes, self.weights, self.shapes = [], [], {"input": tuple(shape)}

    def shape(self, x):
        return self.shapes[x]

    def node(self, op, inputs, shape, **attributes):
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        self.shapes[name] = tuple(shape)
        return name

    def constant(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def relu(self, x, wanted):
        return self.node("Relu", [x], self.shape(x)) if wanted else x

    def put_windows(self, x, w, b, stride, padding, group):
        """A Conv; SAME pads as TensorFlow does, the odd pixel behind."""
        size, kernel = self.shape(x)[:2], w.shape[2:]
        out = windows(size, kernel, stride, padding)
        pads = [max((o - 1) * stride + k - n, 0) for o, k, n in zip(out, kernel, size)]
        return self.node("Conv", [x, self.constant(w), self.constant(b)], (*out, len(b)),
                         kernel_shape=kernel, strides=[stride, stride], group=group,
                         pads=[p // 2 for p in pads] + [p - p // 2 for p in pads])

    def put_conv(self, x, w, b, stride, relu):
        return self.relu(self.put_windows(x, w.transpose(3, 2, 0, 1), b, stride, "SAME", 1), relu)

    def put_depthwise(self, x, w, b, stride, padding, relu):
        w = w.transpose(2, 0, 1)[:, None]
        return self.relu(self.put_windows(x, w, b, stride, padding, len(b)), relu)

    def put_dense(self, x, w, b, relu):
        x = self.node("Gemm", [x, self.constant(w), self.constant(b)], b.shape)
        return self.relu(x, relu)

    def add(self, x, y):
        return self.relu(self.node("Add", [x, y], self.shape(x)), True)

    def pool(self, x):
        return self.node("GlobalAveragePool", [x], (1, 1, self.shape(x)[-1]))

    def flatten(self, x):
        return self.node("Flatten", [x], (math.prod(self.shape(x)),), axis=1)

    def softmax(self, x):
        return self.node("Softmax", [x], self.shape(x), axis=1)

    def model(self, name, x):
        """The file; the output's name is `probs`, as in the .tflite."""
        height_first = self.shapes["input"]
        given = (height_first[-1], *height_first[:-1])
        self.nodes[-1].output[0] = "probs"
        values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *shape])
                  for n, shape in (("input", given), ("probs", self.shape(x)))]
        graph = helper.make_graph(self.nodes, name, values[:1], values[1:], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", nets.OPSET)],
                                  producer_name="nearfar models/make", ir_version=nets.IR_VERSION)
        checker.check_model(model, full_check=True)
        return model


def kws(net, x):
    """Keywords: a DS-CNN."""
    x = net.conv(x, 64, (10, 4), stride=2)
    for _ in range(4):
        x = net.conv(net.depthwise(x, (3, 3)), 64, (1, 1))
    return net.softmax(net.dense(net.flatten(net.pool(x)), 12))


def vww(net, x):
    """Visual wake words: MobileNetV1 with a quarter of the channels."""
    x = net.conv(x, 8, (3, 3), stride=2)
    for filters, stride in [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5,
                            (256, 2), (256, 1)]:
        x = net.conv(net.depthwise(x, (3, 3), stride), filters, (1, 1))
    return net.softmax(net.dense(net.flatten(net.pool(x)), 2))


def ic(net, x):
    """Images: ResNet-8."""
    x = net.conv(x, 16, (3, 3))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = net.conv(net.conv(x, filters, (3, 3), stride), filters, (3, 3), relu=False)
        x = net.add(y, net.conv(x, filters, (1, 1), stride, relu=False) if stride > 1 else x)
    return net.softmax(net.dense(net.flatten(net.pool(x)), 10))


def ad(net, x):
    """Anomalies: an autoencoder."""
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = net.dense(x, units, relu=True)
    return net.dense(x, 640)


def sww(net, x):
    """Streaming wake word: separable convolutions over time, 40 features as channels."""
    for kernel, filters in ((3, 128), (5, 128), (10, 128), (15, 32)):
        x = net.depthwise(x, (kernel, 1), padding="VALID", relu=False)
        x = net.conv(x, filters, (1, 1))
    return net.softmax(net.dense(net.flatten(x), 3))


NETS = {  # name: (layers, shape of the input with the channels last, thousands of products)
    "kws": (kws, (49, 10, 1), 2657),
    "vww": (vww, (96, 96, 3), 7490),
    "ic": (ic, (32, 32, 3), 12502),
    "ad": (ad, (640,), 264),
    "sww": (sww, (30, 1, 40), 826),
}


def channels_first(x):
    """[N, ..., channels] -> [N, channels, ...]"""
    return np.moveaxis(x, -1, 1)


def check_agree(name, tflite, onnx_model, x):
    """The two float files must be one function."""
    net = tf.lite.Interpreter(model_content=tflite)
    net.resize_tensor_input(net.get_input_details()[0]["index"], x.shape)
    net.allocate_tensors()
    net.set_tensor(net.get_input_details()[0]["index"], x)
    net.invoke()
    one = net.get_tensor(net.get_output_details()[0]["index"])
    session = ort.InferenceSession(onnx_model, providers=["CPUExecutionProvider"])
    other = session.run(None, {"input": channels_first(x)})[0]
    worst = float(np.abs(one - other).max() / np.abs(one).max())
    assert worst < 1e-3, f"{name}: the two files differ by {worst:g} of the largest value"


def make(folder, name):
    """Writes the four files of one net."""
    build, shape, thousands = NETS[name]
    x = np.random.default_rng(SEED + 1).random((CALIBRATION_ROWS, *shape), np.float32)
    x = x if name in ("vww", "ic") else 2 * x - 1  # pixels, or features around 0
    onnx_net = Onnx(shape)
    model = onnx_net.model(name, build(onnx_net, "input"))
    assert round(onnx_net.macs / 1000) == thousands, (name, onnx_net.macs)
    data = model.SerializeToString(deterministic=True)
    fp32, int8 = (nets.tflite_of(lambda x: build(TensorFlow(), x), shape, mode, x)
                  for mode in ("fp32", "int8"))
    check_agree(name, fp32, data, x[:2])
    nets.write(f"{folder}/{name}-fp32.tflite", fp32)
    nets.write(f"{folder}/{name}-int8.tflite", int8)
    nets.write(f"{folder}/{name}-fp32.onnx", data)
    nets.write(f"{folder}/{name}-int8.onnx",
               to_qdq(model, channels_first(x), QuantType.QUInt8, per_channel=True))


def main():
    """Writes all nets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="build/models/arch")
    folder = parser.parse_args().folder
    for name in NETS:
        make(folder, name)


if __name__ == "__main__":
    main()
