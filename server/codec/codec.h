/* codec.h - one inference request: body to tensors, tensors to reply. Layer: server/codec. Thread
 * rule: a call belongs to one request. */
#ifndef SRV_CODEC_H
#define SRV_CODEC_H

#include "engine/model.h"
#include "engine/session.h"
#include "server/base/req_arena.h"
#include "server/base/text_buf.h"

#define SRV_CALL_IO_MOST 32

/* A score and the threshold that makes a row an anomaly. */
typedef struct srv_anomaly {
    size_t output; /* one float a row: the score */
    double threshold;
    bool above; /* scores above the threshold are anomalies, else those below it */
} srv_anomaly;

/* What the codecs need to know of a model; borrowed. */
typedef struct srv_face {
    const char *name, *version;
    const eng_info *info;
    const char *const *labels; /* of the elements of output `scores`, or NULL */
    size_t n_labels, scores;
    const srv_anomaly *anomaly; /* or NULL */
} srv_face;

/* What a reply says of an output's shape. */
typedef struct srv_out_shape {
    bool stacked; /* dim[0] counts the rows of the request */
    int rank;
    size_t dim[ENG_MAX_RANK + 1];
} srv_out_shape;

typedef struct srv_call {
    const eng_info *info;
    size_t rows;
    bool row_form; /* "instances" asked: answer "predictions", else "outputs" */
    bool by_alias; /* inputs were named as in the signature: so are outputs */
    bool has_id;
    nf_span id; /* Open Inference Protocol: echoed */
    size_t n_asked;
    unsigned char asked[SRV_CALL_IO_MOST];                /* outputs to answer, in this order */
    eng_view in[SRV_CALL_IO_MOST], out[SRV_CALL_IO_MOST]; /* in: with the whole shape */
    srv_out_shape shape[SRV_CALL_IO_MOST];                /* of each output */
} srv_call;

/**
 * Decodes a predict body: {"instances": …} or {"inputs": …}.
 *
 * body: the text; call->in gets one view for each input, in `arena`. NF_EINVAL (what was expected,
 * what came, at which byte), NF_ENOTIMPL, NF_ETOOLARGE, NF_ENOMEM. Cost: one pass.
 */
nf_status srv_predict_decode(srv_call *call, const eng_info *info, nf_bytes body, srv_arena *arena,
                             nf_error *err);

/** How a model runs: false, by rows (srv_call_outputs, then eng_session_run); true, by whole shapes
 * (eng_session_run_open, then srv_call_results): where shapes are open, and where texts come out,
 * which live in the session until its next run. */
bool srv_runs_open(const eng_info *info);

/** Memory for the outputs, in `arena`. NF_ETOOLARGE. */
nf_status srv_call_outputs(srv_call *call, srv_arena *arena, nf_error *err);

/** The outputs of the session's last run: borrowed from it, or converted into `arena`. NF_EINVAL:
 * rows were asked for ("instances") and an output has not as many; NF_ETOOLARGE. */
nf_status srv_call_results(srv_call *call, const eng_session *s, srv_arena *arena, nf_error *err);

/** Writes the reply of predict; see docs/api.md for its form. */
void srv_predict_encode(srv_buf *b, const srv_call *call, const srv_face *face);

/** The same for the Open Inference Protocol's JSON form. */
nf_status srv_infer_decode(srv_call *call, const eng_info *info, nf_bytes body, srv_arena *arena,
                           nf_error *err);
void srv_infer_encode(srv_buf *b, const srv_call *call, const srv_face *face);

/** Values from..from+count of a view, flat and with commas between. */
void srv_write_flat(srv_buf *b, const eng_view *v, size_t from, size_t count);

/** Values nested as dim[0..rank-1]; rank 0 writes one bare value. */
void srv_write_nested(srv_buf *b, const eng_view *v, size_t from, const size_t *dim, int rank);

/** Index of the input called `name`, in the model or else in its signature (*alias), or -1. */
int srv_input_find(bool *alias, const eng_info *info, nf_span name);

/** The same for outputs. */
int srv_output_find(bool *alias, const eng_info *info, nf_span name);

/** The name that a reply gives output i. */
const char *srv_output_name(const srv_call *call, size_t i);

/** Which output has n_labels numbers a row, to be the scores of the classes; false: none. */
bool srv_find_scores(size_t *output, const eng_info *info, size_t n_labels);

/** Which output holds the anomaly score: the one of that name ("" = the first that has one float a
 * row). False: there is none such. */
bool srv_find_anomaly(size_t *output, const eng_info *info, const char *name);

/** The largest of n elements from `from` on: its index, counted from there. */
size_t srv_best_of(const eng_view *v, size_t from, size_t n);

/** Element i as a number, 0 for a text. */
double srv_value_of(const eng_view *v, size_t i);

#endif /* SRV_CODEC_H */
