"""The texts on which tokenizers are compared: all scripts, emoji sequences, digits, white space, controls,
contractions, code. Deterministic, so that a golden can be made again."""

import random
import unicodedata

# First and last code point of a stretch of each script.
SCRIPTS = [
    (0x41, 0x5A), (0x61, 0x7A), (0xC0, 0xFF), (0x100, 0x17F), (0x180, 0x24F), (0x250, 0x2AF), (0x2B0, 0x2FF),
    (0x370, 0x3FF), (0x400, 0x4FF), (0x531, 0x587), (0x5D0, 0x5EA), (0x620, 0x64A), (0x660, 0x6D3), (0x710, 0x72F),
    (0x780, 0x7B1), (0x7C0, 0x7EA), (0x800, 0x82D), (0x840, 0x85B), (0x904, 0x94D), (0x985, 0x9CD), (0xA05, 0xA4D),
    (0xA85, 0xACD), (0xB05, 0xB4D), (0xB85, 0xBCD), (0xC05, 0xC4D), (0xC85, 0xCCD), (0xD05, 0xD4D), (0xD85, 0xDDF),
    (0xE01, 0xE5B), (0xE81, 0xEDF), (0xF00, 0xFBC), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF),
    (0x1200, 0x137C), (0x13A0, 0x13FD), (0x1401, 0x166C), (0x1681, 0x169A), (0x16A0, 0x16EA), (0x1780, 0x17E9),
    (0x1810, 0x18AA), (0x1900, 0x194F), (0x1D00, 0x1DBF), (0x1E00, 0x1EFF), (0x1F00, 0x1FFE), (0x2C00, 0x2DDF),
    (0x3041, 0x3096), (0x30A1, 0x30FA), (0x3105, 0x312F), (0x3131, 0x318E), (0x3400, 0x4DB5), (0x4E00, 0x9FA5),
    (0x4E00, 0x9FA5), (0xA000, 0xA48C), (0xA500, 0xA62B), (0xA722, 0xA78E), (0xABC0, 0xABF9), (0xAC00, 0xD7A3),
    (0xF900, 0xFA6D), (0xFB00, 0xFB4F), (0xFE70, 0xFEFC), (0xFF01, 0xFFDC), (0x10280, 0x1031F), (0x10330, 0x1034A),
    (0x10400, 0x1044F), (0x10900, 0x1091B), (0x11005, 0x11046), (0x12000, 0x12399), (0x13000, 0x1342E),
    (0x1D400, 0x1D7FF), (0x1E900, 0x1E943), (0x20000, 0x2A6D6), (0x2F800, 0x2FA1D),
]
MARKS = [0x300, 0x301, 0x308, 0x327, 0x345, 0x483, 0x5B4, 0x64B, 0x670, 0x93C, 0x9BE, 0xE31, 0xE47, 0x1DC4, 0x20D0,
         0x3099, 0xFE20, 0x1D165]
DIGITS = [0x30, 0x30, 0x30, 0x660, 0x6F0, 0x966, 0xE50, 0xFF10, 0x1D7CE]
NUMBERS = "²³¹¼½¾⅓Ⅷⅷ①⑩㊉〇㈠𐄇"
SPACES = [" "] * 12 + ["\n"] * 5 + ["\t"] * 3 + ["\r\n", "\r", "\v", "\f", "\x85", "\xa0", "\u1680", "\u2003", "\u2009",
                                                  "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"]
CONTROLS = [0x01, 0x07, 0x08, 0x0E, 0x1B, 0x1C, 0x1F, 0x7F, 0x80, 0x9F, 0xAD, 0x600, 0x61C, 0x180E, 0x200B, 0x200C,
            0x200D, 0x200E, 0x202A, 0x2060, 0x2581, 0xFEFF, 0xFFF9, 0xFFFD, 0xE000, 0xF8FF, 0xE0001, 0xE0020, 0x0378,
            0xFFFF, 0x1FFFE, 0x10FFFF]
