"""The page stands alone, is harmless whatever the data say, and shows every part that there is."""
from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from pellucid.report.figures import training_curve
from pellucid.report.html import render, summary
from pellucid.report.result import (
    Contender,
    Curve,
    Gallery,
    NetworkPicture,
    Result,
    Section,
    Thumbnail,
    Verdict,
)
from pellucid.report.terminal import to_text
from pellucid.report.thumbnails import png

VOID = {"meta", "br", "img", "link", "path", "use", "rect", "circle", "line", "image", "stop", "input"}


class Outline(HTMLParser):
    """Collects tags, attributes and headings, and checks that tags nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open, self.tags, self.attributes, self.headings = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def test_page_is_whole_harmless_and_self_contained(page):
    outline = Outline(page)
    assert not outline.open and not {"script", "iframe", "link", "object"} & set(outline.tags)
    assert not [name for _, name, _ in outline.attributes if name.startswith("on")]
    for tag, name, value in outline.attributes:
        if name in ("src", "href", "xlink:href"):
            assert value.startswith(("data:", "#")), (tag, name, value[:60])
    assert not re.search(r"url\((?!#|&quot;#|\"#)", page) and "@import" not in page
    assert "&lt;script&gt;" in page and len(page) < 1_500_000
    assert all(value for _, name, value in outline.attributes if name in ("aria-label", "alt"))


def test_every_part_has_its_heading(result, page):
    expected = {"Before you rely on it", "The network beside plain methods", "How it learned",
                "Where it is right and wrong", "What each prediction promises", "Which columns matter", "The network",
                "The data", "What it cost", "How to repeat it"}
    found = set(Outline(page).headings)
    assert found == expected | ({"Decisions and what they cost"} if result.decision else set())


def test_identifiers_inside_the_figures_do_not_collide(page):
    identifiers = re.findall(r'\sid="([^"]+)"', page)
    assert identifiers and len(identifiers) == len(set(identifiers))
    referred = set(re.findall(r'(?:href="|url\()#([^")]+)', page))
    assert referred <= set(identifiers)


def test_same_result_same_page(result, page):
    assert render(result) == page


def test_first_sentence_stands_before_everything_else(page):
    assert page.index('class="headline"') < page.index("The network beside plain methods")


def test_logarithmic_axes_have_plain_numbers():
    epochs = np.arange(-1, 30)
    drawn = training_curve(Curve(epochs, np.exp(-epochs / 4), np.exp(-epochs / 9), "e"))
    assert ">0.01<" in drawn and ">0.1<" in drawn and "mathdefault" not in drawn


def test_a_bare_result_renders():
    bare = Result("data", "regress", "y", Verdict("alone", ("No comparison.",)), "rmse", {"train": 5},
                  Contender("network", "network", {"rmse": None}, float("nan")))
    outline = Outline(render(bare))
    assert not outline.open and outline.headings == ["The network beside plain methods", "How to repeat it"]
    assert "No comparison." in to_text(bare) and "No comparison." in summary(bare)


@pytest.mark.parametrize("curve", [
    Curve(np.array([-1, 0]), np.array([1.0, np.nan]), np.array([np.nan, np.nan]), "e"),
    Curve(np.array([-1]), np.array([0.0]), np.array([0.0]), "e", (0,)),
    Curve(np.array([]), np.array([]), np.array([]), "e")])
def test_odd_curves_and_pictures_render(curve):
    odd = Result("data", "classify", "y", Verdict("alone", ("No comparison.",)), "roc_auc", {},
                 Contender("network", "network", {}, 1.0), curve=curve,
                 picture=NetworkPicture(weights=np.zeros((60, 3))))
    assert not Outline(render(odd)).open


def test_json_round_trips(result):
    value = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert value["title"] == result.title and value["verdict"]["outcome"] == result.verdict.outcome
    assert len(value["curve"]["training"]) == len(result.curve.training)


def test_terminal_table_marks_the_best(result):
    text = to_text(result)
    assert " ".join(text.split()).startswith(" ".join(result.verdict.headline.split()))
    assert "neural network" in text and "*" in text and "warning: " in text
    assert max(map(len, text.splitlines())) <= 100


def test_contenders_are_ordered_by_the_deciding_metric(result):
    values = [contender.metrics[result.metric] for contender in result.contenders]
    assert values == sorted(values, reverse=result.task == "classify")


def test_notebook_summary_is_small_and_harmless(result):
    text = summary(result)
    outline = Outline(text)
    assert not outline.open and "script" not in outline.tags and len(text) < 8_000


def test_pictures_are_inside_the_page_with_hostile_names_escaped(make_result):
    hostile = "<script>alert('x')</script>"
    pixels = np.zeros((200, 100, 3), np.uint8)
    gallery = Gallery("<b>Worst</b>", (Thumbnail(png(pixels), hostile, f'"{hostile}'),
                                       Thumbnail(png(pixels[..., :1]), "b")))
    section = Section("The pictures", ("Look.",), galleries=(gallery,))
    page = render(replace(make_result("classify"), sections=(section,)))
    assert page.count('<img src="data:image/png;base64,') == 2 and "<script" not in page and "<b>Worst" not in page
    assert Image.open(io.BytesIO(base64.b64decode(gallery.pictures[0].png))).size == (48, 96)
