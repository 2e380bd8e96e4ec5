"""Renders chat templates with Python's jinja2 as Hugging Face transformers sets it up, for our tests:

    python scripts/text/chat_goldens.py SHARED_DATA

writes tests/fixtures/text/conversations.json (what is rendered), chat.json (for each template of the shared data and
each conversation the 64-bit FNV-1a hash of the prompt, or "error") and jinja.json (small templates with their output).
"""

import datetime
import json
import pathlib
import sys

import jinja2
import jinja2.ext
import jinja2.nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures/text"
NOW = datetime.datetime(2026, 2, 3, 4, 5, 6)


class Generation(jinja2.ext.Extension):
    """`{% generation %}`, as transformers' AssistantTracker parses it."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    # llama.cpp's, for which some of the templates are written.
    env.filters["from_json"] = json.loads
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


def render(template, variables):
    defaults = {"tools": None, "documents": None, "add_generation_prompt": False}
    return environment().from_string(template).render(**{**defaults, **variables})


TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
user = lambda text: {"role": "user", "content": text}
assistant = lambda text, **more: {"role": "assistant", "content": text, **more}
system = lambda text: {"role": "system", "content": text}
HELLO, FINE, MORE = user("Hello, how are you?"), assistant("I'm doing great. How can I help you today?"), user("Show me!")


def function(name, description, properties, required):
    return {"type": "function", "function": {"name": name, "description": description, "parameters": {
        "type": "object", "properties": properties, "required": required}}}


TOOLS = [
    function("get_weather", "Get the current weather.", {
        "city": {"type": "string", "description": "The city, e.g. \"Zürich\" <b>&</b> 'Genève'"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}}, ["city"]),
    function("plan_trip", "Plans a trip.\nOver two lines.", {
        "stops": {"type": "array", "description": "Places", "items": {"type": "object", "properties": {
            "name": {"type": "string"}, "days": {"type": "integer", "default": 2}}, "required": ["name"]}},
        "budget": {"type": "number", "default": 1500.0, "minimum": 0},
        "tags": {"type": "array", "items": {"type": "string"}},
        "fast": {"type": "boolean", "description": "Hurry", "default": False},
        "any": {"type": ["string", "null"]}}, ["stops", "budget"]),
    {"type": "function", "function": {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}}},
]


def call(name, arguments, id):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(content, name="get_weather", id="call_0"):
    return {"role": "tool", "name": name, "tool_call_id": id, "content": content}


ARGUMENTS = {"city": "Zürich", "unit": "celsius"}
TRIP = {"stops": [{"name": "Bern", "days": 1}], "budget": 99.5, "fast": True, "any": None}
CONVERSATIONS = {
    "user": {"messages": [HELLO], "add_generation_prompt": True},
    "user, no prompt": {"messages": [HELLO]},
    "system and user": {"messages": [system("You are a helpful assistant."), HELLO], "add_generation_prompt": True},
    "three turns": {"messages": [HELLO, FINE, MORE], "add_generation_prompt": True},
    "system and three turns": {"messages": [system("You are a helpful assistant."), HELLO, FINE, MORE], "add_generation_prompt": True},
    "answered": {"messages": [system("Be brief."), HELLO, FINE]},
    "white space": {"messages": [system("  \n"), user("\n  padded\t \n"), assistant(" \n answer \n\n"), user("x  ")], "add_generation_prompt": True},
    "unicode and markup": {"messages": [user("<|im_end|> é 🦙 \"q\" 'a' \\n <b>&amp;</b> {{ x }} {% y %}"), assistant("中文\u2028ok"), user("\u00a0end")],
                           "add_generation_prompt": True},
    "tools": {"messages": [HELLO], "tools": TOOLS, "add_generation_prompt": True},
    "system and tools": {"messages": [system("Use tools."), HELLO], "tools": TOOLS, "add_generation_prompt": True},
    "tool call": {"messages": [user("Weather?"), assistant("", tool_calls=[call("get_weather", ARGUMENTS, "call_00001")]),
                               tool("{\"temp\": 21.5}", id="call_00001")], "tools": TOOLS, "add_generation_prompt": True},
    "tool call and answer": {"messages": [system("Use tools."), user("Weather?"),
                                          assistant(None, tool_calls=[call("get_weather", ARGUMENTS, "abcdefghi")]),
                                          tool("21 °C, sunny", id="abcdefghi"), assistant("It is 21 °C."), user("Thanks!")],
                             "tools": TOOLS, "add_generation_prompt": True},
    "arguments as text": {"messages": [user("Weather?"), assistant("", tool_calls=[call("get_weather", json.dumps(ARGUMENTS), "abcdefghi")]),
                                       tool("21", id="abcdefghi")], "tools": TOOLS, "add_generation_prompt": True},
    "two calls at once": {"messages": [user("Weather and trip?"), assistant("I look.", tool_calls=[
        call("get_weather", ARGUMENTS, "aaaaaaaaa"), call("plan_trip", TRIP, "bbbbbbbbb")]),
        tool("21", id="aaaaaaaaa"), tool("ok", name="plan_trip", id="bbbbbbbbb")], "tools": TOOLS, "add_generation_prompt": True},
    "call without tools": {"messages": [user("Weather?"), assistant("", tool_calls=[call("get_weather", ARGUMENTS, "abcdefghi")]),
                                        tool("21", id="abcdefghi"), assistant("21.")]},
    "reasoning": {"messages": [user("2+2?"), assistant("4", reasoning_content="Two and two\nare four."), user("3+3?")],
                  "add_generation_prompt": True, "enable_thinking": True},
    "no thinking": {"messages": [user("2+2?"), assistant("4", reasoning_content="Easy."), user("3+3?")],
                    "add_generation_prompt": True, "enable_thinking": False},
    "think tags": {"messages": [user("2+2?"), assistant("<think>\nHm.\n</think>\n\n4"), user("3+3?"), assistant("<think>Hm</think>6")]},
    "reasoning and tools": {"messages": [user("Weather?"), assistant("", reasoning_content="I call.", tool_calls=[call("get_weather", ARGUMENTS, "abcdefghi")]),
                                         tool("21", id="abcdefghi"), assistant("21.", reasoning_content="Done."), user("And now?")],
                            "tools": TOOLS, "add_generation_prompt": True, "enable_thinking": True},
    "content parts": {"messages": [system([{"type": "text", "text": "Look."}]), user([{"type": "text", "text": "What is "}, {"type": "text", "text": "this?"}]),
                                   assistant([{"type": "text", "text": "A llama."}]), user([{"type": "text", "text": "Sure?"}])], "add_generation_prompt": True},
    "image part": {"messages": [user([{"type": "image"}, {"type": "text", "text": "What is this?"}])], "add_generation_prompt": True},
    "documents": {"messages": [HELLO], "documents": [{"title": "Llamas", "text": "They spit.", "doc_id": "1"}, {"title": "Alpacas", "text": "They hum."}],
                  "add_generation_prompt": True},
    "developer": {"messages": [{"role": "developer", "content": "Be terse."}, HELLO], "add_generation_prompt": True},
    "no messages": {"messages": [], "add_generation_prompt": True},
    "assistant first": {"messages": [FINE, HELLO], "add_generation_prompt": True},
    "date and extras": {"messages": [HELLO], "add_generation_prompt": True, "date_string": "3 Feb 2026", "reasoning_effort": "low",
                        "xml_tools": ["x"], "thinking_budget": 512, "custom": {"a": [1, 2.5, True, None]}},
    "empty tools": {"messages": [system("Be brief."), HELLO, FINE, MORE], "tools": [], "add_generation_prompt": True},
    "one tool": {"messages": [system("Use tools."), user("Weather?"), assistant("", tool_calls=[call("get_weather", ARGUMENTS, "abcdefghi")]),
                              tool("21", id="abcdefghi")], "tools": TOOLS[:1], "functions": json.dumps(TOOLS[:1]), "datetime": "2026-02-03",
                 "add_generation_prompt": True},
    "tools of Command R": {"messages": [HELLO], "add_generation_prompt": True, "tools": [
        {"name": "internet_search", "description": "Searches", "parameter_definitions": {
            "query": {"description": "What for", "type": "str", "required": True}, "n": {"description": "How many", "type": "int", "required": False}}},
        {"name": "answer", "description": "Answers", "parameter_definitions": {}}]},
    "tools in a set": {"messages": [HELLO], "tools": [t["function"] for t in TOOLS], "add_generation_prompt": True},
}

# What real templates use of the language, and where engines tend to differ.
SNIPPETS = [
    "{{ ' a b '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'xya'.lstrip('yx') }}|{{ 'axy'.rstrip('yx') }}|{{ '\\x1c\\u3000a\\x1f'.strip() }}",
    "{{ 'a,b,,c'.split(',') }}{{ ' a  b '.split() }}{{ 'a,b,c'.split(',', 1) }}{{ 'a,b,c'.rsplit(',', 1) }}{{ ' a  b c '.split(none, 1) }}{{ ' a b  c '.rsplit(none, 1) }}",
    "{{ 'a\\nb\\r\\nc\\x0bd\\u2028e\\n'.splitlines() }}{{ 'a\\nb\\n'.splitlines(true) }}{{ ''.splitlines() }}",
    "{{ 'Hello'.startswith('He') }}{{ 'Hello'.startswith(('x', 'H')) }}{{ 'Hello'.endswith('lo') }}{{ 'Hello'.endswith('x') }}",
    "{{ 'hello wORLD it\\'s'.title() }}|{{ 'hELLO'.capitalize() }}|{{ 'Straße'.upper() }}|{{ 'ÀÉ'.lower() }}|{{ 'a' | title }}{{ 'hELLO w' | capitalize }}",
    "{{ 'aXbX'.replace('X', '-') }}{{ 'aXbX'.replace('X', '-', 1) }}{{ 'aXbX' | replace('X', '.') }}{{ ', '.join(['a', 'b']) }}{{ [1, 'b'] | join('-') }}",
    "{{ 'abcabc'.find('c') }}{{ 'abc'.find('x') }}{{ 'abcabc'.rfind('b') }}{{ 'abcabc'.count('bc') }}{{ 'äbc'.index('b') }}{{ '7'.zfill(3) }}{{ '-7'.zfill(4) }}",
    "{{ 'a=b=c'.partition('=') }}{{ 'a=b=c'.rpartition('=') }}{{ 'abc'.partition('x') }}{{ 'prefix-x'.removeprefix('prefix-') }}{{ 'x.py'.removesuffix('.py') }}",
    "{{ 'abc'.isalpha() }}{{ '12'.isdigit() }}{{ 'a1'.isalnum() }}{{ ' '.isspace() }}{{ 'AB'.isupper() }}{{ 'ab'.islower() }}{{ ''.isdigit() }}",
    "{{ {'b': 1, 'a': [true, none, 1.0, 'x\\'y']} }}{{ ['a', \"b'c\", 'd\"e'] }}{{ ('x', 1) }}{{ ('x',) }}{{ [] }}{{ {} }}{{ none }}{{ true }}{{ 1.5 }}{{ 2.0 }}{{ 1e20 }}{{ 1e-7 }}",
    "{{ {'b': 1, 'a': [true, none, 1.0, 'é\"<>&\\'']} | tojson }}|{{ [1, {'x': []}] | tojson(indent=2) }}|{{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }}|{{ ['é'] | tojson(ensure_ascii=true) }}|{{ [1, {'a': 2}] | tojson(separators=(',', ':')) }}|{{ 'x' | tojson }}{{ none | tojson }}{{ 3 | tojson }}",
    "{% set d = {'x': 1, 'y': none} %}{{ d.get('x') }}{{ d.get('z') }}{{ d.get('z', 7) }}{{ d['y'] }}{{ d.y }}{{ d.z }}{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{{ d.keys() | list }}{{ d.values() | list }}{% for k in d %}{{ k }}{% endfor %}{{ 'x' in d }}{{ 'z' in d }}{{ d | length }}",
    "{% for k, v in {'b': 2, 'a': 1} | dictsort %}{{ k }}{{ v }}{% endfor %}{% for k, v in {'b': 2, 'a': 1} | items %}{{ k }}{{ v }}{% endfor %}",
    "{% set schema = {'items': {'type': 'string'}, 'keys': 3} %}{% for k, v in schema.items() %}{{ k }}:{{ v }},{% endfor %}{{ schema['items'].type }}",
    "{% for x in [1, 2, 3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }}{% else %}none{% endfor %}{% for x in [] %}{% else %}empty{% endfor %}",
    "{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}{{ range(3) | list }}{{ range(5, 0, -2) | list }}",
    "{% set ns = namespace(n=0, s='') %}{% for x in [1, 2] %}{% set ns.n = ns.n + x %}{% set y = x %}{% endfor %}{{ ns.n }}{{ y is defined }}{{ ns.s ~ 'x' ~ 1 ~ true ~ none }}",
    "{% macro f(a, b='d', c=none) %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ f(1) }}{{ f(1, c=2) }}{{ f('x', 'y', 'z') }}",
    "{% macro wrap(t) %}<{{ t }}>{{ caller('in') }}</{{ t }}>{% endmacro %}{% call(x) wrap('b') %}{{ x }}{% endcall %}",
    "{% set block %}\n  text {{ 1 + 1 }}\n{% endset %}{{ block | trim }}|{% filter upper %}abc{% endfilter %}",
    "{{ 'abcdef'[1:3] }}{{ 'abcdef'[::-1] }}{{ 'abcdef'[-2:] }}{{ [1, 2, 3][1:] }}{{ [1, 2, 3][::-1] }}{{ [1, 2, 3][-1] }}{{ 'é🦙x'[1] }}{{ 'abc'[:-1] }}{{ [1, 2, 3, 4][1:-1] }}",
    "{{ [][::-1] }}{{ ''[::-1] }}{{ [1, 2, 3, 4, 5][::2] }}{{ 'abcdef'[4:1:-2] }}{{ [1, 2, 3][5:0:-1] }}{{ (1, 2, 3)[::-1] }}{{ 'abc'[10::-1] }}{{ 'abc'[:-9:-1] }}{{ [1, 2, 3][-2::-1] }}{{ messages[::-1][0].role }}",
    "{{ 7 // 2 }}{{ -7 // 2 }}{{ 7 % 3 }}{{ -7 % 3 }}{{ 7 / 2 }}{{ 2 ** 10 }}{{ 1 + 1.0 }}{{ 10 / 5 }}{{ 'ab' * 3 }}{{ [1] * 2 }}{{ [1] + [2] }}{{ 0.1 + 0.2 }}",
    "{{ 1 < 2 < 3 }}{{ 1 == 1.0 }}{{ 'a' < 'b' }}{{ not none }}{{ none == none }}{{ [] or 'x' }}{{ 'a' and 'b' }}{{ '' or none }}{{ 'x' if true }}{{ 'x' if false }}{{ 'x' if false else 'y' }}",
    "{{ 'b' in 'abc' }}{{ 2 in [1, 2] }}{{ 2 not in (1, 2) }}{{ 'x' in missing }}{{ missing }}{{ missing is defined }}{{ missing is not defined }}{{ missing is none }}{{ missing or 'd' }}{{ missing | default('e') }}{{ '' | default('f', true) }}{{ none | default('g') }}",
    "{{ 'x' is string }}{{ 1 is string }}{{ [1] is iterable }}{{ 'x' is iterable }}{{ 1 is iterable }}{{ {} is mapping }}{{ [] is mapping }}{{ 'x' is sequence }}{{ {} is sequence }}{{ 1 is sequence }}{{ true is boolean }}{{ 1 is boolean }}{{ 1 is number }}{{ true is number }}{{ 1.0 is float }}{{ 1 is integer }}{{ true is true }}{{ 1 is true }}{{ false is false }}{{ none is none }}{{ 3 is odd }}{{ 4 is even }}{{ 'a' is eq 'a' }}{{ 1 is in [1] }}",
    "{{ [3, 1, 2] | sort }}{{ ['b', 'A'] | sort }}{{ [3, 1, 2] | sort(reverse=true) }}{{ [1, 2, 2] | unique | list }}{{ [1, 2] | first }}{{ [1, 2] | last }}{{ [1, 2] | sum }}{{ [1, 2] | max }}{{ [[1, 2], [3]] | map('length') | list }}{{ [1, 2, 3] | reverse | list }}{{ 'abc' | reverse }}{{ 'abc' | list }}",
    "{% set ms = [{'role': 'user', 'n': 1}, {'role': 'system', 'n': 2}] %}{{ ms | selectattr('role', 'equalto', 'user') | list }}{{ ms | rejectattr('role', 'equalto', 'user') | map(attribute='n') | list }}{{ ms | map(attribute='role') | join(', ') }}{{ [1, none, 2] | select | list }}{{ [1, 2] | reject('equalto', 1) | list }}{{ ['', 'a'] | reject('equalto', '') | join }}{{ ms | sort(attribute='n', reverse=true) | map(attribute='n') | list }}{{ ms | selectattr('missing') | list }}{{ ms | selectattr('role', 'defined') | list | length }}{{ ms | groupby('role') | list | length }}",
    "{{ 'a\\nb' | indent(2) }}|{{ 'a\\nb\\n\\nc' | indent(4, true) }}|{{ 'a\\n\\nb' | indent(2, first=true, blank=true) }}",
    "{{ '3' | int }}{{ 'x' | int }}{{ 'x' | int(5) }}{{ 3.7 | int }}{{ '2.5' | float }}{{ 2.567 | round(2) }}{{ 2.5 | round }}{{ -3 | abs }}{{ 5 | string }}{{ true | string }}{{ [1] | string }}{{ none | string }}{{ 1.0 | string }}",
    "{{ '%s-%d' | format('a', 3) }}{{ '{} {x}'.format(1, x=2) }}",
    "{{ 'x' | safe }}{{ '<b>' | e }}{{ '<b>' }}{{ ' x ' | trim }}{{ 'xax' | trim('x') }}{{ [1, 2, 3] | batch(2) | list }}{{ 'abc' | length }}{{ 'é🦙' | count }}",
    "  {% if true %}\n  a\n  {% endif %}\n  {{ 1 }}\n\t{%- if true %}\n b {%- endif %}\n{# c #}\nd {#- e -#} f\n{%+ if true +%}\n  g\n{% endif +%}\n h\n",
    "a\r\nb\rc\r\n{% if true %}\r\nd\r\n{% endif %}\r\n",
    "{% raw %}{{ x }}{% y %}{% endraw %}{{ '{{' }}{{ '{%' }}",
    "{% generation %}a{{ 1 }}{% endgeneration %}|{%- generation -%} b {%- endgeneration -%}|\n{% generation %}\n c\n{% endgeneration %}\n{% set generation = 'g' %}{{ generation }}",
    "{{ strftime_now('%d %b %Y') }} {{ strftime_now('%Y-%m-%d %H:%M:%S %A %B %j %y %I %p') }}",
    "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{% set a, b = 1, 2 %}{{ a }}{{ b }}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for x in [1, 2, 3, 4] if x is even %}{{ x }}{{ loop.index }}{% endfor %}{% for x in [[1, [2]], [3]] recursive %}{% if x is number %}{{ x }}{% else %}({{ loop(x) }}){% endif %}{% endfor %}",
    "{{ \"a\\tb\\\\c\\\"d\\'e\\u00e9\\x41\" }}{{ 'a' 'b' }}",
    "{{ messages[0].content }}{{ messages[0]['role'] }}{{ messages[-1].content }}{{ messages | length }}{{ messages[0].missing }}{{ messages[0].missing is defined }}{{ messages[9] is defined }}{{ messages[1:] | length }}",
    "{% set x = 1 %}{% if x == 1 %}{% set x = 2 %}{% endif %}{{ x }}{% for i in [1] %}{% set x = 3 %}{% endfor %}{{ x }}{% set l = [1] %}{% set l = l + [2] %}{{ l }}{% set d = dict(a=1, **{'b': 2}) %}{{ d }}",
    "{{ range is defined }}{{ true and not false }}{{ 'a' ~ ['x'] ~ {'k': 1.0} }}{{ [1.0, 0.5, -0.0] }}",
    "{{ messages[0].content.foo.bar }}",
    "{{ missing.x }}",
    "{{ raise_exception('no ' ~ 1) }}",
    "{{ 'a' + 1 }}",
    "{{ missing + 'a' }}",
    "{{ missing | tojson }}",
    "{{ x | nofilter }}",
    "{% if %}",
    "{{ 'a'.nomethod() }}",
    "{% set l = [] %}{{ l.append(1) }}",
]


def fnv64(text):
    h = 0xCBF29CE484222325
    for byte in text.encode("utf-8", "surrogatepass"):
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def outcome(template, variables):
    try:
        return render(template, variables)
    except Exception as error:
        return error


def main(shared):
    conversations = {name: {**TOKENS, **c} for name, c in CONVERSATIONS.items()}
    dump = lambda name, value: (OUT / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    dump("conversations.json", conversations)
    goldens = {}
    for path in sorted((pathlib.Path(shared) / "chat-templates").glob("*.jinja")):
        results = {name: outcome(path.read_text(encoding="utf-8"), c) for name, c in conversations.items()}
        goldens[path.stem] = {n: "error" if isinstance(r, Exception) else fnv64(r) for n, r in results.items()}
        print(path.stem, sum(isinstance(r, Exception) for r in results.values()), "errors")
    # Templates that ollama recognizes by their text, on its three conversations.
    lines = (pathlib.Path(shared) / "chat-golden/templates.jsonl").read_text(encoding="utf-8").splitlines()
    three = ["user", "three turns", "system and three turns"]
    for i, line in enumerate(lines):
        (template,) = json.loads(line).values()
        results = {name: outcome(template, conversations[name]) for name in three}
        goldens[f"templates.jsonl/{i}"] = {n: "error" if isinstance(r, Exception) else fnv64(r) for n, r in results.items()}
    dump("chat.json", goldens)
    snippets = []
    for template in SNIPPETS:
        result = outcome(template, conversations["three turns"])
        if isinstance(result, Exception):
            print(f"{template!r}: {type(result).__name__}: {result}")
        snippets.append({"template": template, "output": None if isinstance(result, Exception) else result})
    dump("jinja.json", snippets)


if __name__ == "__main__":
    main(sys.argv[1])
