"""The table of tags: each stands in both engines, in four ways."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import django.template
import jinja2
import pytest
from django.template import Context, Engine

from django_fcs import widgets
from django_fcs.doctor.templates import TemplateText
from django_fcs.widgets.tags import ELEMENTS, FILTERS, TAGS, Tag
from tests.widgets.test_html import Known, known

pytestmark = [pytest.mark.urls("tests.charts.urls"), pytest.mark.versions]

__all__ = ["known"]

TEMPLATES_PAGE = Path(__file__).parents[2] / "docs" / "templates.md"
EXTENSION = "django_fcs.jinja.FCSExtension"
PERCENT = {"block_start_string": "<%", "block_end_string": "%>"}

every_tag = pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS)


@pytest.fixture(autouse=True)
def one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no second end between two ways that are compared."""
    now = datetime.now(timezone.utc)
    for module in ("html", "context"):
        monkeypatch.setattr(f"django_fcs.widgets.{module}.current_time", lambda: now)


def django_template(source: str) -> str:
    engine = Engine(libraries={"fcs": "django_fcs.templatetags.fcs"})
    return engine.from_string("{% load fcs %}" + source).render(Context(autoescape=False))


def jinja(source: str, **options: Any) -> str:
    return jinja2.Environment(extensions=[EXTENSION], **options).from_string(source).render()


def tag_in_django(tag: Tag, arguments: str) -> str:
    return django_template(f"{{% {tag.name} {arguments} as q %}}{{{{ q }}}}")


def tag_in_jinja(tag: Tag, arguments: str) -> str:
    return jinja(f"{{% {tag.name} {arguments} as q %}}{{{{ q }}}}")


def tag_in_jinja_with_other_delimiters(tag: Tag, arguments: str) -> str:
    return jinja(f"<% {tag.name} {arguments} as q %>{{{{ q }}}}", **PERCENT)


def function_in_jinja(tag: Tag, arguments: str) -> str:
    call = f"{tag.name}({', '.join(arguments.split())})"
    return jinja(f"{{% set q = {call} %}}{{{{ q }}}}")


Way = Callable[[Tag, str], str]

TAG_WAYS: list[Way] = [tag_in_django, tag_in_jinja, tag_in_jinja_with_other_delimiters]
in_every_way = pytest.mark.parametrize(
    "way", [*TAG_WAYS, function_in_jinja], ids=lambda way: way.__name__
)
in_every_tag = pytest.mark.parametrize("way", TAG_WAYS, ids=lambda way: way.__name__)


def in_place(tag: Tag) -> str:
    return " ".join(f'"{argument}"' for argument in tag.example)


def by_name(tag: Tag, **others: str) -> str:
    given = {**dict(zip(tag.parameters, tag.example, strict=False)), **others}
    return " ".join(f'{name}="{value}"' for name, value in given.items())


@every_tag
@in_every_way
def test_every_tag_does_the_same_in_every_way(known: Known, tag: Tag, way: Way) -> None:
    expected = str(tag.function(*tag.example))

    assert expected
    assert way(tag, in_place(tag)) == way(tag, by_name(tag)) == expected


@every_tag
@pytest.mark.parametrize("start", ["{%", "<%"])
def test_the_usage_of_every_tag_is_how_it_stands_in_a_template(
    known: Known, tag: Tag, start: str
) -> None:
    expected = "" if tag.is_value else str(tag.function(*tag.example))

    if start == "{%":
        assert django_template(f"{{% {tag.usage} %}}") == expected
        assert jinja(f"{{% {tag.usage} %}}") == expected
    else:
        assert jinja(f"<% {tag.usage} %>", **PERCENT) == expected


@every_tag
@in_every_tag
def test_every_check_of_a_tag_refuses_a_literal_when_the_template_is_compiled(
    tag: Tag, way: Way
) -> None:
    wrong = f"javascript:{'no value of any tag, and too long for a label ' * 3}"
    for name in tag.checks:
        reason = "rows|symbol" if name in ("rows", "symbols") else name
        with pytest.raises(
            (django.template.TemplateSyntaxError, jinja2.TemplateSyntaxError), match=reason
        ):
            way(tag, by_name(tag, **{name: wrong}))


@every_tag
@in_every_tag
def test_a_tag_takes_no_parameter_that_it_does_not_have(tag: Tag, way: Way) -> None:
    for extra in ('colour="red"', 'nonce="red"', 'request="red"'):
        with pytest.raises((django.template.TemplateSyntaxError, jinja2.TemplateSyntaxError)):
            way(tag, f"{in_place(tag)} {extra}")


@every_tag
@in_every_tag
def test_a_tag_without_a_value_that_it_needs_is_no_tag(tag: Tag, way: Way) -> None:
    if tag.required:
        with pytest.raises(
            (django.template.TemplateSyntaxError, jinja2.TemplateSyntaxError),
            match=tag.required[0],
        ):
            way(tag, "")


@every_tag
def test_a_tag_is_declared_with_what_its_function_has(tag: Tag) -> None:
    named = dict(zip(tag.parameters, tag.example, strict=False))

    assert set(tag.checks) <= set(tag.parameters)
    assert set(tag.required) <= set(named)
    tag.check(named)


@every_tag
def test_editors_see_signature_and_docstring_of_every_function(tag: Tag) -> None:
    function: Any = jinja2.Environment(extensions=[EXTENSION]).globals[tag.name]

    assert tag.function.__doc__ and function.__doc__ == tag.function.__doc__
    assert inspect.signature(function) == inspect.signature(tag.function)
    engine = Engine(libraries={"fcs": "django_fcs.templatetags.fcs"})
    assert engine.template_libraries["fcs"].tags[tag.name].__doc__ == tag.function.__doc__


@every_tag
def test_every_tag_is_in_the_documents(tag: Tag) -> None:
    assert re.search(rf"^\| `{{% {tag.name}\b", TEMPLATES_PAGE.read_text(), re.M)


def test_widgets_are_what_the_doctor_looks_for(known: Known) -> None:
    for tag in TAGS.values():
        html = str(tag.function(*tag.example))
        element = tag.name.replace("_", "-")

        assert tag.is_widget == (element in ELEMENTS) == html.startswith(f"<{element} ")
        assert TemplateText.read(f"{{% {tag.usage} %}}").has_widgets == tag.is_widget
        assert TemplateText.read(f"<% {tag.usage} %>").has_widgets == tag.is_widget
        assert TemplateText.read(f"{{{{ {tag.name}('FX:EURUSD') }}}}").has_widgets == tag.is_widget
        assert TemplateText.read(f"<{element}>").has_widgets == tag.is_widget
        assert not TemplateText.read(f"{{% {tag.name}_of_mine %}}<{element}-of-mine>").has_widgets


def test_a_filter_of_the_site_is_not_overwritten() -> None:
    class Site(jinja2.Environment):
        def __init__(self) -> None:
            super().__init__()
            self.filters["fcs_number"] = lambda value, quote: "the site's"
            self.add_extension(EXTENSION)

    assert Site().from_string("{{ 1|fcs_number(2) }}").render() == "the site's"


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_does_the_same_in_both_engines(known: Known, name: str) -> None:
    expected = FILTERS[name](1.5, widgets.quote("FX:EURUSD"))
    tag = '{% fcs_quote "FX:EURUSD" as q %}'

    assert django_template(f"{tag}{{{{ 1.5|{name}:q }}}}") == expected
    assert jinja(f"{tag}{{{{ 1.5|{name}(q) }}}}") == expected
