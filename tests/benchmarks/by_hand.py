"""What somebody writes in an afternoon to convert a large model and to compare it: one set of scripts a framework.

The model is a table with a row a user, as recommenders have it: as large as wanted, and quick to ask.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Framework:
    """Python, run in the framework's environment: `train` gets (users, width, folder), `convert` (source, onnx),
    `ask` (source, rows, answers); rows and answers are npz files, and `source` is the file or folder that is released.
    """

    name: str
    source: str
    train: str
    convert: str
    ask: str


COMPARE = """
import sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
answers = session.run(["p"], dict(np.load(sys.argv[2])))[0]
np.testing.assert_allclose(answers, np.load(sys.argv[3])["p"], rtol=1e-3, atol=1e-5)
"""

TENSORFLOW = Framework(
    name="tensorflow",
    source="source",
    train="""
import sys
import numpy as np, tensorflow as tf
users, width, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
random = np.random.default_rng(1)

class Large(tf.Module):
    def __init__(self):
        super().__init__()
        self.table = tf.Variable(random.standard_normal((users, width), dtype=np.float32))
        self.weights = tf.Variable(random.standard_normal((width, 1), dtype=np.float32))
    @tf.function
    def answer(self, user, x):
        return {"p": tf.sigmoid(tf.gather(self.table, user[:, 0]) @ self.weights / 8.0 + x)}

model = Large()
asked = {name: tf.TensorSpec((None, 1), kind, name=name) for name, kind in {"user": tf.int64, "x": tf.float32}.items()}
signature = model.answer.get_concrete_function(**asked)
tf.saved_model.save(model, folder, signatures={"serving_default": signature})
""",
    convert="""
import sys
from tf2onnx import convert
sys.argv = ["convert", "--saved-model", sys.argv[1], "--output", sys.argv[2], "--opset", "18"]
convert.main()
""",
    ask="""
import sys
import numpy as np, tensorflow as tf
rows = dict(np.load(sys.argv[2]))
answer = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
np.savez(sys.argv[3], **answer(**{name: tf.constant(column) for name, column in rows.items()}))
""",
)

PYTORCH = Framework(
    name="pytorch",
    source="source/model.pt2",
    train="""
import os, sys
import torch
users, width, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.manual_seed(1)

class Large(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(users, width)
        self.last = torch.nn.Linear(width, 1)
    def forward(self, user, x):
        return {"p": torch.sigmoid(self.last(self.table(user[:, 0])) / 8.0 + x)}

rows = torch.export.Dim("batch")
example = {"user": torch.zeros(2, 1, dtype=torch.int64), "x": torch.zeros(2, 1)}
program = torch.export.export(Large().eval(), (), example, dynamic_shapes={"user": {0: rows}, "x": {0: rows}})
os.makedirs(folder)
torch.export.save(program, folder + "/model.pt2")
""",
    convert="""
import sys
import torch
program = torch.export.load(sys.argv[1])
torch.onnx.export(program, (), kwargs=program.example_inputs[1], dynamo=True, output_names=["p"]).save(sys.argv[2])
""",
    ask="""
import sys
import numpy as np, torch
rows = {name: torch.from_numpy(column) for name, column in np.load(sys.argv[2]).items()}
with torch.no_grad():
    answers = torch.export.load(sys.argv[1]).module()(**rows)
np.savez(sys.argv[3], **{name: answer.numpy() for name, answer in answers.items()})
""",
)

ONNX = Framework(
    name="onnx",
    source="source/model.onnx",
    train="""
import os, sys
import numpy as np, onnx
from onnx import helper, numpy_helper
users, width, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
random = np.random.default_rng(1)
weights = {
    "table": random.standard_normal((users, width), dtype=np.float32),
    "last": random.standard_normal((width, 1), dtype=np.float32) / 8,
    "one": np.array([1]),
}
nodes = [
    helper.make_node("Squeeze", ["user", "one"], ["place"]), helper.make_node("Gather", ["table", "place"], ["row"]),
    helper.make_node("MatMul", ["row", "last"], ["product"]), helper.make_node("Add", ["product", "x"], ["sum"]),
    helper.make_node("Sigmoid", ["sum"], ["p"]),
]
inputs = [helper.make_tensor_value_info(*one, ["N", 1]) for one in (("user", 7), ("x", 1))]
outputs = [helper.make_tensor_value_info("p", 1, ["N", 1])]
constants = [numpy_helper.from_array(array, name) for name, array in weights.items()]
graph = helper.make_graph(nodes, "large", inputs, outputs, constants)
os.makedirs(folder)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), folder + "/model.onnx")
""",
    convert="""
import shutil, sys
import onnx
onnx.checker.check_model(sys.argv[1])
shutil.copyfile(sys.argv[1], sys.argv[2])
""",
    ask="""
import sys
import numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession(sys.argv[1], options)
np.savez(sys.argv[3], p=session.run(["p"], dict(np.load(sys.argv[2])))[0])
""",
)

FRAMEWORKS = {one.name: one for one in (TENSORFLOW, PYTORCH, ONNX)}
