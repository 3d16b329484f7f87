/* json_in.c - a strict JSON pull reader. Layer: server/codec. Thread rule: no shared state. */
#include "server/codec/json_in.h"

#include "server/base/utf8.h"
#include "server/wire/wire.h"

#include <stdio.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

char srv_json_peek(srv_json *j)
{
    while (j->at < j->end && is_space(*j->at))
        j->at++;
    return j->at < j->end ? *j->at : '\0';
}

nf_status srv_json_expected(const srv_json *j, const char *what)
{
    char got[24] = "the end";
    const unsigned char c = j->at < j->end ? (unsigned char)*j->at : 0;
    if (j->at < j->end)
        snprintf(got, sizeof(got), c >= 0x20 && c < 0x7f ? "'%c'" : "byte 0x%02x", c);
    return nf_fail(j->err, NF_EINVAL, "request body", "byte %td: expected %s, got %s",
                   j->at - j->start, what, got);
}

nf_status srv_json_open(srv_json *j, srv_json_list *list, char open)
{
    *list = (srv_json_list){.close = open == '{' ? '}' : ']'};
    if (srv_json_peek(j) != open)
        return srv_json_expected(j, open == '{' ? "an object" : "an array");
    if (++j->depth > WIRE_JSON_DEPTH)
        return nf_fail(j->err, NF_EINVAL, "request body", "byte %td: nested deeper than %d levels",
                       j->at - j->start, WIRE_JSON_DEPTH);
    j->at++;
    return NF_OK;
}

nf_status srv_json_next(srv_json *j, srv_json_list *list, bool *more)
{
    const char c = srv_json_peek(j);
    *more = false;
    if (c == list->close) {
        j->at++;
        j->depth--;
        return NF_OK;
    }
    if (list->started) {
        if (c != ',') return srv_json_expected(j, list->close == '}' ? "',' or '}'" : "',' or ']'");
        j->at++;
        if (srv_json_peek(j) == list->close) return srv_json_expected(j, "a value behind ','");
    }
    list->started = *more = true;
    return NF_OK;
}

nf_status srv_json_key_of(srv_json *j, nf_span *key)
{
    if (srv_json_peek(j) != '"') return srv_json_expected(j, "a key in quotes");
    const nf_status st = srv_json_string_of(j, key);
    if (st) return st;
    if (srv_json_peek(j) != ':') return srv_json_expected(j, "':'");
    j->at++;
    return NF_OK;
}

static bool take_word(srv_json *j, const char *word)
{
    const size_t n = strlen(word);
    if ((size_t)(j->end - j->at) < n || memcmp(j->at, word, n) != 0) return false;
    j->at += n;
    return true;
}

nf_status srv_json_bool_of(srv_json *j, bool *out)
{
    (void)srv_json_peek(j);
    *out = take_word(j, "true");
    if (*out || take_word(j, "false")) return NF_OK;
    return srv_json_expected(j, "true or false");
}

static nf_status skip_scalar(srv_json *j, char c)
{
    nf_span text;
    srv_number number;
    if (c == '"') return srv_json_string_of(j, &text);
    if (c == '-' || (c >= '0' && c <= '9')) return srv_json_number_of(j, &number);
    if (take_word(j, "true") || take_word(j, "false") || take_word(j, "null")) return NF_OK;
    return srv_json_expected(j, "a JSON value");
}

/* Passes over the start of one value: a scalar, or the opening of a list that goes on the stack. */
static nf_status skip_start(srv_json *j, srv_json_list *stack, size_t *n)
{
    const char c = srv_json_peek(j);
    if (c != '{' && c != '[') return skip_scalar(j, c);
    const nf_status st = srv_json_open(j, &stack[*n], c); /* refuses more than WIRE_JSON_DEPTH */
    if (!st) ++*n;
    return st;
}

nf_status srv_json_skip(srv_json *j)
{
    srv_json_list stack[WIRE_JSON_DEPTH + 1];
    size_t n = 0;
    nf_span key;
    bool more;
    nf_status st = skip_start(j, stack, &n);
    while (!st && n) {
        if ((st = srv_json_next(j, &stack[n - 1], &more))) break;
        if (!more) {
            n--;
            continue;
        }
        if (stack[n - 1].close == '}' && (st = srv_json_key_of(j, &key))) break;
        st = skip_start(j, stack, &n);
    }
    return st;
}

nf_status srv_json_end(srv_json *j)
{
    (void)srv_json_peek(j);
    return j->at == j->end ? NF_OK : srv_json_expected(j, "nothing behind the value");
}
