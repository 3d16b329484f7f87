/* run_bytes.c - load, plan and run whatever bytes come. Layer: tests. */
#include "tests/support/run_bytes.h"

#include "engine/base/mem.h"
#include "engine/session.h"

#include <stdlib.h>

#define LARGEST_ARENA ((size_t)1 << 20)
#define LARGEST_VIEW  ((size_t)1 << 24)
#define MOST_MACS     4000000

#define OPEN_SIZE 3 /* what open dimensions are run with */

/* The shape that io has, or may have. */
static eng_view view_of(const eng_io *io)
{
    eng_view v = {.dtype = io->dtype, .rank = io->rank < 0 ? 2 : io->rank};
    size_t elems = 1;
    for (int i = 0; i < v.rank; i++) {
        v.dim[i] = io->rank < 0 || io->dim[i] < 0 ? OPEN_SIZE : io->dim[i];
        elems *= (size_t)v.dim[i]; /* the engine has checked that it is a size */
    }
    v.bytes = elems * eng_dtype_size(v.dtype);
    return v;
}

/* What the caller has to give is not in the arena, whose limit bounds the rest. */
static bool all_small(const eng_io *io, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (view_of(&io[i]).bytes > LARGEST_VIEW) return false;
    return true;
}

static eng_view make_view(const eng_io *io)
{
    eng_view v = view_of(io);
    v.data = nf_alloc(v.bytes + 1, NF_MEM_MISC);
    return v;
}

/* A run may refuse what it is given (an index out of range), but not the sizes. */
static bool run_once(eng_session *s, const eng_info *info)
{
    eng_view in[8], out[8];
    if (info->n_inputs > 8 || info->n_outputs > 8) return false;
    if (!all_small(info->inputs, info->n_inputs) || !all_small(info->outputs, info->n_outputs))
        return false;
    for (size_t i = 0; i < info->n_inputs; i++)
        in[i] = make_view(&info->inputs[i]);
    for (size_t i = 0; i < info->n_outputs; i++)
        out[i] = make_view(&info->outputs[i]);
    nf_error err = {0};
    if (info->shapes == ENG_SHAPES_OPEN)
        (void)eng_session_run_open(s, in, &err);
    else if (eng_session_run(s, in, out, 1, &err) == NF_ENOMEM)
        abort(); /* it allocates nothing */
    for (size_t i = 0; i < info->n_inputs; i++)
        nf_free(in[i].data);
    for (size_t i = 0; i < info->n_outputs; i++)
        nf_free(out[i].data);
    return true;
}

/* Numbers of one row of all inputs; 0 where they are too many. */
static size_t row_of(nf_bytes file, const eng_options *o)
{
    eng_model *m = NULL;
    size_t sum = 0;
    if (eng_model_load(&m, file, o, NULL)) return 0;
    const eng_info *info = eng_model_info(m);
    for (size_t i = 0; i < info->n_inputs; i++)
        sum += info->inputs[i].row_elems;
    if (info->macs > MOST_MACS || sum > LARGEST_ARENA) sum = 0;
    eng_model_unref(&m);
    return sum;
}

nf_status test_calibrate_bytes(nf_bytes file, nf_error *err)
{
    eng_options o = {.mode = ENG_MODE_EDGE, .no_blas = true, .max_arena = LARGEST_ARENA};
    const size_t width = row_of(file, &o);
    eng_model *m = NULL;
    float *rows = width ? nf_alloc_array(2 * width, sizeof(*rows), NF_MEM_MISC) : NULL;
    if (!rows) return NF_OK;
    for (size_t i = 0; i < 2 * width; i++)
        rows[i] = (float)(i * 7919 % 255) / 64 - 1;
    const eng_calibration c = {rows, 2, width, "rows"};
    o.calibration = &c;
    const nf_status st = eng_model_load(&m, file, &o, err);
    if (!st) { /* what it made must run too */
        eng_session *s = NULL;
        if (!eng_session_create(&s, m, 1, NULL)) (void)run_once(s, eng_model_info(m));
        eng_session_destroy(&s);
    }
    eng_model_unref(&m);
    nf_free(rows);
    return st;
}

nf_status test_run_bytes(nf_bytes file, eng_mode mode, const char *folder, bool *ran, nf_error *err)
{
    eng_model *m = NULL;
    eng_session *s = NULL;
    const eng_options o = {.mode = mode,
                           .folder = folder,
                           .arith = mode == ENG_MODE_FILE ? ENG_ARITH_REFERENCE : ENG_ARITH_AUTO,
                           .no_blas = true,
                           .max_arena = LARGEST_ARENA};
    const nf_status st = eng_model_load(&m, file, &o, err);
    *ran = false;
    if (st) return st;
    if (eng_model_info(m)->macs <= MOST_MACS && !eng_session_create(&s, m, 1, NULL))
        *ran = run_once(s, eng_model_info(m));
    eng_session_destroy(&s);
    eng_model_unref(&m);
    return NF_OK;
}
