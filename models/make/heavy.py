#!/usr/bin/env python3
"""heavy.py - writes a model that is heavy enough to be worth a trip to the cloud.

Usage: models/make/heavy.py FOLDER [--side N] [--channels N] [--layers N] [--seed N]
Example: models/make/heavy.py build/models/heavy

A stack of 3x3 convolutions over one grey image, then ten classes. The weights are random but the
same for the same seed: the answers mean nothing, the work is real. Nothing but Python's standard
library is needed; the file (3 MB with the defaults, 1.7 G multiplications) is generated, not
stored. FOLDER becomes FOLDER/1/model.onnx, which `nearfar serve --models` of its parent takes.
"""
import argparse
import array
import math
import pathlib
import random
import sys

FLOAT = 1  # TensorProto.DataType
ATTRIBUTE_INT, ATTRIBUTE_INTS = 2, 7  # AttributeProto.AttributeType


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, content):
    if isinstance(content, str):
        content = content.encode()
    return varint(field << 3 | 2) + varint(len(content)) + content


def ints(name, values):
    """An attribute that is a list of integers."""
    packed = b"".join(number(8, v) for v in values)
    return block(5, block(1, name) + packed + number(20, ATTRIBUTE_INTS))


def integer(name, value):
    return block(5, block(1, name) + number(3, value) + number(20, ATTRIBUTE_INT))


def node(kind, inputs, output, *attributes):
    ends = b"".join(block(1, name) for name in inputs) + block(2, output)
    return block(1, ends + block(3, output + "_node") + block(4, kind) + b"".join(attributes))


def tensor(name, dims, values):
    floats = array.array("f", values)
    if sys.byteorder == "big":
        floats.byteswap()
    shape = b"".join(number(1, d) for d in dims)
    return block(5, shape + number(2, FLOAT) + block(8, name) + block(9, floats.tobytes()))


def value_info(field, name, dims):
    """dims: integers, or a name for a dimension that is left open."""
    shape = b"".join(
        block(1, block(2, d) if isinstance(d, str) else number(1, d)) for d in dims)
    return block(field, block(1, name) + block(2, block(1, number(1, FLOAT) + block(2, shape))))


class Net:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.nodes, self.weights, self.macs, self.last = b"", b"", 0, "image"

    def normal(self, count, spread):
        return [self.random.gauss(0, spread) for _ in range(count)]

    def add(self, kind, name, weights=(), attributes=()):
        self.nodes += node(kind, [self.last, *weights], name, *attributes)
        self.last = name

    def conv(self, index, side, channels_in, channels_out):
        spread = math.sqrt(2 / (9 * channels_in))  # keeps the values' size from layer to layer
        dims = (channels_out, channels_in, 3, 3)
        self.weights += tensor(f"w{index}", dims, self.normal(math.prod(dims), spread))
        self.weights += tensor(f"b{index}", (channels_out,), self.normal(channels_out, 0.01))
        shape = ints("kernel_shape", (3, 3)), ints("pads", (1, 1, 1, 1)), ints("strides", (1, 1))
        self.add("Conv", f"conv{index}", (f"w{index}", f"b{index}"), shape)
        self.add("Relu", f"relu{index}")
        self.macs += side * side * math.prod(dims)

    def classes(self, channels, count):
        self.add("GlobalAveragePool", "mean")
        self.add("Flatten", "flat", (), (integer("axis", 1),))
        spread = math.sqrt(1 / channels)
        self.weights += tensor("w", (count, channels), self.normal(count * channels, spread))
        self.weights += tensor("b", (count,), [0] * count)
        self.add("Gemm", "scores", ("w", "b"), (integer("transB", 1),))
        self.add("Softmax", "classes", (), (integer("axis", 1),))
        self.macs += channels * count


def build(args):
    net = Net(args.seed)
    side, channels = args.side, 1
    for index in range(args.layers):
        net.conv(index, side, channels, args.channels)
        channels = args.channels
    net.classes(channels, 10)
    graph = (net.nodes + block(2, "heavy") + net.weights
             + value_info(11, "image", ("batch", 1, args.side, args.side))
             + value_info(12, "classes", ("batch", 10)))
    opset = block(8, block(1, "") + number(2, 13))
    return number(1, 8) + block(2, "heavy.py") + block(7, graph) + opset, net.macs


def main():
    parser = argparse.ArgumentParser(
        description="Writes FOLDER/1/model.onnx, a convolutional network with random weights.")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--side", type=int, default=48, help="pixels of the image's side (48)")
    parser.add_argument("--channels", type=int, default=128, help="of each layer (128)")
    parser.add_argument("--layers", type=int, default=6, help="convolutions (6)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if not (0 < args.side <= 512 and 0 < args.channels <= 512 and 0 < args.layers <= 64):
        parser.error("side and channels are 1 to 512, layers 1 to 64")
    model, macs = build(args)
    path = args.folder / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model)
    print(f"{path}: {len(model) / 1e6:.1f} MB, {macs / 1e9:.2f} G multiply-accumulates")


if __name__ == "__main__":
    main()
