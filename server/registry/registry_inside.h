/* registry_inside.h - the registry's own structures, for registry*.c only. Layer: server/registry.
 * Thread rule: structure and state change under `lock`, and only on the loader, which may therefore
 * read without it. */
#ifndef SRV_REGISTRY_INSIDE_H
#define SRV_REGISTRY_INSIDE_H

#include "server/registry/registry.h"

#include <pthread.h>

/* How a file looked when it was loaded: another look means that it has to be loaded again. */
typedef struct file_mark {
    int64_t size, mtime_ns;
    uint64_t inode;
} file_mark;

typedef struct version_row {
    uint64_t number;
    srv_state state;
    char reason[256];
    srv_model *model; /* one reference, NULL unless SRV_AVAILABLE */
    srv_stats *stats;
    char path[SRV_PATH_ROOM];
    file_mark mark, calibration; /* of the model file; of the calibration data, zero = none */
    bool found;                  /* on disk at the last look */
    bool pinned;                 /* asked for by an upload: stays whatever the policy says */
} version_row;

typedef struct model_row {
    char name[SRV_NAME_MOST + 1];
    version_row **versions; /* ascending */
    size_t n;
    version_row *dflt;      /* the highest that answers, or NULL */
    srv_manifest *manifest; /* of the last look; never NULL */
    const char *file;       /* of the command line, or NULL: then it is in the models folder */
    bool held;              /* unloaded by an administrator */
} model_row;

struct srv_registry {
    srv_registry_options options;
    pthread_mutex_t lock;
    model_row **models; /* in order of name */
    size_t n;
    bool scanned;
};

/** The row called `name`, or NULL. */
model_row *srv_registry_row(const srv_registry *r, nf_span name);

/** That version of the row, or NULL. */
version_row *srv_row_version(const model_row *m, uint64_t number);

/** Finds or makes a row, or a version of it; NULL when there is no memory. Loader only. */
model_row *srv_registry_add_row(srv_registry *r, const char *name);
version_row *srv_row_add_version(srv_registry *r, model_row *m, uint64_t number);

/** Takes a row without versions off the list and frees it. Loader only. */
void srv_registry_drop_row(srv_registry *r, model_row *m);

/** Takes the version's model away and marks it; model NULL unless state is SRV_AVAILABLE. The old
 * model is dropped outside the lock. */
void srv_row_set(srv_registry *r, model_row *m, version_row *v, srv_state state,
                 srv_model *take_model, const char *reason);

/** Forgets a version altogether. */
void srv_row_drop_version(srv_registry *r, model_row *m, version_row *v);

#endif /* SRV_REGISTRY_INSIDE_H */
