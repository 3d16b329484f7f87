/* case.h - recorded cases: inputs and the outputs that belong to them. Layer: server/case. Thread
 * rule: one owner. Two kinds of folder: one with a case.json, and an operator test of ONNX
 * (model.onnx with test_data_set_N/input_K.pb and output_K.pb). */
#ifndef SRV_CASE_H
#define SRV_CASE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/options.h"
#include "engine/tensor.h"

#define SRV_CASE_MAX_IO   64
#define SRV_CASE_MAX_ALT  8
#define SRV_CASE_MAX_FILE ((size_t)256 << 20) /* bytes of one recorded tensor */

typedef enum srv_case_content {
    SRV_CASE_TENSOR,  /* raw, little endian, C order */
    SRV_CASE_STRINGS, /* texts, one a line; in memory a tensor of ENG_STR */
    SRV_CASE_MAPS, /* JSON list of {"class": probability}: float32 rows in the order of classes */
    SRV_CASE_PROTO /* TensorProto: brings its own dtype and shape */
} srv_case_content;

typedef enum srv_case_rule {
    SRV_CASE_EXACT,
    SRV_CASE_LSB,    /* |a - b| <= lsb, integers */
    SRV_CASE_ABS_REL /* |a - b| <= abs + rel * |want| */
} srv_case_rule;

typedef struct srv_case_tolerance {
    srv_case_rule rule;
    double abs, rel; /* ABS_REL */
    int64_t lsb;     /* LSB */
} srv_case_tolerance;

/* One input or output, as the case file declares it. */
typedef struct srv_case_io {
    const char *name; /* borrowed from the case; "" where none is given */
    srv_case_content content;
    eng_dtype dtype; /* SRV_CASE_TENSOR only */
    bool quantized;  /* real = (q - zero_point) * scale */
    float scale;
    int32_t zero_point;
    srv_case_tolerance tolerance; /* outputs */
    const char *const *classes; /* SRV_CASE_MAPS: the model's, borrowed; NULL = the file's order */
    size_t n_classes;
} srv_case_io;

/* Where one recorded tensor is. */
typedef struct srv_case_ref {
    char *file; /* owned; relative to the folder */
    int rank;
    int64_t dim[ENG_MAX_RANK]; /* SRV_CASE_TENSOR and SRV_CASE_STRINGS */
} srv_case_ref;

/* One set of inputs and outputs. */
typedef struct srv_case_item {
    srv_case_ref *in, *out; /* owned; n_in and n_out of the case */
    const char *label;      /* borrowed; NULL = none */
} srv_case_item;

typedef struct srv_case {
    char *dir, *id;     /* owned */
    char *model;        /* owned; relative to dir */
    const char *format; /* borrowed: "tflite", "onnx" …, "operator test"; "" = unknown */
    const char *arith;  /* borrowed: "float", "framework", "reference", "litert", "onnx" */
    srv_case_io in[SRV_CASE_MAX_IO], out[SRV_CASE_MAX_IO];
    size_t n_in, n_out;
    const char **labels; /* owned list of borrowed names */
    size_t n_labels;
    const char *alternatives[SRV_CASE_MAX_ALT]; /* folders that replace "outputs" */
    size_t n_alternatives;
    srv_case_item *items; /* owned */
    size_t n_items;
    void *json; /* what the borrowed text lives in */
} srv_case;

/* A recorded tensor in memory. */
typedef struct srv_recorded {
    srv_case_content content;
    eng_dtype dtype; /* ENG_STR: data is nf_span[], which point into text */
    int rank;
    int64_t dim[ENG_MAX_RANK];
    size_t elems;
    uint8_t *data; /* owned */
    size_t bytes;
    char *text; /* owned; NULL where the elements are no texts */
} srv_recorded;

/** Does the folder hold cases of either kind? */
bool srv_case_here(const char *dir);

/**
 * Reads the description of a folder, not its tensors.
 *
 * Returns NF_OK; NF_ENOTFOUND (neither kind of folder); NF_EINVAL (a malformed case.json: err says
 * which field, what was expected, what came); NF_ETOOLARGE; NF_ENOMEM. Owns: *out is the caller's.
 */
nf_status srv_case_read(srv_case **out, const char *dir, nf_error *err);

/** Frees everything, sets *c to NULL; accepts NULL and a pointer to NULL. */
void srv_case_destroy(srv_case **c);

/**
 * Reads one recorded tensor. `instead`: the folder that replaces the first one of the path (an
 * alternative set), or NULL. Returns NF_OK; NF_ENOTFOUND; NF_EINVAL (the file's size is not
 * what shape and dtype say); NF_EUNSUPPORTED (a TensorProto of a type no model takes); NF_ENOMEM.
 * Owns: fini gives the memory back.
 */
nf_status srv_recorded_read(srv_recorded *out, const srv_case *c, const srv_case_io *io,
                            const srv_case_ref *ref, const char *instead, nf_error *err);
void srv_recorded_fini(srv_recorded *t);

/** Text i of a tensor of ENG_STR. */
static inline nf_span srv_text(const srv_recorded *t, size_t i)
{
    return ((const nf_span *)(const void *)t->data)[i];
}

/** Memory for `elems` texts of `bytes` bytes in all, none of them set yet. NF_ENOMEM. */
nf_status srv_recorded_texts(srv_recorded *t, size_t elems, size_t bytes, nf_error *err);

/** Element i as a double; 64-bit integers over 2^53 are rounded, a text is 0. */
double srv_element(const void *data, eng_dtype dtype, size_t i);

/** float32 copy of a numeric tensor in real units: (q - zero_point) * scale where io is quantized.
 * NF_EUNSUPPORTED for strings. */
nf_status srv_recorded_real(srv_recorded *out, const srv_recorded *in, const srv_case_io *io,
                            nf_error *err);

/** Is there something called `name` in the folder? */
bool srv_case_holds(const char *dir, const char *name);

/** Joins two parts of a path. NF_ENOMEM. */
nf_status srv_case_path(char **out, const char *dir, const char *name, nf_error *err);

/* Inside server/case: the two readers that srv_case_read chooses from. */
bool srv_case_json_here(const char *dir);
nf_status srv_case_json_read(srv_case *c, nf_error *err);
bool srv_case_onnx_here(const char *dir);
nf_status srv_case_onnx_read(srv_case *c, nf_error *err);

#endif /* SRV_CASE_H */
