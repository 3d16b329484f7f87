/* case_onnx.c - operator test folders of ONNX. Layer: server/case. Thread rule: no shared state. */
#include "engine/base/mem.h"
#include "server/case/case.h"

#include <stdio.h>
#include <string.h>

#define MAX_SETS 1000

/* What ONNX's own backend tests allow for floats: rtol 1e-3, atol 1e-7; the rest is exact, which
 * the comparison sees to for integers. */
static const srv_case_tolerance tolerance = {.rule = SRV_CASE_ABS_REL, .abs = 1e-7, .rel = 1e-3};

static bool has_tensor(const char *dir, size_t set, const char *what, size_t k)
{
    char name[64];
    snprintf(name, sizeof(name), "test_data_set_%zu/%s_%zu.pb", set, what, k);
    return srv_case_holds(dir, name);
}

bool srv_case_onnx_here(const char *dir)
{
    return srv_case_holds(dir, "model.onnx") && srv_case_holds(dir, "test_data_set_0");
}

static nf_status count_io(srv_case_io *ios, size_t *n, const char *dir, const char *what,
                          nf_error *err)
{
    for (*n = 0; has_tensor(dir, 0, what, *n); ++*n) {
        if (*n == SRV_CASE_MAX_IO)
            return nf_fail(err, NF_ETOOLARGE, dir, "over %d files %s_*.pb", SRV_CASE_MAX_IO, what);
        ios[*n] = (srv_case_io){.name = "", .content = SRV_CASE_PROTO, .tolerance = tolerance};
    }
    return NF_OK;
}

static nf_status name_files(srv_case_ref **out, size_t n, size_t set, const char *what,
                            nf_error *err)
{
    *out = nf_alloc_array(n + 1, sizeof(**out), NF_MEM_MISC);
    if (!*out) return nf_fail(err, NF_ENOMEM, what, "no memory");
    for (size_t k = 0; k < n; k++) {
        char name[64];
        const int len = snprintf(name, sizeof(name), "test_data_set_%zu/%s_%zu.pb", set, what, k);
        (*out)[k].file = nf_strdup(name, (size_t)len, NF_MEM_MISC);
        if (!(*out)[k].file) return nf_fail(err, NF_ENOMEM, what, "no memory");
    }
    return NF_OK;
}

nf_status srv_case_onnx_read(srv_case *c, nf_error *err)
{
    size_t sets = 0;
    nf_status st;
    c->arith = "onnx";
    c->format = "operator test";
    c->model = nf_strdup("model.onnx", 10, NF_MEM_MISC);
    if (!c->model) return nf_fail(err, NF_ENOMEM, c->dir, "no memory");
    if ((st = count_io(c->in, &c->n_in, c->dir, "input", err))) return st;
    if ((st = count_io(c->out, &c->n_out, c->dir, "output", err))) return st;
    if (c->n_out == 0)
        return nf_fail(err, NF_EINVAL, c->dir, "test_data_set_0: expected output_0.pb");
    while (sets < MAX_SETS && has_tensor(c->dir, sets, "output", 0))
        sets++;
    c->items = nf_alloc_array(sets, sizeof(*c->items), NF_MEM_MISC);
    if (!c->items) return nf_fail(err, NF_ENOMEM, c->dir, "no memory");
    c->n_items = sets;
    for (size_t i = 0; i < sets; i++) {
        if ((st = name_files(&c->items[i].in, c->n_in, i, "input", err))) return st;
        if ((st = name_files(&c->items[i].out, c->n_out, i, "output", err))) return st;
    }
    return NF_OK;
}
