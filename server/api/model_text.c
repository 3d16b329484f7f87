/* model_text.c - describes a loaded model in JSON. Layer: server/api. Thread rule: no shared
 * state. Whatever runs inside, tensors are shown in the type that the wire speaks: FP32 for
 * quantized ones. */
#include "server/api/model_text.h"

#include "server/base/json_out.h"
#include "server/codec/tensor_in.h"
#include "server/wire/wire.h"

#include <string.h>

static long long dim_of(const eng_io *io, int i)
{
    return i == 0 && io->batched ? -1 : (long long)io->dim[i]; /* -1 too where it is open */
}

static void tf_tensor(srv_buf *b, const eng_io *io)
{
    srv_json_key(b, io->name);
    srv_buf_char(b, '{');
    srv_json_pair(b, "dtype", eng_dtype_tf(srv_wire_dtype(io)));
    srv_buf_text(b, ",\"tensor_shape\":{\"dim\":[");
    for (int i = 0; i < io->rank; i++)
        srv_buf_fmt(b, "%s{\"size\":\"%lld\",\"name\":\"\"}", i ? "," : "", dim_of(io, i));
    srv_buf_text(b, io->rank < 0 ? "],\"unknown_rank\":true}," : "],\"unknown_rank\":false},");
    srv_json_pair(b, "name", io->name);
    srv_buf_char(b, '}');
}

static void tf_tensors(srv_buf *b, const char *key, const eng_io *ios, size_t n)
{
    srv_json_key(b, key);
    for (size_t i = 0; i < n; i++) {
        srv_buf_char(b, i ? ',' : '{');
        tf_tensor(b, &ios[i]);
    }
    srv_buf_char(b, '}');
}

static void texts(srv_buf *b, const char *key, const char *const *list, size_t n)
{
    srv_json_key(b, key);
    srv_buf_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i) srv_buf_char(b, ',');
        srv_json_text(b, list[i]);
    }
    srv_buf_char(b, ']');
}

static const char *task_of(const srv_model *m)
{
    if (*m->manifest->task) return m->manifest->task;
    return m->info->task == ENG_TASK_NONE ? "" : eng_task_name(m->info->task);
}

static void pair(srv_buf *b, const char *key, const char *value)
{
    srv_json_pair(b, key, value);
    srv_buf_char(b, ',');
}

static void floats(srv_buf *b, const char *key, const float *v, size_t n)
{
    srv_buf_char(b, ',');
    srv_json_key(b, key);
    srv_buf_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i) srv_buf_char(b, ',');
        srv_json_f32(b, v[i]);
    }
    srv_buf_char(b, ']');
}

static void maybe(srv_buf *b, const char *key, const char *value)
{
    if (!value) return;
    srv_buf_char(b, ',');
    srv_json_pair(b, key, value);
}

static bool says_nothing(const eng_io_note *n)
{
    return !n->alias && !n->title && !n->description && !n->unit && !n->n_mean;
}

/* What the model file notes about inputs or outputs; those without a note are left out. */
static void notes(srv_buf *b, const char *key, const eng_io *ios, const eng_io_note *list, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (says_nothing(&list[i])) continue;
        if (!any) srv_buf_fmt(b, ",\"%s\":[", key);
        srv_buf_text(b, any ? ",{" : "{");
        any = true;
        srv_json_pair(b, WIRE_KEY_NAME, ios[i].name);
        maybe(b, "signature_name", list[i].alias);
        maybe(b, "title", list[i].title);
        maybe(b, "description", list[i].description);
        maybe(b, "unit", list[i].unit);
        if (list[i].n_mean) floats(b, "mean", list[i].mean, list[i].n_mean);
        if (list[i].n_deviation) floats(b, "std", list[i].deviation, list[i].n_deviation);
        srv_buf_char(b, '}');
    }
    if (any) srv_buf_char(b, ']');
}

static void anomaly_facts(srv_buf *b, const srv_model *m)
{
    if (strcmp(task_of(m), "anomaly") != 0) return;
    srv_buf_text(b, "\"anomaly\":{\"threshold\":");
    srv_json_f64(b, m->manifest->threshold);
    srv_buf_fmt(b, ",\"direction\":\"%s\"},", m->manifest->above ? "above" : "below");
}

