"""The command line of the step that compares an experiment, where no rule calls it.

Read while a run is planned, so it imports nothing heavy.
"""

from collections.abc import Callable, Sequence


def experiment_words(
    folder: str, experiment: str, plates: Sequence[str], table_of: Callable[[str, str], str]
) -> list[str]:
    """Return the words of the step ``experiment``, but for its settings.

    Args:
        folder: of the experiment's results.
        plates: that are compared.
        table_of: the path of a table of a plate, by plate and name.
    """
    return [
        *("--plates", f"{folder}/plates.tsv", "--experiment", experiment),
        *("--individuals", *(table_of(one, "individuals.tsv") for one in plates)),
        *("--summaries", *(table_of(one, "summary.tsv") for one in plates)),
        *(
            word
            for name in ("survival", "tests", "cox")
            for word in (f"--{name}", f"{folder}/{name}.tsv")
        ),
        *("--figures", f"{folder}/curves.svg", f"{folder}/curves.png"),
        *("--oasis", f"{folder}/oasis2_lifespan.txt", f"{folder}/oasis2_healthspan.txt"),
        *("--prism", f"{folder}/prism_lifespan.csv", f"{folder}/prism_healthspan.csv"),
        *("--jmp", f"{folder}/jmp.csv"),
    ]
