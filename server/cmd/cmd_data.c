/* cmd_data.c - data files beside the program or in the source tree. Layer: server/cmd. Thread rule:
 * any thread. */
#include "server/cmd/cmd_data.h"

#include "engine/base/bytes.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of the running program, "." where the system does not tell. */
static void program_folder(char path[CMD_DATA_SIZE])
{
    const ssize_t n = readlink("/proc/self/exe", path, CMD_DATA_SIZE - 1);
    path[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    else
        snprintf(path, CMD_DATA_SIZE, ".");
}

/* Writes the folder without "..", when it is one. */
static bool is_folder(char path[CMD_DATA_SIZE])
{
    char real[PATH_MAX];
    struct stat s;
    if (stat(path, &s) != 0 || !S_ISDIR(s.st_mode)) return false;
    if (realpath(path, real) && strlen(real) < CMD_DATA_SIZE)
        snprintf(path, CMD_DATA_SIZE, "%s", real);
    return true;
}

nf_status cmd_data_find(char path[CMD_DATA_SIZE], const char *name, nf_error *err)
{
    static const char *const behind_program[] = {"/../share/nearfar/", "/../../../deploy/"};
    char program[CMD_DATA_SIZE];
    int n;
    program_folder(program);
    for (size_t i = 0; i < NF_COUNT(behind_program); i++) {
        n = snprintf(path, CMD_DATA_SIZE, "%s%s%s", program, behind_program[i], name);
        if (n > 0 && n < CMD_DATA_SIZE && is_folder(path)) return NF_OK;
    }
    n = snprintf(path, CMD_DATA_SIZE, "deploy/%s", name);
    if (n > 0 && n < CMD_DATA_SIZE && is_folder(path)) return NF_OK;
    return nf_fail(err, NF_ENOTFOUND, name, "not beside the program, nor in deploy/");
}
