/* json_out.h - JSON text into a buffer. Layer: server/base. Thread rule: one owner at a time. */
#ifndef SRV_JSON_OUT_H
#define SRV_JSON_OUT_H

#include "server/base/text_buf.h"

/** A JSON string with its quotes; control characters are escaped, bytes that are not UTF-8 become
 * U+FFFD. */
void srv_json_string(srv_buf *b, nf_span s);
void srv_json_text(srv_buf *b, const char *s);

/** `"key":` */
void srv_json_key(srv_buf *b, const char *key);

/** `"key":"value"` */
void srv_json_pair(srv_buf *b, const char *key, const char *value);

/** The shortest decimal that reads back as the same float32, at most 9 digits and always with a
 * point or an exponent; null for NaN and infinities, which JSON cannot say. */
void srv_json_f32(srv_buf *b, float v);

/** 17 significant digits at most; null when not finite. */
void srv_json_f64(srv_buf *b, double v);

#endif /* SRV_JSON_OUT_H */