static void own_facts(srv_buf *b, const srv_model *m)
{
    const eng_info *info = m->info;
    srv_buf_text(b, "\"nearfar\":{");
    pair(b, "description", *m->manifest->description ? m->manifest->description : info->about);
    pair(b, "units", m->manifest->units);
    pair(b, "task", task_of(m));
    anomaly_facts(b, m);
    pair(b, "format", info->format);
    pair(b, "precision", eng_precision_name(info->precision));
    pair(b, "arith", eng_arith_name(info->arith));
    if (*info->signature) pair(b, "signature", info->signature);
    texts(b, "labels", m->labels, m->n_labels);
    srv_buf_char(b, ',');
    texts(b, "features", m->manifest->features, m->manifest->n_features);
    notes(b, "input_notes", info->inputs, info->in_notes, info->n_inputs);
    notes(b, "output_notes", info->outputs, info->out_notes, info->n_outputs);
    srv_buf_fmt(b, ",\"macs\":%llu,\"ops\":%zu,\"weight_bytes\":%zu,\"arena_bytes\":%zu,",
                (unsigned long long)info->macs, info->n_ops, info->weight_bytes, info->arena_bytes);
    if (m->row_ns == UINT64_MAX)
        srv_buf_text(b, "\"row_us\":null}");
    else
        srv_buf_fmt(b, "\"row_us\":%.3f}", (double)m->row_ns / 1e3);
}

void srv_text_metadata(srv_buf *b, const srv_model *m)
{
    const eng_info *info = m->info;
    srv_buf_text(b, "{\"model_spec\":{");
    srv_json_pair(b, "name", m->name);
    srv_buf_text(b, ",\"signature_name\":\"\",");
    srv_json_pair(b, "version", m->version_text);
    srv_buf_text(b, "},\"metadata\":{\"signature_def\":{\"signature_def\":{\"serving_default\":{");
    tf_tensors(b, "inputs", info->inputs, info->n_inputs);
    srv_buf_char(b, ',');
    tf_tensors(b, "outputs", info->outputs, info->n_outputs);
    srv_buf_text(b, ",\"method_name\":\"tensorflow/serving/predict\"}}}},");
    own_facts(b, m);
    srv_buf_text(b, "}\n");
}

static void v2_tensors(srv_buf *b, const char *key, const eng_io *ios, size_t n)
{
    srv_json_key(b, key);
    srv_buf_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        srv_buf_text(b, i ? ",{" : "{");
        srv_json_pair(b, WIRE_KEY_NAME, ios[i].name);
        srv_buf_char(b, ',');
        srv_json_pair(b, WIRE_KEY_DATATYPE, eng_dtype_oip(srv_wire_dtype(&ios[i])));
        srv_buf_text(b, ",\"" WIRE_KEY_SHAPE "\":[");
        for (int k = 0; k < ios[i].rank; k++)
            srv_buf_fmt(b, "%s%lld", k ? "," : "", dim_of(&ios[i], k));
        srv_buf_text(b, "]}");
    }
    srv_buf_char(b, ']');
}

void srv_text_v2_model(srv_buf *b, const srv_model *m)
{
    srv_buf_char(b, '{');
    srv_json_pair(b, WIRE_KEY_NAME, m->name);
    srv_buf_text(b, ",\"versions\":[");
    srv_json_text(b, m->version_text);
    srv_buf_text(b, "],\"platform\":\"nearfar_");
    srv_buf_text(b, m->info->format);
    srv_buf_text(b, "\",");
    v2_tensors(b, WIRE_KEY_INPUTS, m->info->inputs, m->info->n_inputs);
    srv_buf_char(b, ',');
    v2_tensors(b, WIRE_KEY_OUTPUTS, m->info->outputs, m->info->n_outputs);
    if (*task_of(m) || m->n_labels || m->manifest->n_features) {
        srv_buf_text(b, ",\"nearfar\":{");
        pair(b, "task", task_of(m));
        texts(b, "labels", m->labels, m->n_labels);
        srv_buf_char(b, ',');
        texts(b, "features", m->manifest->features, m->manifest->n_features);
        srv_buf_char(b, '}');
    }
    srv_buf_text(b, "}\n");
}

void srv_text_v2_ready(srv_buf *b, const srv_model *m)
{
    srv_buf_char(b, '{');
    srv_json_pair(b, WIRE_KEY_NAME, m->name);
    srv_buf_text(b, ",\"" WIRE_KEY_READY "\":true}\n");
}
