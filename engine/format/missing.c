/* missing.c - collects the operators that a file needs and we lack. Layer: format.
 * Thread rule: one owner. */
#include "engine/format/missing.h"

#include <stdio.h>

const char *fmt_printable(char *buf, size_t size, nf_span name)
{
    size_t n = 0;
    for (; n < name.len && n + 1 < size; n++)
        buf[n] = name.s[n] >= ' ' && name.s[n] <= '~' ? name.s[n] : '?';
    buf[n] = '\0';
    return buf;
}

void fmt_missing_add(fmt_missing *m, nf_span name)
{
    char text[FMT_MISSING_NAME];
    size_t i = 0;
    fmt_printable(text, sizeof(text), name);
    while (i < m->kinds && strcmp(m->ops[i].name, text) != 0)
        i++;
    if (i == FMT_MISSING_KINDS) {
        m->others++;
        return;
    }
    if (i == m->kinds) {
        memcpy(m->ops[i].name, text, sizeof(text));
        m->kinds++;
    }
    m->ops[i].count++;
}

nf_status fmt_missing_check(const fmt_missing *m, const char *where, nf_error *err)
{
    char list[400] = "";
    size_t at = 0, left = m->others;
    if (m->kinds == 0) return NF_OK;
    for (size_t i = 0; i < m->kinds; i++) {
        const int n = snprintf(list + at, sizeof(list) - at, "%s%s x%zu", i ? ", " : "",
                               m->ops[i].name, m->ops[i].count);
        const bool fits = n >= 0 && (size_t)n < sizeof(list) - at;
        if (!fits) left += m->ops[i].count;
        at += fits ? (size_t)n : 0;
        list[at] = '\0'; /* cuts off what did not fit */
    }
    if (left) return nf_fail(err, NF_EUNSUPPORTED, where, "operators: %s and %zu more", list, left);
    return nf_fail(err, NF_EUNSUPPORTED, where, "operators: %s", list);
}
