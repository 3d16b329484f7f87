/* cmd_data.h - where the program's own data files are. Layer: server/cmd. Thread rule: any
 * thread. */
#ifndef SRV_CMD_DATA_H
#define SRV_CMD_DATA_H

#include "engine/base/err.h"

#define CMD_DATA_SIZE 4096

/**
 * Finds a folder of data: PREFIX/share/nearfar/NAME where the program is PREFIX/bin/nearfar
 * (`cmake --install`), else deploy/NAME below the current folder or the source tree that the
 * program was built in (build/NAME_OF_BUILD/server/nearfar). NF_ENOTFOUND.
 */
nf_status cmd_data_find(char path[CMD_DATA_SIZE], const char *name, nf_error *err);

#endif /* SRV_CMD_DATA_H */
