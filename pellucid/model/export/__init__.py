"""A trained model without Pellucid's engine: as an ONNX file, or computed with NumPy. Imports no JAX."""
from pellucid.model.export.numpy_forward import predict_numpy
from pellucid.model.export.onnx_file import OnnxFile, export_onnx

__all__ = ["OnnxFile", "export_onnx", "predict_numpy"]
