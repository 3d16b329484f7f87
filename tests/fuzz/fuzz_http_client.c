/* fuzz_http_client.c - everything the client reads from the other side: responses, the header of
 * what ran, predictions, metadata, and requests to the control port. Layer: tests.
 * The first byte says how the rest is cut into pieces. */
#include "clients/lib/answer.h"
#include "clients/lib/input_set.h"
#include "clients/lib/served.h"
#include "clients/net/http_ask.h"
#include "clients/net/http_reply.h"

#include <assert.h>

#define BODY_MOST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_body(const cl_reply *r)
{
    const nf_bytes body = {(const uint8_t *)(r->body_len ? r->body : ""), r->body_len};
    cl_answer a, b;
    cl_inputs in;
    cl_served served;
    cl_agreement g = {0};
    char text[64];

    cl_served_parse(&served, cl_reply_header(r, "X-Nearfar-Served"));
    cl_answer_error(text, sizeof(text), body);
    if (cl_answer_parse(&a, body, NULL) == NF_OK && cl_answer_parse(&b, body, NULL) == NF_OK) {
        cl_agreement_add(&g, &a, &b);
        assert(g.same == g.rows);
        cl_answer_fini(&b);
    }
    cl_answer_fini(&a);
    cl_unit_read(text, sizeof(text), body);
    if (cl_inputs_make(&in, body, text, 1, 1, NULL) == NF_OK) cl_inputs_fini(&in);
}

static void feed_reply(const uint8_t *data, size_t size, size_t step)
{
    static cl_reply r;
    nf_status st = NF_OK;
    size_t used = 0;
    cl_reply_init(&r, BODY_MOST);
    for (size_t at = 0; at < size && !st && !r.complete; at += step)
        st = cl_reply_feed(&r, (nf_bytes){data + at, size - at < step ? size - at : step}, &used);
    if (!st) st = cl_reply_end(&r);
    assert(r.wire_bytes <= size && r.body_len <= BODY_MOST);
    assert(st != NF_OK || r.complete);
    assert(st == NF_OK || r.why);
    if (!st) read_body(&r);
    cl_reply_fini(&r);
}

static void feed_ask(const uint8_t *data, size_t size, size_t step)
{
    static cl_ask a;
    cl_ask_init(&a);
    for (size_t at = 0; at < size; at += step)
        cl_ask_feed(&a, (nf_bytes){data + at, size - at < step ? size - at : step});
    assert(a.path_len < sizeof(a.path) && a.body_len < sizeof(a.body));
    if (a.complete) assert(cl_ask_method(&a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    const size_t step = data[0] ? data[0] : 65536;
    feed_reply(data + 1, size - 1, step);
    feed_ask(data + 1, size - 1, step);
    return 0;
}
