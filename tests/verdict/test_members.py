"""What the runs of a study are judged by unless told otherwise."""

from seedbed.verdict.members import Member, headline


def member(setting: str, accuracy: float, status: str = "FINISHED", metric: str = "test/accuracy") -> Member:
    params = {"model": setting, "data": "digits", "seed": "0"}
    return Member("id", "run", "1", status, setting, params, {metric: accuracy}, {})


def test_the_headline_is_validation_unless_every_finished_run_read_the_test_split() -> None:
    read, unread = member("mlp", 0.9), member("mlp", 0.9, metric="best_val/accuracy")
    assert headline([read, read]) == "test/accuracy"
    assert headline([read, unread]) == "best_val/accuracy"
    assert headline([member("mlp", 0.9, status="FAILED")]) == "best_val/accuracy"


def test_runs_of_a_search_are_judged_by_what_they_were_chosen_by() -> None:
    chosen = member("mlp", 0.9, metric="best_val/accuracy")._replace(
        tags={"seedbed.objective": "best_val/loss"}
    )
    assert headline([chosen, chosen]) == "best_val/loss"
    assert headline([chosen, chosen._replace(tags={})]) == "best_val/accuracy"
