"""pyHanko as a client of a time-stamp server: HTTPTimeStamper, and its own check of the answer.

usage: time_stamp.py URL TEXT [USER PASSWORD_FILE]   answers one JSON line
"""

import asyncio
import base64
import hashlib
import json
import pathlib
import sys

from asn1crypto import cms
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.sign.timestamps.requests_client import HTTPTimeStamper

url, text, *credentials = sys.argv[1:]
auth = (credentials[0], pathlib.Path(credentials[1]).read_text().strip()) if credentials else None
digest = hashlib.sha256(text.encode()).digest()


async def ask():
    # async_timestamp checks status, nonce and imprint before it gives the token.
    token = await HTTPTimeStamper(url, timeout=30, auth=auth).async_timestamp(digest, "sha256")
    signed = token["content"]
    info = signed["encap_content_info"]["content"].parsed
    return {
        "granted": True,
        "matches": info["message_imprint"]["hashed_message"].native == digest,
        "policy": info["policy"].dotted,
        "time": info["gen_time"].native.isoformat(),
        "certificates": len(signed["certificates"]) if signed["certificates"] else 0,
        "token": base64.b64encode(cms.ContentInfo.load(token.dump()).dump()).decode(),
    }


try:
    answer = asyncio.run(ask())
except (TimestampRequestError, IOError) as error:
    answer = {"granted": False, "reason": str(error)}
print(json.dumps(answer))
