"""Tell a support person what is installed here and whether it works."""

import typer

from bipbayes.run import options
from bipbayes.run.settings import Settings


@options.verb("", quiet=True)
def main(settings: Settings) -> int:
    """Look at versions, files, a tiny fit, a figure and the machine (exit code 1: a fault).

    Example: bipbayes doctor
    """
    from bipbayes.run.doctor import examine

    advice = []
    for line, told in examine():
        typer.echo(line)
        advice += [told] * bool(told)
    typer.echo(
        f"Not all is well: {'; '.join(dict.fromkeys(advice))}." if advice else "All is well."
    )
    return int(bool(advice))


if __name__ == "__main__":
    typer.run(main)
