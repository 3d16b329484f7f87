/* cmd_model.c - from a word on the command line to a compiled model. Layer: server/cmd. Thread
 * rule: main thread. */
#include "server/cmd/cmd_model.h"

#include "engine/base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Names a model file may end in; what is in it is found out by its content. */
static const char *const endings[] = {".tflite",    ".onnx", ".xml", ".mlmodel",
                                      ".mlpackage", ".pt",   ".ptl", ".task"};

/* Stems in the order in which each mode wants them. */
static const char *const stems[][3] = {
    [ENG_MODE_FILE] = {"model", "edge", "cloud"},
    [ENG_MODE_EDGE] = {"edge", "model", "cloud"},
    [ENG_MODE_CLOUD] = {"cloud", "model", "edge"},
};

#define N_STEMS NF_COUNT(stems[0])

static bool is_model_name(const char *name, size_t *stem_len)
{
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name) return false;
    *stem_len = (size_t)(dot - name);
    for (size_t i = 0; i < NF_COUNT(endings); i++)
        if (strcmp(dot, endings[i]) == 0) return true;
    return false;
}

/* 0 is the best; N_STEMS is a model file of any other name. */
static size_t rank_of(const char *name, size_t stem_len, eng_mode mode)
{
    for (size_t i = 0; i < N_STEMS; i++)
        if (nf_span_is((nf_span){name, stem_len}, stems[mode][i])) return i;
    return N_STEMS;
}

static long version_of(const char *name)
{
    long v = 0;
    if (!*name || strlen(name) > 9) return -1;
    for (const char *c = name; *c; c++) {
        if (*c < '0' || *c > '9') return -1;
        v = v * 10 + (*c - '0');
    }
    return v;
}

static bool better_name(const char *a, const char *b)
{
    return !*b || strcmp(a, b) < 0;
}

/* What a folder holds. */
typedef struct found {
    char file[256];
    size_t rank;
    char version[256];
    long number;
} found;

static void look_at(found *f, const char *name, eng_mode mode)
{
    size_t stem_len;
    const long number = version_of(name);
    if (number > f->number) {
        f->number = number;
        snprintf(f->version, sizeof(f->version), "%s", name);
    }
    if (!is_model_name(name, &stem_len)) return;
    const size_t rank = rank_of(name, stem_len, mode);
    if (rank > f->rank || (rank == f->rank && !better_name(name, f->file))) return;
    f->rank = rank;
    snprintf(f->file, sizeof(f->file), "%s", name);
}

static nf_status scan(found *f, const char *dir, eng_mode mode, nf_error *err)
{
    *f = (found){.rank = N_STEMS, .number = -1};
    DIR *d = opendir(dir);
    if (!d) return nf_fail(err, NF_EIO, dir, "cannot list the folder");
    for (const struct dirent *e; (e = readdir(d));)
        look_at(f, e->d_name, mode);
    closedir(d);
    return NF_OK;
}

static nf_status join(char path[CMD_PATH_SIZE], const char *dir, const char *name, nf_error *err)
{
    const int n = snprintf(path, CMD_PATH_SIZE, "%s/%s", dir, name);
    if (n < 0 || n >= CMD_PATH_SIZE) return nf_fail(err, NF_ETOOLARGE, dir, "path too long");
    return NF_OK;
}

nf_status cmd_model_find(char path[CMD_PATH_SIZE], const char *what, eng_mode mode, nf_error *err)
{
    char dir[CMD_PATH_SIZE];
    struct stat s;
    nf_status st;

    if (strlen(what) >= CMD_PATH_SIZE) return nf_fail(err, NF_ETOOLARGE, "MODEL", "path too long");
    if (stat(what, &s) != 0) return nf_fail(err, NF_ENOTFOUND, what, "no such file or folder");
    memcpy(path, what, strlen(what) + 1);
    for (int depth = 0; S_ISDIR(s.st_mode) && depth < 2; depth++) {
        found f;
        memcpy(dir, path, CMD_PATH_SIZE);
        if ((st = scan(&f, dir, mode, err))) return st;
        if (!*f.file && (!*f.version || depth == 1)) break;
        if ((st = join(path, dir, *f.file ? f.file : f.version, err))) return st;
        if (stat(path, &s) != 0) return nf_fail(err, NF_ENOTFOUND, path, "gone while looked at");
        if (*f.file) return NF_OK;
    }
    if (S_ISDIR(s.st_mode))
        return nf_fail(err, NF_ENOTFOUND, what,
                       "expected a model file or a folder with one (edge.tflite, model.onnx, "
                       "1/model.tflite …), found none");
    return NF_OK;
}

nf_status cmd_model_open(cmd_model *out, const char *what, const eng_options *options,
                         nf_error *err)
{
    nf_bytes file = {0};
    nf_status st;

    *out = (cmd_model){0};
    if ((st = cmd_model_find(out->path, what, options->mode, err))) goto done;
    if ((st = nf_read_file(&file, out->path, CMD_MAX_MODEL, NF_MEM_MISC, err))) goto done;
    out->file_bytes = file.len;
    if ((st = eng_model_load(&out->model, file, options, err))) goto done;
    st = cmd_labels_read(&out->labels, out->path, err);
done:
    nf_free((void *)file.data);
    if (st) cmd_model_fini(out);
    return st;
}

void cmd_model_fini(cmd_model *m)
{
    eng_model_unref(&m->model);
    cmd_labels_fini(&m->labels);
}
