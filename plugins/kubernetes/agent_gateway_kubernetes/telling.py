"""Commands about the cluster and the command line: kinds, versions, fields, rights, help."""

from __future__ import annotations

import agent_gateway as ag

from . import rights
from .inventory import choose_kinds, show_kinds, show_rules, show_version
from .schemas import explain as explain_fields
from .scope import Scope

#: Parts of objects that rights are given for one by one.
_PARTS = frozenset({"exec", "log", "attach", "portforward", "proxy", "eviction", "scale", "status", "token", "binding"})
HELP = """\
This is a subset of kubectl, carried out through the Kubernetes API; there is no shell, and no file.
Reads: get, describe, logs, events, top, rollout status, rollout history, explain, wait, auth can-i, auth whoami,
api-resources, api-versions, version, cluster-info.
Changes, each of which a human approves after seeing its dry run: scale, rollout restart|undo|pause|resume, set
image|env|resources, label, annotate, patch, apply -f -, create -f -, replace -f -, delete NAME, autoscale, expose,
cordon, uncordon, taint, drain.
Never: secrets, exec, cp, port-forward, proxy, edit, run, plugins, --all, other credentials, control namespaces."""


async def explain(scope: Scope) -> str:
    """What a kind, or a field of it, means."""
    word, *fields = scope.command.words[0].split(".")
    version = scope.option("api-version")
    resource = await scope.discovery.find(scope.api, word)
    if version and version != resource.api_version:
        kinds = (await scope.kinds()).resources
        same = [each for each in kinds if (each.api_version, each.plural) == (version, resource.plural)]
        if not same:
            raise ag.NotFound(f"the cluster '{scope.api.cluster}' has no '{resource.plural}' in '{version[:80]}'")
        resource = same[0]
    return await explain_fields(scope.api, resource, tuple(fields))


async def can_i(scope: Scope) -> str:
    """Whether the gateway's account may do something."""
    if scope.command.flag("list"):
        return await show_rules(scope.api, scope.namespace)
    verb, *target = scope.command.words
    attributes = {"verb": verb, "namespace": scope.namespace}
    word, _, rest = (target[0] if target else "").partition("/")
    if word == "*":
        attributes |= {"group": "*", "resource": "*"}
    else:
        resource = await scope.discovery.find(scope.api, word)
        attributes |= {"group": resource.group, "resource": resource.plural}
        if not resource.namespaced:
            attributes["namespace"] = ""
    attributes["subresource" if rest in _PARTS else "name"] = rest
    if scope.option("subresource"):
        attributes["subresource"] = scope.option("subresource")
    allowed, reason = await rights.may(scope.api, {key: value for key, value in attributes.items() if value})
    return f"{'yes' if allowed else 'no'}{f' ({reason})' if reason else ''}"


async def who_am_i(scope: Scope) -> str:
    """Who the cluster takes the gateway's account for."""
    kinds = (await scope.kinds()).resources
    reviews = next((each for each in kinds if each.plural == "selfsubjectreviews"), None)
    found = await rights.who(scope.api, reviews.version if reviews else "")
    groups = ", ".join(str(each) for each in found.get("groups") or [])
    return f"Username: {found.get('username', 'unknown')}\nGroups: {groups}"


async def api_resources(scope: Scope) -> str:
    """The kinds of the cluster."""
    namespaced = {"true": True, "false": False}.get(scope.option("namespaced"))
    group = scope.command.options.get("api-group")
    kinds = choose_kinds(await scope.kinds(), group=group, namespaced=namespaced, verbs=scope.listed("verbs"))
    output = scope.option("output")
    headers = not scope.command.flag("no-headers")
    return show_kinds(kinds, names=output == "name", wide=output == "wide", headers=headers) or "There are none."


async def api_versions(scope: Scope) -> str:
    """The versions of the cluster's groups."""
    return "\n".join(sorted((await scope.kinds()).versions))


async def version(scope: Scope) -> str:
    """The API server's version."""
    return await show_version(scope.api)


async def cluster_info(scope: Scope) -> str:
    """Which cluster this is."""
    return f"Cluster: {scope.api.cluster}\n{await show_version(scope.api)}"


async def show_help(scope: Scope) -> str:
    """What this kubectl can do."""
    return HELP
