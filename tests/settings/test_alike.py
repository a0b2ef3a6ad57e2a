"""One person who is spelt in two ways."""

from snakescope.settings.alike import alike, notes_of_persons


def test_case_blanks_and_marks_do_not_tell_two_names_apart() -> None:
    names = ["P1", "p1", "P-2", "P 2", "P_2", "P12", "P1-2", "P10", "P012", "\uff301"]
    assert alike(names) == [("P1", "p1", "\uff301"), ("P-2", "P 2", "P_2"), ("P12", "P012")]
    (note,) = notes_of_persons("donors", ["d1", "D1", "d1", "d11"])
    assert note.startswith("the donors 'd1' and 'D1' are taken for different ones")
