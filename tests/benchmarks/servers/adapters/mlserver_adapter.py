"""A runtime of mlserver, as its documentation shows one."""

import os
from typing import Any

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput


class OnnxModel(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        asked = {one.name: _array(one) for one in payload.inputs}
        (answer,) = self._session.run(None, asked)
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("y", answer)])


def _array(one: RequestInput) -> Any:
    if one.datatype == "BYTES":
        return np.array(StringCodec.decode_input(one), dtype=object).reshape(one.shape)
    return NumpyCodec.decode_input(one)
