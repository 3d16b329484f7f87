/* fmt_tflite_notes.c - what a TensorFlow Lite file says of itself: the names of its signature, and
 * the metadata with labels and normalisation. Layer: format. Thread rule: no shared state.
 * Notes never decide whether a model loads: those that are malformed are passed over.
 * Source: the TensorFlow Lite schema (SignatureDef, Metadata) and its metadata schema (file
 * identifier M001); the files that the metadata names lie in a zip archive behind the model. */
#include "engine/format/fmt_tflite.h"
#include "engine/format/fmt_zip.h"

#define METADATA_NAME "TFLITE_METADATA"
#define NORMALIZATION 1 /* member of the union ProcessUnitOptions */

enum { FILE_AXIS_LABELS = 2, FILE_VALUE_LABELS = 3 }; /* AssociatedFileType */

/* Position of a tensor among the inputs or outputs of the subgraph. */
static bool position_of(size_t *out, fmt_vector ios, int32_t tensor)
{
    for (*out = 0; *out < ios.n; ++*out)
        if (fmt_vec_i32(ios, *out) == tensor) return true;
    return false;
}

/* A list of TensorMap: name, tensor. */
static nf_status read_aliases(fmt_tfl *t, fmt_fb *fb, fmt_vector maps, fmt_vector ios,
                              eng_io_note *notes)
{
    for (size_t i = 0; i < maps.n && i < IR_MAX_ENDS; i++) {
        const fmt_table map = fmt_fb_item(fb, maps, i);
        const nf_span name = fmt_fb_text(fb, map, 0);
        const int32_t tensor = fmt_fb_i32(fb, map, 1, 0);
        size_t at;
        nf_status st;
        if (fb->bad || !name.len || !position_of(&at, ios, tensor)) continue;
        if ((st = ir_about_text(&notes[at].alias, name, t->err))) return st;
    }
    return NF_OK;
}

/* The first signature of the subgraph that runs. */
static nf_status read_signature(fmt_tfl *t, fmt_table model, fmt_vector inputs, fmt_vector outputs)
{
    fmt_fb fb = t->fb;
    ir_about *const a = &t->g->about;
    const fmt_vector list = fmt_fb_vector(&fb, model, 7, 4);
    for (size_t i = 0; i < list.n && !fb.bad; i++) {
        const fmt_table s = fmt_fb_item(&fb, list, i);
        const nf_span key = fmt_fb_text(&fb, s, 2);
        nf_status st;
        if (fb.bad || fmt_fb_i32(&fb, s, 4, 0) != 0) continue;
        if ((st = read_aliases(t, &fb, fmt_fb_vector(&fb, s, 0, 4), inputs, a->in))) return st;
        if ((st = read_aliases(t, &fb, fmt_fb_vector(&fb, s, 1, 4), outputs, a->out))) return st;
        return key.len ? ir_about_text(&a->signature, key, t->err) : NF_OK;
    }
    return NF_OK;
}

static nf_status read_text(const char **to, fmt_tfl *t, fmt_fb *fb, fmt_table table, unsigned slot)
{
    const nf_span text = fmt_fb_text(fb, table, slot);
    return fb->bad || !text.len ? NF_OK : ir_about_text(to, text, t->err);
}

static nf_status read_floats(const float **to, size_t *n, fmt_tfl *t, fmt_fb *fb, fmt_table table,
                             unsigned slot)
{
    const fmt_vector v = fmt_fb_vector(fb, table, slot, 4);
    float copy[64];
    size_t i = 0;
    if (fb->bad || !v.items) return NF_OK;
    for (; i < v.n && i < NF_COUNT(copy); i++)
        copy[i] = fmt_vec_f32(v, i);
    return ir_about_floats(to, n, copy, i, t->err);
}

/* The first normalisation among the steps before an input, or behind an output. */
static nf_status read_normalisation(eng_io_note *note, fmt_tfl *t, fmt_fb *fb, fmt_vector units)
{
    for (size_t i = 0; i < units.n && !fb->bad; i++) {
        const fmt_table unit = fmt_fb_item(fb, units, i);
        nf_status st;
        if (fmt_fb_u8(fb, unit, 0, 0) != NORMALIZATION) continue;
        const fmt_table n = fmt_fb_sub(fb, unit, 1);
        if ((st = read_floats(&note->mean, &note->n_mean, t, fb, n, 0))) return st;
        return read_floats(&note->deviation, &note->n_deviation, t, fb, n, 1);
    }
    return NF_OK;
}

