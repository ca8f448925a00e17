"""The model server: one ONNX model behind the Open Inference Protocol v2, from one process.

It stands alone: the image that runs it holds this package and the libraries that it imports, nothing else of
the repository. `python -m serving --help` says how to start it.
"""
