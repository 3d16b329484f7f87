/* about.c - classes and notes of a model file. Layer: ir. Thread rule: one owner. */
#include "engine/ir/about.h"

#include "engine/base/mem.h"

static const char where[] = "notes";

/* Length of the UTF-8 sequence at s, 0 when there is none. NUL counts as none: names are C text. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0, 1}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t n = 0; n < NF_COUNT(forms) && n < left; n++) {
        if ((s[0] & forms[n].mask) != forms[n].lead) continue;
        uint32_t point = s[0] & (unsigned char)~forms[n].mask;
        for (size_t i = 1; i <= n; i++) {
            if ((s[i] & 0xc0) != 0x80) return 0;
            point = point << 6 | (s[i] & 0x3f);
        }
        const bool ok = point >= forms[n].least && point <= 0x10ffff && (point >> 11) != 0x1b;
        return ok ? n + 1 : 0;
    }
    return 0;
}

void ir_clean_text(char *text, size_t len)
{
    unsigned char *s = (unsigned char *)text;
    for (size_t i = 0; i < len;) {
        const size_t n = utf8_len(s + i, len - i);
        if (n == 0) s[i] = '?';
        i += n ? n : 1;
    }
}

nf_status ir_about_text(const char **to, nf_span text, nf_error *err)
{
    const size_t n = text.len < IR_NOTE_TEXT ? text.len : IR_NOTE_TEXT;
    char *copy = nf_strdup(text.s, n, NF_MEM_GRAPH);
    if (!copy) return nf_fail(err, NF_ENOMEM, where, "no memory for a text");
    ir_clean_text(copy, n);
    nf_free((void *)*to);
    *to = copy;
    return NF_OK;
}

nf_status ir_add_label(ir_about *a, nf_span text, nf_error *err)
{
    nf_status st;
    if (a->n_labels == IR_LABELS_MOST)
        return nf_fail(err, NF_ETOOLARGE, where, "over %d classes", IR_LABELS_MOST);
    if (a->n_labels == a->cap_labels) {
        const size_t cap = a->cap_labels ? 2 * a->cap_labels : 16;
        const char **more = nf_realloc(a->labels, cap * sizeof(*more), NF_MEM_GRAPH);
        if (!more) return nf_fail(err, NF_ENOMEM, where, "no memory for %zu classes", cap);
        a->labels = more;
        a->cap_labels = cap;
    }
    if ((st = ir_about_text(&a->labels[a->n_labels], text, err))) return st;
    a->n_labels++;
    return NF_OK;
}

void ir_drop_labels(ir_about *a)
{
    for (size_t i = 0; i < a->n_labels; i++)
        nf_free((void *)a->labels[i]);
    nf_free(a->labels);
    a->labels = NULL;
    a->n_labels = a->cap_labels = 0;
}

nf_status ir_about_notes(ir_about *a, size_t n_in, size_t n_out, nf_error *err)
{
    if (!a->in) a->in = nf_alloc_array(n_in + 1, sizeof(*a->in), NF_MEM_GRAPH);
    if (a->in) a->n_in = n_in;
    if (!a->out) a->out = nf_alloc_array(n_out + 1, sizeof(*a->out), NF_MEM_GRAPH);
    if (a->out) a->n_out = n_out;
    return a->in && a->out ? NF_OK : nf_fail(err, NF_ENOMEM, where, "no memory");
}

nf_status ir_about_floats(const float **to, size_t *n_to, const float *v, size_t n, nf_error *err)
{
    if (*to || n == 0) return NF_OK;
    n = n < IR_NOTE_LIST ? n : IR_NOTE_LIST;
    float *copy = nf_alloc_array(n, sizeof(*copy), NF_MEM_GRAPH);
    if (!copy) return nf_fail(err, NF_ENOMEM, where, "no memory for %zu numbers", n);
    memcpy(copy, v, n * sizeof(*copy));
    *to = copy;
    *n_to = n;
    return NF_OK;
}

static void fini_notes(eng_io_note *notes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        nf_free((void *)notes[i].alias);
        nf_free((void *)notes[i].title);
        nf_free((void *)notes[i].description);
        nf_free((void *)notes[i].unit);
        nf_free((void *)notes[i].mean);
        nf_free((void *)notes[i].deviation);
    }
    nf_free(notes);
}

void ir_about_fini(ir_about *a)
{
    ir_drop_labels(a);
    fini_notes(a->in, a->n_in);
    fini_notes(a->out, a->n_out);
    nf_free((void *)a->title);
    nf_free((void *)a->text);
    nf_free((void *)a->signature);
    *a = (ir_about){0};
}
