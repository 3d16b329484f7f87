/* status.c - the table of statuses, and error replies. Layer: server/api. Thread rule: no shared
 * state. */
#include "server/api/status.h"

#include "server/base/json_out.h"
#include "server/wire/wire.h"

typedef struct status_row {
    nf_status status;
    int code;
} status_row;

// clang-format off
static const status_row table[] = {
    {NF_OK,           200},
    {NF_EINVAL,       400},
    {NF_EAUTH,        401},
    {NF_EDENIED,      403},
    {NF_ENOTFOUND,    404},
    {NF_EMETHOD,      405},
    {NF_ETIMEOUT,     504}, /* in the queue; a request that never arrives is cut off instead */
    {NF_ECONFLICT,    409},
    {NF_ETOOLARGE,    413},
    {NF_EENCODING,    415},
    {NF_EFORMAT,      422},
    {NF_EUNSUPPORTED, 422},
    {NF_EBUSY,        429},
    {NF_EIO,          500},
    {NF_ENOTIMPL,     501},
    {NF_ELOADING,     503},
    {NF_ENOMEM,       503},
    {NF_EBUDGET,      507},
    {NF_EREADONLY,    507},
};
// clang-format on

int srv_status_code(nf_status st)
{
    for (size_t i = 0; i < NF_COUNT(table); i++)
        if (table[i].status == st) return table[i].code;
    return 0;
}

static void write_error(srv_buf *b, nf_status st, const nf_error *err)
{
    const bool known = err && err->text[0];
    srv_buf_text(b, "{\"" WIRE_KEY_ERROR "\":");
    if (known) {
        char line[sizeof(err->where) + sizeof(err->text) + 4];
        size_t n = 0;
        for (const char *c = err->where; *c; c++)
            line[n++] = *c;
        if (n) line[n++] = ':';
        if (n) line[n++] = ' ';
        for (const char *c = err->text; *c; c++)
            line[n++] = *c;
        srv_json_string(b, (nf_span){line, n});
    } else {
        srv_json_text(b, nf_status_text(st));
    }
    srv_buf_char(b, ',');
    srv_json_pair(b, WIRE_KEY_CODE, nf_status_name(st));
    srv_buf_text(b, "}\n");
}

void srv_fail(srv_req *req, nf_status st, const nf_error *err)
{
    srv_reply *r = &req->reply;
    r->code = srv_status_code(st);
    if (r->code == 0) r->code = 500;
    r->type = WIRE_TYPE_JSON;
    r->retry_later = st == NF_EBUSY;
    r->ask_token = st == NF_EAUTH;
    r->served[0] = '\0';
    srv_buf_reset(&r->body, 4096);
    write_error(&r->body, st, err);
}
