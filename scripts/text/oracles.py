"""The tokenizers that ours is compared with, built from what a GGUF file holds: Hugging Face tokenizers for BPE and
WordPiece, SentencePiece for SPM and unigram, llama.cpp for all of them."""

import ctypes
import re
import struct

import gguf
import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

WHITE_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


class Vocabulary:
    """The tokenizer metadata of a GGUF file."""

    def __init__(self, path):
        self.path = str(path)
        fields = gguf.GGUFReader(path).fields
        get = lambda key, default=None: fields[key].contents() if key in fields else default
        self.name = get("general.name", "").lower()
        self.model = get("tokenizer.ggml.model")
        self.pre = get("tokenizer.ggml.pre")
        self.tokens = get("tokenizer.ggml.tokens")
        self.types = get("tokenizer.ggml.token_type") or [NORMAL] * len(self.tokens)
        # llama.cpp and we take tokens with the names of control tokens for such, unless merges make them.
        self.types = [CONTROL if k == USER_DEFINED and t == "</s>" else k for k, t in zip(self.types, self.tokens)]
        self.scores = get("tokenizer.ggml.scores")
        self.merges = get("tokenizer.ggml.merges")
        self.add_space_prefix = get("tokenizer.ggml.add_space_prefix", True)
        self.remove_extra_whitespaces = get("tokenizer.ggml.remove_extra_whitespaces", False)
        self.charsmap = bytes(x & 255 for x in get("tokenizer.ggml.precompiled_charsmap", []))

    def of_type(self, *types):
        return [i for i, t in enumerate(self.types) if t in types]


# The pre-tokenizers as their models' tokenizer.json have them. Written independently of our table where Hugging
# Face has a class of its own for a step.
CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r"\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
LLAMA_3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + TAIL
QWEN_2 = LLAMA_3.replace("{1,3}", "")
NO_CR_LETTER = r"[^\r\n\p{L}\p{N}]?"


def cased(suffix, digits, punctuation):
    return (f"{NO_CR_LETTER}{UPPER}*{LOWER}+{suffix}|{NO_CR_LETTER}{UPPER}+{LOWER}*{suffix}|{digits}"
            rf"| ?[^\s\p{{L}}\p{{N}}]+{punctuation}*|{TAIL}")


GPT_4O = cased(CONTRACTIONS + "?", r"\p{N}{1,3}", r"[\r\n/]")
TEKKEN = cased("", r"\p{N}", r"[\r\n/]")
YOUTU = cased(CONTRACTIONS + "?", r"\p{N}", r"[\r\n/]")
NOT_HAN_UPPER, NOT_HAN_LOWER = (x[:-1] + r"&&[^\p{Han}]]" for x in (UPPER, LOWER))
KIMI = (r"[\p{Han}]+|" + cased(CONTRACTIONS + "?", r"\p{N}{1,3}", r"[\r\n]")
        .replace(UPPER, NOT_HAN_UPPER).replace(LOWER, NOT_HAN_LOWER))
WORDS_DEEPSEEK_3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
                    r"| ?[\p{P}\p{S}]+[\r\n]*|" + TAIL)
DEEPSEEK_LLM_LETTERS = (
    "[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-"
    "\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-"
    "\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf"
    "\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-"
    "\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc"
    "\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115"
    "\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e"
    "\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-"
    "\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a"
    "\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-"
    "\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]")
CJK_DEEPSEEK, HAN_KANA = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
BLOOM = r" ?[^(\s|.,!?…。，、।۔،)]+"
ASIAN = ("[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u3040-\u309f\u30a0-"
         "\u30ff\uff65-\uff9f\u2f00-\u2fdf\u0e40-\u0e7f\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+")
YOUTU_SCRIPTS = ("[\uac00-\ud7a3\u3131-\u318e]+|[\uff01\u2026\u201c\u201d\u2018"
                 "\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f\ufe30-\ufe4f]+|[\u3105-\u312f]+|[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+")
