"""Every endpoint at every port with every kind of credentials: only what should answers."""

from __future__ import annotations

from benchmarks.auth_matrix import ask_all, guarded_gateway


async def test_only_what_should_answers() -> None:
    async with guarded_gateway() as (live, wallet, rules):
        cells = await ask_all(live, wallet, rules)
    assert len(cells) > 2000
    assert [rule for rule in rules if not rule.roles] == []
    assert [cell for cell in cells if not cell.right] == []
