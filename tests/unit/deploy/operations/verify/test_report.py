"""The answer of `caudal verify` in one line."""

from deploy.operations.verify.report import Report, conclusion

LOG = Report("log", "todo.tasks", events=7, seconds=0.5)
VIEW = Report("view", "todo.tasks", events=7, seconds=0.5)


def test_the_last_line_says_that_all_is_right() -> None:
    assert conclusion([LOG, LOG, VIEW]) == "All is right: 2 logs, 1 view (21 events in 1.5 s)."


def test_the_last_line_names_what_is_wrong() -> None:
    assert conclusion([LOG, Report("view", "todo.tasks", found=1)]) == (
        "WRONG: view todo.tasks, of 1 log, 1 view (7 events in 0.5 s)."
    )
    assert conclusion([Report("log", str(n), found=1) for n in range(5)]).startswith(
        "WRONG: log 0, log 1, log 2 and 2 more, of"
    )


def test_the_last_line_counts_dead_letters() -> None:
    lacking = Report("view", "todo.tasks", exceptions=2)

    assert conclusion([lacking]) == "All is right, except for 2 dead letters that views lack: 1 view (0 events in 0.0 s)."


def test_what_could_not_be_verified_can_count_as_wrong_and_notes_never_do() -> None:
    report = Report("log", "todo.tasks", unverified=["no head is signed"], notes=["1 head without a trusted signature"])
    assert report.is_right
    report.reject_unverified()

    assert (report.is_right, report.unverified, report.findings) == (False, [], [{"what": "no head is signed"}])
    assert report.notes == ["1 head without a trusted signature"]
