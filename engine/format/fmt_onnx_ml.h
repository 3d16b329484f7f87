/* fmt_onnx_ml.h - what the readers of classical machine learning share. Layer: format (inside). */
#ifndef FMT_ONNX_ML_H
#define FMT_ONNX_ML_H

#include "engine/format/fmt_onnx.h"

/* fmt_onnx_ml_attr.c: attributes of any length become constant tensors of the graph, which no other
 * node reads. *tensor is IR_NONE when the attribute is not there. */
nf_status fmt_onnx_ml_ints(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                           const char *name);
nf_status fmt_onnx_ml_texts(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                            const char *name);
nf_status fmt_onnx_ml_floats(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                             const char *name);
/** An attribute that is a tensor: any type but halves, as in the file. */
nf_status fmt_onnx_ml_tensor(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                             const char *name);
/** Floats, or the tensor `name`_as_tensor. */
nf_status fmt_onnx_ml_reals(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                            const char *name);
/** Names of modes of nodes as UINT8, see krn_tree_mode. */
nf_status fmt_onnx_ml_modes(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                            const char *name);
/** Which of the `count` words the attribute is; `absent` when it is not there. NF_EFORMAT. */
nf_status fmt_onnx_ml_word(int *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                           const char *const *words, int count, int absent);
/** A constant of one element; nothing refers to it yet. */
nf_status fmt_onnx_ml_one(int32_t *tensor, fmt_onnx_ctx *o, eng_dtype dtype, const void *element);

/** Texts, or whole numbers when there are none. NF_EFORMAT: neither. */
nf_status fmt_onnx_ml_labels(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                             const char *texts, const char *ints);
/** Input 0 as rows of FP32; FP64 inputs of the model stay as they are if `doubles`. */
nf_status fmt_onnx_ml_x(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, bool doubles);
/** *tensor becomes the same in another type. */
nf_status fmt_onnx_ml_cast(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, eng_dtype to);

/* fmt_onnx_ml_prepare.c: preparation of features */
nf_status fmt_onnx_ml_extractor(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_ml_binarizer(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_ml_vectorizer(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_ml_imputer(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_ml_normalizer(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_ml_scaler(fmt_onnx_ctx *o, const fmt_onnx_node *n);

/* fmt_onnx_ml_keys.c: tables of keys */
nf_status fmt_onnx_ml_category_mapper(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_ml_label_encoder(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_ml_one_hot(fmt_onnx_ctx *o, const fmt_onnx_node *n);

#endif /* FMT_ONNX_ML_H */
