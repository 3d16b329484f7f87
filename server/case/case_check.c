/* case_check.c - a folder of cases from reading to verdict. Layer: server/case. Thread rule: one
 * owner. */
#include "server/case/case_check.h"

#include "engine/base/file.h"
#include "server/case/case_layers.h"
#include "server/case/case_run.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_MODEL ((size_t)1 << 30)

/* What is at work while one folder is checked. */
typedef struct checker {
    srv_check *out;
    const srv_check_options *options;
    srv_case *c;
    eng_model *model;
    srv_case_run run;
    srv_scores scores;
    size_t scored_output; /* which output is the classes'; n_out = none */
} checker;

static eng_arith arith_of(const char *name)
{
    static const eng_arith all[] = {ENG_ARITH_LITERT, ENG_ARITH_REFERENCE, ENG_ARITH_ONNX};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        if (strcmp(eng_arith_name(all[i]), name) == 0) return all[i];
    return ENG_ARITH_AUTO; /* "float", "framework" */
}

static nf_status load_model(checker *k, nf_error *err)
{
    eng_options options = k->options->engine;
    nf_bytes file = {0};
    char *path = NULL;
    struct stat s;
    char folder[NF_PATH_ROOM];
    nf_status st = NF_OK;

    if (options.arith == ENG_ARITH_AUTO) options.arith = arith_of(k->c->arith);
    const char *name = k->options->model;
    if (!name) {
        if ((st = srv_case_path(&path, k->c->dir, k->c->model, err))) goto done;
        name = path;
    }
    if (stat(name, &s) == 0 && S_ISDIR(s.st_mode)) {
        st = nf_fail(err, NF_EUNSUPPORTED, name, "the model is a folder");
        goto done;
    }
    if ((st = nf_read_file(&file, name, MAX_MODEL, NF_MEM_MISC, err))) goto done;
    nf_folder_of(folder, name);
    options.folder = folder;
    if ((st = eng_model_load(&k->model, file, &options, err))) goto done;
    k->out->precision = eng_model_info(k->model)->precision;
    k->out->arith = eng_model_info(k->model)->arith;
done:
    nf_free((void *)file.data);
    nf_free(path);
    return st;
}

/* Recorded values and the model's, ready to be compared: as they are, or both in real units. */
typedef struct pair {
    srv_recorded want, got; /* got.data is owned only where `real` is set */
    srv_case_tolerance tolerance;
    bool real;
} pair;

static void pair_fini(pair *p)
{
    srv_recorded_fini(&p->want);
    if (p->real) srv_recorded_fini(&p->got);
}

/* A tolerance of integer steps, in real units. */
static srv_case_tolerance real_tolerance(const srv_case_io *io)
{
    if (io->tolerance.rule != SRV_CASE_LSB) return io->tolerance;
    const double step = io->quantized ? (double)io->scale : 1;
    return (srv_case_tolerance){.rule = SRV_CASE_ABS_REL,
                                .abs = step * ((double)io->tolerance.lsb + 1e-3)};
}

static bool same_kind(const checker *k, const srv_recorded *want, size_t out)
{
    const srv_case_io *const io = &k->c->out[out];
    const srv_case_io have = srv_case_run_out_io(&k->run, out);
    if (want->dtype == ENG_STR && have.dtype == ENG_STR) return true;
    if (k->options->model || want->dtype != have.dtype) return false;
    if (!io->quantized) return true;
    return have.quantized && io->scale == have.scale && io->zero_point == have.zero_point;
}

static nf_status pair_read(pair *p, const checker *k, size_t item, size_t out, const char *instead,
                           nf_error *err)
{
    const srv_case_io *const io = &k->c->out[out];
    const srv_case_io have = srv_case_run_out_io(&k->run, out);
    srv_recorded real;
    nf_status st;

    *p = (pair){.got = k->run.got[out], .tolerance = io->tolerance};
    st = srv_recorded_read(&p->want, k->c, io, &k->c->items[item].out[out], instead, err);
    if (st) return st;
    if (p->want.content == SRV_CASE_PROTO && !srv_is_real(p->want.dtype))
        p->tolerance = (srv_case_tolerance){.rule = SRV_CASE_EXACT};
    if (same_kind(k, &p->want, out)) return NF_OK;
    p->tolerance = real_tolerance(io);
    if ((st = srv_recorded_real(&real, &p->want, io, err))) goto done;
    srv_recorded_fini(&p->want);
    p->want = real;
    if ((st = srv_recorded_real(&real, &k->run.got[out], &have, err))) goto done;
    p->got = real;
    p->real = true;
done:
    if (st) pair_fini(p);
    return st;
}

/* The first class with the largest value among elements first .. first + n - 1. */
static size_t argmax(const srv_recorded *t, size_t first, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (srv_element(t->data, t->dtype, first + i) >
            srv_element(t->data, t->dtype, first + best))
            best = i;
    return best;
}

static bool label_index(size_t *at, const srv_case *c, const char *label)
{
    for (*at = 0; label && *at < c->n_labels; ++*at)
        if (strcmp(c->labels[*at], label) == 0) return true;
    return false;
}

static void score(checker *k, const pair *p, size_t item)
{
    size_t truth;
    if (p->got.elems != k->c->n_labels || p->want.elems != k->c->n_labels) return;
    if (!label_index(&truth, k->c, k->c->items[item].label)) return;
    const size_t answer = argmax(&p->got, 0, p->got.elems);
    srv_scores_add(&k->scores, truth, answer);
    k->out->agree += answer == argmax(&p->want, 0, p->want.elems);
}

