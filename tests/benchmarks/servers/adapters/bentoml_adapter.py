"""A service of BentoML, as its documentation shows one."""

import os
from typing import Any

import bentoml
import numpy as np
import onnxruntime


@bentoml.service(workers=1)
class OnnxService:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        self._type = np.float32 if self._session.get_inputs()[0].type == "tensor(float)" else object

    @bentoml.api
    def infer(self, x: list[list[Any]]) -> dict[str, Any]:
        return {"y": self._session.run(None, {"x": np.array(x, dtype=self._type)})[0].tolist()}
