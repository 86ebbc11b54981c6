"""Rules of what chooses objects by their labels."""

from __future__ import annotations

import re

from .content_lists import each
from .content_rules import Rule, fields, scalar, scalars, text_map
from .names import KEY

LABEL_KEYS = re.compile(KEY)
chosen_labels: Rule = text_map(LABEL_KEYS, removable=True)
selector: Rule = fields(
    {
        "matchLabels": chosen_labels,
        "matchExpressions": each(fields({"key": scalar, "operator": scalar, "values": scalars}), plain=True),
    },
    removable=True,
)
