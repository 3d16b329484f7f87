/* cmd_model.c - from a word on the command line to a compiled model. Layer: server/cmd. Thread
 * rule: main thread. */
#include "server/cmd/cmd_model.h"

#include "engine/base/file.h"
#include "server/registry/model_store.h"
#include "server/table/float_rows.h"

#include <stdio.h>
#include <string.h>

/* Cuts a path into its folder ("." where there is none) and its last part, without slashes at the
 * end. */
static nf_status split(char root[CMD_PATH_SIZE], char name[CMD_PATH_SIZE], const char *path,
                       nf_error *err)
{
    size_t end = strlen(path), start;
    if (end >= CMD_PATH_SIZE) return nf_fail(err, NF_ETOOLARGE, "MODEL", "path too long");
    while (end > 1 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/';)
        start--;
    snprintf(name, CMD_PATH_SIZE, "%.*s", (int)(end - start), path + start);
    if (start == 0)
        snprintf(root, CMD_PATH_SIZE, ".");
    else
        snprintf(root, CMD_PATH_SIZE, "%.*s", (int)(start > 1 ? start - 1 : 1), path);
    return NF_OK;
}

nf_status cmd_model_find(char path[CMD_PATH_SIZE], const char *what, eng_mode mode, nf_error *err)
{
    char root[CMD_PATH_SIZE], name[CMD_PATH_SIZE];
    srv_found f;
    struct stat s;
    nf_status st;

    if ((st = split(root, name, what, err))) return st;
    if (stat(what, &s) != 0) return nf_fail(err, NF_ENOTFOUND, what, "no such file or folder");
    if (!S_ISDIR(s.st_mode)) {
        snprintf(path, CMD_PATH_SIZE, "%s", what);
        return NF_OK;
    }
    st = srv_store_look(&f, root, name, mode == ENG_MODE_CLOUD ? "cloud" : "edge", err);
    if (st) return st;
    if (f.n)
        snprintf(path, CMD_PATH_SIZE, "%s", f.versions[f.n - 1].path);
    else
        st = nf_fail(err, NF_ENOTFOUND, what,
                     "expected a folder with a model file, or with edge.* and cloud.*, or with "
                     "versions (1/model.tflite …), found none");
    srv_found_fini(&f);
    return st;
}

/* Labels stand beside the file, or beside its version folder. */
static nf_status read_manifest(srv_manifest **out, const char *path, nf_error *err)
{
    char root[CMD_PATH_SIZE], name[CMD_PATH_SIZE], above[CMD_PATH_SIZE + 3];
    nf_status st;
    if ((st = split(root, name, path, err))) return st;
    if ((st = srv_manifest_read(out, root, err)) || (*out)->n_labels) return st;
    srv_manifest_unref(out);
    snprintf(above, sizeof(above), "%s/..", root);
    return srv_manifest_read(out, above, err);
}

/* "temp" and "1" of models/temp/1/edge.tflite; "net" and "1" of net.onnx. */
static void name_of(cmd_model *m)
{
    char root[CMD_PATH_SIZE], file[CMD_PATH_SIZE], above[CMD_PATH_SIZE], last[CMD_PATH_SIZE];
    uint64_t version;
    if (split(root, file, m->path, NULL) || split(above, last, root, NULL)) return;
    if (srv_version_parse(&version, (nf_span){last, strlen(last)}) && strcmp(above, ".") != 0) {
        snprintf(m->version, sizeof(m->version), "%llu", (unsigned long long)version);
        split(root, file, above, NULL);
        snprintf(m->name, sizeof(m->name), "%.*s", (int)sizeof(m->name) - 1, file);
        return;
    }
    snprintf(m->version, sizeof(m->version), "1");
    snprintf(m->name, sizeof(m->name), "%.*s", (int)strcspn(file, "."), file);
}

static void make_face(cmd_model *m)
{
    const srv_manifest *const f = m->manifest;
    const size_t n = f->n_labels ? f->n_labels : m->info->n_labels;
    const char *const task = *f->task ? f->task : eng_task_name(m->info->task);
    m->face = (srv_face){.name = m->name, .version = m->version, .info = m->info};
    if (srv_find_scores(&m->face.scores, m->info, n)) {
        m->face.labels = f->n_labels ? f->labels : m->info->labels;
        m->face.n_labels = n;
    }
    m->anomaly = (srv_anomaly){.threshold = f->threshold, .above = f->above};
    if (strcmp(task, "anomaly") == 0 && srv_find_anomaly(&m->anomaly.output, m->info, f->score))
        m->face.anomaly = &m->anomaly;
}

/* The calibration data that was named, or else what stands beside the file, or beside its version
 * folder; out->calibration is "" without any. */
static nf_status find_calibration(cmd_model *out, const char *named, nf_error *err)
{
    char root[CMD_PATH_SIZE], name[CMD_PATH_SIZE], above[CMD_PATH_SIZE + 3];
    const char *const folders[] = {root, above};
    nf_status st;
    uint64_t version;
    snprintf(out->calibration, sizeof(out->calibration), "%s", named);
    if (*named) return NF_OK;
    if ((st = split(root, name, out->path, err))) return st;
    snprintf(above, sizeof(above), "%s", root);
    const char *slash = strrchr(root, '/'), *last = slash ? slash + 1 : root;
    const bool versioned = srv_version_parse(&version, (nf_span){last, strlen(last)});
    if (versioned) snprintf(above, sizeof(above), "%s/..", root);
    if (!srv_rows_find(out->calibration, sizeof(out->calibration), folders, versioned ? 2 : 1))
        out->calibration[0] = '\0';
    return NF_OK;
}

/* Loads it with calibration data, where INT8 is what will run. */
static nf_status load(cmd_model *out, nf_bytes file, eng_options *options, const char *named,
                      nf_error *err)
{
    srv_rows rows = {0};
    eng_calibration c;
    nf_status st = NF_OK;
    if (eng_wants_int8(options)) st = find_calibration(out, named, err);
    if (!st && *out->calibration) {
        st = srv_rows_read(&rows, out->calibration, err);
        c = (eng_calibration){rows.v, rows.n, rows.width, out->calibration};
        options->calibration = &c;
    }
    if (!st) st = eng_model_load(&out->model, file, options, err);
    srv_rows_fini(&rows);
    if (!st && !eng_model_info(out->model)->calibration_rows) out->calibration[0] = '\0';
    return st;
}

nf_status cmd_model_open(cmd_model *out, const char *what, const eng_options *options,
                         const char *calibration, nf_error *err)
{
    eng_options chosen = *options;
    char folder[NF_PATH_ROOM];
    nf_bytes file = {0};
    nf_status st;

    *out = (cmd_model){0};
    if ((st = cmd_model_find(out->path, what, options->mode, err))) goto done;
    if ((st = nf_read_file(&file, out->path, CMD_MAX_MODEL, NF_MEM_MISC, err))) goto done;
    if ((st = read_manifest(&out->manifest, out->path, err))) goto done;
    if (chosen.mode != ENG_MODE_FILE && chosen.precision == ENG_PREC_AUTO)
        chosen.precision = out->manifest->precision;
    out->file_bytes = file.len;
    nf_folder_of(folder, out->path);
    chosen.folder = folder;
    if ((st = load(out, file, &chosen, calibration, err))) goto done;
    out->info = eng_model_info(out->model);
    name_of(out);
    make_face(out);
done:
    nf_free((void *)file.data);
    if (st) cmd_model_fini(out);
    return st;
}

int cmd_model_only(cmd_model *out, eng_options *options, const cmd_engine *engine, int n,
                   char **argv)
{
    nf_error err = {0};
    if (n != 1) {
        fprintf(stderr, "nearfar %s: expected one MODEL, got %d (see --help)\n", argv[0], n);
        return CMD_USAGE;
    }
    if (cmd_engine_options(options, engine, &err)) {
        cmd_fail(argv[0], &err);
        return CMD_USAGE;
    }
    return cmd_model_open(out, argv[1], options, engine->calibration, &err)
               ? cmd_fail(argv[0], &err)
               : -1;
}

void cmd_model_fini(cmd_model *m)
{
    eng_model_unref(&m->model);
    srv_manifest_unref(&m->manifest);
}
