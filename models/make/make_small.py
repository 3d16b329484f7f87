"""make_small.py - writes tests/models: ONNX files of a node or two, for what the wire must carry.

Open shapes, texts, half precision, whole numbers of every width, several inputs of different types,
scalars; and a TensorFlow Lite file with a signature and with metadata. The packages onnx, flatbuffers
and tensorflow (or ai-edge-litert) are needed.
Run from the repository root: python models/make/make_small.py
"""
import io
import os
import zipfile

import flatbuffers
from onnx import TensorProto as T
from onnx import checker, helper

try:
    from tensorflow.lite.python import schema_py_generated as schema
except ImportError:
    from ai_edge_litert import schema_py_generated as schema

ROOT = "tests/models"
TEMP = "models/temp/1/edge.tflite"


def save(name, nodes, inputs, outputs, opset=17):
    """Writes tests/models/NAME/1/model.onnx; inputs, outputs: (name, type, shape) each."""
    infos = [[helper.make_tensor_value_info(*io) for io in ios] for ios in (inputs, outputs)]
    graph = helper.make_graph(nodes, name, *infos)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    checker.check_model(model)
    os.makedirs(f"{ROOT}/{name}/1", exist_ok=True)
    with open(f"{ROOT}/{name}/1/model.onnx", "wb") as f:
        f.write(model.SerializeToString(deterministic=True))


def unary(op, to="y"):
    """One node from x."""
    return [helper.make_node(op, ["x"], [to])]


class Flat:
    """Tables of the metadata schema, by the numbers of their slots."""

    def __init__(self):
        self.b = flatbuffers.Builder(0)

    def table(self, *slots):
        """slots: (number, kind, value); kind: "ref" or "u8"."""
        self.b.StartObject(8)
        for number, kind, value in slots:
            if kind == "ref":
                self.b.PrependUOffsetTRelativeSlot(number, value, 0)
            else:
                self.b.PrependUint8Slot(number, value, 0)
        return self.b.EndObject()

    def list(self, items):
        """A vector of tables."""
        self.b.StartVector(4, len(items), 4)
        for item in reversed(items):
            self.b.PrependUOffsetTRelative(item)
        return self.b.EndVector()

    def floats(self, values):
        """A vector of floats."""
        self.b.StartVector(4, len(values), 4)
        for value in reversed(values):
            self.b.PrependFloat32(value)
        return self.b.EndVector()


def metadata():
    """ModelMetadata: a name, a normalised input, an output with a file of labels."""
    f = Flat()
    text = f.b.CreateString
    options = f.table((0, "ref", f.floats([20.0])), (1, "ref", f.floats([8.0])))
    unit = f.table((0, "u8", 1), (1, "ref", options))
    given = f.table((0, "ref", text("readings")), (1, "ref", text("three of them, in degC")),
                    (4, "ref", f.list([unit])))
    labels = f.table((0, "ref", text("labels.txt")), (2, "u8", 2))
    got = f.table((0, "ref", text("state")), (6, "ref", f.list([labels])))
    graph = f.table((2, "ref", f.list([given])), (3, "ref", f.list([got])))
    root = f.table((0, "ref", text("thermometer")), (1, "ref", text("says how warm it is")),
                   (3, "ref", f.list([graph])))
    f.b.Finish(root, b"M001")
    return bytes(f.b.Output())


def tensor_map(name, tensor):
    """A row of a signature."""
    row = schema.TensorMapT()
    row.name, row.tensorIndex = name, int(tensor)
    return row


def save_notes():
    """Writes tests/models/notes: the bundled thermometer with a signature, metadata and labels."""
    model = schema.ModelT.InitFromPackedBuf(open(TEMP, "rb").read(), 0)
    graph, signature = model.subgraphs[0], schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs = [tensor_map("celsius", graph.inputs[0])]
    signature.outputs = [tensor_map("state", graph.outputs[0])]
    model.signatureDefs = [signature]
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = list(metadata())
    model.buffers.append(buffer)
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
    model.metadata = [entry]
    b = flatbuffers.Builder(0)
    b.Finish(model.Pack(b), b"TFL3")
    out = io.BytesIO(bytes(b.Output()))
    out.seek(0, 2)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as z:
        z.writestr(zipfile.ZipInfo("labels.txt"), "normal\nhot\ncold\n")
    os.makedirs(f"{ROOT}/notes/1", exist_ok=True)
    with open(f"{ROOT}/notes/1/edge.tflite", "wb") as f:
        f.write(out.getvalue())


WIDE = {"i8": T.INT8, "i16": T.INT16, "i32": T.INT32, "i64": T.INT64, "u8": T.UINT8,
        "u16": T.UINT16, "u32": T.UINT32, "u64": T.UINT64, "f64": T.DOUBLE, "b": T.BOOL}


def main():
    """Writes them all."""
    save("open", unary("Relu"), [("x", T.FLOAT, ["N", "T", 2])], [("y", T.FLOAT, ["N", "T", 2])])
    save("pair", [helper.make_node("Add", ["a", "b"], ["c"])],
         [("a", T.FLOAT, ["N", "T"]), ("b", T.FLOAT, ["T"])], [("c", T.FLOAT, ["N", "T"])])
    save("text", unary("Identity"), [("x", T.STRING, ["N", 2])], [("y", T.STRING, ["N", 2])])
    save("text_open", unary("Identity"), [("x", T.STRING, ["N", "T"])], [("y", T.STRING, ["N", "T"])])
    save("half", unary("Relu"), [("x", T.FLOAT16, ["N", 2])], [("y", T.FLOAT16, ["N", 2])])
    save("scalar", unary("Relu"), [("x", T.FLOAT, [])], [("y", T.FLOAT, [])])
    save("score", unary("Relu", "score"), [("x", T.FLOAT, ["N", 1])], [("score", T.FLOAT, ["N", 1])])
    save("mixed", [helper.make_node("Identity", ["word"], ["said"]), helper.make_node("Relu", ["x"], ["y"])],
         [("word", T.STRING, ["N", 1]), ("x", T.FLOAT, ["N", 2])],
         [("said", T.STRING, ["N", 1]), ("y", T.FLOAT, ["N", 2])])
    save("widths", [helper.make_node("Identity", [n], [f"{n}_out"]) for n in WIDE],
         [(n, t, ["N"]) for n, t in WIDE.items()], [(f"{n}_out", t, ["N"]) for n, t in WIDE.items()])
    save_notes()
    print(f"small: wrote {ROOT}")


if __name__ == "__main__":
    main()
