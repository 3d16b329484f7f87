/* model_text.h - a loaded model described in JSON. Layer: server/api. Thread rule: no shared
 * state. */
#ifndef SRV_MODEL_TEXT_H
#define SRV_MODEL_TEXT_H

#include "server/base/text_buf.h"
#include "server/registry/served_model.h"

/** TensorFlow Serving's metadata, with "nearfar" beside it: labels, units, precision, cost. */
void srv_text_metadata(srv_buf *b, const srv_model *m);

/** Open Inference Protocol: {"name","versions","platform","inputs","outputs"}. */
void srv_text_v2_model(srv_buf *b, const srv_model *m);

/** {"name","ready":true} */
void srv_text_v2_ready(srv_buf *b, const srv_model *m);

#endif /* SRV_MODEL_TEXT_H */
