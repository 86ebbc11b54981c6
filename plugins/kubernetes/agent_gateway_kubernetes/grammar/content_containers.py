"""Rules of containers."""

from __future__ import annotations

from typing import Any

from .command import Refused
from .content_environment import first, probe, resize_policy, resources, variable_sources, variables, words
from .content_lists import each
from .content_rules import Manner, Rule, fields, never, only, scalar
from .content_security import container_security
from .names import is_image, is_name

_MESH = ("linkerd-", "istio-")
_no = only(False, None, why="Containers are not given a terminal.")


def _image(value: Any, manner: Manner) -> None:
    if not isinstance(value, str) or not is_image(value):
        raise Refused("A reference to an image is none.")


def _name(value: Any, manner: Manner) -> None:
    if not isinstance(value, str) or not is_name(value):
        raise Refused("A container has no name that one can have.")
    if value.startswith(_MESH):
        raise Refused(f"The container '{value[:80]}' belongs to the mesh.")


_port = fields({"name": scalar, "containerPort": scalar, "protocol": scalar, "hostPort": never, "hostIP": never})
_mount = fields(
    {
        "name": scalar, "mountPath": scalar, "subPath": scalar, "subPathExpr": scalar, "readOnly": scalar,
        "recursiveReadOnly": scalar,
        "mountPropagation": only("None", None, why="'mountPropagation' would show a container the mounts of its node."),
    }
)  # fmt: skip
container: Rule = fields(
    {
        "name": _name, "image": _image, "resources": resources, "resizePolicy": resize_policy,
        "imagePullPolicy": only("Always", "IfNotPresent", "Never", None, why="There is no such 'imagePullPolicy'."),
        "command": first("command", words), "args": first("args", words), "workingDir": first("workingDir", scalar),
        "lifecycle": never, "ports": each(_port, plain=True), "env": variables, "envFrom": variable_sources,
        "volumeMounts": each(_mount, plain=True), "volumeDevices": never, "livenessProbe": probe,
        "readinessProbe": probe, "startupProbe": probe, "securityContext": container_security,
        "stdin": _no, "stdinOnce": _no, "tty": _no,
        "restartPolicy": only("Always", "OnFailure", "Never", why="There is no such 'restartPolicy'."),
        "terminationMessagePath": only("/dev/termination-log", why="The path of the last message stays as it is."),
        "terminationMessagePolicy": only("File", "FallbackToLogsOnError", why="There is no such policy."),
    }
)  # fmt: skip
containers: Rule = each(container)
#: All that the subresource `resize` of a pod changes.
resized: Rule = each(fields({"name": _name, "resources": resources}))
