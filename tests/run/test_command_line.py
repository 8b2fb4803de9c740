"""The command line itself: its version, its completion, an example a verb that can be typed."""

import re
import shlex

import pytest
import typer
from bipbayes.scripts import VERBS, command
from typer.testing import CliRunner

import bipbayes

LINE = typer.main.get_command(command())


def test_it_says_its_version() -> None:
    """Catches an option that goes on to ask for a verb."""
    said = CliRunner().invoke(command(), ["--version"])
    assert (said.exit_code, said.output) == (0, f"bipbayes {bipbayes.__version__}\n")


def test_a_shell_can_complete_verbs() -> None:
    """Catches completion that is switched off."""
    asked = {
        "_BIPBAYES_COMPLETE": "complete_bash",
        "COMP_WORDS": "bipbayes fit-",
        "COMP_CWORD": "1",
    }
    said = CliRunner().invoke(command(), [], prog_name="bipbayes", env=asked)
    assert said.output.split() == ["fit-ols", "fit-posterior"]


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_an_example_that_it_takes(name: str) -> None:
    """Catches a verb without an example, or one with an option that the verb does not have."""
    verb = LINE.commands[name.replace("_", "-")]
    (example,) = re.findall(r"^Example: bipbayes (.+)$", verb.help, re.MULTILINE)
    first, *arguments = shlex.split(example)
    assert first == verb.name
    verb.make_context(first, arguments)
