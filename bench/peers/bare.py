"""A bare ASGI application: at each path the same bytes, always. `python bench/peers/bare.py PORT FOLDER`.

It serves the files of the folder as answers at /<name>: `<name>.body` is the body; nothing else is sent but its type
and length. There is nothing that an application can do for a request and be quicker.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import uvicorn

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
ANSWERS = {f"/{file.stem}": file.read_bytes() for file in FOLDER.glob("*.body")}
HEADERS = {
    path: [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    for path, body in ANSWERS.items()
}


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Answer."""
    await receive()
    path = scope["path"]
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS[path]})
    await send({"type": "http.response.body", "body": ANSWERS[path]})


uvicorn.run(
    bare,
    host="127.0.0.1",
    port=PORT,
    loop="uvloop",
    http="httptools",
    ws="none",
    lifespan="off",
    access_log=False,
    log_config=None,
    server_header=False,
)
