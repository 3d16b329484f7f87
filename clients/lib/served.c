/* served.c - reads X-Nearfar-Served. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/served.h"

static const struct {
    const char *key;
    size_t offset, room; /* room 0: a number */
} keys[] = {
#define TEXT(field)                                                                                \
    {                                                                                              \
#field, offsetof(cl_served, field), sizeof(((cl_served *)0)->field)                        \
    }
#define NUMBER(field)                                                                              \
    {                                                                                              \
#field, offsetof(cl_served, field), 0                                                      \
    }
    TEXT(mode), TEXT(model), TEXT(version), TEXT(precision), NUMBER(queue_us), NUMBER(compute_us),
#undef TEXT
#undef NUMBER
};

static uint64_t digits(nf_span s)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.len && i < 18 && s.s[i] >= '0' && s.s[i] <= '9'; i++)
        v = v * 10 + (uint64_t)(s.s[i] - '0');
    return v;
}

static void set_key(cl_served *out, nf_span key, nf_span value)
{
    for (size_t i = 0; i < NF_COUNT(keys); i++) {
        if (!nf_span_is(key, keys[i].key)) continue;
        char *field = (char *)out + keys[i].offset;
        if (keys[i].room == 0) {
            const uint64_t v = digits(value);
            memcpy(field, &v, sizeof(v));
            return;
        }
        const size_t len = value.len < keys[i].room ? value.len : keys[i].room - 1;
        memcpy(field, value.s, len);
        field[len] = '\0';
    }
}

static nf_span trim(nf_span s)
{
    while (s.len && (s.s[0] == ' ' || s.s[0] == '\t'))
        s = (nf_span){s.s + 1, s.len - 1};
    while (s.len && (s.s[s.len - 1] == ' ' || s.s[s.len - 1] == '\t'))
        s.len--;
    return s;
}

void cl_served_parse(cl_served *out, nf_span value)
{
    *out = (cl_served){.known = value.len > 0};
    while (value.len) {
        const char *end = memchr(value.s, ';', value.len);
        const size_t len = end ? (size_t)(end - value.s) : value.len;
        const nf_span item = {value.s, len};
        const char *equals = memchr(item.s, '=', len);
        if (equals) {
            const size_t key = (size_t)(equals - item.s);
            set_key(out, trim((nf_span){item.s, key}), trim((nf_span){equals + 1, len - key - 1}));
        }
        value.s += len + (end != NULL);
        value.len -= len + (end != NULL);
    }
}
