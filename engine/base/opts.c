/* opts.c - parses option rows. Layer: base. Thread rule: no shared state. */
#include "engine/base/opts.h"

#include "engine/base/bytes.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct unit {
    const char *suffix;
    double factor;
} unit;

static const unit byte_units[] = {
    {"", 1},           {"b", 1},           {"k", 1024},        {"kb", 1024},
    {"kib", 1024},     {"m", 1048576},     {"mb", 1048576},    {"mib", 1048576},
    {"g", 1073741824}, {"gb", 1073741824}, {"gib", 1073741824}};
static const unit time_units[] = {{"", 1e3},  {"us", 1},    {"ms", 1e3}, {"s", 1e6},
                                  {"m", 6e7}, {"min", 6e7}, {"h", 3.6e9}};
static const unit rate_units[] = {{"", 1e6},     {"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6},
                                  {"gbit", 1e9}, {"k", 1e3}, {"m", 1e6},    {"g", 1e9}};

static nf_status scaled(int64_t *out, const unit *units, size_t n, const nf_opt *row,
                        const char *text, nf_error *err)
{
    char *end;
    const double v = strtod(text, &end);
    if (end == text || !isfinite(v) || v < 0)
        return nf_fail(err, NF_EINVAL, row->name, "expected %s, got '%s'", row->arg, text);
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(units[i].suffix, end) != 0) continue;
        const double whole = v * units[i].factor;
        if (whole > 9e15) break;
        *out = (int64_t)(whole + 0.5);
        return NF_OK;
    }
    return nf_fail(err, NF_EINVAL, row->name, "expected %s with a known unit, got '%s'", row->arg,
                   text);
}

static nf_status number(int64_t *out, const nf_opt *row, const char *text, nf_error *err)
{
    char *end;
    errno = 0;
    const long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return nf_fail(err, NF_EINVAL, row->name, "expected a whole number, got '%s'", text);
    *out = v;
    return NF_OK;
}

static nf_status real(double *out, const nf_opt *row, const char *text, nf_error *err)
{
    char *end;
    const double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v) || v < (double)row->least || v > (double)row->most)
        return nf_fail(err, NF_EINVAL, row->name, "expected a number from %lld to %lld, got '%s'",
                       (long long)row->least, (long long)row->most, text);
    *out = v;
    return NF_OK;
}

static nf_status flag(bool *out, const nf_opt *row, const char *text, nf_error *err)
{
    static const char *const yes[] = {"", "true", "1", "yes", "on"};
    static const char *const no[] = {"false", "0", "no", "off"};
    for (size_t i = 0; i < NF_COUNT(yes); i++)
        if (strcasecmp(text, yes[i]) == 0) return *out = true, NF_OK;
    for (size_t i = 0; i < NF_COUNT(no); i++)
        if (strcasecmp(text, no[i]) == 0) return *out = false, NF_OK;
    return nf_fail(err, NF_EINVAL, row->name, "expected true or false, got '%s'", text);
}

static nf_status pick(int *out, const nf_opt *row, const char *text, nf_error *err)
{
    const char *at = row->choices;
    for (int i = 0; *at; i++) {
        const size_t len = strcspn(at, "|");
        if (strlen(text) == len && strncasecmp(at, text, len) == 0) return *out = i, NF_OK;
        at += len;
        if (*at) at++;
    }
    return nf_fail(err, NF_EINVAL, row->name, "expected one of %s, got '%s'", row->choices, text);
}

static nf_status in_range(int64_t v, const nf_opt *row, const char *text, nf_error *err)
{
    if (row->least == row->most || (v >= row->least && v <= row->most)) return NF_OK;
    return nf_fail(err, NF_EINVAL, row->name, "expected %lld to %lld, got '%s'",
                   (long long)row->least, (long long)row->most, text);
}

