"""Compares our Jinja with Python's jinja2, set up as in Hugging Face transformers, on random templates:

    cargo build --example render_lines
    python scripts/text/jinja_fuzz.py target/debug/examples/render_lines --cases 50000 --seed 1 [--goldens]

A grammar makes templates of literals, variables, operators, filters, tests, methods and blocks; most expressions have the
types that their filters want, some have others. An error has to be an error in both; what it says may differ. Prints each
difference, and ends with their number. `--goldens` writes a sample of the cases, with jinja2's output, to
tests/fixtures/text/jinja-random.json.
"""

import argparse
import json
import random
import re
import subprocess
import warnings

from chat_goldens import OUT, render

VARIABLES = {
    "messages": [
        {"role": "system", "content": "Be brief.\n"},
        {"role": "user", "content": "Hello <b>World</b>, it's \"me\"\n  é🦙"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "function": {"name": "f", "arguments": {"rate": 1e-05, "big": 1e16, "n": 3, "ok": True, "items": ["x"]}}}]},
        {"role": "tool", "content": "{\"a\": 1}"},
    ],
    "d": {"b": 2, "a": 1, "items": 3, "C": None, "n": {"x": [1, 2.5]}},
    "l": [3, 1, 2, 1],
    "w": ["b", "A", "a", "", "c d"],
    "t": "  Some Text, with-words and\ttabs\n second line\n\nthird ",
    "e": "", "z": 0, "one": 1, "f": 2.5, "yes": True, "no": False, "nil": None, "eos_token": "</s>",
}
NAMES = list(VARIABLES) + ["missing"]


