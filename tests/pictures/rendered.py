"""Pages for a browser to look at: an issue as GitHub would show it, and the answers of a Prometheus."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tarfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from slipway.adapters.forge import Issue

# Bundled into one file by its makers; what else its package names is not needed.
_MERMAID = "mermaid@11.12.2"
_INTEGRITY = "sha512-n34QPDPEKmaeCG4WDMGy0OT6PSyxKCfy2pJgShP+Qow2KLrvWjclwbc3yXfSIf4BanqWEhQEpngWwNp/XhZt6w=="
_READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_STYLE = """
body { margin: 0; padding: 24px; background: #fff; color: #1f2328; font: 16px/1.5 system-ui, Arial, sans-serif; }
main { max-width: 860px; } h1 { font-size: 26px; font-weight: 500; } h1 span { color: #59636e; font-weight: 300; }
table { border-collapse: collapse; margin: 0 0 16px; font-size: 14px; }
th, td { padding: 5px 11px; border: 1px solid #d1d9e0; text-align: left; } tr:nth-child(2n) td { background: #f6f8fa; }
code { padding: 2px 5px; background: #eff1f3; border-radius: 5px; font-size: 85%; overflow-wrap: anywhere; }
.label { padding: 2px 9px; border-radius: 12px; background: #ddf4ff; color: #0969da; font-size: 13px; }
"""


def issue_page(issue: Issue) -> str:
    """Title, labels, assignees and text; Mermaid's blocks are drawn once its script runs."""
    text = _READER.render(issue.body)
    text = text.replace('<pre><code class="language-mermaid">', '<pre class="mermaid">').replace(
        "</code></pre>", "</pre>"
    )
    labels = " ".join(f'<span class="label">{escape(label)}</span>' for label in issue.labels)
    people = ", ".join(f"@{escape(person)}" for person in issue.assignees) or "nobody"
    head = f"<h1>{escape(issue.title)} <span>#{issue.number}</span></h1><p>{labels}</p><p>Assigned to {people}</p>"
    return _page(f"{head}{text}")


def answers_page(answers: Sequence[tuple[str, Sequence[dict[str, Any]]]]) -> str:
    """A table a query: the labels of each line, and its value."""
    return _page("".join(_answer(promql, samples) for promql, samples in answers))


def mermaid(folder: Path) -> Path:
    """The script that GitHub, too, draws with, from npm; its bytes are those that its makers published."""
    subprocess.run(
        ["npm", "pack", _MERMAID, "--pack-destination", str(folder)], check=True, capture_output=True, timeout=120
    )
    (packed,) = folder.glob("mermaid-*.tgz")
    digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == _INTEGRITY
    with tarfile.open(packed) as tar:
        tar.extract("package/dist/mermaid.min.js", folder, filter="data")
    return folder / "package" / "dist" / "mermaid.min.js"


def _answer(promql: str, samples: Sequence[dict[str, Any]]) -> str:
    names = sorted({name for one in samples for name in one["metric"]} - {"instance", "job"})
    head = "".join(f"<th>{escape(name)}</th>" for name in (*names, "value"))
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{escape(one['metric'].get(name, ''))}</td>" for name in names)
        + f"<td>{float(one['value'][1]):.4g}</td></tr>"
        for one in samples
    )
    return f"<p><code>{escape(promql)}</code></p><table><tr>{head}</tr>{rows}</table>"


def _page(body: str) -> str:
    return f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><style>{_STYLE}</style><main>{body}</main></html>'
