"""make_small.py - writes tests/models: ONNX files of a node or two, for what the wire must carry.

Open shapes, texts, half precision, whole numbers of every width, several inputs of different types,
scalars. Only the package onnx is needed.
Run from the repository root: python models/make/make_small.py
"""
import os

from onnx import TensorProto as T
from onnx import checker, helper

ROOT = "tests/models"


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
    print(f"small: wrote {ROOT}")


if __name__ == "__main__":
    main()