EMOJI = ["😀", "🦙", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "1️⃣", "#️⃣", "❤️", "☎", "🧑🏿‍🚀", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "™", "©️", "♻︎", "🫠"]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'Ve", "'lL", "'D", "'ſ", "’s", "'x", "''",
                "'", "'r", "'l", "'v", "'em"]
CODE = ["for (int i = 0; i < n; ++i) {", "    return x ** 2  # squared", "def f(a, *, b=None) -> str:", "\t\tif err != nil {",
        "}\n\n\n", "<div class=\"a-b\">", "</s>", "SELECT * FROM t WHERE id=1;", "a->b::c<d>&e|f", "0x1F + 1e-9 / 3.14",
        "https://example.com/a_b?c=d%20e#f", "{\"key\": [1, 2.50, null]}", "camelCaseXMLHttpRequest2", "SNAKE_CASE_99",
        "C:\\Users\\me\\x.txt", "$HOME/.config", "```python\n", "// TODO(me): fix", "===", "!=", "<=>", "...", "…", "--", "——",
        "«»", "“quoted”", "(a)", "[b]", "{c}", "¿qué?", "¡", "€5", "£3.50", "100%", "№5", "§7", "@user", "#tag", "&amp;", "\\n",
        "~/", "+1 (555) 010-9999", "IMGIMGABZ", "<sentinel:12>", "x²+y²", "H₂O", "//", "/\n", "!/\r\n"]
WORDS = ("the of and to in is that it was for on are with as his they at be this from have or by one had not but what all "
         "were when we there can an your which their said if do will each about how up out them then she many some so these "
         "would other into has more her two like him see time could no make than first been its who now people my made over "
         "Hello World London Paris naïve café résumé Straße façade coöperate iPhone McDonald HTTP USA").split()


# Nonspacing marks that were none in Unicode 8, which is what BERT's normalizer in Hugging Face tokenizers knows.
CHANGED = {0x0D3B, 0x0D3C, 0x1885, 0x1886}


def in_unicode_14(c):
    return unicodedata.category(chr(c)) != "Cn" and c not in CHANGED


def word(r):
    if r.random() < 0.35:
        return r.choice(WORDS)
    first, last = r.choice(SCRIPTS)
    out = ""
    for _ in range(r.choice([1, 1, 2, 3, 4, 6, 9])):
        c = r.randint(first, last)
        if in_unicode_14(c):
            out += chr(c)
        if r.random() < 0.12:
            out += chr(r.choice(MARKS))
    case = r.random()
    return out.upper() if case < 0.1 else out.title() if case < 0.2 else out


def number(r):
    zero = r.choice(DIGITS)
    digits = "".join(chr(zero + r.randint(0, 9)) for _ in range(r.choice([1, 2, 3, 4, 5, 6, 7, 9, 12])))
    return r.choice([digits, digits, digits, r.choice(NUMBERS), digits + r.choice(NUMBERS), digits + r.choice(",.: ") + digits])


def piece(r):
    kind = r.random()
    if kind < 0.42:
        return word(r)
    if kind < 0.60:
        return "".join(r.choice(SPACES) for _ in range(r.choice([1, 1, 1, 1, 2, 3, 5])))
    if kind < 0.64:
        return r.choice([" ", "\n", "\t", "\u3000"]) * r.randint(2, 20)
    if kind < 0.74:
        return number(r)
    if kind < 0.80:
        return r.choice(CONTRACTIONS)
    if kind < 0.89:
        return r.choice(CODE)
    if kind < 0.94:
        return r.choice(EMOJI)
    return chr(r.choice(CONTROLS))


def corpus(n, seed=20240229):
    r = random.Random(seed)
    texts = ["", " ", "  ", "\n", "a", " a", "a ", "▁", "▁a ▁", "Hello, world!", "é", "e\u0301", "\u0301", "가각", "'s", "’"]
    while len(texts) < n:
        texts.append("".join(piece(r) for _ in range(r.choice([1, 2, 3, 4, 6, 8, 12]))))
    return texts[:n]


if __name__ == "__main__":
    for text in corpus(40):
        print(repr(text))
