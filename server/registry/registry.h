/* registry.h - names and versions of models, and which of them can answer. Layer: server/registry.
 * Thread rule: srv_registry_get and _list from any thread (one short lock); everything that
 * changes it from one thread at a time, the loader (or main before the loader starts). */
#ifndef SRV_REGISTRY_H
#define SRV_REGISTRY_H

#include "server/config/live.h"
#include "server/registry/model_store.h"
#include "server/registry/served_model.h"

typedef struct srv_registry srv_registry;

typedef enum srv_state { SRV_LOADING, SRV_AVAILABLE, SRV_UNLOADED, SRV_FAILED } srv_state;

typedef struct srv_registry_options {
    srv_load_options load;
    const char *models;       /* folder of models, "" = none; borrowed */
    const char *const *files; /* model files of the command line, served by their stem; borrowed */
    size_t n_files;
    const srv_live *live; /* memory budget, largest model file */
} srv_registry_options;

/* One version, as srv_registry_list shows it; pointers live for the call only. */
typedef struct srv_version_view {
    const char *name;
    uint64_t version;
    srv_state state;
    bool is_default;
    const char *reason;     /* why it failed, "" otherwise */
    const srv_model *model; /* NULL unless SRV_AVAILABLE */
    const srv_stats *stats;
} srv_version_view;

/* Which version a request asks for. */
typedef enum srv_pick { SRV_PICK_DEFAULT, SRV_PICK_VERSION, SRV_PICK_LABEL } srv_pick;
typedef struct srv_selector {
    nf_span name;
    srv_pick pick;
    nf_span which; /* digits, or a label */
} srv_selector;

nf_status srv_registry_create(srv_registry **out, const srv_registry_options *options,
                              nf_error *err);
void srv_registry_destroy(srv_registry **r);

/**
 * The model that answers, with a reference for the caller.
 * NF_ENOTFOUND (no such model, version or label); NF_EINVAL (the version is no number); NF_ELOADING
 * (it is known but cannot answer: says why).
 */
nf_status srv_registry_get(srv_model **out, srv_registry *r, const srv_selector *which,
                           nf_error *err);

/** Calls `each` for every version of the model, or of all when name is NULL, in order of name and
 * version, under the lock: `each` must be short. Returns how many. */
size_t srv_registry_list(srv_registry *r, const nf_span *name,
                         void (*each)(void *arg, const srv_version_view *v), void *arg);

/** True when the first scan is over and no model waits for its first version. One that failed does
 * not count: its own readiness says so. */
bool srv_registry_ready(srv_registry *r);

/** Looks at the command line's files and the models folder, loads what is new or changed, unloads
 * what is gone. A version that cannot be loaded is logged and marked, the others go on. */
nf_status srv_registry_scan(srv_registry *r, nf_error *err);

/** Loads the model (again), also when its files look the same. NF_ENOTFOUND; the first failure of
 * its wanted versions: then what answered before still does. */
nf_status srv_registry_load(srv_registry *r, nf_span name, nf_error *err);

/** Unloads every version, and keeps it so until srv_registry_load. NF_ENOTFOUND. */
nf_status srv_registry_unload(srv_registry *r, nf_span name, nf_error *err);

/** Verifies, stores and serves an uploaded file; one that is there with the same bytes is fine.
 * NF_ECONFLICT, NF_EREADONLY, NF_EBUDGET, NF_EFORMAT, NF_EUNSUPPORTED, NF_EIO. */
nf_status srv_registry_put(srv_registry *r, nf_span name, uint64_t version, nf_bytes file,
                           nf_error *err);

/** Unloads a version and removes it from the folder. NF_ENOTFOUND, NF_EREADONLY, NF_EIO. */
nf_status srv_registry_delete(srv_registry *r, nf_span name, uint64_t version, nf_error *err);

#endif /* SRV_REGISTRY_H */
