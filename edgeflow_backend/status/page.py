"""The ``/status`` page as self-contained HTML: no scripts, images or fonts."""

from __future__ import annotations

from datetime import datetime

from jinja2 import Environment, StrictUndefined

from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.status.learning import plot, section
from edgeflow_backend.status.style import STYLE


def render_html(status: JSONObject) -> str:
    """The page.

    Args:
        status: Result of :func:`edgeflow_backend.status.report.report`; every value is escaped.
    """
    now = datetime.fromisoformat(status["time"])

    def ago(time: str) -> str:
        seconds = (now - datetime.fromisoformat(time)).total_seconds()
        return "just now" if seconds < 1 else f"{in_words(seconds)} ago"

    return _PAGE.render(status, ago=ago)


def in_words(seconds: float) -> str:
    """A duration to the precision that matters: ``12 s``, ``3 min``, ``2 h 5 min``, ``4 d 3 h``."""
    minutes, hours, days = (int(seconds // unit) for unit in (60, 3600, 86400))
    if minutes < 1:
        return f"{max(int(seconds), 0)} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def _sentence(text: str) -> str:
    """``an error`` as ``An error.``; a URL at the beginning stays as it is."""
    if not text:
        return ""
    first = text.partition(" ")[0]
    start = text[:1].upper() if first.isalpha() else text[:1]
    return f"{start}{text[1:].rstrip('.')}."


def _counted(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")  # a thin space: commas mean other things elsewhere


def _megabytes(count: int) -> str:
    return _counted(round(count / 1_000_000))


def _clock_time(time: str) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M:%S} UTC"


def _day(time: str) -> str:
    return time[:10]


_MARKUP = (
    """<!doctype html>
{%- macro when(time) -%}
<time datetime="{{ time }}" title="{{ time | clock_time }}">{{ ago(time) }}</time>
{%- endmacro %}
{%- macro tile(name, value, unit="") -%}
<div class="card"><dt class="soft">{{ name }}</dt>
<dd><b>{{ value }}</b> <span class="soft">{{ unit }}</span></dd></div>
{%- endmacro %}
{%- macro listed(texts) -%}
{% if texts %}
<ul>
{% for text in texts %}
<li>{{ text }}</li>
{% endfor %}
</ul>
{% endif %}
{%- endmacro %}
{%- macro cards(entries, mark="mark warning") -%}
<ul class="cards">
{% for entry in entries %}
{% set count, first = entry.count | default(1), entry.first | default("") %}
<li class="card {{ mark }}">
<p class="row"><strong>{{ entry.message | sentence }}</strong>
{% if count > 1 %}<span class="chip">{{ count | counted }} times</span>{% endif %}
</p>
{% if entry.hint %}<p><span class="do">To do:</span> {{ entry.hint | sentence }}</p>{% endif %}
<p class="facts soft">
<span>{{ "last " if count > 1 }}{{ when(entry.last) }}</span>
{% if count > 1 and first %}<span>first {{ when(first) }}</span>{% endif %}
{% if entry.project %}<span>project {{ entry.project }}</span>{% endif %}
{% if entry.task | default("") %}<span>task {{ entry.task }}</span>{% endif %}
{% if entry.id | default("") %}
<span>{{ entry.code }}</span>
<span>id <code>{{ entry.id }}</code></span>
{% endif %}
</p>
</li>
{% endfor %}
</ul>
{%- endmacro %}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="10">
<title>{{ summary.text }}</title>
<style>"""
    + STYLE
    + section.STYLE
    + """</style>
</head>
<body>
<header>
<p class="soft">EdgeFlow backend</p>
<h1 class="{{ summary.level }}">{{ summary.text }}</h1>
</header>
<main>
<section>
<h2>Model</h2>
<div class="card mark {{ {'ready': 'good', 'loading': 'warning', 'failed': 'bad'}[model.state] }}">
<p><strong>{{ model.version }}</strong></p>
{% if model.message %}<p>{{ model.message | sentence }}</p>{% endif %}
{% if model.hint %}<p><span class="do">To do:</span> {{ model.hint | sentence }}</p>{% endif %}
<p class="facts soft"><span>{{ model.state }}</span>
{% if model.runtime %}<span>{{ model.runtime }}</span>{% endif %}
<span>up for {{ uptime_s | in_words }}</span></p>
</div>
</section>
<section>
<h2>Failed requests</h2>
{% if troubles %}
<p class="soft">The id is also in the backend's log, and in the answer that the browser got.</p>
{{ cards(troubles) }}
{% else %}
<div class="card mark good">
<p><strong>None, all is well.</strong> Nothing has failed since the start.</p>
<p class="soft">A click that shows nothing in Label Studio, and nothing here, never arrived: see
the end of this page.</p>
</div>
{% endif %}
</section>
{% if lost %}
<section>
<h2>Submitted before the mask was accepted</h2>
{{ cards(lost) }}
</section>
{% endif %}
{% if notes %}
<section>
<h2>Answered, but not in full</h2>
{{ cards(notes) }}
</section>
{% endif %}
<section>
<h2>Labelling configs</h2>
{% if projects %}
<ul class="cards">
{% for project in projects %}
<li class="card mark {{ 'warning' if project.problems else 'good' }}">
<p class="row"><strong>Project {{ project.project or "without a number" }}</strong>
{% if not project.problems %}<span class="chip">fine</span>{% endif %}</p>
{{ listed(project.problems) }}
{% if project.warnings %}
<p class="do">Label Studio's own exports:</p>
{{ listed(project.warnings) }}
{% endif %}
{% if project.refining %}<p class="soft">{{ project.refining | sentence }}</p>{% endif %}
{% if project.export %}
<p class="soft">To export it, with a token in LABEL_STUDIO_API_KEY:</p>
<p><code>{{ project.export }}</code></p>
{% endif %}
<p class="soft">last seen {{ when(project.seen) }}, at /{{ project.place }}</p>
</li>
{% endfor %}
</ul>
{% else %}
<p class="card">No project has asked yet.</p>
{% endif %}
</section>
"""
    + section.SECTION
    + """
{% if calls %}
<section>
<h2>Asked without a click</h2>
{{ cards(calls, mark="") }}
</section>
{% endif %}
<section>
<h2>Load</h2>
<dl class="tiles">
{% if model.state == "ready" %}
{{ tile("in the queue", load.waiting | counted, "of " ~ load.queue_limit) }}
{% endif %}
{{ tile("answered", load.ok | counted) }}
{{ tile("failed", load.failed | counted) }}
{% if load.measured %}
{{ tile("median", load.median_ms | round | int | counted, "ms") }}
{{ tile("95th percentile", load.p95_ms | round | int | counted, "ms") }}
{% endif %}
</dl>
{% if load.measured %}
<p class="soft">Times of the last {{ load.measured }} answers; the newest came
{{ when(load.last_ok) }}.</p>
{% endif %}
</section>
{% if caches %}
<section>
<h2>Caches</h2>
<dl class="tiles">
{% for cache in caches %}
{{ tile(cache.name, cache.bytes | megabytes, "of " ~ cache.max_bytes | megabytes ~ " MB") }}
{% endfor %}
</dl>
{% for tier in shared %}
<p class="soft">Redis for {{ tier.use }}: {{ tier.message }}.</p>
{% endfor %}
</section>
{% endif %}
</main>
<footer>
<h2>{{ help.title }}</h2>
<ol>
<li>In the editor: Auto-Annotation is on, the smart tool (pink dots) and a label are picked.</li>
<li>In the project's settings under Model: this backend is connected, with interactive
preannotations, and is the first of its kind.</li>
<li>Label Studio reaches this backend, and lets it have a private IP: edgeflow-backend doctor
--project says so, and edgeflow-backend connect sets it up.</li>
<li>Everything else:
{% if help.url %}<a href="{{ help.url }}">{{ help.title }}</a>
{% else %}<code>{{ help.page }}</code>{% endif %}
</li>
</ol>
<p class="soft end">As of {{ time | clock_time }}, refreshed every 10 seconds.
<a href="?format=json">The same as JSON</a></p>
</footer>
</body>
</html>
"""
)

_ENVIRONMENT = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
_ENVIRONMENT.filters.update(
    clock_time=_clock_time,
    counted=_counted,
    day=_day,
    in_words=in_words,
    megabytes=_megabytes,
    plot=plot.plot,
    sentence=_sentence,
)
_PAGE = _ENVIRONMENT.from_string(_MARKUP)
