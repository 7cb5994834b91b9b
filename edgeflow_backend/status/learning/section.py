"""The section of the status page about accepted objects; a part of its template."""

STYLE = """
svg { display: block; max-width: 100%; height: auto; margin: .5rem 0; color: var(--link); }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
svg .axis { stroke: var(--line); }
td svg { margin: 0; }
table { border-collapse: collapse; margin-top: .5rem; width: 100%; }
th, td { padding: .15rem .75rem .15rem 0; text-align: right; font-weight: normal; }
th:first-child, td:first-child { text-align: left; }
"""

SECTION = """
{%- macro iou(curve, weights) -%}
{% set points = [] %}
{% for each in curve %}
{% set _ = points.append({"objects": loop.index, "mean": each[weights]}) %}
{% endfor %}
{{ (points | plot(96, 40, 3)).line }}
{%- endmacro %}
{% if learning %}
<section>
<h2>Clicks per accepted object</h2>
<p class="soft">Boxes and lassos count as one. Objects drawn by hand, or begun from a mask whose
making is not recorded, are not counted.</p>
<ul class="cards">
{% for each in learning %}
<li class="card mark {{ 'warning' if each.failed else 'good' }}">
<p class="row"><strong>Project {{ each.project }}</strong>
<span class="chip">{{ each.objects | counted }} accepted</span></p>
{% if each.message %}<p>{{ each.message | sentence }}</p>{% endif %}
{% if each.hint %}<p><span class="do">To do:</span> {{ each.hint | sentence }}</p>{% endif %}
{% if each.effort %}
{% set all = each.effort[0] %}
{% set curve = all.points | plot(560, 150, 24) %}
<svg width="560" height="150" viewBox="0 0 560 150" role="img"
aria-label="clicks per accepted object, {{ all.label }}, against accepted objects">
<path class="axis" d="M24 24V126H536" fill="none"/>
<text x="18" y="28" text-anchor="end">{{ curve.top }}</text>
<text x="18" y="130" text-anchor="end">0</text>
<text x="24" y="144">{{ all.points[0].at | day }}</text>
<text x="536" y="144" text-anchor="end">{{ all.objects | counted }} objects,
{{ all.points[-1].at | day }}</text>
<text x="30" y="14">clicks per object, {{ all.label }}</text>
{% if curve.line %}
<polyline points="{{ curve.line }}" fill="none" stroke="currentColor" stroke-width="2"/>
{% endif %}
{% for x, y in curve.dots %}
<circle cx="{{ x }}" cy="{{ y }}" r="3" fill="currentColor"/>
{% endfor %}
</svg>
<table>
<tr class="soft">
<th>label</th>
<th>objects</th>
<th>clicks each</th>
<th>the newest</th>
<th></th>
</tr>
{% for row in each.effort %}
{% set small = row.points | plot(96, 20, 3) %}
<tr>
<td>{{ row.label }}</td>
<td>{{ row.objects | counted }}</td>
<td>{{ "%.2f" | format(row.mean) }}</td>
<td>{{ "%.2f" | format(row.newest) }}</td>
<td><svg width="96" height="20" viewBox="0 0 96 20" aria-hidden="true">
{% if small.line %}
<polyline points="{{ small.line }}" fill="none" stroke="currentColor"/>
{% endif %}
</svg></td>
</tr>
{% endfor %}
</table>
{% else %}
<p class="soft">No accepted object has clicks on record yet.</p>
{% endif %}
{% if each.versions %}
<table>
<tr class="soft">
<th>version</th>
<th>learnt from</th>
<th>clicks, base → version</th>
<th>IoU after each click</th>
</tr>
{% for version in each.versions %}
<tr>
<td>{{ version.name }}
<span class="chip">{{ version.state }}</span>
{% if version.state == "served" and version.name != each.answers %}
<span class="chip">not loaded here</span>
{% endif %}
<br><span class="soft">{{ when(version.made) }}</span>
{% if version.reason %}<br>{{ version.reason | sentence }}{% endif %}</td>
<td>{{ version.objects | counted }} objects</td>
<td>{% for found in version.measured %}
{% for row in found.clicks %}
{{ "%.2f" | format(row.before) }} → {{ "%.2f" | format(row.after) }} to {{ row.target }} %<br>
{% endfor %}
<span class="soft">{{ found.what }}, {{ found.objects | counted }} objects</span><br>
{% endfor %}</td>
<td>{% for found in version.measured if found.curve %}
<svg width="96" height="40" viewBox="0 0 96 40" role="img"
aria-label="IoU against clicks, {{ found.what }}: base (dashed) and version">
<polyline points="{{ iou(found.curve, 'before') }}" fill="none" stroke="currentColor"
stroke-dasharray="3"/>
<polyline points="{{ iou(found.curve, 'after') }}" fill="none" stroke="currentColor"/>
</svg>
{% endfor %}</td>
</tr>
{% endfor %}
</table>
<p class="soft">Clicks are answered by {{ each.answers }}.</p>
{% endif %}
<p class="facts soft"><span>{{ each.tasks | counted }} tasks</span>
<span>{{ each.held_out | counted }} objects held out</span>
<span>{{ each.objects_bytes | megabytes }} MB of objects</span>
<span>{{ each.pictures_bytes | megabytes }} MB of images</span>
{% if each.read %}<span>read {{ when(each.read) }}</span>{% endif %}</p>
</li>
{% endfor %}
</ul>
</section>
{% endif %}
"""
