"""Ports for programs of tests: each once, and none that the embedded MongoDB or the system itself would choose."""

from tests.ports import free_port, free_ports


def test_no_port_is_chosen_twice() -> None:
    chosen = [*free_ports(20), free_port()]

    assert len(set(chosen)) == 21


def test_ports_are_where_nobody_else_looks_for_one() -> None:
    assert all(20_000 <= port < 27_100 for port in free_ports(20))
