"""Rules of the environment variables, resources and probes of containers."""

from __future__ import annotations

import re
from typing import Any

from .command import Refused
from .content_lists import each
from .content_rules import Manner, Rule, fields, never, scalar, text_map
from .content_words import refusal_of

#: Programs run what these say, or load it.
_LOADERS = re.compile(
    r"LD_.*|DYLD_.*|GCONV_PATH|BASH_ENV|ENV|BASH_FUNC.*|PROMPT_COMMAND|SHELLOPTS|PS4|PATH|IFS|PYTHON(?:STARTUP|PATH|HOME|"
    r"INSPECT|BREAKPOINT|WARNINGS)|PERL5(?:OPT|LIB|DB)|PERLLIB|RUBY(?:OPT|LIB)|NODE_PATH|CLASSPATH|LUA_.*|PHPRC|"
    r"PHP_INI_SCAN_DIR|GIT_(?:SSH|SSH_COMMAND|ASKPASS|EXTERNAL_DIFF|EXEC_PATH|PAGER|CONFIG.*)|DOTNET_STARTUP_HOOKS|"
    r"CORECLR_.*|COR_.*|GLIBC_TUNABLES|OPENSSL_CONF|.*_JAVA_AGENT|KUBECONFIG|KUBERNETES_SERVICE_.*",
    re.IGNORECASE,
)
#: The options of these are harmless as long as they are about memory and the like.
_OPTIONS = {
    **dict.fromkeys(
        ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS"),
        re.compile(r"-X(?:m[sxn]|ss)[0-9]+[kmgtKMGT]?|-XX:[+-](?!On)\w+|-XX:(?!On|Flags|VMOptions)\w+=[\w.%]+|-D[\w.]+=[\w.-]*"),
    ),
    "NODE_OPTIONS": re.compile(r"--max-[a-z-]+=[0-9]+|--enable-source-maps|--no-warnings|--trace-warnings"),
}  # fmt: skip
#: What a value alone may not be, as its variable's name is not seen.
_LOADS = re.compile(r"-javaagent|-agent(?:lib|path)|-XX:On|--require|--import|--loader|\.so\b|DYLD_|LD_PRELOAD")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")
_RESOURCES = re.compile(r"cpu|memory|storage|ephemeral-storage|hugepages-[A-Za-z0-9]{1,10}|(?:nvidia|amd)\.com/gpu")


def first(key: str, rule: Rule) -> Rule:
    """What only an object that does not exist yet may have.

    Written into one that exists, by a patch or by apply, it would run as whom that one runs, with what that one mounts.
    """

    def check(value: Any, manner: Manner) -> None:
        if not manner.fresh:
            raise refusal_of(key)
        rule(value, manner)

    return check


def _text(value: Any, manner: Manner) -> None:
    if value is not None and not isinstance(value, str):
        raise Refused("The value of an environment variable must be a text.")
    scalar(value, manner)


_key = fields({"name": scalar, "key": scalar, "optional": scalar})
_source = fields(
    {
        "configMapKeyRef": _key, "fieldRef": fields({"apiVersion": scalar, "fieldPath": scalar}),
        "resourceFieldRef": fields({"containerName": scalar, "resource": scalar, "divisor": scalar}),
        "secretKeyRef": never, "fileKeyRef": never,
    },
    removable=True,
)  # fmt: skip
_variable = fields({"name": scalar, "value": _text, "valueFrom": _source})


def variable(value: Any, manner: Manner) -> None:
    """One environment variable, unless programs would run what it says."""
    _variable(value, manner)
    name, text = value.get("name", "_"), value.get("value")
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise Refused("An environment variable has no name that one can have.")
    options = _OPTIONS.get(name)
    harmful = _LOADERS.fullmatch(name) is not None or ("name" not in value and _LOADS.search(text or "") is not None)
    if options is not None:
        # What comes from elsewhere cannot be looked at.
        harmful = bool(value.get("valueFrom")) or any(not options.fullmatch(each) for each in (text or "").split())
    if harmful and not manner.fresh:
        raise Refused(f"The variable '{name[:80]}' would change what a workload runs.")


variables: Rule = each(variable, plain=True)
variable_sources: Rule = each(
    fields({"prefix": scalar, "configMapRef": fields({"name": scalar, "optional": scalar}), "secretRef": never}),
    plain=True,
)
quantities: Rule = text_map(_RESOURCES, removable=True)
resources: Rule = fields({"limits": quantities, "requests": quantities, "claims": never}, removable=True)

words: Rule = each(scalar)
_action = fields({"command": words})
_get = fields(
    {
        "path": scalar, "port": scalar, "scheme": scalar, "host": never,
        "httpHeaders": each(fields({"name": scalar, "value": scalar}), plain=True),
    },
    removable=True,
)  # fmt: skip
probe: Rule = fields(
    {
        "httpGet": _get, "tcpSocket": fields({"port": scalar, "host": never}, removable=True),
        "grpc": fields({"port": scalar, "service": scalar}, removable=True), "exec": first("exec", _action),
        "initialDelaySeconds": scalar,
        "periodSeconds": scalar, "timeoutSeconds": scalar, "successThreshold": scalar, "failureThreshold": scalar,
        "terminationGracePeriodSeconds": scalar,
    },
    removable=True,
)  # fmt: skip
resize_policy: Rule = each(fields({"resourceName": scalar, "restartPolicy": scalar}), plain=True)
