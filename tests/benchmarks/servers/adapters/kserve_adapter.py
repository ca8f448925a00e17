"""A custom model of KServe, as its documentation shows one."""

import os

import numpy as np
import onnxruntime
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.utils.utils import generate_uuid


class OnnxModel(Model):
    def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        self.ready = True
        return True

    def predict(self, payload: InferRequest, headers: dict[str, str] | None = None) -> InferResponse:
        asked = {one.name: _texts(one.as_numpy()) for one in payload.inputs}
        (answer,) = self._session.run(None, asked)
        output = InferOutput("y", list(answer.shape), "FP32")
        wished = any((one.parameters or {}).get("binary_data") for one in payload.request_outputs or [])
        output.set_data_from_numpy(answer, binary_data=wished)
        return InferResponse(response_id=payload.id or generate_uuid(), model_name=self.name, infer_outputs=[output])


def _texts(array: np.ndarray) -> np.ndarray:
    """Of tensors of bytes; onnxruntime takes texts."""
    if array.dtype != object:
        return array
    texts = [one.decode() if isinstance(one, bytes) else one for one in array.ravel()]
    return np.array(texts, dtype=object).reshape(array.shape)


model = OnnxModel("bench")
model.load()
ModelServer(http_port=int(os.environ["PORT"]), enable_grpc=False, workers=1, access_log_format=None).start([model])
