/* xml.c - implements remote/xml.h. */
#include "remote/xml.h"
#include <string.h>

typedef struct scan {
    char *at, *end;
    char path[XML_PATH_MAX];
    size_t length[XML_DEPTH_MAX + 1]; /* of the path at each depth */
    size_t depth;
    xml_element element;
    void *context;
} scan;

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void skip_blanks(scan *s)
{
    while (s->at < s->end && blank(*s->at)) s->at++;
}

static bool take(scan *s, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0) return false;
    s->at += n;
    return true;
}

static bool name_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == ':';
}

static size_t take_name(scan *s, const char **out)
{
    *out = s->at;
    while (s->at < s->end && name_letter(*s->at)) s->at++;
    return (size_t)(s->at - *out);
}

static bool push(scan *s, const char *name, size_t size)
{
    size_t at = s->length[s->depth], slash = s->depth > 0;
    if (s->depth == XML_DEPTH_MAX || at + slash + size >= sizeof s->path) return false;
    if (slash) s->path[at] = '/';
    memcpy(s->path + at + slash, name, size);
    s->length[++s->depth] = at + slash + size;
    s->path[s->length[s->depth]] = 0;
    return true;
}

static void pop(scan *s) { s->path[s->length[--s->depth]] = 0; }

/* Is it the name of the element that is open? */
static bool innermost(const scan *s, const char *name, size_t size)
{
    return s->length[s->depth] >= size && memcmp(s->path + s->length[s->depth] - size, name, size) == 0 &&
           (s->length[s->depth] == size || s->path[s->length[s->depth] - size - 1] == '/');
}

static bool pass_attribute(scan *s)
{
    const char *name;
    if (!take_name(s, &name)) return false;
    skip_blanks(s);
    if (!take(s, "=")) return false;
    skip_blanks(s);
    char quote = s->at < s->end ? *s->at : 0;
    if (quote != '"' && quote != '\'') return false;
    s->at++;
    while (s->at < s->end && *s->at != quote && *s->at != '<') s->at++;
    return s->at < s->end && *s->at++ == quote;
}

/* Behind "<": a start tag to its end. */
static bool start_tag(scan *s, bool *empty)
{
    const char *name;
    size_t size = take_name(s, &name);
    if (!size || !push(s, name, size)) return false;
    for (;;) {
        const char *before = s->at;
        skip_blanks(s);
        *empty = take(s, "/>");
        if (*empty || take(s, ">")) return true;
        if (s->at == before || !pass_attribute(s)) return false;
    }
}

/* Behind "</": an end tag to its end. */
static bool end_tag(scan *s)
{
    const char *name;
    size_t size = take_name(s, &name);
    if (!size || !innermost(s, name, size)) return false;
    skip_blanks(s);
    return take(s, ">");
}

/* A character in UTF-8; no more bytes than its reference has. */
static char *put_character(char *out, unsigned long c)
{
    if (c < 0x80) *out++ = (char)c;
    else if (c < 0x800) *out++ = (char)(0xc0 | c >> 6);
    else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80) *out++ = (char)(0x80 | (c & 0x3f));
    return out;
}

static bool take_number(scan *s, unsigned long *out)
{
    unsigned base = take(s, "x") ? 16 : 10, digits = 0;
    for (*out = 0; s->at < s->end && *s->at != ';'; s->at++, digits++) {
        char c = *s->at | 0x20;
        unsigned digit = *s->at >= '0' && *s->at <= '9' ? (unsigned)(*s->at - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
        if (digit >= base || digits == 8) return false;
        *out = *out * base + digit;
    }
    bool surrogate = *out >= 0xd800 && *out < 0xe000;
    return digits && take(s, ";") && *out && *out <= 0x10ffff && !surrogate;
}

/* Behind "&". */
static bool take_reference(scan *s, char **out)
{
    static const struct { const char *name; char is; } known[] = {
        { "lt;", '<' }, { "gt;", '>' }, { "amp;", '&' }, { "quot;", '"' }, { "apos;", '\'' },
    };
    unsigned long c;
    if (take(s, "#")) {
        if (!take_number(s, &c)) return false;
        *out = put_character(*out, c);
        return true;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (take(s, known[i].name)) {
            *(*out)++ = known[i].is;
            return true;
        }
    return false;
}

/* Text up to the next tag, decoded in place: it only gets shorter. */
static bool take_text(scan *s, char **text, char **end)
{
    char *out = *text = s->at;
    while (s->at < s->end && *s->at != '<') {
        if (!*s->at) return false;
        if (*s->at != '&') *out++ = *s->at++;
        else if (s->at++, !take_reference(s, &out)) return false;
    }
    *end = out;
    return s->at < s->end;
}

static bool all_blank(const char *text)
{
    while (blank(*text)) text++;
    return !*text;
}

/* One element, whose "<" is taken, with all that is in it. */
static bool read_elements(scan *s)
{
    static char none[] = "";
    bool parent[XML_DEPTH_MAX + 1] = { false }, empty;
    char *text = none, *end;
    if (!start_tag(s, &empty)) return false;
    while (s->depth) {
        bool ends = empty;
        if (!ends) {
            if (!take_text(s, &text, &end)) return false;
            s->at++; /* "<" */
            ends = take(s, "/");
            *end = 0; /* on "<" at most, which is read */
            if (ends && !end_tag(s)) return false;
            if ((!ends || parent[s->depth]) && !all_blank(text)) return false;
        }
        if (ends) {
            if (!s->element(s->context, s->path, empty || parent[s->depth] ? "" : text)) return false;
            parent[s->depth] = false;
            pop(s);
            empty = false;
            if (s->depth) parent[s->depth] = true;
        } else if (!start_tag(s, &empty)) return false;
    }
    return true;
}

bool xml_read(char *text, size_t size, xml_element element, void *context)
{
    scan s = { .at = text, .end = text + size, .element = element, .context = context };
    take(&s, "\xef\xbb\xbf");
    skip_blanks(&s);
    if (take(&s, "<?xml")) {
        while (s.at < s.end && *s.at != '>') s.at++;
        if (!take(&s, ">")) return false;
    }
    skip_blanks(&s);
    if (!take(&s, "<") || !read_elements(&s)) return false;
    skip_blanks(&s);
    return s.at == s.end;
}