static nf_status add_lines(fmt_tfl *t, nf_bytes file)
{
    const char *at = (const char *)file.data, *const end = at + file.len;
    nf_status st = NF_OK;
    while (!st && at < end && t->g->about.n_labels < IR_LABELS_MOST) {
        const char *const eol = memchr(at, '\n', (size_t)(end - at));
        nf_span line = {at, (size_t)((eol ? eol : end) - at)};
        if (line.len && line.s[line.len - 1] == '\r') line.len--;
        st = ir_add_label(&t->g->about, line, t->err);
        at = eol ? eol + 1 : end;
    }
    return st;
}

/* The classes of the first output that has a file of them. */
static nf_status read_labels(fmt_tfl *t, fmt_fb *fb, fmt_vector files)
{
    for (size_t i = 0; i < files.n && !fb->bad && !t->g->about.n_labels; i++) {
        const fmt_table file = fmt_fb_item(fb, files, i);
        const uint8_t type = fmt_fb_u8(fb, file, 2, 0);
        const nf_span name = fmt_fb_text(fb, file, 0);
        nf_bytes content;
        nf_status st;
        if (fb->bad || (type != FILE_AXIS_LABELS && type != FILE_VALUE_LABELS)) continue;
        if (!fmt_zip_find(&content, t->fb.file, name)) continue;
        if ((st = add_lines(t, content))) return st;
        t->g->about.task = ENG_TASK_CLASSIFICATION;
    }
    return NF_OK;
}

/* A list of TensorMetadata, one for each input or output. */
static nf_status read_tensors(fmt_tfl *t, fmt_fb *fb, fmt_vector list, eng_io_note *notes, size_t n)
{
    nf_status st = NF_OK;
    for (size_t i = 0; i < list.n && i < n && !fb->bad && !st; i++) {
        const fmt_table m = fmt_fb_item(fb, list, i);
        if ((st = read_text(&notes[i].title, t, fb, m, 0)) ||
            (st = read_text(&notes[i].description, t, fb, m, 1)) ||
            (st = read_normalisation(&notes[i], t, fb, fmt_fb_vector(fb, m, 4, 4))))
            break;
        if (notes == t->g->about.out) st = read_labels(t, fb, fmt_fb_vector(fb, m, 6, 4));
    }
    return st;
}

/* The content of the buffer that the model's metadata list gives that name. */
static bool find_metadata(nf_bytes *out, fmt_tfl *t, fmt_table model)
{
    fmt_fb fb = t->fb;
    const fmt_vector list = fmt_fb_vector(&fb, model, 6, 4);
    for (size_t i = 0; i < list.n && !fb.bad; i++) {
        const fmt_table m = fmt_fb_item(&fb, list, i);
        const nf_span name = fmt_fb_text(&fb, m, 0);
        const uint32_t buffer = (uint32_t)fmt_fb_i32(&fb, m, 1, 0);
        if (fb.bad || !nf_span_is(name, METADATA_NAME) || buffer >= t->buffers.n) continue;
        const fmt_vector data = fmt_fb_vector(&fb, fmt_fb_item(&fb, t->buffers, buffer), 0, 1);
        *out = (nf_bytes){data.items, data.n};
        return !fb.bad && data.n >= 8 && memcmp(data.items + 4, "M001", 4) == 0;
    }
    return false;
}

static nf_status read_metadata(fmt_tfl *t, fmt_table model, size_t n_in, size_t n_out)
{
    ir_about *const a = &t->g->about;
    fmt_fb fb = {0};
    nf_status st;
    if (!find_metadata(&fb.file, t, model)) return NF_OK;
    const fmt_table root = fmt_fb_root(&fb);
    if ((st = read_text(&a->title, t, &fb, root, 0)) || (st = read_text(&a->text, t, &fb, root, 1)))
        return st;
    const fmt_table graph = fmt_fb_item(&fb, fmt_fb_vector(&fb, root, 3, 4), 0);
    if ((st = read_tensors(t, &fb, fmt_fb_vector(&fb, graph, 2, 4), a->in, n_in))) return st;
    return read_tensors(t, &fb, fmt_fb_vector(&fb, graph, 3, 4), a->out, n_out);
}

nf_status fmt_tfl_notes(fmt_tfl *t, fmt_table model, fmt_table graph)
{
    const fmt_vector inputs = fmt_fb_vector(&t->fb, graph, 1, 4);
    const fmt_vector outputs = fmt_fb_vector(&t->fb, graph, 2, 4);
    nf_status st;
    if ((st = fmt_tfl_check(t))) return st;
    if ((st = ir_about_notes(&t->g->about, inputs.n, outputs.n, t->err))) return st;
    if ((st = read_signature(t, model, inputs, outputs))) return st;
    return read_metadata(t, model, inputs.n, outputs.n);
}
