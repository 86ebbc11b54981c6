"""Plain requests are understood as labelled, and never as something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.plain_calls import canonical, changes_something
from benchmarks.plain_requests import OWN, LabelledRequest, Outcome, load_requests, measure, report

#: Written by the author of the rules, and by people who had not seen them.
FILES = sorted(OWN.parent.glob("plain_requests*.jsonl"))
#: Of a set that nothing was made to fit, nine of ten are enough.
SHARES = {"plain_requests_fourth": 0.9}


@pytest.fixture(scope="module", params=FILES, ids=[each.stem for each in FILES])
def outcomes(request: pytest.FixtureRequest) -> list[Outcome]:
    return measure(load_requests(request.param))


@pytest.mark.parametrize("path", FILES, ids=[each.stem for each in FILES])
def test_nearly_all_requests_end_in_the_right_call(path: Path) -> None:
    outcomes = measure(load_requests(path))
    wanted = [each for each in outcomes if each.labelled.tool]
    assert sum(each.right for each in wanted) >= SHARES.get(path.stem, 0.98) * len(wanted), report(outcomes)


def test_no_request_ends_in_a_wrong_call(outcomes: list[Outcome]) -> None:
    assert [each.labelled.text for each in outcomes if each.called and not each.right] == []


#: Each makes something else of a request: takes it back, tells it, or asks for more than one call can do.
OTHERWISE = (
    "don't {}", "never {}", "not {}", "forget {}", "thanks for {}", "explain why {}", "Tom said: {}",
    "write a script for {}", "{} is a bad idea", "{} and delete it", "{} as an excel sheet", "{} by email",
    "{} except the newest", "{} compared to last week", "{} or pgmain-0", "{} then restart it", "{} but not yet",
)  # fmt: skip


@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_what_makes_something_else_of_a_request_lets_nothing_be_called(otherwise: str) -> None:
    requests = [each for path in FILES if path != OWN for each in load_requests(path) if each.tool]
    spoken = [each.text.rstrip("?!. ") for each in requests if each.request not in {"command", "promql", "logql"}]
    changed = measure(LabelledRequest(otherwise.format(each[0].lower() + each[1:])) for each in spoken[::2])
    assert [each.labelled.text for each in changed if each.called and not each.choice.command] == []


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


@pytest.mark.parametrize(
    "order", ["upgrade", "run", "drain", "delete", "clean", "push", "rotate", "take", "use", "roll out"]
)
def test_what_asks_for_other_work_is_not_taken_for_a_wish_to_see_something(order: str) -> None:
    things = (
        "the pods in shop-eu", "node pi-04", "deployment cart in shop-eu", "cart-api shop-eu", "shop-eu pods", "flux",
        "memory usage of cart", "the rollout of cart in shop-eu", "helmrelease cart in shop-eu", "apps/shop/cart.yaml",
    )  # fmt: skip
    found = measure(LabelledRequest(f"{order} {each}") for each in things)
    assert [each.labelled.text for each in found if each.called] == []
