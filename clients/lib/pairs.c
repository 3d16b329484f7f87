/* pairs.c - interleaved pairs. Layer: clients. Thread rule: one thread. */
#include "clients/lib/pairs.h"

#include "engine/base/mem.h"
#include "server/wire/wire.h"

#include <stdio.h>

typedef struct pair_run {
    cl_pairs *p;
    cl_client *client;
    const cl_pairs_spec *spec;
    size_t in_a_row[2]; /* failures of each side since its last success */
    cl_answer answer[2];
    bool answered[2];
} pair_run;

nf_status cl_pairs_init(cl_pairs *p, cl_target *edge, cl_target *cloud, size_t pairs, nf_error *err)
{
    memset(p, 0, sizeof(*p));
    p->asked = pairs;
    p->side[0].target = edge;
    p->side[1].target = cloud;
    for (int s = 0; s < 2; s++) {
        p->side[s].ns = nf_alloc_array(pairs, sizeof(int64_t), NF_MEM_CLIENT);
        p->side[s].server_ns = nf_alloc_array(pairs, sizeof(int64_t), NF_MEM_CLIENT);
        if (!p->side[s].ns || !p->side[s].server_ns)
            return nf_fail(err, NF_ENOMEM, "pairs", "no memory for %zu", pairs);
    }
    return NF_OK;
}

void cl_pairs_fini(cl_pairs *p)
{
    for (int s = 0; s < 2; s++) {
        nf_free(p->side[s].ns);
        nf_free(p->side[s].server_ns);
        p->side[s].ns = p->side[s].server_ns = NULL;
    }
}

static void note_served(cl_side *side, size_t pair, const cl_exchange *x)
{
    cl_served_parse(&side->served, cl_reply_header(x->reply, WIRE_HEADER_SERVED));
    if (!side->served.known) return;
    side->said++;
    side->queue_us += side->served.queue_us;
    side->compute_us += side->served.compute_us;
    side->server_ns[pair] =
        (int64_t)((side->served.queue_us + side->served.compute_us) % 1000000000u * 1000u);
}

static void note_failure(pair_run *r, int s, const cl_exchange *x)
{
    cl_side *side = &r->p->side[s];
    if (!side->why[0]) cl_why(side->why, sizeof(side->why), x);
    if (++r->in_a_row[s] >= r->spec->give_up) side->given_up = true;
}

static void record(pair_run *r, int s, size_t pair, const cl_exchange *x)
{
    cl_side *side = &r->p->side[s];
    cl_recorder_add(&side->rec, x);
    side->ns[pair] = side->server_ns[pair] = CL_NO_TIME;
    if (x->failure) {
        note_failure(r, s, x);
        return;
    }
    r->in_a_row[s] = 0;
    side->ns[pair] = (int64_t)(x->t.end - x->t.start);
    note_served(side, pair, x);
    r->answered[s] = cl_answer_parse(&r->answer[s], cl_body(x), NULL) == NF_OK;
    const cl_inputs *in = r->spec->inputs;
    if (r->answered[s] && in && in->label)
        cl_scores_add(&side->scores, in->label[pair % in->n], &r->answer[s]);
}

/* Asks one side. NF_ETIMEOUT: a signal came. `warm`: not recorded, but a side that does not answer
 * is noticed. */
static nf_status ask(pair_run *r, int s, size_t pair, bool warm, nf_error *err)
{
    nf_status st;
    cl_exchange x;
    cl_side *side = &r->p->side[s];
    const cl_target *t = side->target;
    side->ns[pair] = side->server_ns[pair] = CL_NO_TIME;
    if (!side->reachable || side->given_up) return NF_OK;
    if ((st = cl_call_once(r->client, t->conn, &t->call[pair % t->n_calls], &x, err))) return st;
    if (!warm)
        record(r, s, pair, &x);
    else if (x.failure)
        note_failure(r, s, &x);
    return NF_OK;
}

static nf_status one_pair(pair_run *r, size_t pair, bool warm, nf_error *err)
{
    nf_status st;
    const int first = r->p->first ^ (int)(pair & 1); /* AB, BA, AB, BA … = ABBA ABBA … */
    r->answered[0] = r->answered[1] = false;
    st = ask(r, first, pair, warm, err);
    if (!st) st = ask(r, !first, pair, warm, err);
    if (!st && r->answered[0] && r->answered[1])
        cl_agreement_add(&r->p->agreement, &r->answer[0], &r->answer[1]);
    for (int s = 0; s < 2; s++)
        cl_answer_fini(&r->answer[s]);
    return st;
}

nf_status cl_pairs_knock(cl_side *side, cl_client *client, nf_error *err)
{
    nf_status st;
    cl_exchange x;
    cl_target *t = side->target;
    if ((st = cl_call_once(client, t->conn, &t->call[0], &x, err))) return st;
    side->reachable = x.status != 0;
    if (x.failure) cl_why(side->why, sizeof(side->why), &x);
    return NF_OK;
}

static bool any_left(const cl_pairs *p)
{
    for (int s = 0; s < 2; s++)
        if (p->side[s].reachable && !p->side[s].given_up) return true;
    return false;
}

static void show(const pair_run *r, const char *what, size_t i, size_t n)
{
    cl_progress_show(r->spec->progress, "%s: pair %zu of %zu, errors %llu + %llu", what, i + 1, n,
                     (unsigned long long)cl_recorder_errors(&r->p->side[0].rec),
                     (unsigned long long)cl_recorder_errors(&r->p->side[1].rec));
}

nf_status cl_pairs_run(cl_pairs *p, cl_client *client, const cl_pairs_spec *spec, nf_error *err)
{
    uint64_t seed = spec->seed;
    pair_run r = {.p = p, .client = client, .spec = spec};
    nf_status st = NF_OK;

    p->first = (int)(cl_random(&seed) >> 63);
    for (size_t i = 0; i < spec->warmup && !st && any_left(p); i++) {
        show(&r, "warming up", i, spec->warmup);
        st = one_pair(&r, i % p->asked, true, err);
    }
    for (int s = 0; s < 2; s++)
        cl_conn_facts(p->side[s].target->conn, &p->side[s].before);
    for (; p->done < p->asked && !st && any_left(p); p->done += !st) {
        show(&r, "measuring", p->done, p->asked);
        st = one_pair(&r, p->done, false, err);
    }
    cl_progress_end(spec->progress);
    for (int s = 0; s < 2; s++)
        cl_conn_facts(p->side[s].target->conn, &p->side[s].facts);
    p->interrupted = client->stopped;
    return p->interrupted ? NF_OK : st;
}
