/* inspect_devices.h - the devices part of `nearfar inspect`. Layer: server/cmd. Thread rule: main
 * thread. */
#ifndef SRV_INSPECT_DEVICES_H
#define SRV_INSPECT_DEVICES_H

#include "server/device/device_file.h"

#include <jansson.h>

/** Verdict, reasons and arithmetic for each device, to stdout. */
void inspect_devices_print(const srv_devices *devices, const char *dir, const eng_need *need);

/** The same as a JSON list; the caller owns it. */
json_t *inspect_devices_json(const srv_devices *devices, const eng_need *need);

#endif /* SRV_INSPECT_DEVICES_H */
