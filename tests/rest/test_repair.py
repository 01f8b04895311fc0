"""test_repair.py - repairs over REST. (Of damaged stores: tests/daemon/test_damage.py.)"""


def test_a_sound_store_is_left_alone(daemon, docs):
    before = daemon.good("GET", docs)
    reply = daemon.good("POST", f"{docs}/repair")
    assert (reply["repaired"], reply["problems"], reply["records"], reply["lost"], reply["lost_records"]) == (False, 0, 3, 0, [])
    assert daemon.good("GET", docs) == before
    daemon.ask("POST", "/api/v1/stores/missing/repair").problem(404, "missing")
