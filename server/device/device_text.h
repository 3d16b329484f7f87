/* device_text.h - what a device says to a model, in words and numbers. Layer: server/device. Thread
 * rule: no shared state. */
#ifndef SRV_DEVICE_TEXT_H
#define SRV_DEVICE_TEXT_H

#include "server/base/text_buf.h"
#include "server/device/device_file.h"

typedef enum srv_device_topic {
    SRV_DEVICE_RAM,
    SRV_DEVICE_FLASH,
    SRV_DEVICE_TIME,
    SRV_DEVICE_BATTERY,
    SRV_DEVICE_TOPICS
} srv_device_topic;

/** "ram", "flash", "time", "battery". */
const char *srv_device_topic_name(srv_device_topic t);

/** One line without its end: the formula of eng_fit_of for that topic, with its numbers. */
void srv_device_arithmetic(srv_buf *b, srv_device_topic t, const eng_need *need,
                           const srv_device *d, const eng_fit *fit);

/** Why the verdict is what it is: the parts that are tight or too small, or "". */
void srv_device_why(srv_buf *b, const eng_fit *fit);

#endif /* SRV_DEVICE_TEXT_H */
