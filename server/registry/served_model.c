/* served_model.c - loads, warms up and runs one model version. Layer: server/registry. Thread rule:
 * created on one thread, then shared; see the header for sessions. */
#include "server/registry/served_model.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"

#include <stdio.h>

#define BLOCK_ROWS   64 /* rows of one engine call; bounds the memory of a session */
#define KEEP_BYTES   ((size_t)16 << 20) /* of one plan for open shapes, between requests */
#define WARM_RUNS    5        /* the first one pays for page faults, the least of them counts */
#define WARM_MOST_NS 50000000 /* no further run when one took longer than this */

bool srv_name_ok(nf_span name)
{
    if (name.len == 0 || name.len > SRV_NAME_MOST) return false;
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.s[i];
        const bool alnum =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (i == 0 || (c != '.' && c != '_' && c != '-'))) return false;
    }
    return true;
}

bool srv_version_parse(uint64_t *out, nf_span text)
{
    uint64_t v = 0;
    if (text.len == 0 || text.len > 18) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.s[i] < '0' || text.s[i] > '9') return false;
        v = v * 10 + (uint64_t)(text.s[i] - '0');
    }
    *out = v;
    return true;
}

static nf_status session_of(eng_session **out, srv_model *m, unsigned slot, nf_error *err)
{
    nf_status st = NF_OK;
    if (!m->session[slot]) st = eng_session_create(&m->session[slot], m->engine, BLOCK_ROWS, err);
    *out = m->session[slot];
    return st;
}

/* Row `from` on of every view. */
static void slice(eng_view *to, const eng_view *whole, size_t n, size_t rows, size_t from,
                  size_t count)
{
    for (size_t i = 0; i < n; i++) {
        const size_t row_bytes = whole[i].bytes / rows;
        to[i] = (eng_view){.dtype = whole[i].dtype,
                           .data = (char *)whole[i].data + from * row_bytes,
                           .bytes = count * row_bytes};
    }
}

nf_status srv_model_run(srv_model *m, unsigned slot, const eng_view *in, const eng_view *out,
                        size_t rows, nf_error *err)
{
    eng_session *s;
    nf_status st = session_of(&s, m, slot, err);
    if (st || rows <= BLOCK_ROWS) return st ? st : eng_session_run(s, in, out, rows, err);
    for (size_t at = 0; at < rows; at += BLOCK_ROWS) {
        eng_view part_in[SRV_IO_MOST], part_out[SRV_IO_MOST];
        const size_t count = rows - at < BLOCK_ROWS ? rows - at : BLOCK_ROWS;
        slice(part_in, in, m->info->n_inputs, rows, at, count);
        slice(part_out, out, m->info->n_outputs, rows, at, count);
        if ((st = eng_session_run(s, part_in, part_out, count, err))) return st;
    }
    return NF_OK;
}

nf_status srv_model_run_open(srv_model *m, unsigned slot, const eng_view *in, eng_session **session,
                             nf_error *err)
{
    nf_error why = {0};
    nf_status st = session_of(session, m, slot, &why);
    if (st) return nf_fail(err, st, why.where, "%s", why.text);
    st = eng_session_run_open(*session, in, &why);
    if (st == NF_EFORMAT ||
        st == NF_EBUDGET) { /* the file is good: what came with the request is not */
        st = st == NF_EFORMAT ? NF_EINVAL : NF_ETOOLARGE;
        nf_note(err, st, why.where, "the model cannot take these shapes: %s", why.text);
    } else if (st) {
        nf_note(err, st, why.where, "%s", why.text);
    }
    return st;
}

void srv_model_trim(srv_model *m, unsigned slot)
{
    if (m->session[slot]) eng_session_trim(m->session[slot], KEEP_BYTES);
}

/* Memory for one row of zeros, or empty texts; `open` stands for dimensions that are open. */
static nf_status make_view(eng_view *v, const eng_io *io, size_t open, nf_error *err)
{
    size_t n = 1, bytes;
    *v = (eng_view){.dtype = io->dtype, .rank = io->rank < 0 ? 1 : io->rank};
    for (int i = 0; i < v->rank; i++) {
        v->dim[i] = io->rank < 0 || io->dim[i] < 0 ? (int64_t)open : io->dim[i];
        if (!nf_mul_size(&n, n, (size_t)v->dim[i])) n = SIZE_MAX;
    }
    if (!nf_mul_size(&bytes, n, eng_dtype_size(io->dtype)))
        return nf_fail(err, NF_EFORMAT, io->name, "one row does not fit into memory");
    v->data = nf_alloc(bytes ? bytes : 1, NF_MEM_MISC);
    if (!v->data) return nf_fail(err, NF_ENOMEM, io->name, "no memory for one row");
    v->bytes = bytes;
    for (size_t i = 0; io->dtype == ENG_STR && i < n; i++)
        ((nf_span *)v->data)[i].s = "";
    return NF_OK;
}

typedef struct sample {
    eng_view in[SRV_IO_MOST], out[SRV_IO_MOST]; /* data owned */
} sample;

static void sample_fini(sample *s)
{
    for (size_t i = 0; i < SRV_IO_MOST; i++) {
        nf_free(s->in[i].data);
        nf_free(s->out[i].data);
    }
    *s = (sample){0};
}

