"""Predictions: said before a measurement, compared after it, summed up at the end."""

from types import EllipsisType

from workbook.lesson import progress
from workbook.lesson.speech import say


def predict(name: str, question: str, *, choice: str | EllipsisType, **options: str) -> None:
    """Asks, or keeps the answer: `choice` is the letter of one of `options`, or `...` while none is chosen."""
    listed = "\n".join(f"{letter}) {text}" for letter, text in options.items())
    if choice is ...:
        say("○", f'{name} {question}\n{listed}\nWrite choice="{next(iter(options))}" or another letter, and run again.')
        return
    if choice not in options:
        say("✗", f"{name} there is no choice {choice!r}; there is {', '.join(options)}")
        return
    kept = progress.read()
    kept["predictions"][name] = {"question": question, "said": f"{choice}) {options[choice]}", "was": None}
    progress.write(kept)
    say("→", f"{name} {question}\nYou say {choice}) {options[choice]}. We shall see.")


def outcome(name: str, right: str, measured: str) -> None:
    """Compares what was predicted with what was measured; `right` is the letter that the measurement makes right."""
    kept = progress.read()
    prediction = kept["predictions"].get(name)
    if prediction is None:
        say("○", f"{name} no prediction was made. It is {right}) {measured}.")
        return
    prediction["was"] = right
    progress.write(kept)
    good = prediction["said"].startswith(f"{right})")
    say("✓" if good else "✗", f"{name} you said {prediction['said']}; it is {right}) {measured}.")


def calibration() -> None:
    """How often the predictions were right, and which surprised."""
    measured = {name: kept for name, kept in progress.read()["predictions"].items() if kept["was"] is not None}
    surprises = {name: kept for name, kept in measured.items() if not kept["said"].startswith(f"{kept['was']})")}
    listed = "".join(f"\n{name} {kept['question']} You said {kept['said']}." for name, kept in surprises.items())
    say("→", f"{len(measured) - len(surprises)} of {len(measured)} predictions were right.{listed}")
