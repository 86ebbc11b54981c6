"""Plain requests are understood as labelled, and never as something else."""

from __future__ import annotations

import pytest
from benchmarks.plain_calls import canonical, changes_something
from benchmarks.plain_requests import OWN, LabelledRequest, Outcome, load_requests, measure, report

#: Written by the author of the rules, and by somebody who had not seen them.
FILES = sorted(OWN.parent.glob("plain_requests*.jsonl"))


@pytest.fixture(scope="module", params=FILES, ids=[each.stem for each in FILES])
def outcomes(request: pytest.FixtureRequest) -> list[Outcome]:
    return measure(load_requests(request.param))


def test_nine_of_ten_requests_end_in_the_right_call(outcomes: list[Outcome]) -> None:
    wanted = [each for each in outcomes if each.labelled.tool]
    assert sum(each.right for each in wanted) >= 0.9 * len(wanted), report(outcomes)


def test_no_request_ends_in_a_wrong_call(outcomes: list[Outcome]) -> None:
    assert [each.labelled.text for each in outcomes if each.called and not each.right] == []


def test_there_are_enough_requests_of_enough_kinds() -> None:
    requests = [each for path in FILES for each in load_requests(path)]
    wanted = [each for each in requests if each.tool]
    assert len(wanted) >= 150
    assert len({each.request for each in wanted}) >= 20
    assert len(requests) - len(wanted) >= 60


def test_equal_calls_are_told_from_others() -> None:
    pods = canonical("kubectl", {"command": "kubectl get pods -n web"})
    assert canonical("kubectl", {"command": "kubectl -n web get po"}) == pods
    assert canonical("kubectl", {"command": "kubectl get pod --namespace=web", "manifest": ""}) == pods
    assert canonical("list_objects", {"kind": "pods", "namespace": "web"}) == pods
    assert canonical("kubectl", {"command": "kubectl get pods -n api"}) != pods
    assert canonical("kubectl", {"command": "kubectl get pods -n web", "cluster": "air"}) != pods
    assert canonical("kubectl", {"command": "kubectl get pods web -n web"}) != pods
    assert canonical("kubectl", {"command": "kubectl get nodes -A"}) == canonical(
        "kubectl", {"command": "kubectl get nodes"}
    )
    assert canonical("pod_logs", {"name": "a", "since": "60m"}) == canonical("pod_logs", {"name": "a"})
    assert canonical("pod_logs", {"name": "a", "since": "2h"}) != canonical("pod_logs", {"name": "a"})


def test_a_wrong_call_is_counted_as_one() -> None:
    (wrong,) = measure([LabelledRequest("show the pods in namespace web")])
    assert (wrong.called, wrong.right) == (True, False)
    assert "wrong calls          1" in report([wrong])


def test_the_effect_of_a_command_is_known() -> None:
    assert changes_something({"command": "kubectl get pods"}) == "read"
    assert changes_something({"command": "kubectl rollout history deployment/x"}) == "read"
    assert changes_something({"command": "kubectl rollout undo deployment/x"}) == "write"
    assert changes_something({"command": "kubectl delete pod x"}) == "write"
