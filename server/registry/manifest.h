/* manifest.h - what model.json and labels.txt say about a model. Layer: server/registry. Thread
 * rule: read once, then const and shared; the reference count is atomic. */
#ifndef SRV_MANIFEST_H
#define SRV_MANIFEST_H

#include "engine/base/err.h"
#include "engine/options.h"
#include "server/base/req_arena.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum srv_policy_kind {
    SRV_POLICY_LATEST,
    SRV_POLICY_ALL,
    SRV_POLICY_SPECIFIC
} srv_policy_kind;

typedef struct srv_version_label {
    const char *name; /* "stable" */
    uint64_t version;
} srv_version_label;

typedef struct srv_manifest {
    atomic_uint refs;
    srv_arena memory;                       /* of everything below */
    const char *description, *units, *task; /* "" when not given; task: its kind */
    const char *score; /* task: the output with the anomaly score, "" = first */
    double threshold;  /* task: of that score */
    bool above;        /* task: higher scores are anomalies, else lower ones */
    const char **labels;
    size_t n_labels;
    const char **features; /* what the elements of the only input are */
    size_t n_features;
    eng_precision precision;
    srv_policy_kind policy;
    uint64_t latest;          /* SRV_POLICY_LATEST: how many */
    const uint64_t *specific; /* SRV_POLICY_SPECIFIC */
    size_t n_specific;
    const srv_version_label *version_labels;
    size_t n_version_labels;
} srv_manifest;

/**
 * Reads DIR/model.json and DIR/labels.txt, both optional; dir NULL: all defaults.
 * NF_OK; NF_EINVAL (names the key); NF_EIO; NF_ENOMEM. Unknown keys are logged. *out has one
 * reference.
 */
nf_status srv_manifest_read(srv_manifest **out, const char *dir, nf_error *err);

srv_manifest *srv_manifest_ref(srv_manifest *m);
void srv_manifest_unref(srv_manifest **m);

#endif /* SRV_MANIFEST_H */