class Maker:
    def __init__(self, random):
        self.r = random
        self.depth = 0

    def pick(self, *options):
        return self.r.choice(options)

    def number(self):
        return self.pick("0", "1", "2", "-1", "3", "7", "10", "100", "1.5", "0.1", "1e-05", "1e16", "123456789.125", "-2.5", "1_000", "0.0",
                         "one", "f", "z", "true", "l[0]", "l|length", "1e300", "2.0", "12345678901234567890")

    def text(self):
        return self.pick("'a'", "'b,c'", "''", "'A b'", "\"it's\"", "'x\\ny'", "'<i>'", "t", "e", "messages[1].content", "messages[0].role", "w[0]",
                         "'%s'", "'é🦙'", "'ǆ ß İ'", "'12'", "' 3.5 '", "'1e3'", "'a-b c_d'", "'\\u200b\\xa0\\x01'", "'{}'", "eos_token", "'aXbXc'", "'X'")

    def sequence(self):
        return self.pick("l", "w", "messages", "[]", "[1, 'a', none]", "(1, 2)", "(1,)", "[[1, 2], [0]]", "d", "range(4)", "t", "d.items()", "d.keys()",
                         "[true, 1, 1.0]", "[1.5, 2]", "['b', 'a', 'C']", "missing", "d.values()", "[{'k': 2}, {'k': 1}]", "['x', 'y', 'x']",
                         "(l|map('string'))", "(w|select)", "[none]", "['1', 2]")

    def mapping(self):
        return self.pick("d", "messages[0]", "{'a': 1, 'b': [2]}", "{}", "messages[2].tool_calls[0].function.arguments", "{1: 'x', 'y': none}", "d.n", "dict(a=1, b='c')",
                         "dict(d, q=1)")

    def any(self):
        self.depth += 1
        try:
            deep = self.depth < 4
            kind = self.r.random()
            if kind < 0.16 or not deep:
                return self.pick(self.number, self.text, self.sequence, self.mapping, lambda: self.pick(*NAMES),
                                 lambda: self.pick("true", "false", "none", "missing.x", "d.items", "d['items']", "nil.x", "l.append", "d.missing"))()
            if kind < 0.30:
                return f"({self.binary()})"
            if kind < 0.52:
                return f"({self.filter()})"
            if kind < 0.62:
                return f"({self.test()})"
            if kind < 0.82:
                return self.method()
            if kind < 0.88:
                return self.subscript()
            if kind < 0.92:
                return f"({self.any()} if {self.any()}{self.pick('', ' else ' + self.any())})"
            if kind < 0.95:
                return f"[{', '.join(self.any() for _ in range(self.r.randrange(4)))}]"
            if kind < 0.97:
                return "{" + ", ".join(f"{self.pick(self.text(), self.number())}: {self.any()}" for _ in range(self.r.randrange(3))) + "}"
            return f"({', '.join(self.any() for _ in range(2))})"
        finally:
            self.depth -= 1

    def maybe(self, make, odds=0.94):
        """What is wanted, mostly."""
        return make() if self.r.random() < odds else self.any()

    def binary(self):
        kind = self.r.random()
        if kind < 0.35:
            operator = self.pick("+", "-", "*", "/", "//", "%", "**")
            if operator == "**":
                return f"{self.pick('2', '1.5', '-3', 'one', 'f', '0')} ** {self.pick('2', '0', '3', '0.5', '-1', 'true')}"
            if operator == "*":
                return f"{self.maybe(self.number)} * {self.pick('2', '0', '1.5', '-1', 'true', 'f', '3')}"
            return f"{self.maybe(self.number)} {operator} {self.maybe(self.number)}"
        if kind < 0.5:
            return f"{self.maybe(self.text)} {self.pick('+', '~')} {self.maybe(self.text)}"
        if kind < 0.56:
            return f"{self.sequence()} + {self.sequence()}"
        if kind < 0.62:
            return f"{self.pick(chr(39) + '%s|%5s|%-4s|%r' + chr(39), chr(39) + '%d %05d %+d' + chr(39), chr(39) + '%.2f %e %g %5.1f' + chr(39), chr(39) + '%x %o %c %%' + chr(39), chr(39) + '%(a)s' + chr(39))} % {self.pick('(' + ', '.join(self.any() for _ in range(self.r.randrange(1, 5))) + ')', self.any(), self.mapping())}"
        if kind < 0.8:
            operators = ["==", "!=", "<", ">", "<=", ">="]
            return f"{self.any()} {self.r.choice(operators)} {self.any()}" + (f" {self.r.choice(operators)} {self.any()}" if self.r.random() < 0.15 else "")
        if kind < 0.9:
            return f"{self.any()} {self.pick('in', 'not in')} {self.maybe(self.sequence, 0.85)}"
        return f"{self.any()} {self.pick('and', 'or')} {self.pick('', 'not ')}{self.any()}"

    def filter(self):
        r, s = self.r, self.pick
        kind = r.random()
        if kind < 0.36:
            return self.maybe(self.text) + "|" + s("upper", "lower", "title", "capitalize", "trim", "trim('a ')", "length", "wordcount", "reverse", "list", "first", "last", "e", "escape",
                "safe", "string", "int", "int(7)", "int(base=16)", "int(default=9)", "float", "float(1.5)", "replace('a', 'Q')", "replace('X', '-', 1)", "replace('a', 'b', count=none)", "center(11)",
                "indent", "indent(2)", "indent('> ')", "indent(2, true)", "indent(width=3, first=true, blank=true)", "indent(2, blank=true)", "truncate(9)", "truncate(9, true)", "truncate(8, end='!', leeway=0)",
                "default('x')", "d('y', true)", "default(boolean=true)", "default(default_value='q')", "urlencode", "striptags", "forceescape", "join('-')", "tojson", "format(1)", "format('a', 2)", "upper|lower", "abs", "batch(3)|list",
                "slice(2)|list", "sort|join", "unique|join", "wordwrap(12)", "max", "min", "count", "items|list", "pprint")
        if kind < 0.5:
            return self.maybe(self.number) + "|" + s("abs", "int", "float", "round", "round(1)", "round(2, 'floor')", "round(method='ceil')", "string", "default(3)", "default(3, boolean=true)", "tojson", "filesizeformat",
                "filesizeformat(true)", "list", "length", "e", "upper", "trim", "round(0)", "round(-1)", "string|length")
        if kind < 0.86:
            return self.maybe(self.sequence) + "|" + s("length", "first", "last", "list", "join", "join(', ')", "join(d='/')", "join('|', attribute='role')", "sort", "sort(true)", "sort(reverse=true)", "sort(case_sensitive=true)",
                "sort(attribute='role')", "sort(attribute='k')", "sort(attribute=0)", "unique|list", "unique(true)|list", "reverse|list", "map('upper')|list", "map('string')|join(',')", "map(attribute='role')|list",
                "map(attribute='x', default='?')|list", "map('default', 'q')|list", "map('int')|sum", "select|list", "select('string')|list", "select('gt', 1)|list", "reject('equalto', 1)|list", "selectattr('content')|list|length",
                "selectattr('role', 'equalto', 'user')|list", "rejectattr('role', 'in', ['user', 'tool'])|map(attribute='role')|list", "selectattr('content', 'none')|list", "sum", "sum(start=1)", "sum(attribute='k')", "max", "min", "max(attribute='k')",
                "batch(2)|list", "batch(3, 'f')|list", "batch(linecount=2, fill_with=0)|list", "slice(2)|list", "slice(3, 'q')|list", "groupby('role')|map('first')|list", "groupby('k')|list", "tojson", "tojson(indent=2)", "tojson(separators=(',', ':'))",
                "string", "count", "default('d')", "map('length')|list", "map('first')|list", "list|length", "reverse|first", "items|list", "select('odd')|list", "select('even')|list", "reject|list", "map('tojson')|join", "dictsort", "unique|join", "attr('role')",
                "first|default('none')", "last|string", "sort|first", "join|upper", "e", "urlencode")
        return self.maybe(self.mapping) + "|" + s("items|list", "dictsort", "dictsort(true)", "dictsort(false, 'value')", "dictsort(by='key', reverse=true)", "length", "list", "tojson", "tojson(sort_keys=true)", "tojson(indent=4)", "tojson(ensure_ascii=true)", "first", "last", "string", "join(',')",
            "sort", "xmlattr", "xmlattr(false)", "urlencode", "default({})", "map('upper')|list", "count", "max", "e", "tojson(2)", "items|map('first')|list", "items|map('last')|list", "dictsort|map('first')|join")

    def test(self):
        test = self.pick("defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "sequence", "iterable", "true", "false", "odd", "even", "lower", "upper", "callable", "escaped",
                         "divisibleby 2", "divisibleby(3)", "eq 1", "eq('a')", "equalto 'a'", "ne none", "gt 1", "lt(2)", "ge 1", "le 'b'", "in [1, 'a']", "in('abc')", "sameas none", "sameas(true)", "greaterthan 0", "lessthan 9", "filter", "test", "== 1", "!= 'a'")
        if test in ("== 1", "!= 'a'"):
            test = f"{self.pick('eq', 'ne')} 1"
        return f"{self.any()} is {self.pick('', '', 'not ')}{test}"

    def method(self):
        s = self.pick
        if self.r.random() < 0.75:
            return self.maybe(self.text, 0.95) + "." + s("upper()", "lower()", "title()", "capitalize()", "swapcase()", "casefold()", "strip()", "lstrip()", "rstrip()", "strip('a\\n ')", "split()", "split(',')", "split(maxsplit=1)", "split(' ', 1)",
                "split(sep='-', maxsplit=1)", "rsplit(maxsplit=1)", "rsplit('a', 1)", "rsplit()", "splitlines()", "splitlines(true)", "splitlines(keepends=true)", "startswith('a')", "startswith('b', 1)", "startswith(('a', 'x'))", "endswith('e')", "endswith('l', 0, 3)",
                "find('b')", "find('b', 1)", "find('t', 2, -1)", "rfind('a')", "rfind(' ', 0, 8)", "index('a')", "rindex('t')", "count('a')", "count('', 1)", "count('t', 3)", "replace('a', 'b')", "replace('', '-')", "replace('X', '', 1)", "replace('a', 'bb', -1)",
                "join(['p', 'q'])", "join('abc')", "join([1])", "partition(' ')", "partition('-')", "rpartition('b')", "center(8)", "center(9, '*')", "ljust(6, '.')", "rjust(6)", "zfill(5)", "expandtabs()", "expandtabs(4)", "expandtabs(tabsize=2)",
                "isalpha()", "isdigit()", "isdecimal()", "isnumeric()", "isalnum()", "isspace()", "isupper()", "islower()", "istitle()", "isascii()", "isidentifier()", "isprintable()", "removeprefix('a')", "removesuffix('e')",
                "format(1, 'x')", "format(*l)", "format(a=1)", "nomethod()", "strip(1)", "split('')", "upper(1)", "encode", "count()", "find()")
        if self.r.random() < 0.4:
            return s("'{} {}'", "'{0}{1}{0}'", "'{:>8}|{:<5}'", "'{:.3f}'", "'{:05d}'", "'{:,}'", "'{a}{b!r}'", "'{0[0]}'", "'{!s:^7}'", "'{:+.1e}'", "'{:x}'", "'{{}}{}'", "'{:%}'", "'{:g}'", "'{:_}'", "'{:*^9}'", "'{:#x}'") + f".format({self.any()}, {self.any()}, {self.any()})"
        if self.r.random() < 0.5:
            return self.maybe(self.mapping, 0.95) + "." + s("items()", "keys()", "values()", "get('a')", "get('q')", "get('q', 1)", "get('b', none)", "copy()", "items()|list", "keys()|list", "values()|list|length", "pop('a')", "update({})", "a", "q", "get()", "n", "items", "get")
        return self.maybe(self.sequence, 0.95) + "." + s("index(1)", "count(1)", "count('a')", "copy()", "index(9)", "0", "1", "append(1)", "length", "index(1, 1)")

    def subscript(self):
        return self.maybe(self.sequence, 0.8) + self.pick("[0]", "[-1]", "[9]", "['role']", "['items']", "[1:]", "[:2]", "[::-1]", "[-3:-1]", "[::2]", "[5:0:-2]", "[1][0]", "[:none]", "['0']", "[true]", "[none]", "[0:1]['x']", "[1.5]", "[::0]", "[z:one]")

    def body(self):
        self.depth += 1
        try:
            return "".join(self.statement() for _ in range(self.r.randrange(1, 3)))
        finally:
            self.depth -= 1

    def tag(self, inside):
        return "{%" + self.pick("", "", "-", "+") + f" {inside} " + self.pick("", "", "-", "+") + "%}"

    def print(self):
        return "{{" + self.pick("", "", "-") + f" {self.any()} " + self.pick("", "", "-") + "}}"

    def statement(self):
        if self.depth > 3:
            return self.print()
        kind = self.r.random()
        if kind < 0.42:
            return self.print()
        if kind < 0.54:
            return self.pick(" ", "\n", "text", "\n  ", "\t", " a \n", "{# note #}", "{#- note -#}", "\n\n", "<|im_end|>", "  {# x #}\n", "{% raw %}\n {{ x }}{% endraw %}\n", "{%- raw -%} {% y %} {%- endraw %}")
        if kind < 0.62:
            return self.tag(f"if {self.any()}") + self.body() + self.pick("", self.tag("else") + self.body(), self.tag(f"elif {self.any()}") + self.body()) + self.tag("endif")
        if kind < 0.76:
            target, items = self.pick(("x", self.maybe(self.sequence)), ("x", self.any()), ("k, v", self.pick("d.items()", "d|items", "d|dictsort", "[(1, 2)]", "messages[0].items()", "w")), ("m", "messages"))
            names = target.split(", ")
            condition = self.pick("", "", "", f" if {self.pick(*names)}", f" if {self.any()}", f" if {self.pick(*names)} is string", f" if ns.n < {self.pick(1, 2, 3)}")
            inside = self.pick(f"{{{{ {self.pick(*names)} }}}}", f"{{{{ loop.{self.pick('index', 'index0', 'first', 'last', 'length', 'revindex', 'previtem', 'nextitem', 'depth', 'cycle(1, 2)', 'changed(x)')} }}}}", f"{{% set y = {self.pick(*names)} %}}", "{% set ns.n = ns.n + 1 %}",
                               self.tag(f"if loop.index == {self.pick(1, 2)}") + self.tag(self.pick("continue", "break")) + "{% endif %}", "{{ y }}")
            otherwise = self.pick("", "", self.tag("else") + self.body())
            return self.tag(f"for {target} in {items}{condition}") + inside + self.pick("", self.body()) + otherwise + self.tag("endfor")
        if kind < 0.84:
            return self.pick(self.tag(f"set {self.pick('y', 'p', 'q')} = {self.any()}"), self.tag(f"set ns.{self.pick('n', 'k')} = {self.any()}"), "{% set q %}" + self.body() + "{% endset %}",
                             "{% set q | upper %}" + self.body() + "{% endset %}", self.tag(f"set y, q = {self.pick(self.any(), '1, 2', 'l[:2]')}"))
        if kind < 0.88:
            return self.tag(f"with y = {self.any()}, x = {self.any()}") + self.body() + "{{ y }}" + self.tag("endwith")
        if kind < 0.94:
            name = self.pick("g", "h")
            parameters = self.pick("a", "a, b=1", "a, b='x', c=none", "", "a=y")
            extra = self.pick("", "{{ varargs }}", "{{ kwargs }}", "{{ varargs|length }}{{ kwargs.z }}", "{{ caller() }}", "{{ caller is defined }}")
            call = f"{name}({self.pick('1', '', 'a=2', '1, 2', '1, b=3', '1, 2, 3, 4', '1, z=5', 'b=1', '*l', '**{' + chr(39) + 'a' + chr(39) + ': 1}')})"
            use = self.pick("{{ " + call + " }}", "{% call " + call + " %}in{{ y }}{% endcall %}", "{{ " + call + "|upper }}", "{% call(x) " + call + " %}{{ x }}{% endcall %}")
            return self.tag(f"macro {name}({parameters})") + "{{ a }}{{ b }}" + extra + self.tag("endmacro") + use
        if kind < 0.97:
            return self.tag(f"filter {self.pick('upper', 'trim', 'indent(2)', 'replace(' + chr(39) + 'a' + chr(39) + ', ' + chr(39) + 'b' + chr(39) + ')')}") + self.body() + self.tag("endfilter")
        return self.pick("{% set c = cycler(1, 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}", "{% set j = joiner() %}{{ j() }}a{{ j() }}b{{ j() }}", "{% set j = joiner(' | ') %}{{ j() }}{{ j() }}", "{{ namespace(a=1).a }}",
                         "{% generation %}" + self.body() + "{% endgeneration %}", "{{ range(5)|list }}{{ range(1, 9, 3) }}", "{{ dict([(1, 2)]) }}", "{{ strftime_now('%Y %j %U %a') }}", "{% block b %}" + self.body() + "{% endblock %}",
                         "{% for x in [1, [2, [3]]] recursive %}{{ loop(x) if x is iterable else x }}{% endfor %}")

    def template(self):
        self.depth = 0
        setup = "{% set ns = namespace(n=0) %}" if self.r.random() < 0.9 else ""
        return setup + "".join(self.statement() for _ in range(self.pick(1, 1, 2, 3)))


