/* trees_build.h - what the two builders of tree ensembles share. Layer: kernels. Thread rule: one
 * thread builds one ensemble. */
#ifndef KRN_TREES_BUILD_H
#define KRN_TREES_BUILD_H

#include "engine/kernels/krn_trees.h"

/* Positions and twice their number stay far from the ends of 32 bits. */
#define KRN_TREES_MOST (1u << 28)

static inline double krn_real_at(const krn_reals *r, size_t i)
{
    return r->f64 ? r->f64[i] : r->f32 ? (double)r->f32[i] : 0.0;
}

/** The arrays of an ensemble with these counts; NF_EFORMAT when one is out of range. */
nf_status krn_trees_alloc(krn_trees *t, size_t n_nodes, size_t n_weights, const krn_reals *base,
                          size_t n_outputs, nf_error *err);

/** Feature, mode and missing track of node i; a leaf's feature is 0, whatever the file says. */
nf_status krn_trees_put_node(krn_trees *t, size_t i, uint8_t mode, int64_t feature, bool missing,
                             nf_error *err);

/** Walks from every root: no cycle, and the depth of the longest path. */
nf_status krn_trees_check_paths(krn_trees *t, nf_error *err);

#endif /* KRN_TREES_BUILD_H */
