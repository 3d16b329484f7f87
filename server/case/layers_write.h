/* layers_write.h - the steps of a run as files, in the form that case_layers.h compares. Layer:
 * server/case. Thread rule: one owner. */
#ifndef SRV_LAYERS_WRITE_H
#define SRV_LAYERS_WRITE_H

#include "engine/session.h"

/**
 * Runs one row and writes what every step gave: DIR/layers.json (operator, kernel, name, dtype,
 * shape and quantization of each step, in the order of execution) and DIR/layers/STEP.bin, little
 * endian, C order. Makes the folders where they are missing.
 *
 * in: one view for each input; of more rows than one, the first is taken. NF_EIO (cannot make or
 * write), NF_EREADONLY; what a run returns.
 */
nf_status srv_layers_write(const char *dir, eng_model *model, const eng_view *in, nf_error *err);

#endif /* SRV_LAYERS_WRITE_H */
