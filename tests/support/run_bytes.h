/* run_bytes.h - load, plan and run whatever bytes come. Layer: tests. */
#ifndef TEST_RUN_BYTES_H
#define TEST_RUN_BYTES_H

#include "engine/model.h"

/** Loads the bytes as a model, makes a session and runs it once on zeros, with small limits for the
 * arena; folder as in eng_options. Returns what the load said; *ran says whether a run was tried
 * (not for models of over four million MACs). Aborts when a run says what it never should. Gives
 * everything back. */
nf_status test_run_bytes(nf_bytes file, eng_mode mode, const char *folder, bool *ran,
                         nf_error *err);

/** Loads the bytes in edge mode with two calibration rows of whatever width they take; with the
 * same limits, and only models of FP32 inputs that test_run_bytes can load. Returns what the load
 * with rows said, NF_OK where there was none. */
nf_status test_calibrate_bytes(nf_bytes file, nf_error *err);

#endif /* TEST_RUN_BYTES_H */
