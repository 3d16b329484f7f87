/* about.h - what a model file says of itself beside its graph: task, classes, notes. Layer: ir.
 * Thread rule: one owner; const once the model is loaded. */
#ifndef IR_ABOUT_H
#define IR_ABOUT_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/model.h"

#define IR_LABELS_MOST 65536
#define IR_NOTE_TEXT   ((size_t)64 << 10) /* bytes of one text; longer ones are cut */
#define IR_NOTE_LIST   4096               /* numbers of one list */

/* Everything in it is owned by the graph; zeroed it says nothing. Texts may be NULL here. */
typedef struct ir_about {
    eng_task task;
    const char **labels; /* see ir_add_label */
    size_t n_labels, cap_labels;
    const char *title, *text, *signature;
    eng_io_note *in, *out; /* NULL, or one for each input and output: ir_about_notes */
    size_t n_in, n_out;
} ir_about;

/** Adds one class. What is not UTF-8 in it becomes '?'. NF_ENOMEM, NF_ETOOLARGE. */
nf_status ir_add_label(ir_about *a, nf_span text, nf_error *err);

/** Takes all classes out: another source is better. */
void ir_drop_labels(ir_about *a);

/** Makes the lists of notes, empty ones, where there are none yet. NF_ENOMEM. */
nf_status ir_about_notes(ir_about *a, size_t n_in, size_t n_out, nf_error *err);

/** Puts a copy of `text` in the place of *to (NULL or from here): at most IR_NOTE_TEXT bytes, '?'
 * where it is not UTF-8. NF_ENOMEM. */
nf_status ir_about_text(const char **to, nf_span text, nf_error *err);

/** Puts a copy of v in the place of an empty list; at most IR_NOTE_LIST numbers. NF_ENOMEM. */
nf_status ir_about_floats(const float **to, size_t *n_to, const float *v, size_t n, nf_error *err);

/** What is not UTF-8, or a NUL, becomes '?': every JSON encoder then takes it. */
void ir_clean_text(char *text, size_t len);

void ir_about_fini(ir_about *a);

#endif /* IR_ABOUT_H */
