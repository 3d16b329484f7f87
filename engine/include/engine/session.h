/* session.h - run a loaded model. Layer: engine (public). Thread rule: a model is shared and
 * read-only; a session belongs to one thread at a time. */
#ifndef ENG_SESSION_H
#define ENG_SESSION_H

#include "engine/base/err.h"
#include "engine/model.h"
#include "engine/tensor.h"

typedef struct eng_session eng_session;

/**
 * Creates a session.
 *
 * block_rows: where the model has a symbolic batch, up to that many rows (1..64) run as one block,
 * as many as keep its activations in the cache; a call may bring any number of rows. One arena
 * serves single rows and, if block_rows > 1, another blocks. Returns NF_OK; NF_EBUDGET; NF_ENOMEM.
 * Owns: takes its own reference of `model`.
 */
nf_status eng_session_create(eng_session **out, eng_model *model, size_t block_rows, nf_error *err);

/**
 * Runs `rows` rows.
 *
 * in, out: one view for each input and output, in the order of eng_info. Cost: O(rows); allocates
 * nothing and takes no lock. Returns NF_OK (every output written in full) or NF_EINVAL (rows is 0,
 * or a view of a wrong dtype or size; says which).
 * Source of the conversion: TensorFlow Lite 8-bit quantization specification,
 * real = (q - zero_point) * scale; q = clamp(round_half_even(real / scale) + zero_point).
 */
nf_status eng_session_run(eng_session *s, const eng_view *in, const eng_view *out, size_t rows,
                          nf_error *err);

/**
 * Runs a model whose shapes come with the request (eng_info.shapes is ENG_SHAPES_OPEN; others may
 * be run so too when their inputs have a batch of one).
 *
 * in: one view for each input, with rank and dim, dtype as for eng_session_run. The program of the
 * last few combinations of shapes is kept: a run with one of them allocates next to nothing,
 * another one plans first. Where shapes depend on values everything is planned and computed node by
 * node, within a time limit of 10 s. Results: eng_session_result. Strings in them may point into
 * `in`. NF_EINVAL (says which dimension), NF_EFORMAT (the model cannot take these shapes),
 * NF_EBUDGET, NF_ETIMEOUT, NF_ENOMEM.
 */
nf_status eng_session_run_open(eng_session *s, const eng_view *in, nf_error *err);

/** Output i of the last eng_session_run_open that succeeded: borrowed until the next run. */
void eng_session_result(eng_view *out, const eng_session *s, size_t i);

/**
 * Copies output i of the last eng_session_run_open. to: dtype is the output's own, or ENG_F32 in
 * real units where eng_view allows it; bytes are those of as many elements. NF_EINVAL otherwise.
 */
nf_status eng_session_fetch(const eng_view *to, const eng_session *s, size_t i, nf_error *err);

/** Gives back the programs of eng_session_run_open that hold more than `most` bytes: one large
 * request shall not keep its memory. The results of the last run are dead. */
void eng_session_trim(eng_session *s, size_t most);

/** Sets the model's variables back to zero: the next run is the first of a new stream. */
void eng_session_reset(eng_session *s);

/**
 * From now on the rows of one call are shared by `threads` threads (1..64), the caller's and
 * workers of the session's own; one thread is the default. Each has an arena of its own. A call of
 * no more rows than a block stays in the caller's thread, and so do all calls of a model with
 * variables or open shapes. NF_EINVAL, NF_EBUDGET, NF_ENOMEM, NF_EIO: the session may only be
 * destroyed then.
 */
nf_status eng_session_threads(eng_session *s, size_t threads, nf_error *err);

/** Drops the model's reference, frees, sets *s to NULL. Accepts NULL and a pointer to NULL. */
void eng_session_destroy(eng_session **s);

/** The value of step i after the last one-row run: borrowed, dtype and shape as eng_model_step
 * says. Overwritten by later steps of the same run unless the session keeps all of them. */
const void *eng_session_step_data(const eng_session *s, size_t i);

/**
 * Runs one row as eng_session_run does, with a clock around each step.
 *
 * ns: one number for each step that eng_model_step knows, in nanoseconds; 0 where nothing ran (a
 * view, or what was computed at load). Each holds one reading of the clock, about 25 ns. NF_EINVAL
 * as eng_session_run, and when the model's shapes are open.
 */
nf_status eng_session_profile(eng_session *s, const eng_view *in, const eng_view *out, uint64_t *ns,
                              nf_error *err);

/** From now on every step's result stays readable after a run (debugging; needs more memory). */
nf_status eng_session_keep_all(eng_session *s, nf_error *err);

#endif /* ENG_SESSION_H */