static nf_status sample_init(sample *s, const eng_info *info, size_t open, nf_error *err)
{
    const bool whole = info->shapes == ENG_SHAPES_OPEN;
    nf_status st = NF_OK;
    for (size_t i = 0; i < info->n_inputs && !st; i++)
        st = make_view(&s->in[i], &info->inputs[i], open, err);
    for (size_t i = 0; i < info->n_outputs && !whole && !st; i++)
        st = make_view(&s->out[i], &info->outputs[i], open, err);
    return st;
}

static nf_status run_sample(srv_model *m, const sample *s, nf_error *err)
{
    eng_session *session;
    if (m->info->shapes == ENG_SHAPES_OPEN) return srv_model_run_open(m, 0, s->in, &session, err);
    return srv_model_run(m, 0, s->in, s->out, 1, err);
}

/* Zeros may be no valid values (NF_EINVAL): such a run proves nothing, and is none that failed. */
static nf_status timed_runs(srv_model *m, const sample *s, nf_error *err)
{
    m->row_ns = UINT64_MAX;
    for (int i = 0; i < WARM_RUNS; i++) {
        const uint64_t start = nf_now_ns();
        const nf_status st = run_sample(m, s, err);
        const uint64_t took = nf_now_ns() - start;
        if (st) return st;
        if (took < m->row_ns) m->row_ns = took;
        if (took > WARM_MOST_NS) break;
    }
    return NF_OK;
}

/* Runs rows of zeros: faults the pages in, proves that the model runs, measures it. Where shapes
 * are open, the first size that runs; if none does, the model is served all the same. */
static nf_status warm_up(srv_model *m, nf_error *err)
{
    static const size_t sizes[] = {1, 8, 32, 128, 512};
    const bool whole = m->info->shapes == ENG_SHAPES_OPEN;
    nf_error why = {0};
    nf_status st = NF_EINVAL;
    for (size_t i = 0; i < (whole ? NF_COUNT(sizes) : 1) && st == NF_EINVAL; i++) {
        sample s = {0};
        st = sample_init(&s, m->info, sizes[i], &why);
        if (!st) st = timed_runs(m, &s, &why);
        m->sample_elems = 0;
        for (size_t k = 0; k < m->info->n_inputs; k++)
            m->sample_elems += s.in[k].bytes / eng_dtype_size(s.in[k].dtype);
        sample_fini(&s);
    }
    if (st == NF_EINVAL) {
        nf_log(NF_LOG_INFO, "registry", "%s: zeros are no input for it (%s: %s), not measured",
               m->name, why.where, why.text);
        return NF_OK;
    }
    return st ? nf_fail(err, st, why.where, "%s", why.text) : NF_OK;
}

static void describe(srv_model *m, const srv_load_options *o)
{
    const eng_info *info = m->info;
    snprintf(m->version_text, sizeof(m->version_text), "%llu", (unsigned long long)m->version);
    snprintf(m->served, sizeof(m->served), "mode=%s; model=%s; version=%s; precision=%s",
             o->mode_name, m->name, m->version_text, eng_precision_name(info->precision));
    m->labels = m->manifest->n_labels ? m->manifest->labels : info->labels;
    m->n_labels = m->manifest->n_labels ? m->manifest->n_labels : info->n_labels;
}

eng_options srv_model_options(const srv_load_options *o, const srv_manifest *m)
{
    eng_options options = o->engine;
    if (m->precision != ENG_PREC_AUTO) options.precision = m->precision;
    return options;
}

nf_status srv_model_create(srv_model **out, const srv_load_options *o, const srv_model_id *id,
                           nf_bytes file, nf_error *err)
{
    const uint64_t start = nf_now_us();
    eng_options options = srv_model_options(o, id->manifest);
    nf_status st;
    options.folder = id->folder;
    *out = NULL;
    srv_model *m = nf_alloc(sizeof(*m) + o->n_slots * sizeof(m->session[0]), NF_MEM_REGISTRY);
    if (!m) return nf_fail(err, NF_ENOMEM, id->name, "no memory to load it");
    atomic_store(&m->refs, 1);
    m->n_slots = o->n_slots;
    m->version = id->version;
    m->manifest = srv_manifest_ref(id->manifest);
    m->stats = srv_stats_ref(id->stats);
    snprintf(m->name, sizeof(m->name), "%s", id->name);
    options.calibration = id->calibration;
    if ((st = eng_model_load(&m->engine, file, &options, err))) goto done;
    m->info = eng_model_info(m->engine);
    if (m->info->n_inputs > SRV_IO_MOST || m->info->n_outputs > SRV_IO_MOST) {
        st = nf_fail(err, NF_EUNSUPPORTED, id->name,
                     "has %zu inputs and %zu outputs, the most is %d", m->info->n_inputs,
                     m->info->n_outputs, SRV_IO_MOST);
        goto done;
    }
    describe(m, o);
    if ((st = warm_up(m, err))) goto done;
    m->load_us = nf_now_us() - start;
    *out = m;
    m = NULL;
done:
    srv_model_unref(&m);
    return st;
}

srv_model *srv_model_ref(srv_model *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void srv_model_unref(srv_model **mp)
{
    srv_model *m = *mp;
    *mp = NULL;
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1) return;
    for (unsigned i = 0; i < m->n_slots; i++)
        eng_session_destroy(&m->session[i]);
    eng_model_unref(&m->engine);
    srv_manifest_unref(&m->manifest);
    srv_stats_unref(&m->stats);
    nf_free(m);
}
