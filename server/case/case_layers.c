/* case_layers.c - layers.json against the steps of a run. Layer: server/case. Thread rule: one
 * owner. */
#include "server/case/case_layers.h"

#include "engine/base/file.h"
#include "server/case/case_run.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME "layers.json"
#define MAX_JSON  ((size_t)64 << 20)
#define CUT_NAME  200 /* characters; the engine keeps at least these of a tensor's name */

/* Recorded activations of float models: sums in another order. Integers must be equal. */
static const srv_case_tolerance tolerance = {.rule = SRV_CASE_ABS_REL, .abs = 1e-5, .rel = 1e-4};

/* A reader may have cut a long name. */
static bool same_name(const char *recorded, const char *name)
{
    const size_t n = strlen(name);
    return strncmp(recorded, name, n) == 0 && (recorded[n] == '\0' || n >= CUT_NAME);
}

/* The entry of layers.json for a tensor, or NULL. */
static const json_t *find_layer(const json_t *root, const char *name)
{
    size_t i, k;
    json_t *op, *out;
    json_array_foreach(json_object_get(root, "ops"), i, op)
    {
        json_array_foreach(json_object_get(op, "outputs"), k, out)
        {
            const char *text = json_string_value(json_object_get(out, "name"));
            if (text && same_name(text, name)) return out;
        }
    }
    return NULL;
}

static nf_status read_layer(srv_recorded *t, const json_t *layer, const eng_step_info *step,
                            const srv_case *c, nf_error *err)
{
    const char *file = json_string_value(json_object_get(layer, "file"));
    srv_case_io io = {.name = step->output, .content = SRV_CASE_TENSOR, .dtype = step->dtype};
    srv_case_ref ref = {.rank = step->rank};
    nf_status st;
    if (!file) return nf_fail(err, NF_EINVAL, FILE_NAME, "'%s' has no file", step->output);
    memcpy(ref.dim, step->dim, sizeof(ref.dim));
    for (int d = 0; d < ref.rank; d++)
        if (ref.dim[d] < 0) ref.dim[d] = 1; /* the batch: layers are recorded for one row */
    ref.file = nf_strdup(file, strlen(file), NF_MEM_MISC);
    if (!ref.file) return nf_fail(err, NF_ENOMEM, FILE_NAME, "no memory");
    st = srv_recorded_read(t, c, &io, &ref, NULL, err);
    nf_free(ref.file);
    return st;
}

static void note(srv_check_layers *out, const srv_diff *d, const eng_step_info *step, size_t i)
{
    const char *const name = step->output;
    out->compared++;
    out->equal += d->equal == d->elems;
    if (d->outside && !*out->first) {
        out->first_diff = *d;
        out->first_step = i;
        snprintf(out->first, sizeof(out->first), "%s", name);
        snprintf(out->first_op, sizeof(out->first_op), "%s", step->op);
    }
    if (d->equal == d->elems || (*out->worst && d->worst <= out->diff.worst)) return;
    out->diff = *d;
    snprintf(out->worst, sizeof(out->worst), "%s", name);
}

static size_t count_layers(const json_t *root)
{
    size_t i, n = 0;
    json_t *op;
    json_array_foreach(json_object_get(root, "ops"), i, op)
    {
        n += json_array_size(json_object_get(op, "outputs"));
    }
    return n;
}

static nf_status compare_steps(srv_check_layers *out, const srv_case_run *r, eng_model *model,
                               const srv_case *c, const json_t *root, nf_error *err)
{
    for (size_t i = 0; i < r->info->n_ops; i++) {
        eng_step_info step;
        srv_recorded want, got;
        nf_status st;
        eng_model_step(&step, model, i);
        const json_t *layer = find_layer(root, step.output);
        if (!layer) continue;
        if ((st = read_layer(&want, layer, &step, c, err))) return st;
        got = want;
        got.data = (uint8_t *)eng_session_step_data(r->session, i);
        const bool whole = got.data && step.out_bytes >= want.bytes;
        if (whole) {
            const srv_diff d = srv_compare(&want, &got, tolerance);
            note(out, &d, &step, i);
        }
        srv_recorded_fini(&want);
        if (!whole) return nf_fail(err, NF_EINVAL, step.output, "the step kept no result");
    }
    return NF_OK;
}

static nf_status read_json(json_t **out, const srv_case *c, nf_error *err)
{
    nf_bytes file = {0};
    char *path = NULL;
    json_error_t why;
    nf_status st;

    if ((st = srv_case_path(&path, c->dir, FILE_NAME, err))) goto done;
    st = nf_read_file(&file, path, MAX_JSON, NF_MEM_MISC, NULL);
    if (st == NF_ENOTFOUND) {
        st = NF_OK;
        goto done;
    }
    if (st) {
        nf_note(err, st, path, "cannot read");
        goto done;
    }
    *out = json_loadb((const char *)file.data, file.len, 0, &why);
    if (!*out) st = nf_fail(err, NF_EINVAL, path, "line %d: %s", why.line, why.text);
done:
    nf_free((void *)file.data);
    nf_free(path);
    return st;
}

nf_status srv_layers_check(srv_check_layers *out, eng_model *model, const srv_case *c,
                           const char *dir, nf_error *err)
{
    srv_case recorded = *c; /* only to look at: the files of layers.json lie in dir */
    json_t *root = NULL;
    srv_case_run r = {0};
    nf_status st;

    *out = (srv_check_layers){0};
    recorded.dir = (char *)dir;
    st = read_json(&root, &recorded, err);
    if (!st && !root && dir != c->dir)
        st = nf_fail(err, NF_ENOTFOUND, dir, "there is no " FILE_NAME);
    if (st || !root) goto done;
    out->recorded = count_layers(root);
    const json_int_t item = json_integer_value(json_object_get(root, "case"));
    if (item < 0 || (size_t)item >= c->n_items) {
        st = nf_fail(err, NF_EINVAL, FILE_NAME, "case: expected 0 to %zu, got %lld", c->n_items - 1,
                     (long long)item);
        goto done;
    }
    if ((st = srv_case_run_init(&r, model, c, err))) goto done;
    if ((st = eng_session_keep_all(r.session, err))) goto done;
    if ((st = srv_case_run_item(&r, c, (size_t)item, err))) goto done;
    st = compare_steps(out, &r, model, &recorded, root, err);
done:
    srv_case_run_fini(&r);
    json_decref(root);
    return st;
}
