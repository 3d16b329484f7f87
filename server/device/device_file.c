/* device_file.c - the keys of a device file. Layer: server/device. Thread rule: one owner. */
#include "server/device/device_file.h"

#include "engine/base/file.h"

#include <dirent.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST ((size_t)64 << 10)
#define PATH_SIZE 4096

/* A number, or [low, high] where `range` is set. */
typedef struct device_key {
    const char *object; /* that the key stands in; NULL = the file's own */
    const char *name;
    size_t offset; /* in eng_device */
    double least, most;
    bool range, optional;
} device_key;

#define AT(field) offsetof(eng_device, field)

// clang-format off
static const device_key keys[] = {
    {NULL, "ram_bytes", AT(ram_bytes), 1, 1e15, true, false},
    {NULL, "cpu_hz", AT(cpu_hz), 1, 1e12, true, false},
    {NULL, "power_w", AT(power_w), 1e-9, 1e6, true, false},
    {NULL, "cores", AT(cores), 1, 4096, false, false},
    {NULL, "flash_bytes", AT(flash_bytes), 1, 1e18, false, false},
    {NULL, "ram_usable", AT(ram_usable), 0, 1, false, false},
    {NULL, "flash_usable", AT(flash_usable), 0, 1, false, false},
    {NULL, "runtime_ram_bytes", AT(runtime_ram_bytes), 0, 1e15, false, false},
    {NULL, "runtime_flash_bytes", AT(runtime_flash_bytes), 0, 1e15, false, false},
    {"macs_per_cycle", "fp32", AT(f32_macs_per_cycle), 1e-6, 1e6, false, false},
    {"macs_per_cycle", "int8", AT(i8_macs_per_cycle), 1e-6, 1e6, false, false},
    {NULL, "bytes_per_cycle", AT(bytes_per_cycle), 1e-6, 1e6, false, false},
    {NULL, "rate_hz", AT(rate_hz), 1e-9, 1e9, false, false},
    {NULL, "battery_wh", AT(battery_wh), 1e-9, 1e9, false, true},
};
// clang-format on

static nf_status read_number(double *out, const json_t *v, const device_key *k, const char *path,
                             nf_error *err)
{
    const double d = json_number_value(v);
    if (!json_is_number(v) || d < k->least || d > k->most)
        return nf_fail(err, NF_EINVAL, path, "%s: expected %s%g to %g", k->name,
                       k->range ? "a number, or two, of " : "a number of ", k->least, k->most);
    *out = d;
    return NF_OK;
}

static nf_status read_key(eng_device *d, const json_t *root, const device_key *k, const char *path,
                          nf_error *err)
{
    const json_t *v = json_object_get(k->object ? json_object_get(root, k->object) : root, k->name);
    double *const to = (double *)(void *)((char *)d + k->offset);
    nf_status st;
    if (!v && k->optional) return NF_OK;
    if (!k->range) return read_number(to, v, k, path, err);
    const bool two = json_is_array(v) && json_array_size(v) == 2;
    if ((st = read_number(&to[0], two ? json_array_get(v, 0) : v, k, path, err)) ||
        (st = read_number(&to[1], two ? json_array_get(v, 1) : v, k, path, err)))
        return st;
    if (to[0] > to[1])
        return nf_fail(err, NF_EINVAL, path, "%s: expected the lower figure first", k->name);
    return NF_OK;
}

static nf_status read_words(srv_device *out, const json_t *root, const char *path, nf_error *err)
{
    const char *name = json_string_value(json_object_get(root, "name"));
    const char *source = json_string_value(json_object_get(root, "source"));
    const char *where = json_string_value(json_object_get(root, "weights_in"));
    if (!name || !*name || strlen(name) >= sizeof(out->name))
        return nf_fail(err, NF_EINVAL, path, "name: expected a short text");
    if (!where || (strcmp(where, "ram") != 0 && strcmp(where, "flash") != 0))
        return nf_fail(err, NF_EINVAL, path, "weights_in: expected \"ram\" or \"flash\"");
    snprintf(out->name, sizeof(out->name), "%s", name);
    snprintf(out->source, sizeof(out->source), "%s", source ? source : "");
    out->is.weights_in_flash = strcmp(where, "flash") == 0;
    return NF_OK;
}

nf_status srv_device_read(srv_device *out, const char *path, nf_error *err)
{
    nf_bytes file = {0};
    json_error_t why;
    json_t *root = NULL;
    nf_status st;

    *out = (srv_device){0};
    if ((st = nf_read_file(&file, path, FILE_MOST, NF_MEM_MISC, err))) goto done;
    root = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, &why);
    if (!root) {
        st = nf_fail(err, NF_EINVAL, path, "line %d: %s", why.line, why.text);
        goto done;
    }
    st = read_words(out, root, path, err);
    for (size_t i = 0; i < NF_COUNT(keys) && !st; i++)
        st = read_key(&out->is, root, &keys[i], path, err);
done:
    json_decref(root);
    nf_free((void *)file.data);
    return st;
}

typedef struct file_names {
    char list[SRV_DEVICES_MOST][NAME_MAX + 1];
    size_t n;
} file_names;

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool is_json(const char *name)
{
    const size_t n = strlen(name);
    return n > 5 && name[0] != '.' && strcmp(name + n - 5, ".json") == 0;
}

static nf_status list_files(file_names *names, const char *dir, nf_error *err)
{
    nf_status st = NF_OK;
    DIR *const d = opendir(dir);
    names->n = 0;
    if (!d) return nf_fail(err, NF_ENOTFOUND, dir, "no such folder");
    for (const struct dirent *e; !st && (e = readdir(d));) {
        if (!is_json(e->d_name)) continue;
        if (names->n == SRV_DEVICES_MOST)
            st = nf_fail(err, NF_ETOOLARGE, dir, "over %d device files", SRV_DEVICES_MOST);
        else
            snprintf(names->list[names->n++], sizeof(names->list[0]), "%s", e->d_name);
    }
    closedir(d);
    if (!st && names->n == 0)
        st = nf_fail(err, NF_ENOTFOUND, dir, "expected device files (*.json), found none");
    qsort(names->list, names->n, sizeof(names->list[0]), by_name);
    return st;
}

nf_status srv_devices_read(srv_devices *out, const char *dir, nf_error *err)
{
    file_names names;
    nf_status st = list_files(&names, dir, err);
    out->n = 0;
    for (size_t i = 0; i < names.n && !st; i++) {
        char path[PATH_SIZE];
        const int len = snprintf(path, sizeof(path), "%s/%s", dir, names.list[i]);
        if (len < 0 || (size_t)len >= sizeof(path))
            st = nf_fail(err, NF_ETOOLARGE, dir, "path too long");
        else if (!(st = srv_device_read(&out->list[out->n], path, err)))
            out->n++;
    }
    return st;
}
