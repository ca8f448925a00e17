"""Writes MLflow's own kind of model from an ONNX file: model.py MODEL FOLDER."""

import sys

import mlflow.onnx
import onnx

mlflow.onnx.save_model(
    onnx.load(sys.argv[1]),
    sys.argv[2],
    onnx_execution_providers=["CPUExecutionProvider"],
    onnx_session_options={"intra_op_num_threads": 1},
)
