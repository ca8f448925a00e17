"""An API of LitServe, as its documentation shows one."""

import os
from typing import Any

import litserve
import numpy as np
import onnxruntime


class OnnxAPI(litserve.LitAPI):
    def setup(self, device: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        self._type = np.float32 if self._session.get_inputs()[0].type == "tensor(float)" else object

    def decode_request(self, request: dict[str, Any]) -> Any:
        return np.array(request["x"], dtype=self._type)

    def predict(self, x: Any) -> Any:
        return self._session.run(None, {"x": x})[0]

    def encode_response(self, output: Any) -> dict[str, Any]:
        return {"y": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(OnnxAPI(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="error",
        access_log=False,
    )
