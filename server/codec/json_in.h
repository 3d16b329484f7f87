/* json_in.h - reads JSON piece by piece, building nothing: a body costs no memory beyond itself.
 * Layer: server/codec. Thread rule: one owner at a time.
 * Grammar: RFC 8259, strict; strings must be UTF-8. Depth is limited to WIRE_JSON_DEPTH. A reader
 * is a plain struct: a copy is a bookmark. */
#ifndef SRV_JSON_IN_H
#define SRV_JSON_IN_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "server/base/req_arena.h"

typedef struct srv_json {
    const char *start, *at, *end; /* borrowed text */
    unsigned depth;
    srv_arena *arena; /* for strings with escapes */
    nf_error *err;
} srv_json;

typedef struct srv_number {
    double real;
    int64_t whole; /* when is_whole */
    bool is_whole; /* written without point and exponent, and fits */
    uint64_t huge; /* when is_huge */
    bool is_huge;  /* the same, over INT64_MAX and at most UINT64_MAX */
} srv_number;

typedef struct srv_json_list { /* walks an object or an array */
    char close;
    bool started;
} srv_json_list;

/** First character of the next value after white space, '\0' at the end of the text. */
char srv_json_peek(srv_json *j);

/** NF_EINVAL with the offset: "byte 17: expected …, got …". */
nf_status srv_json_expected(const srv_json *j, const char *what);

/** Enters '{' or '['. */
nf_status srv_json_open(srv_json *j, srv_json_list *list, char open);

/** Moves to the next member; *more is false behind the last, and the list is left. */
nf_status srv_json_next(srv_json *j, srv_json_list *list, bool *more);

/** The key of an object's member and its ':'; borrowed or in the arena. */
nf_status srv_json_key_of(srv_json *j, nf_span *key);

nf_status srv_json_string_of(srv_json *j, nf_span *out);
nf_status srv_json_number_of(srv_json *j, srv_number *out);
nf_status srv_json_bool_of(srv_json *j, bool *out);

/** Checks and passes over one value of any kind. */
nf_status srv_json_skip(srv_json *j);

/** Only white space may be left. */
nf_status srv_json_end(srv_json *j);

#endif /* SRV_JSON_IN_H */