nf_status nf_opts_value(void *out, const nf_opt *row, const char *text, nf_error *err)
{
    nf_status st = NF_OK;
    int64_t *const num = out;
    switch (row->kind) {
    case NF_OPT_FLAG:
        return flag(out, row, text, err);
    case NF_OPT_TEXT:
        memcpy(out, &text, sizeof(text));
        return NF_OK;
    case NF_OPT_PICK:
        return pick(out, row, text, err);
    case NF_OPT_REAL:
        return real(out, row, text, err);
    case NF_OPT_NUM:
        st = number(num, row, text, err);
        break;
    case NF_OPT_BYTES:
        st = scaled(num, byte_units, NF_COUNT(byte_units), row, text, err);
        break;
    case NF_OPT_TIME:
        st = scaled(num, time_units, NF_COUNT(time_units), row, text, err);
        break;
    case NF_OPT_RATE:
        st = scaled(num, rate_units, NF_COUNT(rate_units), row, text, err);
        break;
    }
    return st ? st : in_range(*num, row, text, err);
}

static bool same_name(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i] && !(a[i] == '-' && b[i] == '_')) return false;
    return a[len] == '\0';
}

static const nf_opt *find_n(nf_opt_table t, const char *name, size_t len)
{
    for (size_t i = 0; i < t.n; i++)
        if (same_name(t.rows[i].name, name, len)) return &t.rows[i];
    return NULL;
}

const nf_opt *nf_opts_find(nf_opt_table t, const char *name)
{
    return find_n(t, name, strlen(name));
}

static nf_status set_row(void *opts, const nf_opt *row, const char *text, nf_error *err)
{
    return nf_opts_value((char *)opts + row->offset, row, text, err);
}

nf_status nf_opts_defaults(void *opts, nf_opt_table t, nf_error *err)
{
    nf_status st;
    for (size_t i = 0; i < t.n; i++)
        if (t.rows[i].dflt && (st = set_row(opts, &t.rows[i], t.rows[i].dflt, err))) return st;
    return NF_OK;
}

nf_status nf_opts_set(void *opts, nf_opt_table t, const char *name, const char *text, nf_error *err)
{
    const nf_opt *row = nf_opts_find(t, name);
    if (!row) return nf_fail(err, NF_EINVAL, name, "unknown option");
    return set_row(opts, row, text, err);
}

nf_status nf_opts_env(void *opts, nf_opt_table t, const char *prefix,
                      char *(*get)(const char *name), nf_error *err)
{
    nf_status st;
    for (size_t i = 0; i < t.n; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s_%s", prefix, t.rows[i].name);
        for (char *c = name; *c; c++)
            *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
        const char *text = get(name);
        if (text && (st = set_row(opts, &t.rows[i], text, err))) return st;
    }
    return NF_OK;
}

/* One option at argv[*i]; moves *i to the last word it used. */
static nf_status one_option(void *opts, nf_opt_table t, int argc, char **argv, int *i,
                            nf_error *err)
{
    const char *const word = argv[*i];
    const char *const name = word + strspn(word, "-");
    const size_t len = strcspn(name, "=");
    const nf_opt *row = find_n(t, name, len);
    if (!row) return nf_fail(err, NF_EINVAL, word, "unknown option (see --help)");
    if (name[len] == '=') return set_row(opts, row, name + len + 1, err);
    if (row->kind == NF_OPT_FLAG) return set_row(opts, row, "", err);
    if (*i + 1 >= argc) return nf_fail(err, NF_EINVAL, word, "needs a value: %s", row->arg);
    return set_row(opts, row, argv[++*i], err);
}

nf_status nf_opts_argv(void *opts, nf_opt_table t, int argc, char **argv, int *n_rest,
                       nf_error *err)
{
    nf_status st;
    bool options = true;
    *n_rest = 0;
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (!options || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[++*n_rest] = argv[i];
        } else if ((st = one_option(opts, t, argc, argv, &i, err))) {
            return st;
        }
    }
    return NF_OK;
}

void nf_opts_help(FILE *to, nf_opt_table t)
{
    for (size_t i = 0; i < t.n; i++) {
        const nf_opt *r = &t.rows[i];
        const bool letter = r->name[1] == '\0';
        const char *arg = r->arg ? r->arg : r->choices ? r->choices : "";
        int n = fprintf(to, "  %s%s %s", letter ? "-" : "--", r->name, arg);
        fprintf(to, "%*s%s", n < 30 ? 30 - n : 1, "", r->help);
        if (r->dflt && *r->dflt && r->kind != NF_OPT_FLAG) fprintf(to, " (default: %s)", r->dflt);
        fputc('\n', to);
    }
}
