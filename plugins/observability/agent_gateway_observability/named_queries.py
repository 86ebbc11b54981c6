"""Queries with a name: what is run when somebody asks for "the error rate of checkout".

`plugins.observability.queries` replaces each. In a template stand `{service}`, `{window}` (`5m` unless the request
names one), `{quantile}` (0.95 for p95), `{text}` (what logs are searched for), and `{scope}`, which becomes
`, namespace="web"` when a namespace is named. A template without `{scope}` cannot follow a namespace: then nothing is
run.
"""

from __future__ import annotations

import re

_REQUESTS = 'http_requests_total{service="{service}"{scope}}'
_FAILED = 'http_requests_total{service="{service}", code=~"5.."{scope}}'

DEFAULT_QUERIES = {
    # Requests a second.
    "request_rate": f"sum(rate({_REQUESTS}[{{window}}]))",
    # The share of requests answered with a 5xx, 0 to 1.
    "error_rate": f"sum(rate({_FAILED}[{{window}}])) / sum(rate({_REQUESTS}[{{window}}]))",
    # Seconds.
    "latency": (
        "histogram_quantile({quantile}, sum by (le) "
        '(rate(http_request_duration_seconds_bucket{service="{service}"{scope}}[{window}])))'
    ),
    # Cores.
    "cpu": 'sum(rate(container_cpu_usage_seconds_total{pod=~"{service}-.*", container!=""{scope}}[{window}]))',
    # Bytes.
    "memory": 'sum(container_memory_working_set_bytes{pod=~"{service}-.*", container!=""{scope}})',
    # How often its containers started again.
    "restarts": 'sum(increase(kube_pod_container_status_restarts_total{pod=~"{service}-.*"{scope}}[{window}]))',
    # 1 for each target of it that answers, 0 for each that does not.
    "up": 'up{job="{service}"{scope}}',
    "targets_down": "up == 0",
    "firing_alerts": 'ALERTS{alertstate="firing"{scope}}',
    "log_lines": '{app="{service}"{scope}}',
    "log_errors": '{app="{service}"{scope}} |~ "(?i)error|exception|fatal|panic"',
    "log_search": '{app="{service}"{scope}} |= "{text}"',
}
_PLACE = re.compile(r"\{(service|window|quantile|text|scope)\}")


def fill_query(
    template: str, *, service: str = "", window: str = "", quantile: str = "", text: str = "", namespace: str = ""
) -> str:
    """The query with what the request named; what comes from the message cannot end a string of the query."""
    values = {
        "service": _quoted(service),
        "window": window,
        "quantile": quantile,
        "text": _quoted(text),
        "scope": f', namespace="{_quoted(namespace)}"' if namespace else "",
    }
    return _PLACE.sub(lambda found: values[found[1]], template)


def follows_namespace(template: str) -> bool:
    """Whether the query can be narrowed to a namespace."""
    return "{scope}" in template


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
