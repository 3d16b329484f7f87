/* csv_read.c - a window over the file, a record and its cells at a time. Layer: server/table.
 * Thread rule: one owner. */
#include "server/table/csv_read.h"

#include "engine/base/mem.h"

#define WINDOW ((size_t)1 << 18)

void srv_csv_init(srv_csv *c, FILE *in, const char *name, char separator)
{
    *c = (srv_csv){.in = in, .name = name, .separator = separator, .next_line = 1};
}

void srv_csv_fini(srv_csv *c)
{
    nf_free(c->buf);
    nf_free(c->cell);
    *c = (srv_csv){0};
}

void srv_line_where(char *out, size_t size, const char *name, uint64_t line)
{
    const size_t most = size > 32 ? size - 32 : 0, len = strlen(name);
    snprintf(out, size, "%s:%llu", len > most ? name + len - most : name, (unsigned long long)line);
}

void srv_csv_where(char *out, size_t size, const srv_csv *c)
{
    srv_line_where(out, size, c->name, c->line);
}

static nf_status too_long(const srv_csv *c, nf_error *err)
{
    char where[96];
    srv_csv_where(where, sizeof(where), c);
    return nf_fail(err, NF_ETOOLARGE, where, "a record over %zu bytes", SRV_CSV_RECORD_MOST);
}

/* Reads more behind what is there; what has been used up makes room first. One byte stays free. */
static nf_status refill(srv_csv *c, nf_error *err)
{
    if (c->at) {
        memmove(c->buf, c->buf + c->at, c->end - c->at);
        c->end -= c->at;
        c->at = 0;
    }
    if (c->end + WINDOW / 2 > c->cap) {
        const size_t cap = c->cap ? 2 * c->cap : WINDOW;
        if (cap > 2 * SRV_CSV_RECORD_MOST) return too_long(c, err);
        char *more = nf_realloc(c->buf, cap, NF_MEM_MISC);
        if (!more) return nf_fail(err, NF_ENOMEM, c->name, "no memory");
        c->buf = more;
        c->cap = cap;
    }
    const size_t n = fread(c->buf + c->end, 1, c->cap - 1 - c->end, c->in);
    c->end += n;
    c->eof = n == 0;
    if (n == 0 && ferror(c->in)) return nf_fail(err, NF_EIO, c->name, "cannot read");
    return NF_OK;
}

static bool is_blank(char ch, char separator)
{
    return (ch == ' ' || ch == '\t') && ch != separator;
}

/* Where the record that starts at s ends: its LF, or NULL where it is not in the window. */
static char *record_end(char *s, const char *end, char separator)
{
    char *const line = memchr(s, '\n', (size_t)(end - s));
    if (line && !memchr(s, '"', (size_t)(line - s))) return line;
    bool opens = true, quoted = false; /* opens: nothing but blanks in this cell yet */
    for (; s < end; s++) {
        if (quoted) {
            quoted = *s != '"'; /* a doubled one opens again at once */
            opens = true;
        } else if (*s == '\n') {
            return s;
        } else if (*s == '"' && opens) {
            quoted = true;
        } else {
            opens = *s == separator || (separator == '\0' && strchr(",;\t", *s)) ||
                    (opens && is_blank(*s, separator));
        }
    }
    return NULL;
}

static nf_status find_record(srv_csv *c, char **start, size_t *len, nf_error *err)
{
    nf_status st;
    char *end = NULL;
    for (;;) {
        char *const s = c->buf + c->at;
        if (c->buf) end = record_end(s, c->buf + c->end, c->separator);
        if (end || c->eof) break;
        if ((st = refill(c, err))) return st;
    }
    *start = c->buf + c->at;
    *len = end ? (size_t)(end - *start) : c->end - c->at;
    c->line = c->next_line;
    c->at += *len + (end != NULL);
    c->bytes += *len + (end != NULL);
    if (*len > SRV_CSV_RECORD_MOST) return too_long(c, err);
    return NF_OK;
}

