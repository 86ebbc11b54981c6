"""Settings of approvals."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agent_gateway.config.scalars import Number, Section


class ApprovalsSettings(Section):
    """How long a human has to decide, in minutes; after that the call is not made."""

    expire_minutes: Annotated[Number, Field(gt=0, le=10_080)] = 60.0
