/* device_file.h - devices from the files of a folder. Layer: server/device. Thread rule: one
 * owner. */
#ifndef SRV_DEVICE_FILE_H
#define SRV_DEVICE_FILE_H

#include "engine/base/err.h"
#include "engine/cost/device.h"

#include <stddef.h>

#define SRV_DEVICES_MOST 64

typedef struct srv_device {
    char name[64];
    char source[160]; /* where the figures come from */
    eng_device is;
} srv_device;

typedef struct srv_devices {
    srv_device list[SRV_DEVICES_MOST]; /* by file name */
    size_t n;
} srv_devices;

/**
 * Reads one device (deploy/devices/README.md has the keys). NF_ENOTFOUND, NF_EIO; NF_EINVAL: which
 * key, what was expected, what came; NF_ETOOLARGE (over 64 KiB); NF_ENOMEM.
 */
nf_status srv_device_read(srv_device *out, const char *path, nf_error *err);

/** Reads every *.json of a folder. The same errors; NF_ENOTFOUND where there is none. */
nf_status srv_devices_read(srv_devices *out, const char *dir, nf_error *err);

#endif /* SRV_DEVICE_FILE_H */
