/* served_model.h - one loaded version of a model, ready to run on any thread. Layer:
 * server/registry. Thread rule: const after creation but for the sessions, of which each belongs
 * to the thread of its slot; the reference count is atomic. */
#ifndef SRV_SERVED_MODEL_H
#define SRV_SERVED_MODEL_H

#include "engine/base/bytes.h"
#include "engine/model.h"
#include "engine/session.h"
#include "server/monitor/monitor.h"
#include "server/registry/manifest.h"

#define SRV_NAME_MOST 64 /* characters of a model name */
#define SRV_IO_MOST   32 /* inputs, and outputs, of a model */

typedef struct srv_model {
    atomic_uint refs;
    char name[SRV_NAME_MOST + 1];
    uint64_t version;
    char version_text[24];
    eng_model *engine;
    const eng_info *info; /* borrowed from engine */
    srv_manifest *manifest;
    srv_stats *stats;
    char served[160]; /* start of X-Nearfar-Served: "mode=edge; model=temp; …; " */
    uint64_t row_ns;  /* one row, measured at load: the least of the warm-up runs; UINT64_MAX: no
                         shape that was tried could be run */
    uint64_t load_us;
    size_t sample_elems;       /* elements of that row's inputs, where shapes are open */
    const char *const *labels; /* the classes: of model.json, labels.txt or else the model file */
    size_t n_labels;
    unsigned n_slots;
    eng_session *session[]; /* n_slots; made at the first run of that slot */
} srv_model;

/* How models are loaded here; borrowed, lives as long as the registry. */
typedef struct srv_load_options {
    eng_options engine;
    const char *mode_name; /* "edge" */
    unsigned n_slots;      /* threads that run models; slots are 0 .. n_slots - 1 */
} srv_load_options;

/* Whose model it is; the model takes its own references of manifest and stats. */
typedef struct srv_model_id {
    const char *name;
    uint64_t version;
    srv_manifest *manifest;
    srv_stats *stats;
    const char *folder; /* of the file, for content beside it; NULL = it came over the wire */
    const eng_calibration *calibration; /* borrowed for the call; NULL = none */
} srv_model_id;

/** How a model of this manifest is loaded: what model.json says goes before the server's options.
 */
eng_options srv_model_options(const srv_load_options *o, const srv_manifest *m);

/**
 * Loads a model from the bytes of its file and warms it up.
 *
 * NF_OK; what eng_model_load says; NF_EUNSUPPORTED
 * (more than SRV_IO_MOST inputs or outputs). *out has one reference.
 */
nf_status srv_model_create(srv_model **out, const srv_load_options *options, const srv_model_id *id,
                           nf_bytes file, nf_error *err);

srv_model *srv_model_ref(srv_model *m);
void srv_model_unref(srv_model **m);

/**
 * Runs `rows` rows on the session of `slot`; in, out: a view for each input and output, of all
 * rows. Called by the thread of that slot only. The first call of a slot makes its session; later
 * ones allocate nothing.
 */
nf_status srv_model_run(srv_model *m, unsigned slot, const eng_view *in, const eng_view *out,
                        size_t rows, nf_error *err);

/** The same by whole shapes, for models where eng_info.shapes is ENG_SHAPES_OPEN, or others whose
 * inputs bring their shape: in has rank and dim; *session holds the results until its slot's next
 * run. NF_EINVAL also where the model cannot take these shapes. */
nf_status srv_model_run_open(srv_model *m, unsigned slot, const eng_view *in, eng_session **session,
                             nf_error *err);

/** Behind the reply: gives back the memory of large shapes. The slot's results are dead. */
void srv_model_trim(srv_model *m, unsigned slot);

/** `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$` */
bool srv_name_ok(nf_span name);

/** Digits only, no sign, fits; 0 is "the default version". */
bool srv_version_parse(uint64_t *out, nf_span text);

#endif /* SRV_SERVED_MODEL_H */
