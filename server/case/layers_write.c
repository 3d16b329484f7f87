/* layers_write.c - layers.json and its files. Layer: server/case. Thread rule: one owner. */
#include "server/case/layers_write.h"

#include "engine/base/file.h"
#include "server/case/case.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *const dtypes[ENG_DTYPE_COUNT] = {
    [ENG_F32] = "float32", [ENG_F64] = "float64", [ENG_I8] = "int8",   [ENG_U8] = "uint8",
    [ENG_I16] = "int16",   [ENG_I32] = "int32",   [ENG_I64] = "int64", [ENG_BOOL] = "bool",
};

typedef struct writer {
    const char *dir;
    eng_model *model;
    const eng_info *info;
    eng_session *session;
    eng_view in[SRV_CASE_MAX_IO], out[SRV_CASE_MAX_IO]; /* out: data owned */
    json_t *ops;
} writer;

static nf_status make_folder(const char *path, nf_error *err)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return NF_OK;
    return nf_fail(err, errno == EROFS || errno == EACCES ? NF_EREADONLY : NF_EIO, path,
                   "cannot make the folder: %s", strerror(errno));
}

static nf_status make_folders(const char *dir, nf_error *err)
{
    char *layers = NULL;
    nf_status st;
    if ((st = make_folder(dir, err))) return st;
    st = srv_case_path(&layers, dir, "layers", err);
    if (!st) st = make_folder(layers, err);
    nf_free(layers);
    return st;
}

static nf_status write_file(const writer *w, const char *name, nf_bytes content, nf_error *err)
{
    char *path = NULL;
    nf_status st = srv_case_path(&path, w->dir, name, err);
    if (!st) st = nf_write_file(path, content, err);
    nf_free(path);
    return st;
}

/* One row of each input, memory for one row of each output. */
static nf_status make_views(writer *w, const eng_view *in, nf_error *err)
{
    if (w->info->n_inputs > SRV_CASE_MAX_IO || w->info->n_outputs > SRV_CASE_MAX_IO)
        return nf_fail(err, NF_EUNSUPPORTED, w->dir, "over %d inputs or outputs", SRV_CASE_MAX_IO);
    for (size_t i = 0; i < w->info->n_inputs; i++) {
        w->in[i] = in[i];
        w->in[i].bytes = w->info->inputs[i].row_elems * eng_dtype_size(in[i].dtype);
    }
    for (size_t i = 0; i < w->info->n_outputs; i++) {
        const eng_io *io = &w->info->outputs[i];
        w->out[i] =
            (eng_view){.dtype = io->dtype, .bytes = io->row_elems * eng_dtype_size(io->dtype)};
        w->out[i].data = nf_alloc(w->out[i].bytes + 1, NF_MEM_MISC);
        if (!w->out[i].data) return nf_fail(err, NF_ENOMEM, io->name, "no memory");
    }
    return NF_OK;
}

static json_t *tensor_json(const eng_step_info *s, size_t i, const char *file)
{
    json_t *o = json_object(), *shape = json_array();
    for (int d = 0; d < s->rank; d++)
        json_array_append_new(shape, json_integer(s->dim[d]));
    json_object_set_new(o, "tensor", json_integer((json_int_t)i));
    json_object_set_new(o, "name", json_string(s->output));
    json_object_set_new(o, "dtype", json_string(dtypes[s->dtype] ? dtypes[s->dtype] : "unknown"));
    json_object_set_new(o, "shape", shape);
    if (s->quantized)
        json_object_set_new(
            o, "quant",
            json_pack("{s:f, s:i}", "scale", (double)s->scale, "zero_point", (int)s->zero_point));
    json_object_set_new(o, "file", json_string(file));
    return o;
}

static nf_status write_step(const writer *w, size_t i, nf_error *err)
{
    eng_step_info s;
    char file[48];
    const void *const data = eng_session_step_data(w->session, i);
    eng_model_step(&s, w->model, i);
    if (!data) return NF_OK; /* a step without a result of its own */
    snprintf(file, sizeof(file), "layers/%zu.bin", i);
    json_t *op = json_pack("{s:s, s:s}", "op", s.op, "kernel", s.kernel);
    json_t *outputs = json_array();
    json_array_append_new(outputs, tensor_json(&s, i, file));
    json_object_set_new(op, "outputs", outputs);
    json_array_append_new(w->ops, op);
    return write_file(w, file, (nf_bytes){data, s.out_bytes}, err);
}

static nf_status write_json(const writer *w, nf_error *err)
{
    json_t *root =
        json_pack("{s:i, s:s, s:s, s:s, s:O}", "case", 0, "by", "nearfar run --dump-layers",
                  "precision", eng_precision_name(w->info->precision), "arith",
                  eng_arith_name(w->info->arith), "ops", w->ops);
    const size_t flags = JSON_INDENT(1) | JSON_REAL_PRECISION(17);
    const size_t size = root ? json_dumpb(root, NULL, 0, flags) : 0;
    char *text = size ? nf_alloc(size, NF_MEM_MISC) : NULL;
    nf_status st;
    if (text) {
        json_dumpb(root, text, size, flags);
        st = write_file(w, "layers.json", (nf_bytes){(const uint8_t *)text, size}, err);
    } else {
        st = nf_fail(err, size ? NF_ENOMEM : NF_EINVAL, "layers.json",
                     size ? "no memory" : "a name of the model is not UTF-8");
    }
    nf_free(text);
    json_decref(root);
    return st;
}

nf_status srv_layers_write(const char *dir, eng_model *model, const eng_view *in, nf_error *err)
{
    writer w = {.dir = dir, .model = model, .info = eng_model_info(model), .ops = json_array()};
    nf_status st;
    if ((st = make_folders(dir, err))) goto done;
    if ((st = make_views(&w, in, err))) goto done;
    if ((st = eng_session_create(&w.session, model, 1, err))) goto done;
    if ((st = eng_session_keep_all(w.session, err))) goto done;
    if ((st = eng_session_run(w.session, w.in, w.out, 1, err))) goto done;
    for (size_t i = 0; i < w.info->n_ops && !st; i++)
        st = write_step(&w, i, err);
    if (!st) st = write_json(&w, err);
done:
    for (size_t i = 0; i < SRV_CASE_MAX_IO; i++)
        nf_free(w.out[i].data);
    eng_session_destroy(&w.session);
    json_decref(w.ops);
    return st;
}