static bool shapes_agree(srv_check_output *o, const pair *p)
{
    const bool maps = p->want.content == SRV_CASE_MAPS;
    if (p->want.elems == p->got.elems && (maps || srv_same_shape(&p->want, &p->got))) return true;
    srv_dims_text(o->shape[0], sizeof(o->shape[0]), p->want.dim, p->want.rank);
    srv_dims_text(o->shape[1], sizeof(o->shape[1]), p->got.dim, p->got.rank);
    return false;
}

/* Tries the alternative sets, which TFLite's other kernels gave. */
static nf_status try_alternatives(srv_diff *d, checker *k, size_t item, size_t out, nf_error *err)
{
    for (size_t i = 0; i < k->c->n_alternatives && d->outside; i++) {
        pair p;
        const nf_status st = pair_read(&p, k, item, out, k->c->alternatives[i], err);
        if (st == NF_ENOTFOUND) continue;
        if (st) return st;
        if (p.want.elems == p.got.elems) {
            const srv_diff other = srv_compare(&p.want, &p.got, p.tolerance);
            if (!other.outside) {
                *d = other;
                k->out->out[out].alternative++;
            }
        }
        pair_fini(&p);
    }
    return NF_OK;
}

static nf_status check_output(bool *good, checker *k, size_t item, size_t out, nf_error *err)
{
    srv_check_output *const o = &k->out->out[out];
    srv_diff d = {0};
    pair p;
    nf_status st = pair_read(&p, k, item, out, NULL, err);
    if (st) return st;
    o->real_units |= p.real || k->run.real_units;
    const bool shapes = shapes_agree(o, &p);
    if (shapes) {
        d = srv_compare(&p.want, &p.got, p.tolerance);
        if (out == k->scored_output) score(k, &p, item);
        if (d.outside && k->out->arith == ENG_ARITH_LITERT)
            st = try_alternatives(&d, k, item, out, NULL);
        srv_diff_merge(&o->diff, &d);
    }
    if (!shapes || d.outside) {
        if (o->failed++ == 0) o->item = item;
        *good = false;
    }
    pair_fini(&p);
    return st;
}

static nf_status check_items(checker *k, nf_error *err)
{
    for (size_t i = 0; i < k->c->n_items; i++) {
        bool good = true;
        nf_status st = srv_case_run_item(&k->run, k->c, i, err);
        for (size_t o = 0; o < k->c->n_out && !st; o++)
            st = check_output(&good, k, i, o, err);
        if (st) {
            nf_note(err, st, k->c->id, "case %zu", i);
            return st;
        }
        k->out->items++;
        k->out->failed += !good;
    }
    return NF_OK;
}

static nf_status prepare_scores(checker *k, nf_error *err)
{
    k->scored_output = k->c->n_out;
    if (!k->c->n_labels) return NF_OK;
    for (size_t o = 0; o < k->c->n_out; o++)
        if (k->run.info->outputs[k->run.out[o]].row_elems == k->c->n_labels) {
            k->scored_output = o;
            break;
        }
    return srv_scores_init(&k->scores, k->c->n_labels, err);
}

static nf_status check(checker *k, const char *dir, nf_error *err)
{
    nf_status st;
    if ((st = srv_case_read(&k->c, dir, err))) return st;
    k->out->n_outputs = k->c->n_out;
    snprintf(k->out->format, sizeof(k->out->format), "%s", k->c->format);
    for (size_t o = 0; o < k->c->n_out; o++)
        snprintf(k->out->out[o].name, sizeof(k->out->out[o].name), "%s", k->c->out[o].name);
    if ((st = load_model(k, err))) return st;
    if ((st = srv_case_run_init(&k->run, k->model, k->c, err))) return st;
    for (size_t o = 0; o < k->c->n_out; o++) {
        k->c->out[o].classes = k->run.info->labels;
        k->c->out[o].n_classes = k->run.info->n_labels;
    }
    for (size_t o = 0; o < k->c->n_out; o++)
        if (!k->out->out[o].name[0])
            snprintf(k->out->out[o].name, sizeof(k->out->out[o].name), "%s",
                     srv_case_run_out_io(&k->run, o).name);
    if ((st = prepare_scores(k, err))) return st;
    if ((st = check_items(k, err))) return st;
    k->out->scored = k->scores.rows;
    k->out->score = srv_scores_of(&k->scores);
    if (!k->options->layers) return NF_OK;
    return srv_layers_check(&k->out->layers, k->model, k->c,
                            k->options->layers_dir ? k->options->layers_dir : k->c->dir, err);
}

void srv_check_folder(srv_check *out, const char *dir, const srv_check_options *options)
{
    checker k = {.out = out, .options = options};
    *out = (srv_check){.verdict = SRV_PASS};
    snprintf(out->id, sizeof(out->id), "%s", dir);
    const nf_status st = check(&k, dir, &out->why);
    if (k.c) snprintf(out->id, sizeof(out->id), "%s", k.c->id);
    out->why.status = st;
    if (st == NF_EUNSUPPORTED)
        out->verdict = SRV_UNSUPPORTED;
    else if (st || out->failed)
        out->verdict = SRV_FAIL;
    srv_scores_fini(&k.scores);
    srv_case_run_fini(&k.run);
    eng_model_unref(&k.model);
    srv_case_destroy(&k.c);
}
