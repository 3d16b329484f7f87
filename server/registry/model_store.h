/* model_store.h - which models lie under a folder, and changes to it. Layer: server/registry; knows
 * files, no loaded models. Thread rule: loader thread. */
#ifndef SRV_MODEL_STORE_H
#define SRV_MODEL_STORE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "server/registry/served_model.h"

#include <sys/stat.h>

#define SRV_PATH_ROOM     1024
#define SRV_VERSIONS_MOST 256 /* versions of one model that are looked at */

typedef struct srv_found_version {
    uint64_t number;
    char path[SRV_PATH_ROOM]; /* of the model file for this mode */
} srv_found_version;

typedef struct srv_found { /* one model folder */
    char name[SRV_NAME_MOST + 1];
    srv_found_version *versions; /* ascending, owned */
    size_t n;
} srv_found;

/**
 * Looks into ROOT/NAME: numeric subfolders with a model file, or a model file directly in it, which
 * is version 1. Of several files "MODE.*" is taken, then the other mode's, then the only one.
 * Everything else is passed over with a log line. NF_OK (n may be 0); NF_ENOTFOUND; NF_ENOMEM.
 */
nf_status srv_store_look(srv_found *out, const char *root, const char *name, const char *mode,
                         nf_error *err);
void srv_found_fini(srv_found *f);

/** Calls `each` with the name of every subfolder of root whose name can be a model's.
 * NF_ENOTFOUND, NF_EIO, or what `each` returns when that is not NF_OK. */
nf_status srv_store_each(const char *root, nf_status (*each)(void *arg, const char *name),
                         void *arg, nf_error *err);

/** Writes ROOT/NAME/VERSION/model.EXT so that the version folder appears whole or not at all; path
 * gets its name. NF_EREADONLY (names the cure), NF_EIO, NF_ECONFLICT (the folder is there). */
nf_status srv_store_put(char *path, size_t size, const char *root, const srv_model *m,
                        nf_bytes file, nf_error *err);

/** Removes ROOT/NAME/VERSION and what is in it. NF_EREADONLY, NF_EIO, NF_ENOTFOUND. */
nf_status srv_store_delete(const char *root, const char *name, uint64_t version, nf_error *err);

#endif /* SRV_MODEL_STORE_H */
