/* case_layers.h - every step of a model against recorded activations. Layer: server/case. Thread
 * rule: one owner. */
#ifndef SRV_CASE_LAYERS_H
#define SRV_CASE_LAYERS_H

#include "engine/model.h"
#include "server/case/case_check.h"

/**
 * Runs the case that layers.json names and compares each step, in the order of execution, with the
 * recorded activation of the same name; steps without one (fused away, renamed) are passed over.
 * dir: the folder that holds layers.json and its files, the case's own or one that
 * srv_layers_write made.
 *
 * Returns NF_OK, also where the case's own folder has no layers.json (compared stays 0);
 * NF_ENOTFOUND (another folder without one); NF_EINVAL (malformed
 * layers.json); NF_EIO, NF_ENOMEM; what a run returns.
 */
nf_status srv_layers_check(srv_check_layers *out, eng_model *model, const srv_case *c,
                           const char *dir, nf_error *err);

#endif /* SRV_CASE_LAYERS_H */