PUNCTUATION_DEEPSEEK = "[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"
LINES = r"[^\n]+|[\n]+"


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def byte_level(use_regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


DIGITS = lambda: pre_tokenizers.Digits(individual_digits=True)
PRE = {
    # llama.cpp's own, for files without a name.
    "default": lambda: [split(r"[\p{P}\$\+<=>\^~\|]+"), split(LLAMA_CPP_GPT_2), split(r"\p{N}+"), split("[0-9][0-9][0-9]")],
    "gpt-2": lambda: [byte_level(True)],
    "smollm": lambda: [DIGITS(), byte_level(True)],
    "llama-bpe": lambda: [split(LLAMA_3)],
    "dbrx": lambda: [split(LLAMA_3)],
    "glm4": lambda: [split(LLAMA_3)],
    "jais-2": lambda: [split(LLAMA_3.replace(r"\s+(?!\S)|\s+", "|".join(
        rf"\s{{{n}}}(?!\S)" for n in ["512", "256", "128", "64", "32", "16", "8", "4", "1,2"]) + r"|\s{1}"))],
    "qwen2": lambda: [split(QWEN_2)],
    "qwen35": lambda: [split(QWEN_2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]+[", r"[^\s\p{L}\p{M}\p{N}]+["))],
    "laguna": lambda: [split(LINES), split(QWEN_2)],
    "ufakzeka": lambda: [split(QWEN_2.removeprefix(CONTRACTIONS + "|"))],
    "seed-coder": lambda: [split(QWEN_2.replace(r"[^\s\p{L}\p{N}]+[\r\n]*", r"[^\s\p{L}\p{N}\r\n]+"))],
    "bailingmoe": lambda: [split(r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+")],
    "exaone-moe": lambda: [split(CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+")],
    "minicpm5": lambda: [split(r"\p{N}{1,3}"), split(QWEN_2.replace(r"|\p{N}|", r"|\p{N}+|"))],
    "gpt-4o": lambda: [split(GPT_4O)],
    "granite-embed-multi-97m": lambda: [split(GPT_4O)],
    "tiny_aya": lambda: [split(r"\d{1,3}(?=(?:\d{3})*\b)"), split(GPT_4O)],
    "tekken": lambda: [split(TEKKEN)],
    "youtu": lambda: [split(YOUTU_SCRIPTS), split(YOUTU)],
    "kimi-k2": lambda: [split(KIMI)],
    "deepseek-llm": lambda: [split("[\r\n]"), split(r"\s?" + DEEPSEEK_LLM_LETTERS + "+"), split(r"\s?" + PUNCTUATION_DEEPSEEK),
                             split(r"\s+$"), split(CJK_DEEPSEEK), DIGITS()],
    "deepseek-coder": lambda: [split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(CJK_DEEPSEEK), DIGITS()],
    "deepseek-v3": lambda: [split(r"\p{N}{1,3}"), split(HAN_KANA), split(WORDS_DEEPSEEK_3)],
    "spark2_5": lambda: [split(r"\p{N}{1,3}"), split(HAN_KANA),
                         split(WORDS_DEEPSEEK_3.replace(r"[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+", r"[\p{P}\p{S}]+|[\r\n]")), split(r"\p{N}")],
    "afmoe": lambda: [split(r"\p{N}{1,3}(?=(?:\p{N}{3})*(?:\P{N}|$))"), split(ASIAN), split(WORDS_DEEPSEEK_3)],
    "superbpe": lambda: [split(r"\p{N}+"), split(r"(?=(\d{3})+(?!\d))")],
    # Hugging Face: Punctuation(contiguous), ByteLevel, Digits, Split([0-9][0-9][0-9]).
    "falcon": lambda: [split(r"[\p{P}\$\+<=>\^~\|`]+"), split(LLAMA_CPP_GPT_2), split("[0-9][0-9][0-9]")],
    "bloom": lambda: [split(BLOOM)],
    "viking": lambda: [split(BLOOM), split(r"\p{N}")],
    "chameleon": lambda: [split("<sentinel:[0-9]+>"), split("(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z"), split(r"([\t\n]|    |  )"),
                          DIGITS(), split(r"[\p{P}!-/:-@\[-`{-~]"), byte_level(True)],
    "gemma4": lambda: [split(LINES)],
    "sarvam-moe": lambda: [split(LINES)],
}
LLAMA_CPP_GPT_2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
ALIASES = {"starcoder": "smollm", "refact": "smollm", "command-r": "smollm"}
IGNORE_MERGES = {"llama-bpe", "tekken", "glm4", "youtu", "minicpm5", "granite-embed-multi-97m"}
RAW_UTF8 = {"gemma4", "sarvam-moe"}


class HuggingFace:
    """A Hugging Face tokenizer of the vocabulary; control tokens are found in the text where `parse_special`."""

    def __init__(self, vocabulary, parse_special=False, pre=None):
        v = vocabulary
        self.v = v
        pre = pre or v.pre or "default"
        pre = ALIASES.get(pre, pre)
        ids = {token: i for i, token in enumerate(v.tokens)}
        if v.model == "bert":
            # llama.cpp marks the beginning of a word, BERT the continuation.
            plain = lambda i: v.types[i] == NORMAL
            names = [(t[1:] if t.startswith("▁") else "##" + t) if plain(i) else t for i, t in enumerate(v.tokens)]
            ids = {name: i for i, name in enumerate(names)}
            self.t = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
            self.t.normalizer = normalizers.BertNormalizer(lowercase=True)
            self.t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        else:
            merges = [tuple((m[0] + m[1:].replace(" ", "\0", 1)).split("\0", 1)) for m in v.merges]
            raw = pre in RAW_UTF8
            self.t = Tokenizer(models.BPE(ids, merges, ignore_merges=pre in IGNORE_MERGES, byte_fallback=raw))
            steps = PRE[pre]()
            if raw:
                self.t.normalizer = normalizers.Replace(" ", "▁")
            elif not any(isinstance(s, pre_tokenizers.ByteLevel) for s in steps):
                steps.append(byte_level())
            self.t.pre_tokenizer = pre_tokenizers.Sequence(steps)
        types = (CONTROL, UNKNOWN, USER_DEFINED) if parse_special else (USER_DEFINED,)
        self.t.add_tokens([AddedToken(v.tokens[i], normalized=False, special=False) for i in v.of_type(*types)])

    def encode(self, text):
        return self.t.encode(text, add_special_tokens=False).ids


def protobuf(*fields):
    """Fields of a protocol buffer message as (number, value)."""
    def varint(n):
        out = b""
        while n >= 128:
            out += bytes([n & 127 | 128])
            n >>= 7
        return out + bytes([n])
    out = b""
    for number, value in fields:
        if isinstance(value, float):
            out += varint(number << 3 | 5) + struct.pack("<f", value)
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


class SentencePiece:
    """A SentencePiece processor of the vocabulary (the fields are those of sentencepiece_model.proto)."""

    def __init__(self, vocabulary):
        v = vocabulary
        unigram = v.model == "t5"
        unknown = v.of_type(UNKNOWN)[0]
        self.specials = {v.tokens[i]: i for i in v.of_type(CONTROL, UNKNOWN)}
        self.strips_after = "phi3" in v.name
        # A SentencePiece model has one unknown token; converters give the type to unused ones, too.
        kind = lambda i: UNUSED if v.types[i] == UNKNOWN and i != unknown else v.types[i]
        pieces = [(1, protobuf((1, t), (2, float(s)), (3, kind(i)))) for i, (t, s) in enumerate(zip(v.tokens, v.scores))]
        trainer = protobuf((3, 1 if unigram else 2), (35, int(BYTE in v.types)), (40, unknown))
        normalizer = protobuf((1, "from-gguf"), (2, v.charsmap), (3, int(v.add_space_prefix)),
                              (4, int(v.remove_extra_whitespaces)), (5, 1))
        self.p = sentencepiece.SentencePieceProcessor(model_proto=protobuf(*pieces, (2, trainer), (3, normalizer)))

    def encode(self, text):
        return self.p.encode(text)

    def encode_special(self, text):
        """With control tokens in the text, between which each text stands for itself, as in Hugging Face tokenizers."""
        tokens = sorted(self.specials, key=len, reverse=True)
        ids = []
        for part in re.split("(" + "|".join(map(re.escape, tokens)) + ")", text):
            if part in self.specials:
                ids.append(self.specials[part])
                strips = self.strips_after and part not in ("<unk>", "<s>", "<|endoftext|>")
            else:
                ids += self.encode(part.lstrip(WHITE_SPACE) if ids and strips else part)
        return ids


class LlamaCpp:
    """llama.cpp's own tokenizer, by way of llama-cpp-python."""

    def __init__(self, vocabulary):
        import llama_cpp
        self.lib = llama_cpp
        self.log = llama_cpp.llama_log_callback(lambda *args: None)
        llama_cpp.llama_log_set(self.log, ctypes.c_void_p(0))
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = True
        self.m = llama_cpp.llama_model_load_from_file(vocabulary.path.encode(), params)
        if not self.m:
            raise ValueError(f"llama.cpp does not load {vocabulary.path}")
        self.vocab = llama_cpp.llama_model_get_vocab(self.m)

    def encode(self, text, parse_special=False, add_special=False):
        raw = text.encode()
        ids = (ctypes.c_int32 * (len(raw) * 2 + 16))()
        n = self.lib.llama_tokenize(self.vocab, raw, len(raw), ids, len(ids), add_special, parse_special)
        assert n >= 0
        return list(ids[:n])

    def end_of_generation(self):
        n = self.lib.llama_vocab_n_tokens(self.vocab)
        return [i for i in range(n) if self.lib.llama_vocab_is_eog(self.vocab, i)]
