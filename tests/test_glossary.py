"""Each word of the glossary is in the lesson, page or file that it leads to."""

import re

import pytest

from workbook.lesson.sections import sections
from workbook.lesson.source import lessons
from workbook.phases import ROOT

GLOSSARY = ROOT / "docs" / "glossary.md"
ROW = re.compile(r"^\| (?P<word>.+?) \| (?P<turkish>.+?) \| (?P<what>.+?) \| (?P<ne>.+?) \| (?P<where>.+) \|$")
LESSON = re.compile(r"\[(?P<lesson>\d)\.(?P<section>\d+)\]\(\.\./notebooks/(?P<name>\w+)\.ipynb\)")
PAGE = re.compile(r"\[[\w ]+\]\((?P<path>[^)#]+)(?:#(?P<heading>[\w-]+))?\)")
IN_LESSONS = {
    (lesson.name, number): " ".join(cell.text for cell in section.cells)
    for lesson in lessons()
    for number, section in enumerate(sections(lesson), 1)
}


def rows() -> list[re.Match[str]]:
    lines = [line for line in GLOSSARY.read_text().splitlines() if line.startswith("| ")]
    found = [ROW.match(line) for line in lines if not line.startswith("| English |")]
    assert all(found), "a row of the glossary has not its five columns"
    return [row for row in found if row]


def shown_at(where: str) -> str:
    """What stands at the place that a row names; fails where there is no such place."""
    if lesson := LESSON.fullmatch(where):
        assert lesson["name"].startswith(f"phase{lesson['lesson']}_"), where
        return IN_LESSONS[lesson["name"], int(lesson["section"])]
    page = PAGE.fullmatch(where)
    assert page, where
    text = (GLOSSARY.parent / page["path"]).read_text()
    return text if page["heading"] is None else under(text, page["heading"])


def under(text: str, anchor: str) -> str:
    """What stands under the heading with this anchor, with all that is below it; raises KeyError."""
    headings = list(re.finditer(r"^(#+) (.+)$", text, re.MULTILINE))
    for number, heading in enumerate(headings):
        if heading[2].lower().replace(" ", "-") == anchor:
            after = (other.start() for other in headings[number + 1 :] if len(other[1]) <= len(heading[1]))
            return text[heading.start() : next(after, len(text))]
    raise KeyError(anchor)


def is_in(word: str, text: str) -> bool:
    """Whether all words of one of its forms, `histogram, bucket` or `law (invariant)`, begin a word there."""
    forms = [form.split() for form in re.split(r"[,()]", word) if form.strip()]
    return any(all(re.search(rf"\b{re.escape(part)}", text, re.IGNORECASE) for part in form) for form in forms)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["word"])
def test_the_word_is_where_the_glossary_says(row: re.Match[str]) -> None:
    assert is_in(row["word"], shown_at(row["where"])), f"{row['where']} has no {row['word']}"


def test_each_word_stands_once() -> None:
    words = [row["word"].lower() for row in rows()]
    assert len(words) == len(set(words)) > 100


def test_a_word_at_a_wrong_place_would_be_seen() -> None:
    assert is_in("tombstone", shown_at("[2.5](../notebooks/phase2_services.ipynb)"))
    assert not is_in("tombstone", shown_at("[2.1](../notebooks/phase2_services.ipynb)"))
    assert not is_in("JWT", shown_at("[gateway](../phase5-k8s/README.md#users)"))


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("[2.99](../notebooks/phase2_services.ipynb)", KeyError),
        ("[3.1](../notebooks/phase2_services.ipynb)", AssertionError),
        ("[users](../phase5-k8s/README.md#nobody)", KeyError),
        ("[file](../phase5-k8s/nothing.yaml)", FileNotFoundError),
        ("lesson 2", AssertionError),
    ],
)
def test_a_place_that_is_not_there_would_be_seen(where: str, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        shown_at(where)
