"""qdq.py - the static INT8 form of a float ONNX model, as onnxruntime's quantizer makes it."""
import tempfile

import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static


class Rows(CalibrationDataReader):
    """Feeds the quantizer one row at a time; x float32 [rows, ...]."""

    def __init__(self, x):
        self.rows = iter(x)

    def get_next(self):
        """The next row, or None at the end."""
        row = next(self.rows, None)
        return None if row is None else {"input": row[None]}


def to_qdq(model, x, activations=QuantType.QInt8, per_channel=False):
    """A float ONNX model -> bytes of its static INT8 QDQ form, calibrated on x; weights are s8."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"{folder}/float.onnx", f"{folder}/qdq.onnx"
        onnx.save(model, source)
        quantize_static(source, target, Rows(x), quant_format=QuantFormat.QDQ,
                        per_channel=per_channel, activation_type=activations,
                        weight_type=QuantType.QInt8)
        quantized = onnx.load(target)
    quantized.doc_string = model.doc_string
    return quantized.SerializeToString(deterministic=True)