# What Python writes of objects without a text of their own: addresses, names of classes.
OPAQUE = re.compile(r" [ab]t 0x[0-9a-f]+|<generator|<genertor|<built-in|<bound method|<function|<class|<Macro|<Cycler|&lt;|object&#|<list_reverse|<Namespace|<LoopContext|<Block|<jinja2", re.I)

# Where we differ on purpose, with the reason.
EXPLAINED = [
    (re.compile(r"No (filter|test) named"), "jinja2 looks for filters and tests before it renders, we when we reach them"),
]


def explained(template, wanted, got):
    """Why a difference is none."""
    if hidden := re.search(r"^'(\w+)' is undefined", str(wanted)):
        if re.search(rf"set [^%]*\b{hidden[1]}\b", template):
            return "jinja2 hides a variable from inner blocks before the template sets one of that name"
    if isinstance(wanted, Exception):
        for pattern, why in EXPLAINED:
            if pattern.search(str(wanted)):
                return why
    if isinstance(wanted, (OverflowError, MemoryError)):
        return "a number that Python has too large too"
    if "slice" in got.get("error", "") and not isinstance(wanted, Exception):
        return "jinja2 folds constants, and a slice of a constant that has none is then undefined, not an error"
    if "result of **" in got.get("error", ""):
        return "complex numbers"
    if "error" in got and "128 bits" in got["error"]:
        return "integers of more than 128 bits"
    if not isinstance(wanted, Exception) and OPAQUE.search(wanted):
        return "Python writes an address"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("renderer")
    parser.add_argument("--cases", type=int, default=50000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=40)
    parser.add_argument("--goldens", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    maker = Maker(random.Random(args.seed))
    templates = [maker.template() for _ in range(args.cases)]
    lines = "".join(json.dumps({"template": t, "variables": VARIABLES}) + "\n" for t in templates)
    answers = subprocess.run([args.renderer], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    counts, reasons, shown, goldens = {"equal": 0, "errors in both": 0, "explained": 0, "different": 0}, {}, 0, []
    for template, line in zip(templates, answers, strict=True):
        got = json.loads(line)
        try:
            wanted = render(template, VARIABLES)
        except Exception as error:  # noqa: BLE001: whatever a template raises
            wanted = error
        failed = isinstance(wanted, Exception)
        if failed and "error" in got:
            counts["errors in both"] += 1
        elif not failed and got.get("output") == wanted:
            counts["equal"] += 1
        elif why := explained(template, wanted, got):
            counts["explained"] += 1
            reasons[why] = reasons.get(why, 0) + 1
            continue
        else:
            counts["different"] += 1
            if shown < args.show:
                shown += 1
                print(f"{template!r}\n  wanted {wanted!r}\n  got    {got}\n")
            continue
        if not failed and len(template) < 300 and not OPAQUE.search(wanted):
            goldens.append({"template": template, "output": wanted})
    for why, n in reasons.items():
        print(f"{n} explained: {why}")
    print(", ".join(f"{n} {name}" for name, n in counts.items()))
    if args.goldens:
        sample = random.Random(args.seed).sample(goldens, 400)
        out = {"variables": VARIABLES, "cases": sample}
        (OUT / "jinja-random.json").write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    raise SystemExit(counts["different"] > 0)


if __name__ == "__main__":
    main()
