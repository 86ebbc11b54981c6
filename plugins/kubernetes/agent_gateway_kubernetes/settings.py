"""The plugin's settings, `plugins.kubernetes`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class KubernetesSettings(BaseModel):
    """How long one request to an API server may take, in seconds. Which clusters there are is in `clusters`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_seconds: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 10.0
