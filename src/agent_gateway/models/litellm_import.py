"""LiteLLM, told before it is imported to keep to itself: no network but the calls, no `.env`, no log lines.

Everything of it is imported from here: whatever comes first reads its environment.
"""

from __future__ import annotations

import logging
import os
import sys

# Read while LiteLLM is imported: else it fetches a price list, and takes settings from any `.env` it finds.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True")
os.environ["LITELLM_MODE"] = "PRODUCTION"

import litellm
import litellm.litellm_core_utils.default_encoding
from litellm.exceptions import ContextWindowExceededError
from litellm.llms.base_llm.chat.transformation import BaseLLMException
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

__all__ = ["AsyncHTTPHandler", "BaseLLMException", "ContextWindowExceededError", "litellm"]


def silence() -> None:
    """Keep LiteLLM from writing and from calling anybody else."""
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = True
    for callbacks in ("callbacks", "success_callback", "failure_callback", "input_callback", "service_callback"):
        setattr(litellm, callbacks, [])
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL)
        logger.propagate = False
    # A model may repeat itself; `max_tokens` bounds that, for every adapter alike.
    litellm.__dict__["REPEATED_STREAMING_CHUNK_LIMIT"] = sys.maxsize


def warm() -> None:
    """Make the first of what every answer is made of: pydantic works out only then what it looks like."""
    litellm.ModelResponse()
    litellm.types.utils.ModelResponseStream()


silence()
warm()