/* Seen in the first record alone, outside of quotes. */
static char find_separator(const char *s, size_t len)
{
    char found = ',';
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '"') quoted = !quoted;
        if (quoted) continue;
        if (s[i] == ',') return ',';
        if (found == ',' && (s[i] == ';' || s[i] == '\t')) found = s[i];
    }
    return found;
}

static bool blank_record(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] != ' ' && s[i] != '\t') return false;
    return true;
}

static nf_status add_cell(srv_csv *c, const char *s, size_t len, nf_error *err)
{
    if (c->n_cells == c->cap_cells) {
        const size_t cap = c->cap_cells ? 2 * c->cap_cells : 64;
        nf_span *more = nf_realloc(c->cell, cap * sizeof(*more), NF_MEM_MISC);
        if (!more) return nf_fail(err, NF_ENOMEM, c->name, "no memory for %zu cells", cap);
        c->cell = more;
        c->cap_cells = cap;
    }
    c->cell[c->n_cells++] = (nf_span){s, len};
    return NF_OK;
}

/* A cell in quotes, s behind the opening one: doubled quotes become one, in place. Returns what
 * stands behind the cell and its blanks: a separator, or the end; NULL where it is neither. */
static char *quoted_cell(nf_span *out, char *s, char *end, char separator)
{
    char *to = s;
    out->s = s;
    for (; s < end; s++) {
        if (*s == '"' && (s + 1 == end || s[1] != '"')) break;
        if (*s == '"') s++;
        *to++ = *s;
    }
    out->len = (size_t)(to - out->s);
    if (s == end) return NULL;
    for (s++; s < end && is_blank(*s, separator); s++)
        continue;
    return s == end || *s == separator ? s : NULL;
}

static char *plain_cell(nf_span *out, char *s, char *end, char separator)
{
    char *stop = s;
    while (stop < end && *stop != separator)
        stop++;
    char *last = stop;
    while (last > s && is_blank(last[-1], separator))
        last--;
    *out = (nf_span){s, (size_t)(last - s)};
    return stop;
}

static nf_status split(srv_csv *c, char *s, size_t len, nf_error *err)
{
    char *const end = s + len;
    const char separator = c->separator;
    nf_status st;
    c->n_cells = 0;
    for (;; s++) {
        nf_span cell;
        while (s < end && is_blank(*s, separator))
            s++;
        const bool quoted = s < end && *s == '"';
        s = quoted ? quoted_cell(&cell, s + 1, end, separator)
                   : plain_cell(&cell, s, end, separator);
        if (!s) {
            char where[96];
            srv_csv_where(where, sizeof(where), c);
            return nf_fail(err, NF_EINVAL, where,
                           "column %zu: text behind a closing quote, or a "
                           "quote that never closes",
                           c->n_cells + 1);
        }
        if ((st = add_cell(c, cell.s, cell.len, err))) return st;
        if (s == end) return NF_OK;
    }
}

static uint64_t count_lines(const char *s, size_t len)
{
    uint64_t n = 1;
    const char *const end = s + len;
    while ((s = memchr(s, '\n', (size_t)(end - s)))) {
        n++;
        s++;
    }
    return n;
}

/* A byte order mark is no part of the first cell. */
static void skip_mark(srv_csv *c)
{
    if (c->end - c->at >= 3 && memcmp(c->buf + c->at, "\xef\xbb\xbf", 3) == 0) {
        c->at += 3;
        c->bytes += 3;
    }
}

nf_status srv_csv_next(srv_csv *c, bool *more, nf_error *err)
{
    nf_status st;
    char *s;
    size_t len;
    *more = false;
    if (!c->buf) {
        if ((st = refill(c, err))) return st;
        skip_mark(c);
    }
    do {
        if ((st = find_record(c, &s, &len, err))) return st;
        c->next_line += count_lines(s, len);
        if (len && s[len - 1] == '\r') len--;
        if (c->eof && c->at == c->end && len == 0) return NF_OK;
    } while (blank_record(s, len));
    *more = true;
    if (!c->begun && c->separator == '\0') c->separator = find_separator(s, len);
    c->begun = true;
    return split(c, s, len, err);
}
